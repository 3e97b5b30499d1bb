//! 256 real samples: transformed in registers, between reading them once and writing them once.
//!
//! As 128 points in 8 vectors of 16 lanes: transforms of 8 down the lanes, then those of 16 across
//! them, whose first stage takes the halves of a vector together, and the others again run down the
//! lanes.

#![allow(
    clippy::needless_range_loop,
    reason = "an index runs through several arrays at once, and must unroll"
)]

use super::Real;
use super::butterfly::{Butterfly, Radix8, product};
use super::lanes::{Folded, Lanes, Of, Wide};
use super::real::{pack_swapped, unpack_registers};
use super::roots::Roots;
use super::stream::{Sink, pairs, put_pairs, swap};
use crate::isa::Body;

/// The samples.
pub(super) const SAMPLES: usize = 256;

const ROWS: usize = 8;

/// Vectors in registers.
type Points<I> = [Of<I, 16>; ROWS];

pub(super) struct Small<I: Folded> {
    isa: I,
    /// Between the transforms down and across the lanes.
    turns: Points<I>,
    /// 1 and -1 in the halves.
    signs: I::Vector,
    /// Of the odd bins across the lanes, which are in the upper half.
    odd: Points<I>,
    real: [Of<I, 16>; ROWS / 2],
}

impl<I: Folded> Small<I> {
    pub(super) fn new(isa: I) -> Self {
        let roots = Roots::new(SAMPLES);
        let across = |scale: f64, turn: &dyn Fn(usize) -> usize| {
            let (mut re, mut im) = ([0.0; 16], [0.0; 16]);
            for lane in 0..16 {
                let root = roots.get(turn(lane)) * scale;
                (re[lane], im[lane]) = (root.re as f32, root.im as f32);
            }
            Wide {
                re: isa.load(&re),
                im: isa.load(&im),
            }
        };
        let sign = |lane| if lane < 8 { 1.0 } else { -1.0 };
        Self {
            isa,
            turns: std::array::from_fn(|row| across(1.0, &|lane| 2 * row * lane)),
            signs: isa.load(&std::array::from_fn::<f32, 16, _>(sign)),
            odd: std::array::from_fn(|row| across(1.0, &|lane| lane / 8 * 16 * row)),
            real: std::array::from_fn(|row| across(0.5, &|lane| 16 * row + lane)),
        }
    }

    /// The transform, in order.
    #[inline(always)]
    fn transform(&self, x: Points<I>) -> Points<I> {
        let isa = self.isa;
        let x = Radix8::plain(isa, x);
        let (mut re, mut im) = ([x[0].re; ROWS], [x[0].im; ROWS]);
        for row in 1..ROWS {
            let turned = product(isa, x[row], self.turns[row]);
            (re[row], im[row]) = (turned.re, turned.im);
        }
        let (re, im) = (isa.fold(re), isa.fold(im));
        let mut x = x;
        for row in 0..ROWS {
            x[row] = Wide {
                re: isa.mul_add(re[row], self.signs, isa.exchange(re[row])),
                im: isa.mul_add(im[row], self.signs, isa.exchange(im[row])),
            };
            if row > 0 {
                x[row] = product(isa, x[row], self.odd[row]);
            }
        }
        Radix8::plain(isa, x)
    }
}

/// Vectors in registers, to be written.
struct Registers<'a, I: Lanes<16>>(&'a mut Points<I>);

impl<I: Lanes<16>> Sink<I, 16> for Registers<'_, I> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        count <= ROWS
    }

    #[inline(always)]
    unsafe fn put(&mut self, _: I, i: usize, numbers: Of<I, 16>) {
        self.0[i] = numbers;
    }

    #[inline(always)]
    fn prefetch(&self, _: I, _: usize) {}
}

struct Forward<'a, I: Folded>(&'a Small<I>, &'a mut [f32], &'a [f32]);

impl<I: Folded> Body for Forward<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, bins, samples) = self;
        let isa = plan.isa;
        let bins = &mut bins[..SAMPLES + 2];
        let samples = &samples[..SAMPLES];
        let mut x = [plan.turns[0]; ROWS];
        for row in 0..ROWS {
            x[row] = pairs(isa, samples, 16 * row);
        }
        let x = plan.transform(x);
        unpack_registers(isa, bins, &x, &plan.real);
    }
}

struct Inverse<'a, I: Folded>(&'a Small<I>, &'a mut [f32], &'a [f32]);

impl<I: Folded> Body for Inverse<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, samples, bins) = self;
        let isa = plan.isa;
        let (samples, bins) = (&mut samples[..SAMPLES], &bins[..SAMPLES + 2]);
        let mut x = [plan.turns[0]; ROWS];
        pack_swapped(isa, &mut Registers(&mut x), bins, &plan.real);
        let x = plan.transform(x);
        let scale = isa.splat(2.0 / SAMPLES as f32);
        for row in 0..ROWS {
            let scaled = Wide {
                re: isa.mul(x[row].re, scale),
                im: isa.mul(x[row].im, scale),
            };
            put_pairs(isa, samples, 16 * row, swap(scaled));
        }
    }
}

impl<I: Folded> Real<f32> for Small<I> {
    fn forward(&mut self, bins: &mut [f32], samples: &[f32]) {
        self.isa.run(Forward(self, bins, samples));
    }

    fn inverse(&mut self, samples: &mut [f32], bins: &[f32]) {
        self.isa.run(Inverse(self, samples, bins));
    }
}
