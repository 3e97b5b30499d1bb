//! A buffer pool in a plugin, behind the trait of core.

use std::cell::Cell;
use std::sync::Arc;

use auralis_core::{ALIGNMENT, BufferPool, Contents, RawBuffer, Result};

use super::call::fault;
use super::instance::{RemoteInstance, calls, returned};
use super::{Remote, Tables, rejected, unserved};
use crate::FloatControl;
use crate::tables::{Buffer, BufferPoolV1, PoolStats, buffer_pool_v1};
use crate::wire::{ContentsCode, Instance, Message, Status};

buffer_pool_v1!(calls);

/// What an empty pool says, whatever its own words are: reading them would allocate.
const EXHAUSTED: (Status, &str) = (Status::EXHAUSTED, "the plugin's buffer pool is exhausted");

impl Remote for dyn BufferPool {
    fn connect(instance: RemoteInstance, tables: &Tables) -> Result<Arc<Self>> {
        Ok(Arc::new(Calls::new(instance, tables.buffer_pool)?))
    }
}

impl BufferPool for Calls {
    fn prepare(&self, len: usize, count: usize) -> Result<()> {
        // SAFETY: numbers are what they are.
        unsafe { self.prepare(len, count) }
    }

    fn acquire(&self, len: usize, contents: Contents) -> Result<auralis_core::Buffer> {
        let (function, contents) = (self.acquire, ContentsCode::from(contents));
        let buffer = Cell::new(Buffer::default());
        // SAFETY: the function is of a table for this kind, and the buffer outlives the call.
        unsafe {
            self.instance
                .call_expecting("acquire", EXHAUSTED, |instance, message| {
                    function(instance, len, contents, buffer.as_ptr(), message)
                })
        }?;
        let message = "the plugin's buffer pool lent what is no buffer of this length";
        let raw = lent(buffer.into_inner(), len).ok_or_else(|| self.instance.wrong(message))?;
        // SAFETY: the plugin keeps the rules of the wire: a buffer that it lends is the host's until
        // it is released, from any thread.
        Ok(unsafe { auralis_core::Buffer::from_raw_parts(raw, give_back) })
    }

    fn is_real_time(&self) -> bool {
        // SAFETY: the function takes nothing.
        let answer = unsafe { self.is_real_time() };
        self.instance.tolerate(answer).unwrap_or_default() != 0
    }

    fn stats(&self) -> auralis_core::PoolStats {
        // SAFETY: the function takes nothing.
        let stats = unsafe { self.stats() };
        self.instance.tolerate(stats).unwrap_or_default().into()
    }
}

/// The parts of a buffer, as far as it can be seen to be one of `len` samples.
fn lent(buffer: Buffer, len: usize) -> Option<RawBuffer> {
    let largest = isize::MAX as usize / size_of::<f32>();
    let fits = buffer.len == len && len <= buffer.capacity && buffer.capacity <= largest;
    let aligned = !buffer.ptr.is_null() && buffer.ptr.addr().is_multiple_of(ALIGNMENT);
    (fits && aligned).then_some(RawBuffer {
        ptr: buffer.ptr,
        len,
        capacity: buffer.capacity,
        owner: buffer.owner,
        token: buffer.token,
        release: buffer.release?,
    })
}

/// Gives a buffer back to the plugin, and keeps the floating-point control.
///
/// # Safety
///
/// As for [`RawBuffer::release`].
unsafe fn give_back(raw: RawBuffer) {
    let floats = FloatControl::read();
    // SAFETY: the caller's promise.
    unsafe { raw.release() };
    floats.restore();
}

impl From<PoolStats> for auralis_core::PoolStats {
    fn from(stats: PoolStats) -> Self {
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
