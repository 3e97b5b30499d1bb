//! Values that cross without being copied: one side owns them until the other releases them.

use std::ffi::c_void;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use abi_stable::StableAbi;
use auralis_core::Result;

use crate::FloatControl;
use crate::wire::Slice;

/// Elements that belong to the side that made them, and that the other side reads until it releases
/// them, once.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct Owned<T> {
    /// The first element; anything where there is none.
    pub ptr: *const T,
    /// The number of elements. Nobody changes them before they are released.
    pub len: usize,
    /// What `release` takes.
    pub owner: *const c_void,
    /// Gives them back, from any thread. No panic leaves it. NULL: there is nothing to give back.
    pub release: Option<unsafe extern "C" fn(owner: *const c_void)>,
}

impl<T> Default for Owned<T> {
    fn default() -> Self {
        Self {
            ptr: ptr::null(),
            len: 0,
            owner: ptr::null(),
            release: None,
        }
    }
}

impl<T> Owned<T> {
    /// Hands out `elements` of `owner`, which is dropped when they are released.
    pub(crate) fn lend<O: Send + Sync>(owner: O, elements: impl FnOnce(&O) -> &[T]) -> Self {
        let owner = Box::into_raw(Box::new(owner));
        // SAFETY: the box was just made and given up, and is only read until it is released.
        let elements = elements(unsafe { &*owner });
        Self {
            ptr: elements.as_ptr(),
            len: elements.len(),
            owner: owner.cast_const().cast(),
            release: Some(release::<O>),
        }
    }

    /// Takes what the other side handed out, to be released when it is dropped.
    ///
    /// # Errors
    ///
    /// As [`Slice::open`]; it is released then.
    ///
    /// # Safety
    ///
    /// It is what it claims to be, was handed out to this side and is taken once.
    pub(crate) unsafe fn take(self) -> Result<Taken<T>> {
        let taken = Taken(self);
        let slice = Slice {
            ptr: taken.0.ptr,
            len: taken.0.len,
        };
        // SAFETY: the caller's promise; the elements are looked at no further here.
        unsafe { slice.entries() }?;
        Ok(taken)
    }
}

/// Drops the owner. A panic in its drop goes no further.
///
/// # Safety
///
/// `owner` came from [`Owned::lend`] with the same `O`, and nobody reads its elements any more.
unsafe extern "C" fn release<O>(owner: *const c_void) {
    // SAFETY: the caller's promise.
    let owned = || drop(unsafe { Box::from_raw(owner.cast_mut().cast::<O>()) });
    if let Err(payload) = catch_unwind(AssertUnwindSafe(owned)) {
        // Dropping a payload runs foreign code, which may panic again.
        mem::forget(payload);
    }
}

/// Elements of the other side, released on drop.
pub(crate) struct Taken<T>(Owned<T>);

// SAFETY: the rules of the wire let any thread read the elements and release them.
unsafe impl<T: Sync> Send for Taken<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Taken<T> {}

impl<T> AsRef<[T]> for Taken<T> {
    fn as_ref(&self) -> &[T] {
        match self.0.len {
            0 => &[],
            // SAFETY: `take` checked the pointer and the length; the elements stay as they are until
            // they are released, which only the drop of `self` does.
            len => unsafe { std::slice::from_raw_parts(self.0.ptr, len) },
        }
    }
}

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            let floats = FloatControl::read();
            // SAFETY: it was handed out to this side, and is released once.
            unsafe { release(self.0.owner) };
            floats.restore();
        }
    }
}

impl<T> fmt::Debug for Taken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Taken({} elements)", self.0.len)
    }
}
