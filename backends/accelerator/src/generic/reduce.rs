//! Sums and extremes: many running results at once, brought together at the end.

use super::Generic;
use crate::arithmetic::Arithmetic;

/// The running results of what is left after the wide part.
const NARROW: usize = 8;

/// Chooses the number of running results while compiling: `LANES` is a constant of the type.
macro_rules! by_lanes {
    ($lanes:expr, $function:ident($($argument:expr),*)) => {
        match $lanes {
            64 => $function::<_, 64>($($argument),*),
            32 => $function::<_, 32>($($argument),*),
            _ => $function::<_, 16>($($argument),*),
        }
    };
}

impl<A: Arithmetic> Generic<A> {
    #[inline(always)]
    pub(crate) fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        by_lanes!(A::LANES, dot(self.0, a, b))
    }

    #[inline(always)]
    pub(crate) fn sum_squares(self, data: &[f32]) -> f32 {
        self.dot(data, data)
    }

    #[inline(always)]
    pub(crate) fn peak(self, data: &[f32]) -> f32 {
        by_lanes!(
            A::LANES,
            extreme(|m: f32, x: f32| greater(m, x.abs()), 0.0, data)
        )
    }

    #[inline(always)]
    pub(crate) fn min_max(self, data: &[f32]) -> (f32, f32) {
        by_lanes!(A::LANES, both_extremes((), data))
    }
}

#[inline(always)]
fn dot<A: Arithmetic, const LANES: usize>(arithmetic: A, a: &[f32], b: &[f32]) -> f32 {
    let (a_wide, a) = a.as_chunks::<LANES>();
    let (b_wide, b) = b.as_chunks::<LANES>();
    let (a_narrow, a) = a.as_chunks::<NARROW>();
    let (b_narrow, b) = b.as_chunks::<NARROW>();
    let wide = sums(arithmetic, a_wide, b_wide);
    let narrow = sums(arithmetic, a_narrow, b_narrow);
    let rest = a
        .iter()
        .zip(b)
        .fold(0.0, |sum, (a, b)| arithmetic.mul_add(*a, *b, sum));
    fold(wide, |a, b| a + b) + (fold(narrow, |a, b| a + b) + rest)
}

#[inline(always)]
fn sums<A: Arithmetic, const LANES: usize>(
    arithmetic: A,
    a: &[[f32; LANES]],
    b: &[[f32; LANES]],
) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            sums[i] = arithmetic.mul_add(a[i], b[i], sums[i]);
        }
    }
    sums
}

#[inline(always)]
fn extreme<F: Fn(f32, f32) -> f32 + Copy, const LANES: usize>(
    pick: F,
    start: f32,
    data: &[f32],
) -> f32 {
    let (wide, data) = data.as_chunks::<LANES>();
    let (narrow, data) = data.as_chunks::<NARROW>();
    let wide = fold(extremes(pick, start, wide), pick);
    let narrow = fold(extremes(pick, start, narrow), pick);
    data.iter().fold(pick(wide, narrow), |m, x| pick(m, *x))
}

#[inline(always)]
fn extremes<const LANES: usize>(
    pick: impl Fn(f32, f32) -> f32,
    start: f32,
    chunks: &[[f32; LANES]],
) -> [f32; LANES] {
    let mut found = [start; LANES];
    for chunk in chunks {
        for i in 0..LANES {
            found[i] = pick(found[i], chunk[i]);
        }
    }
    found
}

#[inline(always)]
fn both_extremes<T, const LANES: usize>(_: T, data: &[f32]) -> (f32, f32) {
    (
        extreme::<_, LANES>(lesser, f32::INFINITY, data),
        extreme::<_, LANES>(greater, f32::NEG_INFINITY, data),
    )
}

/// The greater of the two, `m` if `x` is NaN: what the instruction `maxps` does.
#[inline(always)]
fn greater(m: f32, x: f32) -> f32 {
    if x > m { x } else { m }
}

/// The lesser of the two, `m` if `x` is NaN.
#[inline(always)]
fn lesser(m: f32, x: f32) -> f32 {
    if x < m { x } else { m }
}

/// Brings the lanes together pair by pair.
#[inline(always)]
fn fold<const LANES: usize>(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = join(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}
