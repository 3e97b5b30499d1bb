//! The last steps of reductions, which every width of x86-64 shares.

use std::arch::asm;
use std::arch::x86_64::*;
use std::sync::LazyLock;

use super::Vectors;

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

/// The bits of both, the first of them in the lower half.
#[inline(always)]
pub(super) fn both([low, high]: [f32; 2]) -> f64 {
    f64::from_bits(u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32)
}

/// Vectors that lie one after the other.
///
/// # Safety
///
/// As many samples can be read.
#[inline(always)]
pub(super) unsafe fn loaded<V: Vectors, const COUNT: usize>(
    v: V,
    from: *const f32,
) -> [V::F32; COUNT] {
    let mut loaded = [v.splat(0.0); COUNT];
    for (k, x) in loaded.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *x = unsafe { v.load(from.add(k * V::LANES)) };
    }
    loaded
}

/// The lower two lanes, the first of them negated.
///
/// # Safety
///
/// The CPU has AVX: the caller holds a token of it.
#[inline(always)]
pub(super) unsafe fn pair(x: __m128) -> (f32, f32) {
    // SAFETY: the caller's promise; the assembly has no instructions.
    let both = unsafe {
        let x = _mm_xor_ps(x, _mm_set_ss(-0.0));
        let mut both = _mm_cvtsi128_si64(_mm_castps_si128(x)).cast_unsigned();
        // The compiler would store them one by one, and whoever then reads them together has to wait.
        asm!("/* {0} */", inout(reg) both, options(pure, nomem, nostack, preserves_flags));
        both
    };
    (
        f32::from_bits(both as u32),
        f32::from_bits((both >> 32) as u32),
    )
}

/// The same pointer, of which the compiler knows nothing.
#[inline(always)]
#[allow(
    clippy::pointers_in_nomem_asm_block,
    reason = "the pointer goes through unused"
)]
pub(super) fn unknown(mut pointer: *const f32) -> *const f32 {
    // SAFETY: there are no instructions.
    unsafe {
        asm!("/* {0} */", inout(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    pointer
}

/// Brings a line into the first cache, if there is memory at the address.
#[inline(always)]
pub(super) fn prefetch(at: *const u8) {
    // SAFETY: every x86-64 has the instruction, which no address makes fail.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
}

/// Whether the CPU computes vectors of 512 bits in two halves, as Zen 4 does.
pub(crate) fn in_halves() -> bool {
    // AMD's performance optimization identifiers, of which other vendors have none.
    const IDENTIFIERS: u32 = 0x8000_001a;
    const FP256: u32 = 1 << 2;
    const FP512: u32 = 1 << 3;
    // Asking takes long on a virtual machine.
    static HALVES: LazyLock<bool> = LazyLock::new(|| {
        let known = __cpuid(0x8000_0000).eax >= IDENTIFIERS;
        known && __cpuid(IDENTIFIERS).eax & (FP256 | FP512) == FP256
    });
    *HALVES
}
