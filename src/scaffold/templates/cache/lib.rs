//! The cache `plugin-name`: a map in memory behind one lock; what was used last goes last.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use auralis_core::{
    Admission, Bytes, Cache, CacheSettings, CacheStats, CpuFeatures, Descriptor, Key, NoOptions,
    register,
};

// Exports what this crate registers: the whole difference between a library and a plugin.
auralis_abi::export_plugin!();

register! {
    Descriptor::<dyn Cache> {
        // The name by which a configuration asks for it.
        id: "plugin-name",
        summary: "A map in memory; what was used last goes last",
        version: env!("CARGO_PKG_VERSION"),
        // Negative: only by name. Above those of `auralis backends`: the default of its users.
        rank: -1,
        requires: CpuFeatures::NONE,
        // What holds of it: "stores" (keeps what it is given), "recency" (what was used last goes
        // last), "persistent" (entries lie in a `directory`). `plugin check` tries what is listed.
        capabilities: &["stores", "recency"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Recent {
                settings: context.settings.clone(),
                shelf: Mutex::default(),
            }))
        },
    }
}

/// What an entry costs beside its value: key, handle, deadline and its places in both maps.
const OVERHEAD: u64 = 256;

/// What is built once and then called from any thread, a real-time thread excepted.
#[derive(Debug)]
struct Recent {
    settings: CacheSettings,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    entries: HashMap<Key, Entry>,
    /// Keys by their last use, the oldest first.
    order: BTreeMap<u64, Key>,
    uses: u64,
    stats: CacheStats,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    used: u64,
    /// When it dies; `None`: never.
    dies: Option<Instant>,
}

fn cost(value: &Bytes) -> u64 {
    value.len() as u64 + OVERHEAD
}

impl Entry {
    fn is_dead(&self) -> bool {
        self.dies.is_some_and(|moment| Instant::now() >= moment)
    }
}

impl Shelf {
    fn take(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.used);
        self.stats.bytes -= cost(&entry.value);
        Some(entry)
    }

    fn set(&mut self, key: Key, mut entry: Entry) {
        self.uses += 1;
        entry.used = self.uses;
        self.stats.bytes += cost(&entry.value);
        self.order.insert(entry.used, key);
        self.entries.insert(key, entry);
    }

    /// Removes an entry that is there if it is alive; a dead one is counted as expired.
    fn take_living(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.take(key)?;
        if entry.is_dead() {
            self.stats.expirations += 1;
            return None;
        }
        Some(entry)
    }
}

impl Recent {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache for Recent {
    fn get(&self, key: &Key) -> Option<Bytes> {
        let mut shelf = self.shelf();
        let Some(entry) = shelf.take_living(key) else {
            shelf.stats.misses += 1;
            return None;
        };
        let value = entry.value.clone();
        // Its deadline stays; its place in the order of use is the last one now.
        shelf.set(*key, entry);
        shelf.stats.hits += 1;
        Some(value)
    }

    fn put(&self, key: &Key, value: Bytes) -> Admission {
        let capacity = self.settings.capacity_bytes;
        let cost = cost(&value);
        let mut shelf = self.shelf();
        if cost > capacity {
            shelf.stats.too_large += 1;
            return Admission::TooLarge;
        }
        shelf.take(key);
        // Room is made first, so that the budget holds at every moment.
        while shelf.stats.bytes + cost > capacity
            && let Some((_, oldest)) = shelf.order.first_key_value()
        {
            let oldest = *oldest;
            if shelf.take_living(&oldest).is_some() {
                shelf.stats.evictions += 1;
            }
        }
        let ttl = self.settings.ttl;
        let dies = if ttl.is_zero() {
            None
        } else {
            Instant::now().checked_add(ttl)
        };
        let entry = Entry {
            value,
            used: 0,
            dies,
        };
        shelf.set(*key, entry);
        Admission::Stored
    }

    fn remove(&self, key: &Key) -> bool {
        self.shelf().take_living(key).is_some()
    }

    fn sweep(&self) -> usize {
        let mut shelf = self.shelf();
        let all = shelf.entries.iter();
        let dead: Vec<Key> = all
            .filter(|(_, entry)| entry.is_dead())
            .map(|(key, _)| *key)
            .collect();
        for key in &dead {
            shelf.take_living(key);
        }
        dead.len()
    }

    fn stats(&self) -> CacheStats {
        let shelf = self.shelf();
        CacheStats {
            capacity_bytes: self.settings.capacity_bytes,
            entries: shelf.entries.len() as u64,
            ..shelf.stats
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_value_that_was_read_stays() {
        let cache = Recent {
            settings: CacheSettings {
                capacity_bytes: 2 * (OVERHEAD + 100),
                ttl: Duration::ZERO,
            },
            shelf: Mutex::default(),
        };
        let key = |n| Key::from_bytes([n; 32]);
        cache.put(&key(1), vec![1; 100].into());
        cache.put(&key(2), vec![2; 100].into());
        assert!(cache.get(&key(1)).is_some());
        cache.put(&key(3), vec![3; 100].into());
        assert!(cache.get(&key(2)).is_none());
        assert_eq!(cache.get(&key(1)), Some(vec![1; 100].into()));
        assert_eq!(cache.stats().evictions, 1);
    }
}
