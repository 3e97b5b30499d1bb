//! Products of interleaved complex numbers.

use auralis_core::Complex;

use super::walk::{Rest, map_by_turns};
use crate::simd::Vectors;

#[inline(always)]
pub(crate) fn complex_mul<V: Vectors>(
    v: V,
    dst: &mut [Complex<f32>],
    a: &[Complex<f32>],
    b: &[Complex<f32>],
) {
    let sources = [parts(a), again(v, parts(a)), parts(b)];
    map_by_turns(
        v,
        parts_mut(dst),
        sources,
        Rest::InParts,
        #[inline(always)]
        |turn, _, [a, same, b]| v.complex_mul([a, same], [b, v.swapped(b, turn)]),
    );
}

#[inline(always)]
pub(crate) fn complex_mul_add<V: Vectors>(
    v: V,
    dst: &mut [Complex<f32>],
    a: &[Complex<f32>],
    b: &[Complex<f32>],
) {
    let sources = [parts(a), again(v, parts(a)), parts(b)];
    map_by_turns(
        v,
        parts_mut(dst),
        sources,
        Rest::InParts,
        #[inline(always)]
        |turn, d, [a, same, b]| v.complex_mul_add(d, [a, same], [b, v.swapped(b, turn)]),
    );
}

/// The same slice, which the compiler takes for another, so that it loads from it once more.
#[inline(always)]
fn again<V: Vectors>(v: V, x: &[f32]) -> &[f32] {
    // SAFETY: the pointer is that of the slice.
    unsafe { std::slice::from_raw_parts(v.unknown(x.as_ptr()), x.len()) }
}

/// Real and imaginary parts in turn.
#[inline(always)]
fn parts(x: &[Complex<f32>]) -> &[f32] {
    // SAFETY: a `Complex` is two numbers in the layout of C.
    unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), 2 * x.len()) }
}

/// The same, to be written.
#[inline(always)]
fn parts_mut(x: &mut [Complex<f32>]) -> &mut [f32] {
    // SAFETY: a `Complex` is two numbers in the layout of C.
    unsafe { std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), 2 * x.len()) }
}
