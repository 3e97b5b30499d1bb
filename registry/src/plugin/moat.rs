//! A stretch of the stack that can't be touched, between a child and the plugin that it tries.
//!
//! Damaged code that misses its own frame reads or writes what belongs to its callers. A child's work
//! is over afterwards, and it would not notice; a host's is not.

#![allow(unsafe_code, reason = "pages are protected")]

use std::hint::black_box;

/// Linux on arm64 may have the largest pages.
const PAGE_BYTES: usize = 64 << 10;

/// Whoever misses a frame by more is out of the stack, which the system notices.
const PAGES: usize = 8;

/// Runs `run` below a stretch of the stack that can't be read or written meanwhile. `fill` is what
/// stands in the unused stack that `run` finds.
pub(super) fn below<T>(fill: u8, run: impl FnOnce() -> T) -> T {
    let mut moat = [[fill; PAGE_BYTES]; PAGES];
    let _protected = Protected::within(&mut moat);
    stain(fill);
    out_of_line(run)
}

/// Writes to the stack below, and leaves it.
#[inline(never)]
fn stain(fill: u8) {
    black_box(&mut [fill; PAGE_BYTES]);
}

/// In a frame of its own, beyond the moat.
#[inline(never)]
fn out_of_line<T>(run: impl FnOnce() -> T) -> T {
    run()
}

#[cfg(unix)]
use unix::Protected;

#[cfg(unix)]
mod unix {
    use std::ffi::c_void;
    use std::marker::PhantomData;

    use rustix::mm::{MprotectFlags, mprotect};
    use rustix::param::page_size;

    use super::{PAGE_BYTES, PAGES};

    /// Whole pages of an array. They are as they were again when this is dropped.
    pub(super) struct Protected<'a> {
        start: *mut c_void,
        bytes: usize,
        array: PhantomData<&'a mut [u8]>,
    }

    impl<'a> Protected<'a> {
        pub(super) fn within(array: &'a mut [[u8; PAGE_BYTES]; PAGES]) -> Self {
            let page = page_size();
            let start = array.as_mut_ptr().cast::<u8>();
            let skipped = start.align_offset(page).min(size_of_val(array));
            let protected = Self {
                start: start.wrapping_add(skipped).cast(),
                bytes: (size_of_val(array) - skipped) / page * page,
                array: PhantomData,
            };
            protected.set(MprotectFlags::empty());
            protected
        }

        fn set(&self, flags: MprotectFlags) {
            // SAFETY: these are whole pages of an array that is borrowed for as long as this lives.
            // Where the system refuses, they stay as they are.
            let _ = unsafe { mprotect(self.start, self.bytes, flags) };
        }
    }

    impl Drop for Protected<'_> {
        fn drop(&mut self) {
            self.set(MprotectFlags::READ | MprotectFlags::WRITE);
        }
    }
}

/// Without protection.
#[cfg(not(unix))]
struct Protected;

#[cfg(not(unix))]
impl Protected {
    fn within(_: &mut [[u8; PAGE_BYTES]; PAGES]) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_below_is_run_once_and_may_panic() {
        let mut runs = 0;
        assert_eq!(
            below(0x5A, || {
                runs += 1;
                runs
            }),
            1
        );
        let caught = std::panic::catch_unwind(|| below(0, || panic!("told to")));
        assert!(caught.is_err());
        assert_eq!(below(0xA5, || 7), 7);
    }
}
