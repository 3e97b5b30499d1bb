//! Sums and extremes.

use super::walk::{fold, fold_pairs};
use crate::simd::Vectors;

/// From so many vectors on, more running results save more than they cost.
const LONG: usize = 16;

/// Four running results of a short slice, eight of a long one.
macro_rules! by_length {
    ($len:expr, $function:ident($($argument:expr),*)) => {
        if $len < LONG * V::LANES {
            $function::<V, 4>($($argument,)* LONG / 4 - 1)
        } else {
            $function::<V, 8>($($argument,)* usize::MAX)
        }
    };
}

#[inline(always)]
pub(crate) fn dot<V: Vectors>(v: V, a: &[f32], b: &[f32]) -> f32 {
    by_length!(a.len(), products(v, a, b))
}

#[inline(always)]
fn products<V: Vectors, const SUMS: usize>(v: V, a: &[f32], b: &[f32], rounds: usize) -> f32 {
    let sums: [_; SUMS] = fold(
        v,
        [a, b],
        (v.splat(0.0), 0.0),
        rounds,
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
fn squares<V: Vectors, const SUMS: usize>(v: V, data: &[f32], rounds: usize) -> f32 {
    let sums: [_; SUMS] = fold(
        v,
        [data],
        (v.splat(0.0), 0.0),
        rounds,
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
    let found: [_; 4] = fold_pairs(
        v,
        data,
        #[inline(always)]
        |m, pair| v.greater_magnitude(m, pair),
    );
    let peak = v.greatest_magnitude(found);
    if peak.is_nan() {
        return peak_of_numbers(data);
    }
    peak
}

/// The peak where vectors have come upon NaN.
#[cold]
fn peak_of_numbers(data: &[f32]) -> f32 {
    let numbers = data.iter().filter(|x| !x.is_nan());
    numbers.fold(0.0, |m, x| x.abs().max(m))
}

#[inline(always)]
pub(crate) fn min_max<V: Vectors>(v: V, data: &[f32]) -> (f32, f32) {
    // Twice as many, and those with 16 registers would have none left.
    if data.len() < LONG * V::LANES {
        extremes::<V, 4>(v, data, LONG / 4 - 1)
    } else if V::LANES < 16 {
        extremes::<V, 4>(v, data, usize::MAX)
    } else {
        extremes::<V, 8>(v, data, usize::MAX)
    }
}

#[inline(always)]
fn extremes<V: Vectors, const SUMS: usize>(v: V, data: &[f32], rounds: usize) -> (f32, f32) {
    let none = (v.splat(f32::INFINITY), v.splat(f32::NEG_INFINITY));
    let found: [_; SUMS] = fold(
        v,
        [data],
        (none, f32::NAN),
        rounds,
        #[inline(always)]
        |(min, max), [x]| (v.lesser(min, x), v.greater(max, x)),
    );
    let (min, max) = tree(
        found,
        #[inline(always)]
        |a, b| (v.lesser(a.0, b.0), v.greater(a.1, b.1)),
    );
    v.extremes(min, max)
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
