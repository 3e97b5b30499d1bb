//! Buffer pools: sample memory that a real-time thread may take and give back.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::{Buffer, Kind, Result};

/// Owned, 64-byte aligned sample buffers, lent from memory that exists already.
///
/// # Contract
///
/// - `prepare` allocates and pre-faults; nothing else that a session needs does.
/// - `acquire` and the drop of a [`Buffer`] are real-time safe where the pool says so
///   ([`BufferPool::is_real_time`]): no lock, no system call, no allocation, bounded steps, on any
///   thread.
/// - A buffer has exactly the length asked for. Its contents are stale but initialised, or zero if
///   asked.
/// - The bytes that a pool owns, lent ones included, never exceed its budget, whatever is dropped,
///   lost or resized. What an empty pool allocates outside its budget, where its options allow
///   that, is counted as a miss and freed on return.
/// - A handle may outlive every other reference to its pool.
pub trait BufferPool: Debug + Send + Sync {
    /// Makes sure that `count` buffers of `len` samples can be taken without allocating, beyond
    /// those that earlier calls prepared. Not for a real-time thread.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exhausted`](crate::ErrorKind::Exhausted) if the budget does not allow it;
    /// nothing is prepared then.
    fn prepare(&self, len: usize, count: usize) -> Result<()>;

    /// Lends a buffer of `len` samples.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exhausted`](crate::ErrorKind::Exhausted) if the pool is empty and its options
    /// say to fail. The error does not allocate.
    fn acquire(&self, len: usize, contents: Contents) -> Result<Buffer>;

    /// Whether `acquire` of what was prepared, and its release, may run on a real-time thread.
    fn is_real_time(&self) -> bool;

    /// Figures since the pool was built.
    fn stats(&self) -> PoolStats;
}

/// What a lent buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Whatever the last user left: the caller overwrites it.
    Stale,
    /// Zeros.
    Zeroed,
}

/// What the configuration says to every buffer pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolSettings {
    /// The budget in bytes.
    pub capacity_bytes: usize,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            capacity_bytes: 64 << 20,
        }
    }
}

/// Figures of a buffer pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStats {
    /// The budget in bytes.
    pub capacity_bytes: usize,
    /// Bytes that the pool owns now, lent or not.
    pub bytes: usize,
    /// Buffers lent now, those outside the budget included.
    pub in_use: usize,
    /// The most buffers that were lent at once.
    pub peak: usize,
    /// Buffers lent in all.
    pub acquired: u64,
    /// Requests that found no prepared buffer: refused, or served by an allocation.
    pub misses: u64,
}

impl Kind for dyn BufferPool {
    const NAME: &'static str = "buffer_pool";
    type Settings = PoolSettings;
}
