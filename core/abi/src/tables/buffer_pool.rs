//! The table of buffer pools.

use std::ffi::c_void;

use abi_stable::StableAbi;

use super::Interface;
use crate::kernel_table;
use crate::wire::{ContentsCode, Instance, Message, Status};

/// A lent buffer: [`auralis_core::Buffer`] in wire form.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct Buffer {
    /// The first sample: never NULL and aligned to 64 bytes, even where there is none.
    pub ptr: *mut f32,
    /// The number of samples, exactly as many as were asked for.
    pub len: usize,
    /// The number of samples that the memory could hold; all of them are initialised.
    pub capacity: usize,
    /// What `release` takes first: it keeps alive what it needs, the instance included.
    pub owner: *const c_void,
    /// What `release` takes last.
    pub token: usize,
    /// Takes the buffer back. The host calls it once, on any thread, even after the instance was
    /// destroyed or put out of use. No panic leaves it.
    pub release: Option<
        unsafe extern "C" fn(owner: *const c_void, ptr: *mut f32, capacity: usize, token: usize),
    >,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            ptr: std::ptr::null_mut(),
            len: 0,
            capacity: 0,
            owner: std::ptr::null(),
            token: 0,
            release: None,
        }
    }
}

/// [`auralis_core::PoolStats`] in wire form.
#[derive(Clone, Copy, Debug, Default, StableAbi)]
#[repr(C)]
pub struct PoolStats {
    /// The budget in bytes.
    pub capacity_bytes: usize,
    /// Bytes that the pool owns now, lent or not.
    pub bytes: usize,
    /// Buffers lent now.
    pub in_use: usize,
    /// The most buffers that were lent at once.
    pub peak: usize,
    /// Buffers lent in all.
    pub acquired: u64,
    /// Requests that found no prepared buffer.
    pub misses: u64,
}

/// Calls `$callback!` with the functions of `buffer-pool/1`.
macro_rules! buffer_pool_v1 {
    ($callback:ident) => {
        $callback! {
            /// The methods of [`auralis_core::BufferPool`]. `acquire` answers an empty pool with
            /// [`Status::EXHAUSTED`], whose message the host does not read, so that nothing is
            /// allocated. `is_real_time` answers 0 or 1.
            BufferPoolV1 "buffer-pool/1" {
                prepare(len: usize, count: usize);
                acquire(len: usize, contents: ContentsCode) -> Buffer;
                is_real_time() -> u8;
                stats() -> PoolStats;
            }
        }
    };
}

pub(crate) use buffer_pool_v1;

buffer_pool_v1!(kernel_table);
