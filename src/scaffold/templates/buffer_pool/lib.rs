//! The buffer pool `plugin-name`: allocates what is asked for, within its budget, and counts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auralis_core::{
    Buffer, BufferPool, Contents, CpuFeatures, Descriptor, Error, ErrorKind, Lender, NoOptions,
    PoolStats, Result, Storage, register,
};

// Exports what this crate registers: the whole difference between a library and a plugin.
auralis_abi::export_plugin!();

register! {
    Descriptor::<dyn BufferPool> {
        // The name by which a configuration asks for it.
        id: "plugin-name",
        summary: "Allocates within its budget, and counts",
        version: env!("CARGO_PKG_VERSION"),
        // Negative: only by name. Above those of `auralis backends`: the default of its users.
        rank: -1,
        requires: CpuFeatures::NONE,
        // What holds of it: "prepares" (lends from memory that `prepare` made), "real_time" (and
        // does so without a lock or an allocation). This one does neither, so it lists neither.
        capabilities: &[],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            let figures = PoolStats {
                capacity_bytes: context.settings.capacity_bytes,
                ..PoolStats::default()
            };
            Ok(Arc::new(Counting(Arc::new(Ledger(Mutex::new(Account { figures, promised: 0 }))))))
        },
    }
}

/// What is built once and then called from any thread.
#[derive(Debug)]
struct Counting(Arc<Ledger>);

/// What the pool and its lent buffers share: a buffer may outlive every handle of its pool.
#[derive(Debug)]
struct Ledger(Mutex<Account>);

#[derive(Debug)]
struct Account {
    figures: PoolStats,
    /// Bytes that `prepare` was asked for.
    promised: usize,
}

impl Ledger {
    fn open(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BufferPool for Counting {
    fn prepare(&self, len: usize, count: usize) -> Result<()> {
        let mut account = self.0.open();
        account.promised = within(&account, account.promised, len, count)?;
        Ok(())
    }

    fn acquire(&self, len: usize, _contents: Contents) -> Result<Buffer> {
        {
            let mut account = self.0.open();
            account.figures.misses += 1;
            account.figures.bytes = within(&account, account.figures.bytes, len, 1)?;
        }
        // Fresh memory is zero, so it serves `Contents::Stale` as well.
        let storage = Storage::zeroed(len)
            .inspect_err(|_| self.0.open().figures.bytes -= len * size_of::<f32>())?;
        {
            let figures = &mut self.0.open().figures;
            figures.acquired += 1;
            figures.in_use += 1;
            figures.peak = figures.peak.max(figures.in_use);
        }
        Buffer::lend(storage, len, Arc::clone(&self.0), 0)
    }

    fn is_real_time(&self) -> bool {
        false
    }

    fn stats(&self) -> PoolStats {
        self.0.open().figures
    }
}

impl Lender for Ledger {
    // Runs where a handle is dropped, on any thread.
    fn release(&self, storage: Storage, _token: usize) {
        let figures = &mut self.open().figures;
        figures.in_use -= 1;
        figures.bytes -= storage.bytes();
    }
}

/// `bytes` and `count` more buffers of `len` samples, if the budget allows it.
fn within(account: &Account, bytes: usize, len: usize, count: usize) -> Result<usize> {
    let more = len
        .checked_mul(size_of::<f32>())
        .and_then(|each| each.checked_mul(count));
    more.and_then(|more| bytes.checked_add(more))
        .filter(|sum| *sum <= account.figures.capacity_bytes)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Exhausted,
                "the budget of the buffer pool is used up",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_free_again() {
        let figures = PoolStats {
            capacity_bytes: 400,
            ..PoolStats::default()
        };
        let account = Account {
            figures,
            promised: 0,
        };
        let pool = Counting(Arc::new(Ledger(Mutex::new(account))));
        let held = pool.acquire(100, Contents::Zeroed).unwrap();
        let error = pool.acquire(1, Contents::Zeroed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exhausted);
        drop(held);
        let stats = pool.stats();
        assert_eq!((stats.in_use, stats.peak, stats.bytes), (0, 1, 0));
        assert_eq!(pool.acquire(100, Contents::Stale).unwrap().len(), 100);
    }
}
