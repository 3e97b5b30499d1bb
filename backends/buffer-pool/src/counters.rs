//! What every pool counts, without a lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use auralis_core::{Error, ErrorKind, PoolStats, Result};

/// The figures of a pool, and its budget.
#[derive(Debug)]
pub struct Counters {
    capacity_bytes: usize,
    bytes: AtomicUsize,
    in_use: AtomicUsize,
    peak: AtomicUsize,
    acquired: AtomicU64,
    misses: AtomicU64,
}

impl Counters {
    /// Nothing yet, within a budget.
    pub fn new(capacity_bytes: usize) -> Self {
        Self {
            capacity_bytes,
            bytes: AtomicUsize::new(0),
            in_use: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            acquired: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Takes `bytes` of the budget, if they are left.
    pub fn reserve(&self, bytes: usize) -> Result<()> {
        let take = |owned: usize| {
            owned
                .checked_add(bytes)
                .filter(|sum| *sum <= self.capacity_bytes)
        };
        match self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
        {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::new(
                ErrorKind::Exhausted,
                "the budget of the buffer pool does not allow it",
            )),
        }
    }

    /// Gives back what was reserved.
    pub fn unreserve(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts a request that found nothing prepared.
    pub fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a buffer that is lent.
    pub fn lent(&self) {
        self.acquired.fetch_add(1, Ordering::Relaxed);
        let lent = 1 + self.in_use.fetch_add(1, Ordering::Relaxed);
        self.peak.fetch_max(lent, Ordering::Relaxed);
    }

    /// Counts a buffer that came back.
    pub fn returned(&self) {
        self.in_use.fetch_sub(1, Ordering::Relaxed);
    }

    /// The budget in bytes.
    pub fn capacity_bytes(&self) -> usize {
        self.capacity_bytes
    }

    /// The figures.
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            capacity_bytes: self.capacity_bytes,
            bytes: self.bytes.load(Ordering::Relaxed),
            in_use: self.in_use.load(Ordering::Relaxed),
            peak: self.peak.load(Ordering::Relaxed),
            acquired: self.acquired.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }
}

/// The bytes of `count` buffers of `len` samples.
///
/// # Errors
///
/// [`ErrorKind::Exhausted`] if no budget could allow them.
pub fn bytes_of(len: usize, count: usize) -> Result<usize> {
    let bytes = len
        .checked_mul(size_of::<f32>())
        .and_then(|each| each.checked_mul(count));
    bytes.ok_or_else(|| {
        Error::new(
            ErrorKind::Exhausted,
            "no budget allows buffers of this size",
        )
        .with("samples", len)
    })
}
