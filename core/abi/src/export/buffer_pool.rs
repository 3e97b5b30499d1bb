//! The table of buffer pools.

use auralis_core::{BufferPool, RawBuffer};

use super::Served;
use super::guard::{on_instance, store};
use super::serve::{keep, serve};
use crate::tables::{Buffer, BufferPoolV1, PoolStats};
use crate::wire::{ContentsCode, Instance, Message, Status};

serve! {
    BufferPoolV1: BufferPool {
        prepare(pool, len: usize, count: usize) {
            pool.prepare(len, count)?
        }

        acquire(pool, len: usize, contents: ContentsCode) -> Buffer {
            pool.acquire(len, contents.open()?)?.into_raw_parts()
        }

        is_real_time(pool) -> u8 {
            pool.is_real_time()
        }

        stats(pool) -> PoolStats {
            pool.stats()
        }
    }
}

impl From<RawBuffer> for Buffer {
    fn from(raw: RawBuffer) -> Self {
        Self {
            ptr: raw.ptr,
            len: raw.len,
            capacity: raw.capacity,
            owner: raw.owner,
            token: raw.token,
            release: Some(raw.release),
        }
    }
}

impl From<auralis_core::PoolStats> for PoolStats {
    fn from(stats: auralis_core::PoolStats) -> Self {
        Self {
            capacity_bytes: stats.capacity_bytes,
            bytes: stats.bytes,
            in_use: stats.in_use,
            peak: stats.peak,
            acquired: stats.acquired,
            misses: stats.misses,
        }
    }
}
