//! A cache in a plugin, behind the trait of core.

use std::cell::Cell;
use std::sync::Arc;

use auralis_core::{Admission, Bytes, Cache, Key, Result};

use super::call::fault;
use super::instance::{RemoteInstance, calls, returned};
use super::{Remote, Tables, rejected, unserved};
use crate::tables::{CacheStats, CacheV1, Lookup, cache_v1};
use crate::wire::{AdmissionCode, Instance, Message, Owned, Status};

cache_v1!(calls);

impl Remote for dyn Cache {
    fn connect(instance: RemoteInstance, tables: &Tables) -> Result<Arc<Self>> {
        Ok(Arc::new(Calls::new(instance, tables.cache)?))
    }
}

/// A fault is a miss or a refusal, and is counted.
impl Cache for Calls {
    fn get(&self, key: &Key) -> Option<Bytes> {
        // SAFETY: the key lives during the call.
        let lookup = unsafe { self.get(key.as_bytes()) };
        let Lookup { value, found } = self.instance.tolerate(lookup)?;
        if found == 0 {
            return None;
        }
        // SAFETY: the plugin keeps the rules of the wire: a value that it gives is ours to release.
        let value = unsafe { value.take() };
        let value = value.map_err(|_| {
            self.instance
                .wrong("the plugin's cache gave what is no value")
        });
        Some(Bytes::from_owner(self.instance.tolerate(value)?))
    }

    fn put(&self, key: &Key, value: Bytes) -> Admission {
        // SAFETY: the key lives during the call, and the value belongs to the plugin from here on.
        let admission = unsafe { self.put(key.as_bytes(), value.into()) };
        let admission = admission.and_then(AdmissionCode::open);
        self.instance
            .tolerate(admission)
            .unwrap_or(Admission::Refused)
    }

    fn remove(&self, key: &Key) -> bool {
        // SAFETY: the key lives during the call.
        let removed = unsafe { self.remove(key.as_bytes()) };
        self.instance.tolerate(removed).unwrap_or_default() != 0
    }

    fn sweep(&self) -> usize {
        // SAFETY: the function takes nothing.
        let removed = unsafe { self.sweep() };
        self.instance.tolerate(removed).unwrap_or_default()
    }

    fn stats(&self) -> auralis_core::CacheStats {
        // SAFETY: the function takes nothing.
        let stats = unsafe { self.stats() };
        let mut stats: auralis_core::CacheStats =
            self.instance.tolerate(stats).unwrap_or_default().into();
        stats.errors = stats.errors.saturating_add(self.instance.faults());
        stats
    }
}

impl From<CacheStats> for auralis_core::CacheStats {
    fn from(stats: CacheStats) -> Self {
        Self {
            capacity_bytes: stats.capacity_bytes,
            bytes: stats.bytes,
            entries: stats.entries,
            hits: stats.hits,
            misses: stats.misses,
            evictions: stats.evictions,
            expirations: stats.expirations,
            too_large: stats.too_large,
            errors: stats.errors,
        }
    }
}
