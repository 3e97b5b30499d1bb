//! Our own Fourier transforms of powers of two, where they beat `rustfft`: single precision on wide
//! vectors.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "only x86-64 has vectors this wide")
)]

mod butterfly;
pub(crate) mod circular;
mod in_place;
mod lanes;
mod pass;
mod place;
mod real;
mod roots;
mod small;
mod square;
mod stream;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::fmt;

use auralis_core::Complex;

use super::rounded;
use crate::isa::Body;
use butterfly::{Radix4, Radix8, Radix16};
pub(crate) use circular::Circular;
pub(crate) use lanes::Lanes;
use lanes::{Folded, Of, Paired, Wide};
use roots::Roots;
use small::{SAMPLES, Small};
use square::Square;
use stream::{Interleaved, Parts, Sink, Source};

/// A transform of a fixed number of complex points, in place where it is not told where they are.
/// Lengths are those of the plan.
pub(crate) trait Fast<T>: Send {
    /// Makes the bins.
    fn forward(&mut self, bins: &mut [T], points: Option<&[T]>);

    /// Makes the points, unscaled but for `scale`.
    fn inverse(&mut self, points: &mut [T], bins: Option<&[T]>, scale: T);
}

/// A transform of a fixed number of real samples. Lengths are those of the plan.
pub(crate) trait Real<T>: Send {
    /// Makes the bins.
    fn forward(&mut self, bins: &mut [T], samples: &[T]);

    /// Makes the samples, scaled.
    fn inverse(&mut self, samples: &mut [T], bins: &[T]);
}

/// The parts of complex numbers in turn.
pub(crate) fn flat<T>(numbers: &[Complex<T>]) -> &[T] {
    // SAFETY: `Complex<T>` is `repr(C)` with two fields of type `T`: as large and as aligned as
    // `[T; 2]`.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), 2 * numbers.len()) }
}

/// The same, to be replaced.
pub(crate) fn flat_mut<T>(numbers: &mut [Complex<T>]) -> &mut [T] {
    // SAFETY: as `flat`; the borrow is unique.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), 2 * numbers.len()) }
}

/// A plan for so many complex points, if there are enough for whole vectors: fewer are faster with
/// `rustfft`.
pub(crate) fn plan<I: Lanes<L>, const L: usize>(
    isa: I,
    points: usize,
) -> Option<Box<dyn Fast<f32>>> {
    fits(points, L).then(|| -> Box<dyn Fast<f32>> { Box::new(Plan::new(isa, points)) })
}

/// A plan for so many real samples, if there are enough.
pub(crate) fn plan_real<I: Lanes<L>, const L: usize>(
    isa: I,
    samples: usize,
) -> Option<Box<dyn Real<f32>>> {
    let fits = samples.is_multiple_of(2) && fits(samples / 2, L);
    fits.then(|| -> Box<dyn Real<f32>> { Box::new(Plan::new(isa, samples / 2)) })
}

/// [`plan`] on whole vectors, or on half ones where they are as fast.
pub(crate) fn plan_any<I: Folded + Paired>(isa: I, points: usize) -> Option<Box<dyn Fast<f32>>> {
    if !isa.halves() {
        return plan::<I, 16>(isa, points);
    }
    match points {
        square::POINTS => Some(Box::new(Square::new(isa))),
        ..square::POINTS => None,
        _ => in_place::plan::<I, 8>(isa, points),
    }
}

/// [`plan_real`] on whole vectors, or on half ones for what is too short for them; in place what is
/// long.
pub(crate) fn plan_real_any<I: Folded + Lanes<8>>(
    isa: I,
    samples: usize,
) -> Option<Box<dyn Real<f32>>> {
    if samples == SAMPLES {
        return Some(Box::new(Small::new(isa)));
    }
    if samples > LONG && isa.halves() {
        return in_place::plan_real::<I, 8>(isa, samples);
    }
    plan_real::<I, 16>(isa, samples).or_else(|| plan_real::<I, 8>(isa, samples))
}

/// Up to so many real samples, whole vectors are as fast even where they are computed in halves.
const LONG: usize = 2048;

/// Whether so many points are enough for vectors of `lanes` lanes.
fn fits(points: usize, lanes: usize) -> bool {
    points.is_power_of_two() && points >= lanes * lanes
}

struct Plan<I: Lanes<L>, const L: usize> {
    isa: I,
    /// The radix of the first pass.
    first: usize,
    middle: Vec<Middle>,
    last: Vec<Of<I, L>>,
    real: Vec<Of<I, L>>,
    /// Where the vectors are that the last pass gathers.
    rows: Vec<u32>,
    work: Vec<Of<I, L>>,
}

/// A pass in between.
struct Middle {
    radix: usize,
    twiddles: Vec<Complex<f32>>,
}

/// The radices of the passes before the last one, for `bits` binary digits, at least 2. Measured: 8
/// wherever possible, as 16 streams at a time that lie a power of two apart crowd the cache, and where
/// a 4 is left over, it goes first.
fn radices(bits: u32) -> Vec<usize> {
    match bits {
        0..=4 => vec![1 << bits],
        7 => vec![16, 8],
        _ => {
            let first = if bits % 3 == 2 { 2 } else { 3 };
            let mut radices = vec![1 << first];
            radices.extend(self::radices(bits - first));
            radices
        }
    }
}

/// Those of any number of digits without 16, of which more points would have to be kept in memory than
/// another pass reads.
fn register_radices(bits: u32) -> Vec<usize> {
    match bits {
        0 => vec![],
        1..=3 => vec![1 << bits],
        4 => vec![4, 4],
        _ => [register_radices(bits - 3), vec![8]].concat(),
    }
}

/// The twiddles of a butterfly of `radix` that makes bin `k` of `n`: of its radix-2 stages in turn,
/// without those that are `-i` times another.
fn twiddles(roots: &Roots, radix: usize, k: usize, n: usize) -> impl Iterator<Item = Complex<f64>> {
    let stride = roots.len() / n;
    let halves = (0..radix.ilog2()).map(move |stage| radix >> 1 >> stage);
    halves.flat_map(move |step| {
        let count = (radix / step / 4).max(1);
        (0..count).map(move |i| roots.get((k + i * (n / radix)) * step * stride))
    })
}

impl<I: Lanes<L>, const L: usize> Plan<I, L> {
    fn new(isa: I, len: usize) -> Self {
        let zero = Wide {
            re: isa.splat(0.0),
            im: isa.splat(0.0),
        };
        let roots = &Roots::new(2 * len);
        let radices = radices((len / L).ilog2());
        let mut order: Vec<usize> = (0..radices[0]).collect();
        let mut middle = Vec::new();
        for &radix in &radices[1..] {
            let n = order.len() * radix;
            let turns = order.iter().flat_map(|&k| twiddles(roots, radix, k, n));
            middle.push(Middle {
                radix,
                twiddles: turns.map(rounded).collect(),
            });
            let next = order.iter().flat_map(|&k| (0..radix).map(move |i| (k, i)));
            order = next.map(|(k, i)| k + order.len() * i).collect();
        }
        let mut rows = vec![0; order.len()];
        for (row, &k) in (0..).zip(&order) {
            rows[k] = row;
        }
        let across = |k: usize, turn: &dyn Fn(usize) -> Complex<f64>| {
            let (mut re, mut im) = ([0.0; L], [0.0; L]);
            for lane in 0..L {
                let turn: Complex<f32> = rounded(turn(k + lane));
                (re[lane], im[lane]) = (turn.re, turn.im);
            }
            Wide {
                re: isa.load(&re),
                im: isa.load(&im),
            }
        };
        let last = (0..order.len())
            .step_by(L)
            .flat_map(|k| (0..L / 2).map(move |i| (k, i)))
            .map(|(k, i)| {
                across(k, &|k| {
                    twiddles(roots, L, k, len).nth(i).unwrap_or_default()
                })
            })
            .collect();
        let real = (0..len / 2)
            .step_by(L)
            .map(|k| across(k, &|k| roots.get(k) * 0.5))
            .collect();
        Self {
            isa,
            first: radices[0],
            middle,
            last,
            real,
            rows,
            work: vec![zero; len / L],
        }
    }
}

/// Runs all passes but the first and the last one, on one block of the first one after another.
#[inline(always)]
fn go_on<I: Lanes<L>, const L: usize>(plan: &mut Plan<I, L>) {
    let blocks = plan.first;
    let len = plan.work.len() / blocks;
    for (i, block) in plan.work.chunks_exact_mut(len).enumerate() {
        for Middle { radix, twiddles } in &plan.middle {
            let count = twiddles.len() / blocks;
            let twiddles = &twiddles[i * count..][..count];
            pass::any_middle(plan.isa, *radix, block, twiddles);
        }
    }
}

/// Runs the first pass.
#[inline(always)]
fn begin<I: Lanes<L>, S: Source<I, L>, const L: usize>(
    isa: I,
    radix: usize,
    src: &S,
    dst: &mut [Of<I, L>],
) {
    match radix {
        4 => pass::first::<I, Radix4, S, L, 4>(isa, src, dst),
        8 => pass::first::<I, Radix8, S, L, 8>(isa, src, dst),
        _ => pass::first::<I, Radix16, S, L, 16>(isa, src, dst),
    }
}

struct Load<'a, S, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, S);

impl<S: Source<I, L>, I: Lanes<L>, const L: usize> Body for Load<'_, S, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, src) = self;
        begin(plan.isa, plan.first, &src, &mut plan.work);
    }
}

struct Store<'a, S, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, S);

impl<S: Sink<I, L>, I: Lanes<L>, const L: usize> Body for Store<'_, S, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, mut dst) = self;
        go_on(plan);
        pass::last(plan.isa, &plan.work, &mut dst, &plan.rows, &plan.last);
    }
}

struct Forward<'a, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, &'a mut [f32], &'a [f32]);

impl<I: Lanes<L>, const L: usize> Body for Forward<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, bins, samples) = self;
        let points = Interleaved::<_, false>(samples);
        begin(plan.isa, plan.first, &points, &mut plan.work);
        go_on(plan);
        if plan.rows.len() == L {
            let points = pass::tile(plan.isa, &plan.work, &plan.rows, &plan.last);
            real::unpack_registers(plan.isa, bins, &points, &plan.real);
            return;
        }
        let mut packed = Parts(&mut *bins);
        pass::last(plan.isa, &plan.work, &mut packed, &plan.rows, &plan.last);
        real::unpack(plan.isa, bins, &plan.real);
    }
}

struct Inverse<'a, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, &'a mut [f32], &'a [f32]);

impl<I: Lanes<L>, const L: usize> Body for Inverse<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, samples, bins) = self;
        real::pack_swapped(plan.isa, &mut Parts(&mut *samples), bins, &plan.real);
        begin(plan.isa, plan.first, &Parts(&*samples), &mut plan.work);
        go_on(plan);
        let scale = 1.0 / (L * plan.work.len()) as f32;
        let mut points = Interleaved::<_, true>((samples, scale));
        pass::last(plan.isa, &plan.work, &mut points, &plan.rows, &plan.last);
    }
}

impl<I: Lanes<L>, const L: usize> Fast<f32> for Plan<I, L> {
    fn forward(&mut self, bins: &mut [f32], points: Option<&[f32]>) {
        let isa = self.isa;
        isa.run(Load(self, Interleaved::<_, false>(points.unwrap_or(bins))));
        isa.run(Store(self, Interleaved::<_, false>(bins)));
    }

    fn inverse(&mut self, points: &mut [f32], bins: Option<&[f32]>, scale: f32) {
        let isa = self.isa;
        isa.run(Load(self, Interleaved::<_, true>(bins.unwrap_or(points))));
        isa.run(Store(self, Interleaved::<_, true>((points, scale))));
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
            .field("points", &(L * self.work.len()))
            .field("lanes", &L)
            .finish_non_exhaustive()
    }
}
