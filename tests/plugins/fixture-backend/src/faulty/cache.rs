//! The cache `faulty`.

use std::sync::Arc;

use auralis_core::{Admission, Bytes, Cache, CacheStats, CpuFeatures, Descriptor, Key, register};

use super::{SCHEMA, Switches, UNLUCKY, flush_to_zero};

#[derive(Debug)]
struct Faulty(#[allow(dead_code, reason = "it is there for its drop")] Switches);

register! {
    Descriptor::<dyn Cache> {
        id: "faulty",
        summary: "Panics over keys that begin with 13, and has a value under all others",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: SCHEMA,
        build: |context| Ok(Arc::new(Faulty(Switches::of(context.options)?))),
    }
}

fn look_at(key: &Key) {
    let first = key.as_bytes()[0];
    assert!(usize::from(first) != UNLUCKY, "a key begins with {first}");
}

impl Cache for Faulty {
    fn get(&self, key: &Key) -> Option<Bytes> {
        look_at(key);
        Some(Bytes::from_static(b"a value"))
    }

    fn put(&self, key: &Key, _: Bytes) -> Admission {
        look_at(key);
        Admission::TooLarge
    }

    fn remove(&self, key: &Key) -> bool {
        look_at(key);
        true
    }

    fn sweep(&self) -> usize {
        3
    }

    fn stats(&self) -> CacheStats {
        flush_to_zero();
        CacheStats {
            hits: 5,
            errors: 2,
            ..CacheStats::default()
        }
    }
}
