//! `debug`: poisons what comes back, and reports what does not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auralis_core::{
    Buffer, BufferPool, Contents, CpuFeatures, Descriptor, Error, ErrorKind, Lender, PoolSettings,
    PoolStats, Result, Storage, register,
};
use serde::Deserialize;

use crate::counters::{Counters, bytes_of};
use crate::options::WhenEmpty;

const SCHEMA: &str = include_str!("../schemas/debug.schema.json");

register! {
    Descriptor::<dyn BufferPool> {
        id: "debug",
        summary: "Fills with NaN what comes back, and reports what does not",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &["prepares"],
        options_schema: SCHEMA,
        build: |context| {
            let DebugOptions { when_empty } = context.options.parse()?;
            Ok(Arc::new(Debugging::new(context.settings, when_empty)))
        },
    }
}

/// Options of the `debug` pool.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct DebugOptions {
    /// What becomes of a request that finds no prepared buffer.
    when_empty: WhenEmpty,
}

/// What stale samples are: whoever reads them before writing hears of it.
const POISON: f32 = f32::NAN;

/// Token of a buffer that goes back on its shelf.
const PREPARED: usize = 0;
/// Token of a buffer that is freed.
const OUTSIDE: usize = 1;

/// Buffers by exact length behind one lock. When the pool goes, it says how many are still lent.
#[derive(Debug)]
struct Debugging(Arc<Shelves>);

#[derive(Debug)]
struct Shelves {
    by_len: Mutex<HashMap<usize, Vec<Storage>>>,
    when_empty: WhenEmpty,
    counters: Counters,
}

impl Debugging {
    fn new(settings: &PoolSettings, when_empty: WhenEmpty) -> Self {
        Self(Arc::new(Shelves {
            by_len: Mutex::default(),
            when_empty,
            counters: Counters::new(settings.capacity_bytes),
        }))
    }
}

impl Shelves {
    fn by_len(&self) -> MutexGuard<'_, HashMap<usize, Vec<Storage>>> {
        self.by_len.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, len: usize) -> Option<Storage> {
        self.by_len().get_mut(&len)?.pop()
    }

    fn allocate(&self, len: usize) -> Result<Storage> {
        self.counters.missed();
        match self.when_empty {
            WhenEmpty::Fail => Err(Error::new(
                ErrorKind::Exhausted,
                "the buffer pool has no prepared buffer of this length left",
            )),
            WhenEmpty::Allocate => poisoned(len),
        }
    }
}

fn poisoned(len: usize) -> Result<Storage> {
    let mut storage = Storage::zeroed(len)?;
    storage.fill(POISON);
    Ok(storage)
}

impl BufferPool for Debugging {
    fn prepare(&self, len: usize, count: usize) -> Result<()> {
        let bytes = bytes_of(len, count)?;
        let counters = &self.0.counters;
        counters.reserve(bytes).map_err(|error| {
            let stats = counters.stats();
            error
                .with("bytes asked", bytes)
                .with("bytes owned", stats.bytes)
                .with("budget", stats.capacity_bytes)
        })?;
        let storages: Result<Vec<Storage>> = (0..count).map(|_| poisoned(len)).collect();
        let storages = storages.inspect_err(|_| counters.unreserve(bytes))?;
        self.0.by_len().entry(len).or_default().extend(storages);
        Ok(())
    }

    fn acquire(&self, len: usize, contents: Contents) -> Result<Buffer> {
        let (storage, token) = match self.0.take(len) {
            Some(storage) => (storage, PREPARED),
            None => (self.0.allocate(len)?, OUTSIDE),
        };
        self.0.counters.lent();
        let mut buffer = Buffer::lend(storage, len, Arc::clone(&self.0), token)?;
        if contents == Contents::Zeroed {
            buffer.fill(0.0);
        }
        Ok(buffer)
    }

    fn is_real_time(&self) -> bool {
        false
    }

    fn stats(&self) -> PoolStats {
        self.0.counters.stats()
    }
}

impl Lender for Shelves {
    fn release(&self, mut storage: Storage, token: usize) {
        self.counters.returned();
        if token == PREPARED {
            storage.fill(POISON);
            self.by_len()
                .entry(storage.len())
                .or_default()
                .push(storage);
        }
    }
}

impl Drop for Debugging {
    fn drop(&mut self) {
        let lent = self.0.counters.stats().in_use;
        if lent > 0 {
            tracing::warn!(lent, "the buffer pool goes while buffers are still lent");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    fn pool(when_empty: WhenEmpty) -> Debugging {
        let settings = PoolSettings {
            capacity_bytes: 1000,
        };
        Debugging::new(&settings, when_empty)
    }

    #[test]
    fn the_schema_is_that_of_the_options() {
        let derived = schemars::schema_for!(DebugOptions).to_value();
        let written: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(written, derived, "the schema should be\n{derived:#}");
    }

    #[test]
    fn stale_samples_are_poison() {
        let pool = pool(WhenEmpty::Allocate);
        pool.prepare(10, 1).unwrap();
        for round in 0..3 {
            let mut buffer = pool.acquire(10, Contents::Stale).unwrap();
            assert!(buffer.iter().all(|sample| sample.is_nan()), "round {round}");
            buffer.fill(1.0);
        }
        let outside = pool.acquire(11, Contents::Stale).unwrap();
        assert!(outside.iter().all(|sample| sample.is_nan()));
    }

    /// Keeps the field `lent` of each event.
    #[derive(Clone, Default)]
    struct Listener(Arc<Mutex<Vec<u64>>>);

    impl Visit for Listener {
        fn record_u64(&mut self, field: &Field, value: u64) {
            if field.name() == "lent" {
                self.0.lock().unwrap().push(value);
            }
        }

        fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
    }

    impl Subscriber for Listener {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn what_is_still_lent_is_reported() {
        let heard = Listener::default();
        tracing::subscriber::with_default(heard.clone(), || {
            let pool = pool(WhenEmpty::Fail);
            pool.prepare(10, 3).unwrap();
            let lent = [(); 2].map(|()| pool.acquire(10, Contents::Stale).unwrap());
            drop(pool);
            drop(lent);
            drop(self::pool(WhenEmpty::Fail));
        });
        assert_eq!(*heard.0.lock().unwrap(), [2]);
    }
}
