//! `queue`: lock-free queues of prepared buffers, one per power-of-two size.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use auralis_core::{
    Buffer, BufferPool, Contents, CpuFeatures, Descriptor, Error, ErrorKind, Lender, PoolSettings,
    PoolStats, Result, Storage, register,
};
use crossbeam_queue::ArrayQueue;
use serde::Deserialize;

use crate::counters::{Counters, bytes_of};
use crate::options::WhenEmpty;

const SCHEMA: &str = include_str!("../schemas/queue.schema.json");

register! {
    Descriptor::<dyn BufferPool> {
        id: "queue",
        summary: "Lock-free queues of prepared buffers, for real-time work",
        version: env!("CARGO_PKG_VERSION"),
        rank: 20,
        requires: CpuFeatures::NONE,
        capabilities: &["prepares", "real_time"],
        options_schema: SCHEMA,
        build: |context| {
            let QueueOptions { when_empty } = context.options.parse()?;
            Ok(Arc::new(Queue(Arc::new(Shelves::new(context.settings, when_empty)))))
        },
    }
}

/// Options of the `queue` pool.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct QueueOptions {
    /// What becomes of a request that finds no prepared buffer.
    when_empty: WhenEmpty,
}

#[derive(Debug)]
struct Queue(Arc<Shelves>);

/// The smallest class holds buffers of 16 samples: one cache line.
const SMALLEST: usize = 16;
const CLASSES: usize = (usize::BITS - SMALLEST.ilog2()) as usize;
/// Each shelf of a class may hold twice as many as the one before, so these suffice.
const SHELVES: usize = 32;
const FIRST_SHELF: usize = 8;

/// The token of a buffer that belongs to no shelf.
const OUTSIDE: usize = usize::MAX;

/// Shelves are only ever added, so that a real-time thread finds them without a lock. A buffer
/// returns to the shelf that it came from, which has a place for each buffer that it was given.
#[derive(Debug)]
struct Shelves {
    classes: Box<[Class]>,
    preparing: Mutex<()>,
    when_empty: WhenEmpty,
    counters: Counters,
}

/// Buffers of one size.
#[derive(Debug, Default)]
struct Class {
    shelves: [OnceLock<Box<Shelf>>; SHELVES],
}

#[derive(Debug)]
struct Shelf {
    queue: ArrayQueue<Storage>,
    /// The buffers that belong here, lent ones included. Changed while `preparing` is held.
    owned: AtomicUsize,
}

impl Shelves {
    fn new(settings: &PoolSettings, when_empty: WhenEmpty) -> Self {
        Self {
            classes: (0..CLASSES).map(|_| Class::default()).collect(),
            preparing: Mutex::new(()),
            when_empty,
            counters: Counters::new(settings.capacity_bytes),
        }
    }

    fn prepare(&self, len: usize, count: usize) -> Result<()> {
        let class = class_of(len).ok_or_else(|| too_long(len))?;
        let size = SMALLEST << class;
        let bytes = bytes_of(size, count)?;
        let _preparing = self
            .preparing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.counters.reserve(bytes).map_err(|error| {
            let stats = self.counters.stats();
            error
                .with("bytes asked", bytes)
                .with("bytes owned", stats.bytes)
                .with("budget", stats.capacity_bytes)
        })?;
        let storages: Result<Vec<Storage>> = (0..count).map(|_| prefaulted(size)).collect();
        let storages = storages.inspect_err(|_| self.counters.unreserve(bytes))?;
        self.classes[class].add(storages);
        Ok(())
    }

    /// A stored buffer for `len` samples, and its token.
    fn take(&self, len: usize) -> Option<(Storage, usize)> {
        let class = class_of(len)?;
        let shelves = self.classes[class].shelves.iter().enumerate();
        shelves
            .map_while(|(index, shelf)| Some((index, shelf.get()?)))
            .find_map(|(index, shelf)| Some((shelf.queue.pop()?, class * SHELVES + index)))
    }

    fn allocate(&self, len: usize) -> Result<(Storage, usize)> {
        self.counters.missed();
        match self.when_empty {
            WhenEmpty::Fail => Err(Error::new(
                ErrorKind::Exhausted,
                "the buffer pool has no prepared buffer of this size left",
            )),
            WhenEmpty::Allocate => Ok((Storage::zeroed(len)?, OUTSIDE)),
        }
    }
}

impl Class {
    /// Puts buffers where there are places left, and adds shelves for the others.
    fn add(&self, mut storages: Vec<Storage>) {
        for (index, shelf) in self.shelves.iter().enumerate() {
            if storages.is_empty() {
                return;
            }
            let places = storages.len().max(FIRST_SHELF << index);
            let shelf = shelf.get_or_init(|| Box::new(Shelf::new(places)));
            let free = shelf.queue.capacity() - shelf.owned.load(Ordering::Relaxed);
            let adding = free.min(storages.len());
            shelf.owned.fetch_add(adding, Ordering::Relaxed);
            for storage in storages.drain(..adding) {
                shelf.put(storage);
            }
        }
    }
}

impl Shelf {
    fn new(places: usize) -> Self {
        Self {
            queue: ArrayQueue::new(places),
            owned: AtomicUsize::new(0),
        }
    }

    fn put(&self, storage: Storage) {
        let put = self.queue.push(storage);
        debug_assert!(put.is_ok(), "a shelf has a place for each of its buffers");
    }
}

/// The class whose buffers hold `len` samples; none if no buffer can.
fn class_of(len: usize) -> Option<usize> {
    let size = len.max(SMALLEST).checked_next_power_of_two()?;
    Some((size.ilog2() - SMALLEST.ilog2()) as usize)
}

fn too_long(len: usize) -> Error {
    Error::new(ErrorKind::Exhausted, "no buffer can be as long").with("samples", len)
}

fn prefaulted(len: usize) -> Result<Storage> {
    let mut storage = Storage::zeroed(len)?;
    storage.prefault();
    Ok(storage)
}

impl Lender for Shelves {
    fn release(&self, storage: Storage, token: usize) {
        self.counters.returned();
        // A token is `OUTSIDE` or names a shelf; what has no shelf is freed.
        if let Some(class) = self.classes.get(token / SHELVES)
            && let Some(shelf) = class.shelves[token % SHELVES].get()
        {
            shelf.put(storage);
        }
    }
}

impl BufferPool for Queue {
    fn prepare(&self, len: usize, count: usize) -> Result<()> {
        self.0.prepare(len, count)
    }

    fn acquire(&self, len: usize, contents: Contents) -> Result<Buffer> {
        let (storage, token) = match self.0.take(len) {
            Some(taken) => taken,
            None => self.0.allocate(len)?,
        };
        self.0.counters.lent();
        let mut buffer = Buffer::lend(storage, len, Arc::clone(&self.0), token)?;
        if contents == Contents::Zeroed && token != OUTSIDE {
            buffer.fill(0.0);
        }
        Ok(buffer)
    }

    fn is_real_time(&self) -> bool {
        true
    }

    fn stats(&self) -> PoolStats {
        self.0.counters.stats()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn queue(capacity_bytes: usize, when_empty: WhenEmpty) -> Queue {
        let settings = PoolSettings { capacity_bytes };
        Queue(Arc::new(Shelves::new(&settings, when_empty)))
    }

    #[test]
    fn the_schema_is_that_of_the_options() {
        let derived = schemars::schema_for!(QueueOptions).to_value();
        let written: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(written, derived, "the schema should be\n{derived:#}");
    }

    #[test]
    fn a_class_is_the_next_power_of_two() {
        let cases = [
            (0, Some(0)),
            (16, Some(0)),
            (17, Some(1)),
            (1024, Some(6)),
            (1 << 63, Some(CLASSES - 1)),
            (usize::MAX, None),
        ];
        for (len, class) in cases {
            assert_eq!(class_of(len), class, "{len}");
        }
    }

    #[test]
    fn shelves_take_whatever_is_prepared_in_small_steps_or_large() {
        let pool = queue(1 << 20, WhenEmpty::Fail);
        let mut expected = 0;
        for count in (0..40).chain([300]) {
            pool.prepare(10, count).unwrap();
            expected += count;
        }
        let all: Vec<_> = std::iter::from_fn(|| pool.acquire(10, Contents::Stale).ok()).collect();
        assert_eq!(all.len(), expected);
        drop(all);
        assert_eq!(std::iter::from_fn(|| pool.0.take(10)).count(), expected);
    }

    #[test]
    fn buffers_are_never_lent_twice_nor_lost() {
        const BUFFERS: usize = 12;
        let pool = queue(1 << 20, WhenEmpty::Fail);
        pool.prepare(64, BUFFERS / 2).unwrap();
        thread::scope(|scope| {
            for thread in 0..4_u32 {
                let pool = &pool;
                scope.spawn(move || {
                    let mut held = Vec::new();
                    for round in 0..20_000_u32 {
                        let mark = (thread * 20_000 + round) as f32;
                        if let Ok(mut buffer) = pool.acquire(64, Contents::Stale) {
                            buffer.fill(mark);
                            held.push((mark, buffer));
                        }
                        if held.len() > (round % 4) as usize {
                            let (mark, buffer) = held.remove(0);
                            assert!(buffer.iter().all(|sample| *sample == mark));
                        }
                        if thread == 0 && round == 5_000 {
                            pool.prepare(64, BUFFERS - BUFFERS / 2).unwrap();
                        }
                    }
                });
            }
        });
        assert_eq!(pool.stats().in_use, 0);
        assert!(pool.stats().peak <= BUFFERS);
        assert_eq!(std::iter::from_fn(|| pool.0.take(64)).count(), BUFFERS);
    }
}
