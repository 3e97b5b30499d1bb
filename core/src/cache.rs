//! Caches: results by content digest, bounded in bytes and in time.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Key, Kind};

/// A store of shared, immutable bytes by content digest.
///
/// # Contract
///
/// - Never on a real-time thread.
/// - A hit returns exactly the bytes that were put under that very key. An entry that can't be read
///   back whole is a miss, is removed and is counted as an error.
/// - The bytes of live values and keys stay within the budget, and room is made before a value is
///   admitted. A value that can't fit is not stored, evicts nothing and is counted.
/// - An entry dies its time to live after it was put, however often it is read, by a monotonic
///   clock within one process.
/// - An empty value is a value.
/// - Trouble of a store (a full disk, a lost server) is a miss or a refusal, counted as an error,
///   never a failure of the caller.
pub trait Cache: Debug + Send + Sync {
    /// The value under `key`, if it is there and alive.
    fn get(&self, key: &Key) -> Option<Bytes>;

    /// Puts a value under `key`, in the place of an older one.
    fn put(&self, key: &Key, value: Bytes) -> Admission;

    /// Removes the value under `key`; says whether there was one.
    fn remove(&self, key: &Key) -> bool;

    /// Removes what is dead; says how many entries that were.
    fn sweep(&self) -> usize;

    /// Figures since the cache was built.
    fn stats(&self) -> CacheStats;
}

/// What became of a value that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is stored.
    Stored,
    /// It is larger than this cache can hold, and was not stored.
    TooLarge,
    /// The store refused it: it keeps nothing, or is in trouble.
    Refused,
}

/// What the configuration says to every cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// The budget in bytes.
    pub capacity_bytes: u64,
    /// How long an entry lives; zero: without end.
    pub ttl: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            capacity_bytes: 128 << 20,
            ttl: Duration::from_secs(300),
        }
    }
}

/// Figures of a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheStats {
    /// The budget in bytes.
    pub capacity_bytes: u64,
    /// Bytes of live entries, keys and the backend's own overhead per entry included.
    pub bytes: u64,
    /// Live entries.
    pub entries: u64,
    /// Reads that found a value.
    pub hits: u64,
    /// Reads that found none.
    pub misses: u64,
    /// Entries removed to make room.
    pub evictions: u64,
    /// Entries removed because their time was over.
    pub expirations: u64,
    /// Values that were too large to be stored.
    pub too_large: u64,
    /// Troubles of the store that were turned into misses or refusals.
    pub errors: u64,
}

impl Kind for dyn Cache {
    const NAME: &'static str = "cache";
    type Settings = CacheSettings;
}
