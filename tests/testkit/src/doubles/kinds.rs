//! The five kinds, as a double of each passes its calls on.

use std::ops::Range;

use auralis_core::profiler::{Event, Nanoseconds, Report};
use auralis_core::{
    Accelerator, Admission, Buffer, BufferPool, Bytes, Cache, CacheStats, Contents,
    ConvolutionMode, ConvolverSpec, Executor, Key, Operation, OperationId, PoolStats, Profiler,
    Result, Window, for_each_plan, for_each_slice_kernel,
};

use super::{Behaviour, Double};

/// An argument that may have a size worth writing down.
trait Argument {
    fn size(&self) -> Option<usize>;
}

impl<T> Argument for &[T] {
    fn size(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T> Argument for &mut [T] {
    fn size(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl Argument for usize {
    fn size(&self) -> Option<usize> {
        Some(*self)
    }
}

impl Argument for &ConvolverSpec<'_> {
    fn size(&self) -> Option<usize> {
        Some(self.impulse.len())
    }
}

macro_rules! without_size {
    ($($kind:ty)*) => {$(
        impl Argument for $kind {
            fn size(&self) -> Option<usize> {
                None
            }
        }
    )*};
}

without_size!(f32 f64 Window ConvolutionMode);

/// The sizes among the arguments of a call.
fn sizes(arguments: &[&dyn Argument]) -> Vec<usize> {
    arguments
        .iter()
        .filter_map(|argument| argument.size())
        .collect()
}

macro_rules! pass_on {
    ($($kernel:ident $method:ident($($name:ident: $kind:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($name: $kind),*) -> Result<$result> {
            self.behaviour.before(stringify!($method), &sizes(&[$(&$name),*]))?;
            self.inner.$method($($name),*)
        }
    )*};
}

impl<B: Behaviour> Accelerator for Double<dyn Accelerator, B> {
    for_each_slice_kernel!(pass_on);
    for_each_plan!(pass_on);

    fn variant(&self) -> &'static str {
        self.inner.variant()
    }
}

impl<B: Behaviour> BufferPool for Double<dyn BufferPool, B> {
    fn prepare(&self, len: usize, count: usize) -> Result<()> {
        self.behaviour.before("prepare", &[len, count])?;
        self.inner.prepare(len, count)
    }

    fn acquire(&self, len: usize, contents: Contents) -> Result<Buffer> {
        self.behaviour.before("acquire", &[len])?;
        self.inner.acquire(len, contents)
    }

    fn is_real_time(&self) -> bool {
        self.inner.is_real_time()
    }

    fn stats(&self) -> PoolStats {
        self.inner.stats()
    }
}

impl<B: Behaviour> Cache for Double<dyn Cache, B> {
    fn get(&self, key: &Key) -> Option<Bytes> {
        self.behaviour.before("get", &[]).ok()?;
        self.inner.get(key)
    }

    fn put(&self, key: &Key, value: Bytes) -> Admission {
        match self.behaviour.before("put", &[value.len()]) {
            Ok(()) => self.inner.put(key, value),
            Err(_) => Admission::Refused,
        }
    }

    fn remove(&self, key: &Key) -> bool {
        self.behaviour.before("remove", &[]).is_ok() && self.inner.remove(key)
    }

    fn sweep(&self) -> usize {
        match self.behaviour.before("sweep", &[]) {
            Ok(()) => self.inner.sweep(),
            Err(_) => 0,
        }
    }

    fn stats(&self) -> CacheStats {
        self.inner.stats()
    }
}

impl<B: Behaviour> Executor for Double<dyn Executor, B> {
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        self.behaviour.before("for_ranges", &[len, grain])?;
        self.inner.for_ranges(len, grain, task)
    }

    fn threads(&self) -> usize {
        self.inner.threads()
    }

    fn is_real_time(&self) -> bool {
        self.inner.is_real_time()
    }
}

/// The handle of an operation whose registration failed: no profiler gives it out.
const NOWHERE: OperationId = OperationId(u32::MAX);

impl<B: Behaviour> Profiler for Double<dyn Profiler, B> {
    fn register(&self, operation: &Operation<'_>) -> OperationId {
        match self.behaviour.before("register", &[operation.name.len()]) {
            Ok(()) => self.inner.register(operation),
            Err(_) => NOWHERE,
        }
    }

    fn record(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds) {
        if self.behaviour.before("record", &[]).is_ok() {
            self.inner.record(id, start, end);
        }
    }

    fn report(&self) -> Report {
        self.inner.report()
    }

    fn events(&self) -> Vec<Event> {
        self.inner.events()
    }
}
