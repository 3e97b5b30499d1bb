//! Our own Fourier transforms of powers of two, where they beat `rustfft`: single precision on wide
//! vectors.

#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "only x86-64 has vectors this wide")
)]

mod butterfly;
mod circular;
mod lanes;
mod pass;
mod real;
mod roots;
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
pub(crate) use circular::{Circular, plan_circular};
pub(crate) use lanes::Lanes;
use lanes::{Of, Wide};
use roots::Roots;
use stream::{Interleaved, Parts, Sink, Source};

/// A transform of a fixed number of complex points, or of twice as many real samples: one of the
/// `load` methods and then one of the `store` methods. Lengths are those of the plan.
pub(crate) trait Fast<T>: Send {
    /// Takes points, or samples as pairs, for a forward transform.
    fn load(&mut self, points: &[T]);

    /// Takes points for an inverse transform.
    fn load_inverse(&mut self, points: &[T]);

    /// Takes the bins of a real signal for an inverse transform; `room` for as many points is spoilt.
    fn load_bins(&mut self, bins: &[T], room: &mut [T]);

    /// Gives points: the bins of those loaded for a forward transform.
    fn store(&mut self, points: &mut [T]);

    /// Gives what was loaded for an inverse transform, unscaled but for `scale`.
    fn store_inverse(&mut self, points: &mut [T], scale: T);

    /// Gives the bins of a real signal.
    fn store_bins(&mut self, bins: &mut [T]);
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

/// A plan for so many complex points, or for twice as many real samples. Half vectors serve what is too
/// short for whole ones, if it is real: complex points are then faster with `rustfft`, as are all on
/// the 16 registers of AVX2.
pub(crate) fn plan<I: Lanes<16> + Lanes<8>>(
    isa: I,
    points: usize,
    real: bool,
) -> Option<Box<dyn Fast<f32>>> {
    let narrow = || plan_lanes::<I, 8>(isa, points).filter(|_| real);
    plan_lanes::<I, 16>(isa, points).or_else(narrow)
}

/// A plan on vectors of `L` lanes, if there are enough points for them.
fn plan_lanes<I: Lanes<L>, const L: usize>(isa: I, points: usize) -> Option<Box<dyn Fast<f32>>> {
    let fits = points.is_power_of_two() && points >= L * L;
    fits.then(|| -> Box<dyn Fast<f32>> { Box::new(Plan::new(isa, points)) })
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
/// wherever possible, as 16 streams at a time that lie a power of two apart crowd the cache.
fn radices(bits: u32) -> Vec<usize> {
    match bits {
        0..=4 => vec![1 << bits],
        5 => vec![8, 4],
        7 => vec![16, 8],
        _ => {
            let mut radices = vec![8];
            radices.extend(self::radices(bits - 3));
            radices
        }
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

struct LoadBins<'a, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, &'a [f32], &'a mut [f32]);

impl<I: Lanes<L>, const L: usize> Body for LoadBins<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, bins, room) = self;
        real::pack_swapped(plan.isa, room, bins, &plan.real);
        begin(plan.isa, plan.first, &Parts(&*room), &mut plan.work);
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

struct StoreBins<'a, I: Lanes<L>, const L: usize>(&'a mut Plan<I, L>, &'a mut [f32]);

impl<I: Lanes<L>, const L: usize> Body for StoreBins<'_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(plan, bins) = self;
        go_on(plan);
        let mut packed = Parts(&mut *bins);
        pass::last(plan.isa, &plan.work, &mut packed, &plan.rows, &plan.last);
        real::unpack(plan.isa, bins, &plan.real);
    }
}

impl<I: Lanes<L>, const L: usize> Fast<f32> for Plan<I, L> {
    fn load(&mut self, points: &[f32]) {
        self.isa.run(Load(self, Interleaved::<_, false>(points)));
    }

    fn load_inverse(&mut self, points: &[f32]) {
        self.isa.run(Load(self, Interleaved::<_, true>(points)));
    }

    fn load_bins(&mut self, bins: &[f32], room: &mut [f32]) {
        self.isa.run(LoadBins(self, bins, room));
    }

    fn store(&mut self, points: &mut [f32]) {
        self.isa.run(Store(self, Interleaved::<_, false>(points)));
    }

    fn store_inverse(&mut self, points: &mut [f32], scale: f32) {
        self.isa
            .run(Store(self, Interleaved::<_, true>((points, scale))));
    }

    fn store_bins(&mut self, bins: &mut [f32]) {
        self.isa.run(StoreBins(self, bins));
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
