//! The middle of a circular convolution: the transforms across the lanes, there and back, and the
//! products with the response in between.
//!
//! A tile is as many rows as a vector has lanes. Turned over, its rows are the subsequences and its
//! lanes the bins that the passes before have made of them.

#![allow(
    clippy::needless_range_loop,
    reason = "an index runs through several arrays at once, and must unroll"
)]

use std::ops::Range;

use auralis_core::Complex;

use super::butterfly::{Butterfly, product};
use super::lanes::{Lanes, Of, Wide};
use super::roots::Roots;
use super::stream::swap;
use crate::isa::Body;

/// The factors between the passes and the transforms across lanes: for each tile `L`, of which the
/// first is 1.
pub(super) struct Turns<I: Lanes<L>, const L: usize>(Vec<Of<I, L>>);

impl<I: Lanes<L>, const L: usize> Turns<I, L> {
    /// `order` says which bin each row is: those of a tile are as far apart in every tile.
    pub(super) fn new(isa: I, roots: &Roots, order: &[usize]) -> Self {
        Self(isa.run(Fill::<I, L> { isa, roots, order }))
    }

    /// Those of some rows.
    #[inline(always)]
    pub(super) fn of(&self, rows: Range<usize>) -> &[Of<I, L>] {
        &self.0[rows]
    }
}

struct Fill<'a, I, const L: usize> {
    isa: I,
    roots: &'a Roots,
    order: &'a [usize],
}

impl<I: Lanes<L>, const L: usize> Body for Fill<'_, I, L> {
    type Output = Vec<Of<I, L>>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { isa, roots, order } = self;
        let mut across = [([0.0; L], [0.0; L]); L];
        for (r, (re, im)) in across.iter_mut().enumerate() {
            for lane in 0..L {
                let turn = roots.get(r * (order[lane] - order[0]));
                (re[lane], im[lane]) = (turn.re, turn.im);
            }
        }
        let mut turns = Vec::with_capacity(order.len());
        for bins in order.chunks_exact(L) {
            for (r, (across_re, across_im)) in across.iter().enumerate() {
                let base: Complex<f64> = roots.get(r * bins[0]);
                let (mut re, mut im) = ([0.0; L], [0.0; L]);
                for lane in 0..L {
                    let (a, b) = (across_re[lane], across_im[lane]);
                    re[lane] = (base.re * a - base.im * b) as f32;
                    im[lane] = (base.re * b + base.im * a) as f32;
                }
                turns.push(Wide {
                    re: isa.load(&re),
                    im: isa.load(&im),
                });
            }
        }
        turns
    }
}

/// Adds the spectrum of what `work` holds to that of a response, scaled.
#[inline(always)]
pub(super) fn spectrum<I: Lanes<L>, const L: usize>(
    isa: I,
    response: &mut Vec<Of<I, L>>,
    work: &[Of<I, L>],
    turns: &[Of<I, L>],
    scale: f32,
) {
    let scale = isa.splat(scale);
    let tiles = work.as_chunks::<L>().0.iter().zip(turns.as_chunks::<L>().0);
    for (work, turns) in tiles {
        let mut x = there(isa, work, turns);
        for j in 0..L {
            x[j] = Wide {
                re: isa.mul(x[j].re, scale),
                im: isa.mul(x[j].im, scale),
            };
        }
        response.extend_from_slice(&x);
    }
}

/// Multiplies the spectrum of what `work` holds with the response, and leaves `work` with real and
/// imaginary parts swapped: so transforms go back.
#[inline(always)]
pub(super) fn multiply<I: Lanes<L>, const L: usize>(
    isa: I,
    work: &mut [Of<I, L>],
    response: &[Of<I, L>],
    turns: &[Of<I, L>],
) {
    let (work, _) = work.as_chunks_mut::<L>();
    let (response, turns) = (response.as_chunks::<L>().0, turns.as_chunks::<L>().0);
    for ((work, response), turns) in work.iter_mut().zip(response).zip(turns) {
        let mut x = there(isa, work, turns);
        for j in 0..L {
            x[j] = swap(product(isa, x[j], response[j]));
        }
        let x = I::Square::plain(isa, x);
        let (mut re, mut im) = ([x[0].re; L], [x[0].im; L]);
        for j in 1..L {
            let turned = product(isa, x[j], turns[j]);
            (re[j], im[j]) = (turned.re, turned.im);
        }
        let (re, im) = (isa.transpose(re), isa.transpose(im));
        for j in 0..L {
            work[j] = Wide {
                re: re[j],
                im: im[j],
            };
        }
    }
}

/// The transforms across the lanes.
#[inline(always)]
fn there<I: Lanes<L>, const L: usize>(
    isa: I,
    work: &[Of<I, L>; L],
    turns: &[Of<I, L>; L],
) -> [Of<I, L>; L] {
    let (mut re, mut im) = ([work[0].re; L], [work[0].im; L]);
    for j in 1..L {
        (re[j], im[j]) = (work[j].re, work[j].im);
    }
    let (re, im) = (isa.transpose(re), isa.transpose(im));
    let mut x = [Wide {
        re: re[0],
        im: im[0],
    }; L];
    for j in 1..L {
        let numbers = Wide {
            re: re[j],
            im: im[j],
        };
        x[j] = product(isa, numbers, turns[j]);
    }
    I::Square::plain(isa, x)
}
