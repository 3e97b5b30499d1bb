//! Transforms that need no memory but what they replace, so that more of it stays near.
//!
//! The first pass is of as high a radix as the last one, which takes the blocks of the first one as
//! rows: so it puts each tile where it was, once the passes in between have sorted each block. The
//! blocks are short enough for the first-level cache, and go through one of their own where it takes
//! more than one pass to make them.

#![allow(
    clippy::needless_range_loop,
    reason = "an index runs through several arrays at once, and must unroll"
)]

use std::fmt;

use auralis_core::Complex;

use super::butterfly::{Butterfly, Radix2, Radix4, Radix8, product};
use super::lanes::{Lanes, Of, Wide};
use super::place::Place;
use super::roots::Roots;
use super::stream::{Interleaved, Parts, Sink, Source};
use super::{Fast, Real, fits, real, register_radices};
use crate::isa::Body;
use crate::plan::rounded;

/// A plan for so many complex points.
pub(super) fn plan<I: Lanes<L>, const L: usize>(
    isa: I,
    points: usize,
) -> Option<Box<dyn Fast<f32>>> {
    fits(points, L).then(|| -> Box<dyn Fast<f32>> { Box::new(Plan::new(isa, points)) })
}

/// A plan for so many real samples.
pub(super) fn plan_real<I: Lanes<L>, const L: usize>(
    isa: I,
    samples: usize,
) -> Option<Box<dyn Real<f32>>> {
    let fits = samples.is_multiple_of(2) && fits(samples / 2, L);
    fits.then(|| -> Box<dyn Real<f32>> { Box::new(Plan::new(isa, samples / 2)) })
}

struct Plan<I: Lanes<L>, const L: usize> {
    isa: I,
    len: usize,
    middle: Vec<Middle>,
    /// Of which bin of its block each butterfly of the last pass in between is.
    bins: Vec<u32>,
    last: Vec<Of<I, L>>,
    real: Vec<Of<I, L>>,
    /// A block, between the first and the last of several passes.
    block: Vec<Of<I, L>>,
}

/// A pass in between.
struct Middle {
    radix: usize,
    /// `radix - 1` for each butterfly of one column.
    twiddles: Vec<Complex<f32>>,
}

impl<I: Lanes<L>, const L: usize> Plan<I, L> {
    fn new(isa: I, len: usize) -> Self {
        let zero = Wide {
            re: isa.splat(0.0),
            im: isa.splat(0.0),
        };
        let roots = &Roots::new(2 * len);
        let l = len / (L * L);
        let mut order: Vec<usize> = (0..L).collect();
        let mut bins = Vec::new();
        let mut middle = Vec::new();
        for radix in register_radices(l.ilog2()) {
            let n = order.len() * radix;
            let stride = roots.len() / n;
            let turns = order
                .iter()
                .flat_map(|&k| (1..radix).map(move |j| roots.get(j * k * stride)));
            middle.push(Middle {
                radix,
                twiddles: turns.map(rounded).collect(),
            });
            let of_first = &order[..order.len() / L];
            bins = of_first.iter().map(|&k| (k / L) as u32).collect();
            let next = order.iter().flat_map(|&k| (0..radix).map(move |i| (k, i)));
            order = next.map(|(k, i)| k + order.len() * i).collect();
        }
        let across = |turn: &dyn Fn(usize) -> Complex<f64>| {
            let (mut re, mut im) = ([0.0; L], [0.0; L]);
            for lane in 0..L {
                let turn: Complex<f32> = rounded(turn(lane));
                (re[lane], im[lane]) = (turn.re, turn.im);
            }
            Wide {
                re: isa.load(&re),
                im: isa.load(&im),
            }
        };
        let last = (0..l).flat_map(|k| (1..L).map(move |j| (L * k, j)));
        let real = (0..len / 2).step_by(L);
        Self {
            isa,
            len,
            bins,
            last: last
                .map(|(k, j)| across(&|lane| roots.get(2 * j * (k + lane))))
                .collect(),
            real: real
                .map(|k| across(&|lane| roots.get(k + lane) * 0.5))
                .collect(),
            block: vec![zero; if middle.len() > 1 { l } else { 0 }],
            middle,
        }
    }
}

/// Runs all passes but the last one.
#[inline(always)]
fn begin<I: Lanes<L>, S: Source<I, L>, const L: usize>(
    plan: &mut Plan<I, L>,
    src: &S,
    dst: Place<'_>,
) {
    let isa = plan.isa;
    let l = plan.len / (L * L);
    first(isa, src, Parts(dst), l);
    for i in 0..L {
        let block = Parts(dst.part(2 * L * l * i, 2 * L * l));
        let part = |pass: &'_ Middle| {
            let count = pass.twiddles.len() / L;
            i * count..(i + 1) * count
        };
        match &*plan.middle {
            [] => {}
            [only] => any_middle(isa, only.radix, block, block, &only.twiddles[part(only)]),
            [first, between @ .., last] => {
                let near = Parts(Place::vectors(&mut plan.block));
                any_middle(isa, first.radix, block, near, &first.twiddles[part(first)]);
                for pass in between {
                    any_middle(isa, pass.radix, near, near, &pass.twiddles[part(pass)]);
                }
                let twiddles = &last.twiddles[part(last)];
                any_sorting(isa, last.radix, near, block, twiddles, &plan.bins);
            }
        }
    }
}

/// The first pass, which needs no twiddles.
#[inline(always)]
fn first<I: Lanes<L>, S: Source<I, L>, const L: usize>(
    isa: I,
    src: &S,
    mut dst: Parts<Place<'_>>,
    m: usize,
) {
    assert!(src.holds(L * m) && Sink::<I, L>::holds(&dst, L * m));
    for q in 0..m {
        let mut x = [zero(isa); L];
        for j in 0..L {
            // SAFETY: `j * m + q` is below `L * m`, which `src` holds.
            x[j] = unsafe { src.get(isa, j * m + q) };
        }
        let x = I::Square::plain(isa, x);
        for j in 0..L {
            // SAFETY: as above; `dst` holds as many.
            unsafe { dst.put(isa, j * m + q, x[j]) };
        }
    }
}

/// A pass in between: on as many blocks as there are `R - 1` twiddles, one block for each bin.
#[inline(always)]
fn middle<I: Lanes<L>, B: Butterfly<R>, const L: usize, const R: usize>(
    isa: I,
    src: Parts<Place<'_>>,
    mut dst: Parts<Place<'_>>,
    twiddles: &[Complex<f32>],
) {
    let vectors = src.0.len() / (2 * L);
    let m = vectors / (twiddles.len() / (R - 1) * R);
    assert!(Sink::<I, L>::holds(&dst, vectors));
    for (block, turns) in twiddles.chunks_exact(R - 1).enumerate() {
        let mut w = [zero(isa); R];
        for j in 1..R {
            w[j] = everywhere(isa, turns[j - 1]);
        }
        for q in 0..m {
            let at = block * R * m + q;
            let mut x = [zero(isa); R];
            for j in 0..R {
                // SAFETY: there are `R * m` vectors for each block, here and there.
                x[j] = unsafe { src.get(isa, at + j * m) };
            }
            for j in 1..R {
                x[j] = product(isa, x[j], w[j]);
            }
            let x = B::plain(isa, x);
            for j in 0..R {
                // SAFETY: as above.
                unsafe { dst.put(isa, at + j * m, x[j]) };
            }
        }
    }
}

/// The last pass in between, on blocks of `R` vectors; `bins` says of which bin each is. What comes out
/// is sorted.
#[inline(always)]
fn sorting<I: Lanes<L>, B: Butterfly<R>, const L: usize, const R: usize>(
    isa: I,
    src: Parts<Place<'_>>,
    mut dst: Parts<Place<'_>>,
    twiddles: &[Complex<f32>],
    bins: &[u32],
) {
    let count = bins.len();
    assert!(Source::<I, L>::holds(&src, R * count) && Sink::<I, L>::holds(&dst, R * count));
    for (block, (turns, &bin)) in twiddles.chunks_exact(R - 1).zip(bins).enumerate() {
        let bin = bin as usize;
        assert!(bin < count);
        let mut x = [zero(isa); R];
        for j in 0..R {
            // SAFETY: `block` is below `count`, and `src` holds `R` vectors for each.
            x[j] = unsafe { src.get(isa, block * R + j) };
        }
        for j in 1..R {
            x[j] = product(isa, x[j], everywhere(isa, turns[j - 1]));
        }
        let x = B::plain(isa, x);
        for j in 0..R {
            // SAFETY: `bin` is below `count`, and `dst` holds `R` vectors for each.
            unsafe { dst.put(isa, j * count + bin, x[j]) };
        }
    }
}

/// Calls a pass with the butterfly of a radix.
macro_rules! by_radix {
    ($radix:expr, $pass:ident($($argument:expr),*)) => {
        match $radix {
            2 => $pass::<_, Radix2, L, 2>($($argument),*),
            4 => $pass::<_, Radix4, L, 4>($($argument),*),
            _ => $pass::<_, Radix8, L, 8>($($argument),*),
        }
    };
}

/// [`middle`] of any radix.
#[inline(always)]
fn any_middle<I: Lanes<L>, const L: usize>(
    isa: I,
    radix: usize,
    src: Parts<Place<'_>>,
    dst: Parts<Place<'_>>,
    twiddles: &[Complex<f32>],
) {
    by_radix!(radix, middle(isa, src, dst, twiddles));
}

/// [`sorting`] of any radix.
#[inline(always)]
fn any_sorting<I: Lanes<L>, const L: usize>(
    isa: I,
    radix: usize,
    src: Parts<Place<'_>>,
    dst: Parts<Place<'_>>,
    twiddles: &[Complex<f32>],
    bins: &[u32],
) {
    by_radix!(radix, sorting(isa, src, dst, twiddles, bins));
}

/// The last pass: each step reads all that it replaces first.
#[inline(always)]
fn last<I: Lanes<L>, S: Sink<I, L>, const L: usize>(
    isa: I,
    src: Parts<Place<'_>>,
    dst: &mut S,
    twiddles: &[Of<I, L>],
) {
    let l = src.0.len() / (2 * L * L);
    assert!(dst.holds(L * l));
    for (k, twiddles) in twiddles.chunks_exact(L - 1).enumerate().take(l) {
        let mut re = [isa.splat(0.0); L];
        let mut im = re;
        for j in 0..L {
            // SAFETY: `k` is below `l`, so this is one of the `L * l` vectors.
            let numbers = unsafe { src.get(isa, l * j + k) };
            re[j] = numbers.re;
            im[j] = numbers.im;
        }
        let (re, im) = (isa.transpose(re), isa.transpose(im));
        let mut x = [zero(isa); L];
        for j in 0..L {
            x[j] = Wide {
                re: re[j],
                im: im[j],
            };
            if j > 0 {
                x[j] = product(isa, x[j], twiddles[j - 1]);
            }
        }
        let x = I::Square::plain(isa, x);
        for j in 0..L {
            // SAFETY: as above; `dst` holds as many.
            unsafe { dst.put(isa, l * j + k, x[j]) };
        }
    }
}

#[inline(always)]
fn everywhere<I: Lanes<L>, const L: usize>(isa: I, turn: Complex<f32>) -> Of<I, L> {
    Wide {
        re: isa.splat(turn.re),
        im: isa.splat(turn.im),
    }
}

#[inline(always)]
fn zero<I: Lanes<L>, const L: usize>(isa: I) -> Of<I, L> {
    everywhere(isa, Complex::default())
}

/// Complex points, from where they are.
struct Points<'a, S, D, I: Lanes<L>, const L: usize> {
    plan: &'a mut Plan<I, L>,
    src: S,
    work: Place<'a>,
    dst: D,
}

impl<S: Source<I, L>, D: Sink<I, L>, I: Lanes<L>, const L: usize> Body for Points<'_, S, D, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            plan,
            src,
            work,
            mut dst,
        } = self;
        begin(plan, &src, work);
        last(plan.isa, Parts(work), &mut dst, &plan.last);
    }
}

struct Forward<'a, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, &'a mut [f32], &'a [f32]);

impl<I: Lanes<L>, const L: usize> Body for Forward<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, bins, samples) = self;
        let work = Place::new(&mut bins[..2 * plan.len]);
        begin(plan, &Interleaved::<_, false>(samples), work);
        last(plan.isa, Parts(work), &mut Parts(work), &plan.last);
        real::unpack(plan.isa, bins, &plan.real);
    }
}

struct Inverse<'a, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, &'a mut [f32], &'a [f32]);

impl<I: Lanes<L>, const L: usize> Body for Inverse<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, samples, bins) = self;
        let work = Place::new(samples);
        real::pack_swapped(plan.isa, &mut Parts(work), bins, &plan.real);
        begin(plan, &Parts(work), work);
        let mut points = Interleaved::<_, true>((work, 1.0 / plan.len as f32));
        last(plan.isa, Parts(work), &mut points, &plan.last);
    }
}

impl<I: Lanes<L>, const L: usize> Fast<f32> for Plan<I, L> {
    fn forward(&mut self, bins: &mut [f32], points: Option<&[f32]>) {
        let (isa, work) = (self.isa, Place::new(bins));
        let (plan, dst) = (self, Interleaved::<_, false>(work));
        match points {
            Some(points) => isa.run(Points {
                plan,
                src: Interleaved::<_, false>(points),
                work,
                dst,
            }),
            None => isa.run(Points {
                plan,
                src: Interleaved::<_, false>(work),
                work,
                dst,
            }),
        }
    }

    fn inverse(&mut self, points: &mut [f32], bins: Option<&[f32]>, scale: f32) {
        let (isa, work) = (self.isa, Place::new(points));
        let (plan, dst) = (self, Interleaved::<_, true>((work, scale)));
        match bins {
            Some(bins) => isa.run(Points {
                plan,
                src: Interleaved::<_, true>(bins),
                work,
                dst,
            }),
            None => isa.run(Points {
                plan,
                src: Interleaved::<_, true>(work),
                work,
                dst,
            }),
        }
    }
}

impl<I: Lanes<L>, const L: usize> Real<f32> for Plan<I, L> {
    fn forward(&mut self, bins: &mut [f32], samples: &[f32]) {
        self.isa.run(Forward(self, bins, samples));
    }

    fn inverse(&mut self, samples: &mut [f32], bins: &[f32]) {
        self.isa.run(Inverse(self, samples, bins));
    }
}

impl<I: Lanes<L>, const L: usize> fmt::Debug for Plan<I, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("points", &self.len)
            .field("lanes", &L)
            .finish_non_exhaustive()
    }
}
