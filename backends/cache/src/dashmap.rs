//! `dashmap`: sharded, for many threads; what goes first is nearly the least recently used.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use ::dashmap::DashMap;
use auralis_core::{
    Admission, Bytes, Cache, CacheSettings, CacheStats, CpuFeatures, Descriptor, Key, NoOptions,
    register,
};
use crossbeam_queue::SegQueue;

use crate::counters::Counters;
use crate::memory::{Deadline, cost};

register! {
    Descriptor::<dyn Cache> {
        id: "dashmap",
        summary: "In memory, sharded for many threads, nearly least recently used",
        version: env!("CARGO_PKG_VERSION"),
        rank: 20,
        requires: CpuFeatures::NONE,
        capabilities: &["stores", "recency"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Sharded::new(context.settings)))
        },
    }
}

/// Entries in a sharded map, and a queue of tickets by which they leave: second chance (CLOCK,
/// Corbató 1968). Room is made at the head of the queue; an entry that was read since it was queued
/// goes to the back once more, any other is removed.
#[derive(Debug)]
struct Sharded {
    settings: CacheSettings,
    entries: DashMap<Key, Entry, BuildHasherDefault<DigestHasher>>,
    queue: SegQueue<Ticket>,
    tickets: AtomicU64,
    /// What is stored or about to be: room is taken here before a value goes into the map.
    bytes: AtomicU64,
    count: AtomicU64,
    counters: Counters,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    deadline: Deadline,
    ticket: u64,
    was_read: AtomicBool,
}

/// The place of an entry in the queue. It is stale once the entry has left by another way.
#[derive(Debug)]
struct Ticket {
    key: Key,
    number: u64,
}

/// Stale tickets that may wait in the queue beside as many as there are entries.
const STALE_TICKETS: u64 = 64;

impl Sharded {
    fn new(settings: &CacheSettings) -> Self {
        Self {
            settings: settings.clone(),
            entries: DashMap::default(),
            queue: SegQueue::new(),
            tickets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            count: AtomicU64::new(0),
            counters: Counters::default(),
        }
    }

    /// Takes room for `cost` bytes, which the budget allows, and evicts until it is there.
    fn make_room(&self, cost: u64) {
        let take = |bytes| Some(bytes + cost).filter(|sum| *sum <= self.settings.capacity_bytes);
        while self
            .bytes
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, take)
            .is_err()
        {
            match self.queue.pop() {
                Some(ticket) => self.evict(ticket),
                // Another thread has taken room and is about to fill it.
                None => thread::yield_now(),
            }
        }
    }

    fn evict(&self, ticket: Ticket) {
        let mut spared = false;
        let evicted = self.entries.remove_if(&ticket.key, |_, entry| {
            let mine = entry.ticket == ticket.number;
            spared =
                mine && entry.was_read.swap(false, Ordering::Relaxed) && !entry.deadline.is_over();
            mine && !spared
        });
        if spared {
            self.queue.push(ticket);
        }
        if let Some((_, entry)) = evicted {
            if entry.deadline.is_over() {
                self.counters.expirations.count();
            } else {
                self.counters.evictions.count();
            }
            self.give_back(&entry);
        }
    }

    fn give_back(&self, entry: &Entry) {
        self.count.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(cost(&entry.value), Ordering::AcqRel);
    }

    fn take(&self, key: &Key) -> Option<Entry> {
        let (_, entry) = self.entries.remove(key)?;
        self.give_back(&entry);
        Some(entry)
    }

    /// Drops stale tickets from the head of the queue, two for each one that a put adds, so that
    /// puts and removals without end do not fill it.
    fn tidy(&self) {
        for _ in 0..2 {
            let entries = self.count.load(Ordering::Relaxed);
            if self.queue.len() as u64 <= 2 * entries + STALE_TICKETS {
                return;
            }
            let Some(ticket) = self.queue.pop() else {
                return;
            };
            let found = self
                .entries
                .get(&ticket.key)
                .is_some_and(|e| e.ticket == ticket.number);
            if found {
                self.queue.push(ticket);
            }
        }
    }
}

impl Cache for Sharded {
    fn get(&self, key: &Key) -> Option<Bytes> {
        let mut dead = None;
        if let Some(entry) = self.entries.get(key) {
            if !entry.deadline.is_over() {
                // A look first: most reads then leave the line of the entry shared.
                if !entry.was_read.load(Ordering::Relaxed) {
                    entry.was_read.store(true, Ordering::Relaxed);
                }
                self.counters.hits.count();
                return Some(entry.value.clone());
            }
            dead = Some(entry.ticket);
        }
        if let Some(ticket) = dead
            && let Some((_, entry)) = self.entries.remove_if(key, |_, e| e.ticket == ticket)
        {
            self.counters.expirations.count();
            self.give_back(&entry);
        }
        self.counters.misses.count();
        None
    }

    fn put(&self, key: &Key, value: Bytes) -> Admission {
        let cost = cost(&value);
        if cost > self.settings.capacity_bytes {
            self.counters.too_large.count();
            return Admission::TooLarge;
        }
        self.take(key);
        self.make_room(cost);
        let number = self.tickets.fetch_add(1, Ordering::Relaxed);
        let entry = Entry {
            value,
            deadline: Deadline::after(self.settings.ttl),
            ticket: number,
            was_read: AtomicBool::new(false),
        };
        self.count.fetch_add(1, Ordering::AcqRel);
        if let Some(older) = self.entries.insert(*key, entry) {
            self.give_back(&older);
        }
        self.queue.push(Ticket { key: *key, number });
        self.tidy();
        Admission::Stored
    }

    fn remove(&self, key: &Key) -> bool {
        match self.take(key) {
            Some(entry) if entry.deadline.is_over() => {
                self.counters.expirations.count();
                false
            }
            entry => entry.is_some(),
        }
    }

    fn sweep(&self) -> usize {
        let mut dead = 0;
        self.entries.retain(|_, entry| {
            let over = entry.deadline.is_over();
            if over {
                dead += 1;
                self.counters.expirations.count();
                self.give_back(entry);
            }
            !over
        });
        dead
    }

    fn stats(&self) -> CacheStats {
        self.counters.stats(
            self.settings.capacity_bytes,
            self.bytes.load(Ordering::Acquire),
            self.count.load(Ordering::Acquire),
        )
    }
}

/// Takes the first eight bytes of a digest as its hash: they are as good as random already.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length of the digest, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use auralis_core::KeyBuilder;

    use super::*;

    fn cache() -> Sharded {
        Sharded::new(&CacheSettings {
            capacity_bytes: 10_000,
            ttl: Duration::ZERO,
        })
    }

    #[test]
    fn the_queue_stays_bounded() {
        let cache = cache();
        for round in 0..5_000_u32 {
            let key = KeyBuilder::new("queue", 1).argument(&(round % 7)).finish();
            cache.put(&key, Bytes::from_static(b"value"));
            if round % 3 == 0 {
                cache.remove(&key);
            }
        }
        assert!(cache.queue.len() <= 100, "{}", cache.queue.len());
        assert!(cache.stats().entries <= 7);
    }

    #[test]
    fn a_hash_is_the_head_of_the_digest() {
        use std::hash::BuildHasher;
        let mut bytes = [0; 32];
        bytes[0] = 5;
        bytes[8] = 9;
        let cache = cache();
        assert_eq!(cache.entries.hasher().hash_one(Key::from_bytes(bytes)), 5);
    }
}
