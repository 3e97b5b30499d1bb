//! The table of caches.

use auralis_core::{Bytes, Cache, Error, ErrorKind, Key, Result};

use super::Served;
use super::guard::{on_instance, store};
use super::serve::{keep, serve};
use crate::tables::{CacheStats, CacheV1, Lookup};
use crate::wire::{AdmissionCode, Instance, Message, Owned, Status};

serve! {
    CacheV1: Cache {
        get(cache, key: *const [u8; 32]) -> Lookup {
            match cache.get(&opened(key)?) {
                Some(value) => Lookup { value: value.into(), found: 1 },
                None => Lookup::default(),
            }
        }

        put(cache, key: *const [u8; 32], value: Owned<u8>) taking value -> AdmissionCode {
            cache.put(&opened(key)?, Bytes::from_owner(value?))
        }

        remove(cache, key: *const [u8; 32]) -> u8 {
            cache.remove(&opened(key)?)
        }

        sweep(cache) -> usize {
            cache.sweep()
        }

        stats(cache) -> CacheStats {
            cache.stats()
        }
    }
}

/// # Safety
///
/// `key` is null or points to the 32 bytes of a key.
unsafe fn opened(key: *const [u8; 32]) -> Result<Key> {
    // SAFETY: the caller's promise; bytes have no alignment.
    let bytes = unsafe { key.as_ref() };
    let missing = || Error::new(ErrorKind::InvalidInput, "a call without a key");
    Ok(Key::from_bytes(*bytes.ok_or_else(missing)?))
}

impl From<Bytes> for Owned<u8> {
    fn from(bytes: Bytes) -> Self {
        Owned::lend(bytes, |bytes| bytes)
    }
}

impl From<auralis_core::CacheStats> for CacheStats {
    fn from(stats: auralis_core::CacheStats) -> Self {
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
