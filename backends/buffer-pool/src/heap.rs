//! `heap`: allocates and frees each time; the reference.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use auralis_core::{
    Buffer, BufferPool, Contents, CpuFeatures, Descriptor, Error, ErrorKind, Lender, NoOptions,
    PoolStats, Result, Storage, register,
};

use crate::counters::{Counters, bytes_of};

register! {
    Descriptor::<dyn BufferPool> {
        id: "heap",
        summary: "Allocates and frees each time; the reference",
        version: env!("CARGO_PKG_VERSION"),
        rank: 0,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Heap {
                counters: Arc::new(Counters::new(context.settings.capacity_bytes)),
                promised: AtomicUsize::new(0),
            }))
        },
    }
}

/// Every request is a miss: nothing is prepared, `prepare` only checks the budget.
#[derive(Debug)]
struct Heap {
    counters: Arc<Counters>,
    promised: AtomicUsize,
}

impl BufferPool for Heap {
    fn prepare(&self, len: usize, count: usize) -> Result<()> {
        let bytes = bytes_of(len, count)?;
        let capacity = self.counters.capacity_bytes();
        let promise = |sum: usize| sum.checked_add(bytes).filter(|sum| *sum <= capacity);
        match self
            .promised
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, promise)
        {
            Ok(_) => Ok(()),
            Err(promised) => Err(Error::new(
                ErrorKind::Exhausted,
                "the budget of the buffer pool does not allow it",
            )
            .with("bytes asked", bytes)
            .with("bytes prepared", promised)
            .with("budget", capacity)),
        }
    }

    fn acquire(&self, len: usize, _contents: Contents) -> Result<Buffer> {
        self.counters.missed();
        let bytes = bytes_of(len, 1)?;
        self.counters.reserve(bytes)?;
        let storage = Storage::zeroed(len).inspect_err(|_| self.counters.unreserve(bytes))?;
        self.counters.lent();
        Buffer::lend(
            storage,
            len,
            Arc::new(Freeing(Arc::clone(&self.counters))),
            0,
        )
    }

    fn is_real_time(&self) -> bool {
        false
    }

    fn stats(&self) -> PoolStats {
        self.counters.stats()
    }
}

/// Frees what comes back.
struct Freeing(Arc<Counters>);

impl Lender for Freeing {
    fn release(&self, storage: Storage, _token: usize) {
        self.0.unreserve(storage.bytes());
        self.0.returned();
    }
}
