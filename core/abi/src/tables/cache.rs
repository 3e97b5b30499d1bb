//! The table of caches.

use abi_stable::StableAbi;

use super::Interface;
use crate::kernel_table;
use crate::wire::{AdmissionCode, Instance, Message, Owned, Status};

/// What `get` answers.
#[derive(Clone, Copy, Debug, Default, StableAbi)]
#[repr(C)]
pub struct Lookup {
    /// The value, which the host releases. Not read where there is none.
    pub value: Owned<u8>,
    /// 1 for a hit, 0 for a miss.
    pub found: u8,
}

/// [`auralis_core::CacheStats`] in wire form.
#[derive(Clone, Copy, Debug, Default, StableAbi)]
#[repr(C)]
pub struct CacheStats {
    /// The budget in bytes.
    pub capacity_bytes: u64,
    /// Bytes of live entries.
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

/// Calls `$callback!` with the functions of `cache/1`.
macro_rules! cache_v1 {
    ($callback:ident) => {
        $callback! {
            /// The methods of [`auralis_core::Cache`]. A key is 32 bytes that live during the call.
            /// The value of `put` belongs to the plugin from the call on, whatever it answers: it
            /// releases it once. `remove` answers 0 or 1.
            CacheV1 "cache/1" {
                get(key: *const [u8; 32]) -> Lookup;
                put(key: *const [u8; 32], value: Owned<u8>) -> AdmissionCode;
                remove(key: *const [u8; 32]) -> u8;
                sweep() -> usize;
                stats() -> CacheStats;
            }
        }
    };
}

pub(crate) use cache_v1;

cache_v1!(kernel_table);
