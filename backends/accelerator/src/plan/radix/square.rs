//! 256 complex points as a square of 16 by 16, on vectors of 8 lanes: transforms of 16 down the columns,
//! then along the rows.
//!
//! A CPU that computes whole vectors in halves takes as long for two columns of half ones as for one of
//! whole ones; but while the first is still computed, the second is already brought in order.

#![allow(
    clippy::needless_range_loop,
    reason = "an index runs through several arrays at once, and must unroll"
)]

use auralis_core::Complex;

use super::butterfly::{Butterfly, Radix16};
use super::lanes::{Of, Paired, Wide};
use super::roots::Roots;
use super::stream::swap;
use super::{Fast, twiddles};
use crate::isa::Body;
use crate::plan::rounded;

/// The points.
pub(super) const POINTS: usize = SIDE * SIDE;

const SIDE: usize = 16;
const LANES: usize = 8;
const GROUPS: usize = SIDE / LANES;

pub(super) struct Square<I: Paired> {
    isa: I,
    turns: [[Of<I, LANES>; SIDE / 2]; GROUPS],
    /// What becomes of the columns, by groups of rows.
    work: [[Of<I, LANES>; SIDE]; GROUPS],
}

impl<I: Paired> Square<I> {
    pub(super) fn new(isa: I) -> Self {
        let roots = &Roots::new(POINTS);
        let across = |group: usize, i: usize| {
            let (mut re, mut im) = ([0.0; LANES], [0.0; LANES]);
            for lane in 0..LANES {
                let row = LANES * group + I::ORDER[lane];
                let turn = twiddles(roots, SIDE, row, POINTS).nth(i);
                let turn: Complex<f32> = rounded(turn.unwrap_or_default());
                (re[lane], im[lane]) = (turn.re, turn.im);
            }
            Wide {
                re: isa.load(&re),
                im: isa.load(&im),
            }
        };
        let zero = Wide {
            re: isa.splat(0.0),
            im: isa.splat(0.0),
        };
        Self {
            isa,
            turns: std::array::from_fn(|group| std::array::from_fn(|i| across(group, i))),
            work: [[zero; SIDE]; GROUPS],
        }
    }

    /// The transforms down the columns.
    #[inline(always)]
    fn down<const SWAPPED: bool>(&mut self, points: &[f32]) {
        let isa = self.isa;
        let points = &points[..2 * POINTS];
        for group in 0..GROUPS {
            let mut x = [self.work[0][0]; SIDE];
            for row in 0..SIDE {
                let at = 2 * (SIDE * row + LANES * group);
                let (low, high) = (isa.load(&points[at..]), isa.load(&points[at + LANES..]));
                let (re, im) = isa.separate_pairs(low, high);
                let numbers = Wide { re, im };
                x[row] = if SWAPPED { swap(numbers) } else { numbers };
            }
            let y = Radix16::plain(isa, x);
            for rows in 0..GROUPS {
                let (mut re, mut im) = ([y[0].re; LANES], [y[0].im; LANES]);
                for lane in 0..LANES {
                    let row = y[LANES * rows + I::ORDER[lane]];
                    (re[lane], im[lane]) = (row.re, row.im);
                }
                let (re, im) = (isa.transpose(re), isa.transpose(im));
                for lane in 0..LANES {
                    self.work[rows][LANES * group + I::ORDER[lane]] = Wide {
                        re: re[lane],
                        im: im[lane],
                    };
                }
            }
        }
    }

    /// The transforms along the rows, scaled if they are swapped.
    #[inline(always)]
    fn along<const SWAPPED: bool>(&self, bins: &mut [f32], scale: f32) {
        let isa = self.isa;
        let bins = &mut bins[..2 * POINTS];
        let scale = isa.splat(scale);
        for group in 0..GROUPS {
            let y = Radix16::turned(isa, self.work[group], &self.turns[group]);
            for row in 0..SIDE {
                let Wide { mut re, mut im } = y[row];
                if SWAPPED {
                    (re, im) = (isa.mul(im, scale), isa.mul(re, scale));
                }
                let (low, high) = isa.interleave_pairs(re, im);
                let at = 2 * (SIDE * row + LANES * group);
                isa.store(&mut bins[at..], low);
                isa.store(&mut bins[at + LANES..], high);
            }
        }
    }
}

struct Forward<'a, I: Paired>(&'a mut Square<I>, &'a mut [f32], Option<&'a [f32]>);

impl<I: Paired> Body for Forward<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, bins, points) = self;
        plan.down::<false>(points.unwrap_or(bins));
        plan.along::<false>(bins, 1.0);
    }
}

struct Inverse<'a, I: Paired>(&'a mut Square<I>, &'a mut [f32], Option<&'a [f32]>, f32);

impl<I: Paired> Body for Inverse<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, points, bins, scale) = self;
        plan.down::<true>(bins.unwrap_or(points));
        plan.along::<true>(points, scale);
    }
}

impl<I: Paired> Fast<f32> for Square<I> {
    fn forward(&mut self, bins: &mut [f32], points: Option<&[f32]>) {
        self.isa.run(Forward(self, bins, points));
    }

    fn inverse(&mut self, points: &mut [f32], bins: Option<&[f32]>, scale: f32) {
        self.isa.run(Inverse(self, points, bins, scale));
    }
}
