//! What every call does: opens slices, contains panics, says what went wrong.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use auralis_abi::{Message, Slice, SliceMut, Status};

/// Why a call failed.
pub struct Failure(pub Status, pub &'static str);

pub type Result<T> = std::result::Result<T, Failure>;

/// The elements of a slice.
///
/// # Safety
///
/// It is what it claims to be, for `'a`.
pub unsafe fn read<'a, T>(slice: Slice<T>) -> &'a [T] {
    match slice.len {
        0 => &[],
        // SAFETY: the caller's promise.
        len => unsafe { std::slice::from_raw_parts(slice.ptr, len) },
    }
}

/// The elements of a slice, to be written.
///
/// # Safety
///
/// It is what it claims to be, and nobody else uses it for `'a`.
pub unsafe fn write<'a, T>(slice: SliceMut<T>) -> &'a mut [T] {
    match slice.len {
        0 => &mut [],
        // SAFETY: the caller's promise.
        len => unsafe { std::slice::from_raw_parts_mut(slice.ptr, len) },
    }
}

/// Runs `body`; says how it ended.
///
/// # Safety
///
/// `message` is null or a message whose buffer may be written.
pub unsafe fn contain(message: *mut Message, body: impl FnOnce() -> Result<()>) -> Status {
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Dropping a payload runs foreign code, which may panic again.
        mem::forget(payload);
        Err(Failure(Status::PANICKED, "a panic in the plugin"))
    });
    let Err(Failure(status, text)) = outcome else {
        return Status::OK;
    };
    // SAFETY: the caller's promise.
    if let Some(message) = unsafe { message.as_mut() } {
        let fits = text.len().min(message.capacity);
        // SAFETY: the caller's promise; so many bytes fit.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), message.ptr, fits) };
        (message.message, message.total) = (text.len(), text.len());
    }
    status
}

/// Refuses slices of different lengths.
pub fn same_length(a: usize, b: usize) -> Result<()> {
    match a == b {
        true => Ok(()),
        false => Err(Failure(Status::INVALID_INPUT, "the lengths differ")),
    }
}
