//! Circular convolution of two windows of real samples at once, as the real and the imaginary part of
//! one complex signal.
//!
//! A real response treats both parts alike, so that nothing has to tell them apart in between, and
//! products need no order: the spectrum stays in the order in which the passes leave it, and those of
//! the inverse transform undo them one by one. What follows the first pass is done on one small block
//! after another, there and back, while it is in the nearest cache.

use auralis_core::Complex;

use super::lanes::{Lanes, Of, Wide};
use super::pass;
use super::roots::Roots;
use super::stream::Apart;
use super::tile::{self, Turns};
use super::{begin, butterfly, fits, register_radices, twiddles};
use crate::isa::Body;
use crate::plan::rounded;

/// Up to how many vectors the passes go there and back on at once: 8 kB of the widest.
const LEAF: usize = 64;

/// A circular convolution with one response of windows of a fixed length.
pub(crate) trait Circular<T>: Send {
    /// Convolves two windows, and gives as many samples of each as there is room for.
    fn run(&mut self, dst: [&mut [T]; 2], src: [&[T]; 2]);
}

/// A plan for windows of `len` samples, if that is a power of two and at least a square of vectors. The
/// response has no more taps; the first is at index `at`, and what is beyond the end goes on at the
/// beginning.
pub(crate) fn plan<I: Lanes<L>, const L: usize>(
    isa: I,
    len: usize,
    taps: &[f32],
    at: usize,
) -> Option<Box<dyn Circular<f32>>> {
    fits(len, L).then(|| -> Box<dyn Circular<f32>> {
        let mut response = vec![0.0; len];
        let (early, late) = taps.split_at(taps.len().min(len - at));
        response[at..][..early.len()].copy_from_slice(early);
        response[..late.len()].copy_from_slice(late);
        Box::new(Plan::new(isa, &response))
    })
}

struct Plan<I: Lanes<L>, const L: usize> {
    isa: I,
    /// The radix of the first pass and the last one.
    first: usize,
    levels: Vec<Level>,
    leaf: usize,
    turns: Turns<I, L>,
    /// The spectrum of the response, tile by tile.
    response: Vec<Of<I, L>>,
    work: Vec<Of<I, L>>,
}

/// A pass there and the one that undoes it.
struct Level {
    radix: usize,
    /// The vectors that it works on at once: a block, or as many blocks as make a leaf.
    span: usize,
    /// `radix / 2` for each block, as [`pass::middle`] needs them.
    there: Vec<Complex<f32>>,
    /// `radix - 1` for each block, as [`pass::middle_back`] needs them.
    back: Vec<Complex<f32>>,
}

impl<I: Lanes<L>, const L: usize> Plan<I, L> {
    fn new(isa: I, response: &[f32]) -> Self {
        let len = response.len();
        let rows = len / L;
        let roots = Roots::new(len);
        let radices = register_radices(rows.ilog2());
        let leaf = rows.min(LEAF);
        let mut order: Vec<usize> = (0..radices[0]).collect();
        let mut levels = Vec::new();
        for &radix in &radices[1..] {
            let block = rows / order.len();
            let n = order.len() * radix;
            let there = order.iter().flat_map(|&k| twiddles(&roots, radix, k, n));
            let back = order
                .iter()
                .flat_map(|&k| (1..radix).map(move |j| (j * k) * (len / n)));
            levels.push(Level {
                radix,
                span: block.max(leaf),
                there: there.map(rounded).collect(),
                back: back.map(|k| rounded(roots.get(k))).collect(),
            });
            let next = order.iter().flat_map(|&k| (0..radix).map(move |i| (k, i)));
            order = next.map(|(k, i)| k + order.len() * i).collect();
        }
        let zero = Wide {
            re: isa.splat(0.0),
            im: isa.splat(0.0),
        };
        let mut this = Self {
            isa,
            first: radices[0],
            levels,
            leaf,
            turns: Turns::new(isa, &roots, &order),
            response: Vec::with_capacity(rows),
            work: vec![zero; rows],
        };
        isa.run(Respond(&mut this, response));
        this
    }
}

/// Runs the passes between the first and the last one: `THERE` alone for the spectrum of the response.
#[inline(always)]
fn rounds<I: Lanes<L>, const L: usize, const THERE: bool>(plan: &mut Plan<I, L>) {
    let scale = 1.0 / (L * plan.work.len()) as f32;
    let leaf = plan.leaf;
    for at in (0..plan.work.len()).step_by(leaf) {
        for level in plan
            .levels
            .iter()
            .filter(|level| at.is_multiple_of(level.span))
        {
            let count = level.there.len() * level.span / plan.work.len();
            let twiddles = &level.there[at / level.span * count..][..count];
            let block = &mut plan.work[at..at + level.span];
            pass::any_middle(plan.isa, level.radix, block, twiddles);
        }
        let end = at + leaf;
        let (work, turns) = (&mut plan.work[at..end], plan.turns.of(at..end));
        if THERE {
            tile::spectrum(plan.isa, &mut plan.response, work, turns, scale);
            continue;
        }
        tile::multiply(plan.isa, work, &plan.response[at..end], turns);
        let done = |level: &&Level| end.is_multiple_of(level.span);
        for level in plan.levels.iter().rev().filter(done) {
            let count = level.back.len() * level.span / plan.work.len();
            let twiddles = &level.back[(end / level.span - 1) * count..][..count];
            let block = &mut plan.work[end - level.span..end];
            pass::any_middle_back(plan.isa, level.radix, block, twiddles);
        }
    }
}

struct Respond<'a, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, &'a [f32]);

impl<I: Lanes<L>, const L: usize> Body for Respond<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, response) = self;
        let silence = vec![0.0; response.len()];
        let src = Apart(response, &silence[..]);
        begin(plan.isa, plan.first, &src, &mut plan.work);
        rounds::<I, L, true>(plan);
    }
}

struct Convolve<'a, I: Lanes<L>, const L: usize> {
    plan: &'a mut Plan<I, L>,
    dst: [&'a mut [f32]; 2],
    src: [&'a [f32]; 2],
}

impl<I: Lanes<L>, const L: usize> Body for Convolve<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { plan, dst, src } = self;
        let isa = plan.isa;
        begin(isa, plan.first, &Apart(src[0], src[1]), &mut plan.work);
        rounds::<I, L, false>(plan);
        let [re, im] = dst;
        let mut dst = Apart(re, im);
        match plan.first {
            4 => pass::end::<I, butterfly::Radix4, _, L, 4>(isa, &plan.work, &mut dst),
            _ => pass::end::<I, butterfly::Radix8, _, L, 8>(isa, &plan.work, &mut dst),
        }
    }
}

impl<I: Lanes<L>, const L: usize> Circular<f32> for Plan<I, L> {
    fn run(&mut self, dst: [&mut [f32]; 2], src: [&[f32]; 2]) {
        let isa = self.isa;
        isa.run(Convolve {
            plan: self,
            dst,
            src,
        });
    }
}
