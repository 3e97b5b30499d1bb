//! Owned handles to 64-byte aligned sample buffers, the same for linked and dylib pools.

#![allow(
    unsafe_code,
    reason = "the one place where memory is owned through raw pointers"
)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ffi::c_void;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

/// The alignment of every buffer, in bytes: one cache line, one AVX-512 vector.
pub const ALIGNMENT: usize = 64;

/// Zeroed, 64-byte aligned memory of a fixed number of samples: what a pool keeps and lends.
pub struct Storage {
    ptr: NonNull<f32>,
    len: usize,
}

// SAFETY: a `Storage` owns its memory as a `Box<[f32]>` does, and `f32` is `Send`.
unsafe impl Send for Storage {}
// SAFETY: a shared `Storage` gives out shared slices only, and `f32` is `Sync`.
unsafe impl Sync for Storage {}

impl Storage {
    /// Memory for `len` samples, all zero. Its pages may not be resident yet: see
    /// [`Storage::prefault`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the size overflows, [`ErrorKind::Exhausted`] if there is no
    /// memory for more than a page.
    pub fn zeroed(len: usize) -> Result<Self> {
        let layout = Self::layout(len).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "the size of the buffer overflows")
                .with("samples", len)
        })?;
        if layout.size() == 0 {
            return Ok(Self {
                ptr: aligned_dangling(),
                len,
            });
        }
        // SAFETY: the size is not zero.
        let raw = unsafe { alloc_zeroed(layout) }.cast::<f32>();
        match NonNull::new(raw) {
            Some(ptr) => Ok(Self { ptr, len }),
            None if layout.size() <= 4096 => handle_alloc_error(layout),
            None => Err(Error::new(ErrorKind::Exhausted, "no memory for the buffer")
                .with("bytes", layout.size())),
        }
    }

    /// Writes to every page, so that none is faulted in later on a real-time thread.
    pub fn prefault(&mut self) {
        self.fill(0.0);
    }

    /// The size in bytes.
    pub fn bytes(&self) -> usize {
        self.len * size_of::<f32>()
    }

    fn layout(len: usize) -> Option<Layout> {
        let size = len.checked_mul(size_of::<f32>())?;
        Layout::from_size_align(size, ALIGNMENT).ok()
    }

    fn into_raw(self) -> (NonNull<f32>, usize) {
        let raw = (self.ptr, self.len);
        mem::forget(self);
        raw
    }
}

const fn aligned_dangling() -> NonNull<f32> {
    NonNull::without_provenance(std::num::NonZero::new(ALIGNMENT).expect("64 is not zero"))
}

impl Deref for Storage {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `ptr` owns `len` initialised samples, or `len` is 0 and `ptr` is aligned.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }
}

impl DerefMut for Storage {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and `&mut self` makes the access unique.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let layout = Self::layout(self.len).expect("the layout was valid when it was allocated");
        if layout.size() > 0 {
            // SAFETY: the memory was allocated in `zeroed` with this very layout.
            unsafe { dealloc(self.ptr.as_ptr().cast(), layout) }
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({} samples)", self.len)
    }
}

/// What a lent buffer returns to when its handle is dropped.
///
/// `release` runs wherever the handle is dropped, a real-time thread included: it obeys the pool's
/// contract. A panic of it goes no further; what it did not put back by then is lost to the pool.
pub trait Lender: Send + Sync + 'static {
    /// Takes back what was lent under `token`.
    fn release(&self, storage: Storage, token: usize);
}

/// The parts of a [`Buffer`]: what crosses to and from a dylib's pool.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RawBuffer {
    /// The first sample, aligned to [`ALIGNMENT`]; never null.
    pub ptr: *mut f32,
    /// The length of the buffer.
    pub len: usize,
    /// The samples that the memory could hold, all initialised; at least `len`.
    pub capacity: usize,
    /// What `release` takes first.
    pub owner: *const c_void,
    /// What `release` takes last.
    pub token: usize,
    /// Takes the memory back.
    pub release: Release,
}

/// Takes back the memory at `ptr`, once and from any thread. No panic leaves it.
pub type Release =
    unsafe extern "C" fn(owner: *const c_void, ptr: *mut f32, capacity: usize, token: usize);

impl RawBuffer {
    /// Gives the memory back.
    ///
    /// # Safety
    ///
    /// The parts are those of one buffer that nobody uses any more.
    pub unsafe fn release(self) {
        // SAFETY: the caller's promise.
        unsafe { (self.release)(self.owner, self.ptr, self.capacity, self.token) }
    }
}

/// An owned handle to `len` samples of a pool. Dropping it returns the memory to its pool.
///
/// A buffer of a dylib's pool is the same object: its [`RawBuffer`] is all that is exchanged.
pub struct Buffer {
    raw: RawBuffer,
    give_back: unsafe fn(RawBuffer),
}

// SAFETY: a buffer owns its samples; its owner is a `Lender`, which is `Send` and `Sync`.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer gives out shared slices only.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Lends the first `len` samples of `storage` on behalf of `lender`.
    ///
    /// Nothing is allocated. The handle keeps the lender alive.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the storage is shorter than `len`; the storage is then freed.
    pub fn lend<L: Lender>(
        storage: Storage,
        len: usize,
        lender: Arc<L>,
        token: usize,
    ) -> Result<Self> {
        if len > storage.len {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "the storage is shorter than asked",
            ));
        }
        let (ptr, capacity) = storage.into_raw();
        let raw = RawBuffer {
            ptr: ptr.as_ptr(),
            len,
            capacity,
            owner: Arc::into_raw(lender).cast(),
            token,
            release: release::<L>,
        };
        // SAFETY: the storage and the lender were just made raw for this very `release`.
        Ok(unsafe { Self::from_raw_parts(raw, RawBuffer::release) })
    }

    /// A buffer of these parts. Dropping it calls `give_back`, which releases them.
    ///
    /// # Safety
    ///
    /// The parts are what [`RawBuffer`] says of them, belong to the caller and are given up here;
    /// `give_back` may be called with them on any thread.
    pub unsafe fn from_raw_parts(raw: RawBuffer, give_back: unsafe fn(RawBuffer)) -> Self {
        Self { raw, give_back }
    }

    /// The parts of the buffer, which is not given back: the caller has to release them.
    pub fn into_raw_parts(self) -> RawBuffer {
        ManuallyDrop::new(self).raw
    }

    /// A zeroed buffer of `len` samples that belongs to no pool. Its memory is freed on drop, so it
    /// is not for a real-time thread to drop.
    ///
    /// # Errors
    ///
    /// Those of [`Storage::zeroed`].
    pub fn unpooled(len: usize) -> Result<Self> {
        struct Freed;

        impl Lender for Freed {
            fn release(&self, storage: Storage, _: usize) {
                drop(storage);
            }
        }

        Self::lend(Storage::zeroed(len)?, len, Arc::new(Freed), 0)
    }

    /// A buffer of no samples that belongs to no pool: what stands in while another is borrowed.
    pub const fn empty() -> Self {
        /// # Safety
        ///
        /// Always safe: there is nothing to release.
        unsafe extern "C" fn nothing(_: *const c_void, _: *mut f32, _: usize, _: usize) {}
        let raw = RawBuffer {
            ptr: aligned_dangling().as_ptr(),
            len: 0,
            capacity: 0,
            owner: std::ptr::null(),
            token: 0,
            release: nothing,
        };
        Self {
            raw,
            give_back: RawBuffer::release,
        }
    }

    /// The samples that the memory could hold; at least the buffer's length.
    pub fn capacity(&self) -> usize {
        self.raw.capacity
    }
}

/// Gives the memory back to its lender.
///
/// # Safety
///
/// `owner` is an `Arc<L>` made raw, and `ptr` with `capacity` a [`Storage`] made raw, each owned by
/// the caller and given up here.
unsafe extern "C" fn release<L: Lender>(
    owner: *const c_void,
    ptr: *mut f32,
    capacity: usize,
    token: usize,
) {
    // SAFETY: the caller gives up an `Arc<L>` that was made raw in `lend`.
    let lender = unsafe { Arc::from_raw(owner.cast::<L>()) };
    let storage = Storage {
        // SAFETY: the pointer is that of a storage, which is never null.
        ptr: unsafe { NonNull::new_unchecked(ptr) },
        len: capacity,
    };
    // The last handle drops the lender too, which may panic as well.
    let released = catch_unwind(AssertUnwindSafe(move || lender.release(storage, token)));
    if let Err(payload) = released {
        // Dropping a payload runs foreign code, which may panic again.
        mem::forget(payload);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: whoever made the buffer gave up its parts for this call; drop runs once.
        unsafe { (self.give_back)(self.raw) }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the handle owns `capacity >= len` initialised samples.
        unsafe { std::slice::from_raw_parts(self.raw.ptr, self.raw.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and `&mut self` makes the access unique.
        unsafe { std::slice::from_raw_parts_mut(self.raw.ptr, self.raw.len) }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RawBuffer { len, capacity, .. } = self.raw;
        write!(f, "Buffer({len} of {capacity} samples)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Shelf(Mutex<Vec<(usize, Storage)>>);

    impl Lender for Shelf {
        fn release(&self, storage: Storage, token: usize) {
            self.0.lock().unwrap().push((token, storage));
        }
    }

    #[test]
    fn a_dropped_handle_returns_the_same_memory() {
        let shelf = Arc::new(Shelf::default());
        let storage = Storage::zeroed(100).unwrap();
        let address = storage.as_ptr();
        assert_eq!(address.addr() % ALIGNMENT, 0);
        let mut buffer = Buffer::lend(storage, 70, Arc::clone(&shelf), 7).unwrap();
        assert_eq!((buffer.len(), buffer.capacity()), (70, 100));
        buffer[69] = 1.0;
        drop(buffer);
        let (token, storage) = shelf.0.lock().unwrap().pop().unwrap();
        assert_eq!((token, storage.as_ptr(), storage[69]), (7, address, 1.0));
        assert_eq!(Arc::strong_count(&shelf), 1);
    }

    #[test]
    fn a_handle_outlives_its_owner_elsewhere() {
        let shelf = Arc::new(Shelf::default());
        let weak = Arc::downgrade(&shelf);
        let buffer = Buffer::lend(Storage::zeroed(4).unwrap(), 4, shelf, 0).unwrap();
        assert!(weak.upgrade().is_some());
        std::thread::spawn(move || drop(buffer)).join().unwrap();
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn the_parts_of_a_buffer_make_it_again() {
        let shelf = Arc::new(Shelf::default());
        let storage = Storage::zeroed(8).unwrap();
        let buffer = Buffer::lend(storage, 5, Arc::clone(&shelf), 3).unwrap();
        let raw = buffer.into_raw_parts();
        assert!(shelf.0.lock().unwrap().is_empty());
        // SAFETY: the parts are those of the buffer that was given up.
        let buffer = unsafe { Buffer::from_raw_parts(raw, RawBuffer::release) };
        assert_eq!((buffer.len(), buffer.capacity()), (5, 8));
        drop(buffer);
        assert_eq!(shelf.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_panic_of_a_lender_goes_no_further() {
        struct Clumsy;

        impl Lender for Clumsy {
            fn release(&self, _: Storage, _: usize) {
                std::panic::resume_unwind(Box::new("dropped it"));
            }
        }

        let lender = Arc::new(Clumsy);
        let weak = Arc::downgrade(&lender);
        drop(Buffer::lend(Storage::zeroed(4).unwrap(), 4, lender, 0).unwrap());
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn sizes_are_checked() {
        assert_eq!(Storage::zeroed(0).unwrap().len(), 0);
        let error = Storage::zeroed(usize::MAX / 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let shelf = Arc::new(Shelf::default());
        assert!(Buffer::lend(Storage::zeroed(4).unwrap(), 5, shelf, 0).is_err());
    }
}
