//! `rayon`: a work-stealing pool of its own, for batch work.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use ::rayon::iter::{IntoParallelIterator, ParallelIterator};
use ::rayon::{ThreadPool, ThreadPoolBuilder};
use auralis_core::executor::contain;
use auralis_core::{
    CpuFeatures, Descriptor, Error, ErrorKind, Executor, NoOptions, Result, register,
};

use crate::cut::Cut;
use crate::sequential::run_here;

register! {
    Descriptor::<dyn Executor> {
        id: "rayon",
        summary: "A work-stealing pool of its own, for batch work",
        version: env!("CARGO_PKG_VERSION"),
        rank: 20,
        requires: CpuFeatures::NONE,
        capabilities: &["parallel"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Rayon::new(context.settings.resolved_threads())))
        },
    }
}

/// Pieces per thread: enough that a thread which is done early finds some more of a range whose
/// items cost unequally, few enough that handing them out costs little.
const PIECES_PER_THREAD: usize = 16;

#[derive(Debug)]
struct Rayon {
    threads: usize,
    pool: OnceLock<Result<Pool, String>>,
}

impl Rayon {
    fn new(threads: usize) -> Self {
        Self {
            threads,
            pool: OnceLock::new(),
        }
    }

    fn pool(&self) -> Result<&Pool> {
        let started = self.pool.get_or_init(|| Pool::start(self.threads));
        started.as_ref().map_err(|cause| {
            Error::new(
                ErrorKind::Unavailable,
                "the threads of the executor can't be started",
            )
            .with("threads", self.threads)
            .because(cause.clone())
        })
    }
}

impl Executor for Rayon {
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        let cut = Cut::new(len, grain, self.threads.saturating_mul(PIECES_PER_THREAD));
        if self.threads == 1 || cut.pieces() <= 1 {
            return run_here(len, task);
        }
        // Called from one of the pool's own threads, `install` runs its closure on the spot.
        self.pool()?.threads().install(|| {
            (0..cut.pieces())
                .into_par_iter()
                .map(|index| contain(cut.piece(index), task))
                .reduce(|| Ok(()), Result::and)
        })
    }

    fn threads(&self) -> usize {
        self.threads
    }
}

/// A rayon pool whose threads have ended once it is dropped: rayon's own pool only tells them to.
#[derive(Debug)]
struct Pool {
    threads: Option<ThreadPool>,
    handles: Vec<JoinHandle<()>>,
}

impl Pool {
    fn start(threads: usize) -> Result<Self, String> {
        let mut handles = Vec::with_capacity(threads);
        let built = ThreadPoolBuilder::new()
            .num_threads(threads)
            .spawn_handler(|thread| {
                let name = format!("auralis-rayon-{}", thread.index());
                let handle = thread::Builder::new().name(name).spawn(|| thread.run())?;
                handles.push(handle);
                Ok(())
            })
            .build();
        match built {
            Ok(pool) => Ok(Self {
                threads: Some(pool),
                handles,
            }),
            Err(error) => Err(error.to_string()),
        }
    }

    fn threads(&self) -> &ThreadPool {
        self.threads
            .as_ref()
            .expect("the pool is taken by drop alone")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.threads.take());
        let here = thread::current().id();
        if self
            .handles
            .iter()
            .any(|handle| handle.thread().id() == here)
        {
            return;
        }
        for handle in self.handles.drain(..) {
            if handle.join().is_err() {
                tracing::error!("a thread of the rayon executor panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_start_with_the_first_call_that_can_use_them() {
        let executor = Rayon::new(2);
        executor.for_ranges(1, 1, &|_| {}).unwrap();
        assert!(executor.pool.get().is_none());
        executor.for_ranges(2, 1, &|_| {}).unwrap();
        assert!(executor.pool.get().is_some());
    }

    #[test]
    fn tasks_run_in_the_own_pool_and_nested_ones_stay_there() {
        let executor = Rayon::new(2);
        let named = || {
            let thread = thread::current();
            thread
                .name()
                .is_some_and(|name| name.starts_with("auralis-rayon-"))
        };
        executor
            .for_ranges(8, 1, &|_| {
                assert!(named());
                let outer = thread::current().id();
                let pool = executor.pool().unwrap().threads();
                pool.install(|| assert_eq!(thread::current().id(), outer));
            })
            .unwrap();
    }
}
