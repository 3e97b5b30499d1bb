//! Sums and extremes: many running results at once, brought together at the end.

use std::hint::black_box;

use super::Generic;
use crate::arithmetic::Arithmetic;

/// The running results of what the wide part leaves over.
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
        by_lanes!(A::LANES, peak(self.0, data))
    }

    #[inline(always)]
    pub(crate) fn min_max(self, data: &[f32]) -> (f32, f32) {
        by_lanes!(A::LANES, min_max(self.0, data))
    }
}

#[inline(always)]
fn dot<A: Arithmetic, const LANES: usize>(arithmetic: A, a: &[f32], b: &[f32]) -> f32 {
    let (a_wide, a) = a.as_chunks::<LANES>();
    let (b_wide, b) = b.as_chunks::<LANES>();
    let (a_narrow, a) = a.as_chunks::<NARROW>();
    let (b_narrow, b) = b.as_chunks::<NARROW>();
    let wide = products(arithmetic, a_wide, b_wide);
    let narrow = products(arithmetic, a_narrow, b_narrow);
    let rest = a
        .iter()
        .zip(b)
        .fold(0.0, |sum, (a, b)| arithmetic.mul_add(*a, *b, sum));
    join(wide, narrow, |a, b| a + b) + rest
}

#[inline(always)]
fn products<A: Arithmetic, const LANES: usize>(
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
fn peak<A, const LANES: usize>(_: A, data: &[f32]) -> f32 {
    let (wide, data) = data.as_chunks::<LANES>();
    let (narrow, data) = data.as_chunks::<NARROW>();
    let found = join(
        greatest_magnitudes(wide),
        greatest_magnitudes(narrow),
        greater,
    );
    data.iter().fold(found, |m, x| greater(m, x.abs()))
}

#[inline(always)]
fn greatest_magnitudes<const LANES: usize>(chunks: &[[f32; LANES]]) -> [f32; LANES] {
    let mut found = [0.0; LANES];
    for chunk in chunks {
        for i in 0..LANES {
            found[i] = greater(found[i], chunk[i].abs());
        }
    }
    found
}

#[inline(always)]
fn min_max<A, const LANES: usize>(_: A, data: &[f32]) -> (f32, f32) {
    let (wide, data) = data.as_chunks::<LANES>();
    let (narrow, data) = data.as_chunks::<NARROW>();
    let (wide_min, wide_max) = extremes(wide);
    let (narrow_min, narrow_max) = extremes(narrow);
    let min = join(wide_min, narrow_min, lesser);
    let max = join(wide_max, narrow_max, greater);
    data.iter().fold((min, max), |(min, max), x| {
        (lesser(min, *x), greater(max, *x))
    })
}

#[inline(always)]
fn extremes<const LANES: usize>(chunks: &[[f32; LANES]]) -> ([f32; LANES], [f32; LANES]) {
    let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    for chunk in chunks {
        for i in 0..LANES {
            min[i] = lesser(min[i], chunk[i]);
            max[i] = greater(max[i], chunk[i]);
        }
    }
    (min, max)
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

/// Brings all running results together to one.
///
/// They take the way through memory: left to itself, LLVM fits the registers of the loop before this
/// to the last step here, and makes them two lanes wide (seen in LLVM 22 for AVX2).
#[inline(always)]
fn join<const LANES: usize>(
    wide: [f32; LANES],
    mut narrow: [f32; NARROW],
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    for lanes in black_box(&wide).as_chunks::<NARROW>().0 {
        for i in 0..NARROW {
            narrow[i] = join(narrow[i], lanes[i]);
        }
    }
    let mut lanes = *black_box(&narrow);
    let mut width = NARROW;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            lanes[i] = join(lanes[i], lanes[i + width]);
        }
    }
    lanes[0]
}
