//! Products of interleaved complex numbers.

use auralis_core::Complex;

use super::walk::{Rest, map_by_turns};
use crate::simd::Vectors;

/// From so many parts on, the first cache does not hold them.
const LONG: usize = 4096;

/// Whether so many parts, no more than a few vectors, are done by narrow ones in the same time.
#[inline(always)]
fn few<V: Vectors>(parts: usize, vectors: usize) -> bool {
    V::Narrow::LANES < V::LANES && parts <= vectors * V::LANES
}

#[inline(always)]
pub(crate) fn complex_mul<V: Vectors>(
    v: V,
    dst: &mut [Complex<f32>],
    a: &[Complex<f32>],
    b: &[Complex<f32>],
) {
    let (dst, a, b) = (parts_mut(dst), parts(a), parts(b));
    if few::<V>(dst.len(), 2) || (dst.len() >= LONG && v.halves()) {
        products(v.narrow(), dst, a, b);
    } else {
        products(v, dst, a, b);
    }
}

#[inline(always)]
fn products<V: Vectors>(v: V, dst: &mut [f32], a: &[f32], b: &[f32]) {
    let len = dst.len();
    let factors = [a[..len].as_ptr(), v.unknown(a.as_ptr()), b[..len].as_ptr()];
    let dst = dst.as_mut_ptr();
    let mut i = 0;
    // SAFETY: no index goes beyond `len`, which all slices have.
    unsafe {
        for _ in 0..len / (4 * V::LANES) {
            let x = [
                product(v, factors, i, 0),
                product(v, factors, i + V::LANES, 1),
                product(v, factors, i + 2 * V::LANES, 2),
                product(v, factors, i + 3 * V::LANES, 3),
            ];
            for (k, x) in x.into_iter().enumerate() {
                v.store(dst.add(i + k * V::LANES), x);
            }
            i += 4 * V::LANES;
        }
        // Blocks of audio mostly end here.
        if i == len {
            return;
        }
        if len & (2 * V::LANES) != 0 {
            let x = [
                product(v, factors, i, 0),
                product(v, factors, i + V::LANES, 1),
            ];
            v.store(dst.add(i), x[0]);
            v.store(dst.add(i + V::LANES), x[1]);
            i += 2 * V::LANES;
        }
        if len & V::LANES != 0 {
            v.store(dst.add(i), product(v, factors, i, 0));
            i += V::LANES;
        }
        if i < len {
            rest(v, dst, factors, i, len);
        }
    }
}

/// The products from `i` to `len`, fewer than a vector has, and a narrow one if there are none before them.
/// If there are, some of those are made again: they come from other places than they go to.
///
/// # Safety
///
/// All slices have `len` parts.
#[inline(always)]
unsafe fn rest<V: Vectors>(v: V, dst: *mut f32, factors: [*const f32; 3], i: usize, len: usize) {
    // SAFETY: the caller's promise; more than a vector has are before `len` if some are before `i`.
    unsafe {
        if i == 0 {
            let mut i = 0;
            if V::LANES > 4 && len >= 4 {
                part::<V, 4>(v, dst, factors, 0);
                i = 4;
            }
            if i < len {
                part::<V, 2>(v, dst, factors, i);
            }
        } else if len - i <= 2 {
            part::<V, 2>(v, dst, factors, i);
        } else if V::LANES > 4 && len - i <= 4 {
            part::<V, 4>(v, dst, factors, len - 4);
        } else if V::LANES > 8 && len - i <= 8 {
            part::<V, 8>(v, dst, factors, len - 8);
        } else {
            let at = len - V::LANES;
            v.store(dst.add(at), product(v, factors, at, 0));
        }
    }
}

/// The products of a vector at `i`.
///
/// # Safety
///
/// The factors have that many parts from there on.
#[inline(always)]
unsafe fn product<V: Vectors>(v: V, factors: [*const f32; 3], i: usize, turn: usize) -> V::F32 {
    let [a, same, b] = factors;
    // SAFETY: the caller's promise.
    unsafe {
        let (a, same, b) = (v.load(a.add(i)), v.load(same.add(i)), v.load(b.add(i)));
        v.complex_mul([a, same], [b, v.swapped(b, turn)])
    }
}

/// Stores the products of `COUNT` parts at `i`.
///
/// # Safety
///
/// All slices have that many parts from there on.
#[inline(always)]
unsafe fn part<V: Vectors, const COUNT: usize>(
    v: V,
    dst: *mut f32,
    [a, _, b]: [*const f32; 3],
    i: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let a = v.load_part::<COUNT>(a.add(i));
        let b = v.load_part::<COUNT>(b.add(i));
        let product = v.complex_mul([a, a], [b, v.swapped(b, 0)]);
        v.store_part::<COUNT>(dst.add(i), product);
    }
}

#[inline(always)]
pub(crate) fn complex_mul_add<V: Vectors>(
    v: V,
    dst: &mut [Complex<f32>],
    a: &[Complex<f32>],
    b: &[Complex<f32>],
) {
    let (dst, a, b) = (parts_mut(dst), parts(a), parts(b));
    if few::<V>(dst.len(), 3) {
        products_added(v.narrow(), dst, a, b);
    } else {
        products_added(v, dst, a, b);
    }
}

#[inline(always)]
fn products_added<V: Vectors>(v: V, dst: &mut [f32], a: &[f32], b: &[f32]) {
    map_by_turns(
        v,
        dst,
        [a, again(v, a), b],
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
