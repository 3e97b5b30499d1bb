//! Sums and extremes.

use super::walk::fold;
use crate::simd::Vectors;

/// More running results than this would cost a short slice more than they save.
macro_rules! by_length {
    ($len:expr, $function:ident($($argument:expr),*)) => {
        if $len < 16 * V::LANES {
            $function::<V, 4>($($argument),*)
        } else {
            $function::<V, 8>($($argument),*)
        }
    };
}

#[inline(always)]
pub(crate) fn dot<V: Vectors>(v: V, a: &[f32], b: &[f32]) -> f32 {
    by_length!(a.len(), products(v, a, b))
}

#[inline(always)]
fn products<V: Vectors, const SUMS: usize>(v: V, a: &[f32], b: &[f32]) -> f32 {
    let sums: [_; SUMS] = fold(
        v,
        [a, b],
        (v.splat(0.0), 0.0),
        #[inline(always)]
        |sum, [a, b]| v.mul_add(a, b, sum),
    );
    v.sum(tree(
        sums,
        #[inline(always)]
        |a, b| v.add(a, b),
    ))
}

#[inline(always)]
pub(crate) fn sum_squares<V: Vectors>(v: V, data: &[f32]) -> f32 {
    by_length!(data.len(), squares(v, data))
}

#[inline(always)]
fn squares<V: Vectors, const SUMS: usize>(v: V, data: &[f32]) -> f32 {
    let sums: [_; SUMS] = fold(
        v,
        [data],
        (v.splat(0.0), 0.0),
        #[inline(always)]
        |sum, [x]| v.mul_add(x, x, sum),
    );
    v.sum(tree(
        sums,
        #[inline(always)]
        |a, b| v.add(a, b),
    ))
}

#[inline(always)]
pub(crate) fn peak<V: Vectors>(v: V, data: &[f32]) -> f32 {
    by_length!(data.len(), magnitudes(v, data))
}

#[inline(always)]
fn magnitudes<V: Vectors, const SUMS: usize>(v: V, data: &[f32]) -> f32 {
    let found: [_; SUMS] = fold(
        v,
        [data],
        (v.splat(0.0), 0.0),
        #[inline(always)]
        |m, [x]| v.greater(m, v.abs(x)),
    );
    v.greatest(tree(
        found,
        #[inline(always)]
        |a, b| v.greater(a, b),
    ))
}

#[inline(always)]
pub(crate) fn min_max<V: Vectors>(v: V, data: &[f32]) -> (f32, f32) {
    // Twice as many, and those with 16 registers would have none left.
    if V::LANES < 16 || data.len() < 16 * V::LANES {
        extremes::<V, 4>(v, data)
    } else {
        extremes::<V, 8>(v, data)
    }
}

#[inline(always)]
fn extremes<V: Vectors, const SUMS: usize>(v: V, data: &[f32]) -> (f32, f32) {
    let none = (v.splat(f32::INFINITY), v.splat(f32::NEG_INFINITY));
    let found: [_; SUMS] = fold(
        v,
        [data],
        (none, f32::NAN),
        #[inline(always)]
        |(min, max), [x]| (v.lesser(min, x), v.greater(max, x)),
    );
    let (min, max) = tree(
        found,
        #[inline(always)]
        |a, b| (v.lesser(a.0, b.0), v.greater(a.1, b.1)),
    );
    (v.least(min), v.greatest(max))
}

/// Brings the running results together, two and two.
#[inline(always)]
fn tree<A: Copy, const SUMS: usize>(mut sums: [A; SUMS], join: impl Fn(A, A) -> A) -> A {
    let mut width = SUMS;
    while width > 1 {
        width /= 2;
        for k in 0..width {
            sums[k] = join(sums[k], sums[k + width]);
        }
    }
    sums[0]
}
