//! `none`: keeps nothing.

use std::sync::Arc;

use auralis_core::{
    Admission, Bytes, Cache, CacheStats, CpuFeatures, Descriptor, Key, NoOptions, register,
};

use crate::counters::Counters;

register! {
    Descriptor::<dyn Cache> {
        id: "none",
        summary: "Keeps nothing",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Nothing::default()))
        },
    }
}

#[derive(Debug, Default)]
struct Nothing {
    counters: Counters,
}

impl Cache for Nothing {
    fn get(&self, _key: &Key) -> Option<Bytes> {
        self.counters.misses.count();
        None
    }

    fn put(&self, _key: &Key, _value: Bytes) -> Admission {
        Admission::Refused
    }

    fn remove(&self, _key: &Key) -> bool {
        false
    }

    fn sweep(&self) -> usize {
        0
    }

    fn stats(&self) -> CacheStats {
        self.counters.stats(0, 0, 0)
    }
}
