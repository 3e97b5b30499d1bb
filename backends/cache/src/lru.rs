//! `lru`: exact order of use behind one lock; the reference.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::lru::LruCache;
use auralis_core::{
    Admission, Bytes, Cache, CacheSettings, CacheStats, CpuFeatures, Descriptor, Key, NoOptions,
    register,
};

use crate::memory::{Deadline, cost};

register! {
    Descriptor::<dyn Cache> {
        id: "lru",
        summary: "In memory, exact order of use, one lock; the reference",
        version: env!("CARGO_PKG_VERSION"),
        rank: 0,
        requires: CpuFeatures::NONE,
        capabilities: &["stores", "recency"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Lru::new(context.settings)))
        },
    }
}

#[derive(Debug)]
struct Lru {
    settings: CacheSettings,
    shelf: Mutex<Shelf>,
}

/// The entries by order of use, and the figures, whose `bytes` are those of the entries.
#[derive(Debug)]
struct Shelf {
    entries: LruCache<Key, Entry>,
    stats: CacheStats,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    deadline: Deadline,
}

impl Lru {
    fn new(settings: &CacheSettings) -> Self {
        let stats = CacheStats {
            capacity_bytes: settings.capacity_bytes,
            ..CacheStats::default()
        };
        Self {
            settings: settings.clone(),
            shelf: Mutex::new(Shelf {
                entries: LruCache::unbounded(),
                stats,
            }),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn take(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.pop(key)?;
        self.stats.bytes -= cost(&entry.value);
        Some(entry)
    }

    /// Removes the entry that was not used for longest.
    fn evict(&mut self) -> Option<Entry> {
        let (_, entry) = self.entries.pop_lru()?;
        self.stats.bytes -= cost(&entry.value);
        if entry.deadline.is_over() {
            self.stats.expirations += 1;
        } else {
            self.stats.evictions += 1;
        }
        Some(entry)
    }
}

impl Cache for Lru {
    fn get(&self, key: &Key) -> Option<Bytes> {
        let mut shelf = self.shelf();
        let found = shelf
            .entries
            .get(key)
            .map(|e| (e.value.clone(), e.deadline.is_over()));
        match found {
            Some((value, false)) => {
                shelf.stats.hits += 1;
                return Some(value);
            }
            Some((_, true)) => {
                shelf.take(key);
                shelf.stats.expirations += 1;
            }
            None => {}
        }
        shelf.stats.misses += 1;
        None
    }

    fn put(&self, key: &Key, value: Bytes) -> Admission {
        let cost = cost(&value);
        let mut shelf = self.shelf();
        if cost > self.settings.capacity_bytes {
            shelf.stats.too_large += 1;
            return Admission::TooLarge;
        }
        shelf.take(key);
        while shelf.stats.bytes + cost > self.settings.capacity_bytes && shelf.evict().is_some() {}
        shelf.stats.bytes += cost;
        let deadline = Deadline::after(self.settings.ttl);
        shelf.entries.put(*key, Entry { value, deadline });
        Admission::Stored
    }

    fn remove(&self, key: &Key) -> bool {
        let mut shelf = self.shelf();
        match shelf.take(key) {
            Some(entry) if entry.deadline.is_over() => {
                shelf.stats.expirations += 1;
                false
            }
            entry => entry.is_some(),
        }
    }

    fn sweep(&self) -> usize {
        let mut shelf = self.shelf();
        let dead: Vec<Key> = shelf
            .entries
            .iter()
            .filter(|(_, entry)| entry.deadline.is_over())
            .map(|(key, _)| *key)
            .collect();
        for key in &dead {
            shelf.take(key);
        }
        shelf.stats.expirations += dead.len() as u64;
        dead.len()
    }

    fn stats(&self) -> CacheStats {
        let shelf = self.shelf();
        CacheStats {
            entries: shelf.entries.len() as u64,
            ..shelf.stats
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::memory::ENTRY_OVERHEAD;

    #[test]
    fn the_budget_is_used_to_the_last_byte() {
        let cache = Lru::new(&CacheSettings {
            capacity_bytes: 3 * (ENTRY_OVERHEAD + 100),
            ttl: Duration::ZERO,
        });
        let key = |n| Key::from_bytes([n; 32]);
        for n in 0..3 {
            cache.put(&key(n), vec![n; 100].into());
        }
        assert_eq!(cache.stats().entries, 3);
        assert_eq!(cache.stats().bytes, cache.stats().capacity_bytes);
        assert!(cache.get(&key(0)).is_some());
        cache.put(&key(3), vec![3; 100].into());
        let kept: Vec<u8> = (0..4).filter(|n| cache.get(&key(*n)).is_some()).collect();
        assert_eq!(kept, [0, 2, 3]);
        cache.put(&key(4), vec![4; 101].into());
        assert_eq!(cache.stats().entries, 2);
    }
}
