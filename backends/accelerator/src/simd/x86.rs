//! The last steps of reductions, which every width of x86-64 shares.

use std::arch::asm;
use std::arch::x86_64::*;

/// Brings four lanes together to one.
///
/// # Safety
///
/// The CPU has AVX: the caller holds a token of it.
#[inline(always)]
pub(super) unsafe fn join(x: __m128, with: impl Fn(__m128, __m128) -> __m128) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let pair = with(x, _mm_movehl_ps(x, x));
        _mm_cvtss_f32(with(pair, _mm_movehdup_ps(pair)))
    }
}

/// The same pointer, of which the compiler knows nothing.
#[inline(always)]
pub(super) fn unknown(mut pointer: *const f32) -> *const f32 {
    // SAFETY: there are no instructions.
    unsafe {
        asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}
