//! What a cache counts without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use auralis_core::CacheStats;

/// The figures of a cache that only ever grow.
#[derive(Debug, Default)]
pub struct Counters {
    pub hits: Counter,
    pub misses: Counter,
    pub evictions: Counter,
    pub expirations: Counter,
    pub too_large: Counter,
    pub errors: Counter,
}

impl Counters {
    /// The figures, beside what the cache holds now.
    pub fn stats(&self, capacity_bytes: u64, bytes: u64, entries: u64) -> CacheStats {
        CacheStats {
            capacity_bytes,
            bytes,
            entries,
            hits: self.hits.get(),
            misses: self.misses.get(),
            evictions: self.evictions.get(),
            expirations: self.expirations.get(),
            too_large: self.too_large.get(),
            errors: self.errors.get(),
        }
    }
}

/// A count of events.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
