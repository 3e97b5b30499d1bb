//! The moving root mean square, from sums that are never subtracted.

mod lanes;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
use std::any::Any;
use std::{iter, mem};

use auralis_core::{Error, ErrorKind, Result};

use super::Float;
use super::aligned::Aligned;
use crate::check;
#[cfg(target_arch = "x86_64")]
use crate::isa::Avx512;
use crate::isa::{Body, Isa};
#[cfg(not(target_arch = "x86_64"))]
use Float as Turned;
use lanes::{Arrays, Lanes};
#[cfg(target_arch = "x86_64")]
use x86::Turned;

/// The samples of a run.
const RUN: usize = 8;

/// The samples that are summed at once: eight runs.
const STRETCH: usize = 8 * RUN;

/// Up to so many samples, the squares of each window are added by themselves.
const SHORT: usize = 80;

/// So many windows of few samples are worked on at once.
const FEW: usize = 256;

/// Fills `dst` with the root mean squares over `window` samples each.
///
/// The input is cut into blocks of a window's length. Every window is the end of one block and the
/// beginning of the next, so its sum is a sum from the block's end backwards plus one from the next
/// block's beginning forwards: the same few additions per sample whatever the window, and no
/// subtraction. This is van Herk's method for minima (Pattern Recognition Letters 13, 1992), with sums.
/// It is done in three levels: stretches of a block, runs of a stretch and samples of a run.
pub(crate) fn moving_rms<I: Isa, T: Turned>(
    isa: I,
    dst: &mut [T],
    src: &[T],
    window: usize,
) -> Result<()> {
    if window == 0 || window > src.len() {
        let message = "the window must have at least one sample and no more than the signal";
        let error = Error::new(ErrorKind::InvalidInput, message);
        return Err(error.with("window", window).with("signal", src.len()));
    }
    check::equal(dst.len(), src.len() - window + 1)?;
    if window <= SHORT {
        isa.run(Short { dst, src, window });
        return Ok(());
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(&isa) = (&isa as &dyn Any).downcast_ref::<Avx512>() {
        long(isa, isa, dst, src, window);
        return Ok(());
    }
    long(isa, Arrays(isa), dst, src, window);
    Ok(())
}

fn long<I: Isa, L: Lanes<T>, T: Float>(isa: I, lanes: L, dst: &mut [T], src: &[T], window: usize) {
    let mut ends = vec![0.0; window.div_ceil(STRETCH) + 1];
    isa.run(Totals {
        lanes,
        totals: &mut ends,
        samples: &src[..window],
    });
    let mut from = 0;
    for outputs in dst.chunks_mut(window) {
        let (block, next) = src[from..].split_at(window);
        from += window;
        isa.run(Long {
            lanes,
            outputs,
            ends: &mut ends,
            block,
            next: &next[..next.len().min(window)],
        });
    }
}

/// Windows of few samples: each the sum of sums of 1, 2, 4 and so on, as many as its length has in
/// binary.
struct Short<'a, T> {
    dst: &'a mut [T],
    src: &'a [T],
    window: usize,
}

impl<T: Float> Body for Short<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (mut powers, mut next) = (&mut [0.0; FEW + SHORT], &mut [0.0; FEW + SHORT]);
        let mut from = 0;
        for outputs in self.dst.chunks_mut(FEW) {
            let count = outputs.len();
            let mut len = count + self.window - 1;
            square(&mut powers[..len], &self.src[from..from + len]);
            let mut sums = [0.0; FEW];
            let sums = &mut sums[..count];
            let (mut summed, mut power) = (0, 1);
            loop {
                if self.window & power != 0 {
                    for (sum, &part) in sums.iter_mut().zip(&powers[summed..]) {
                        *sum += part;
                    }
                    summed += power;
                }
                if summed == self.window {
                    break;
                }
                for ((next, &first), &last) in
                    next.iter_mut().zip(&*powers).zip(&powers[power..len])
                {
                    *next = first + last;
                }
                mem::swap(&mut powers, &mut next);
                len -= power;
                power *= 2;
            }
            roots(outputs, sums, self.window);
            from += FEW;
        }
    }
}

#[inline(always)]
fn square<T: Float>(squares: &mut [f64], samples: &[T]) {
    for (square, &sample) in squares.iter_mut().zip(samples) {
        *square = sample.double() * sample.double();
    }
}

/// The sums of the squares of each stretch.
struct Totals<'a, L, T> {
    lanes: L,
    totals: &'a mut [f64],
    samples: &'a [T],
}

impl<L: Lanes<T>, T: Float> Body for Totals<'_, L, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let v = self.lanes;
        for (total, stretch) in self.totals.iter_mut().zip(self.samples.chunks(STRETCH)) {
            let columns = match stretch.first_chunk() {
                Some(whole) => v.columns(whole),
                None => v.columns(&padded(stretch).0),
            };
            let runs = sums_up_to(v, columns);
            (_, *total) = v.sums_before(runs[RUN - 1]);
        }
    }
}

/// The windows that begin in `block` and end in `next`.
struct Long<'a, L, T> {
    lanes: L,
    outputs: &'a mut [T],
    /// The sum of squares of each stretch of the block, and 0; then of the next block.
    ends: &'a mut [f64],
    block: &'a [T],
    next: &'a [T],
}

impl<L: Lanes<T>, T: Float> Body for Long<'_, L, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let share = 1.0 / self.block.len() as f64;
        let mut sum = 0.0;
        for end in self.ends.iter_mut().rev() {
            sum += *end;
            *end = sum;
        }
        let mut before = 0.0;
        let stretches = self
            .outputs
            .chunks_mut(STRETCH)
            .zip(self.block.chunks(STRETCH));
        // Of the next block, the windows of the last stretch may need nothing.
        let next = self.next.chunks(STRETCH).chain(iter::once(&[][..]));
        for (index, ((outputs, block), next)) in stretches.zip(next).enumerate() {
            let around = Around {
                before,
                from: self.ends[index],
                after: self.ends[index + 1],
                share,
            };
            let whole = (
                outputs.first_chunk_mut(),
                block.first_chunk(),
                next.first_chunk(),
            );
            let total = if let (Some(outputs), Some(block), Some(next)) = whole {
                stretch(self.lanes, outputs, block, next, around)
            } else {
                let mut room = padded(&[]);
                let (block, next) = (padded(block), padded(next));
                let total = stretch(self.lanes, &mut room.0, &block.0, &next.0, around);
                outputs.copy_from_slice(&room.0[..outputs.len()]);
                total
            };
            self.ends[index] = total;
            before += total;
        }
    }
}

/// What the windows of a stretch share.
struct Around {
    /// The sum of squares of what went before the stretch of the next block.
    before: f64,
    /// That of the stretch of this block, and of what comes after it.
    from: f64,
    /// That of what comes after it alone.
    after: f64,
    /// One over the length of a window.
    share: f64,
}

/// The windows that begin in a stretch of a block, and the sum of squares of that of the next block.
#[inline(always)]
fn stretch<L: Lanes<T>, T: Float>(
    v: L,
    outputs: &mut [T; STRETCH],
    block: &[T; STRETCH],
    next: &[T; STRETCH],
    around: Around,
) -> f64 {
    let ends = sums_from(v, v.columns(block));
    let beginnings = sums_up_to(v, v.columns(next));
    let (before, total) = v.sums_before(beginnings[RUN - 1]);
    let runs = v.add(v.sums_after(ends[0]), before);
    let shared = around.before + around.after;
    let others = v.add(runs, v.splat(shared));
    let share = v.splat(around.share);
    let mut means = ends;
    means[0] = v.mul(v.add(ends[0], others), share);
    for i in 1..RUN {
        let sum = v.add(v.add(ends[i], others), beginnings[i - 1]);
        means[i] = v.mul(sum, share);
    }
    let most = around.before + around.from + total;
    let range = [shared * around.share, most * around.share];
    if most == 0.0 || range.iter().all(|mean| T::NORMAL.contains(mean)) {
        v.rows(outputs, means);
        for output in outputs {
            *output = output.root();
        }
    } else {
        for mean in &mut means {
            *mean = v.root(*mean);
        }
        v.rows(outputs, means);
    }
    total
}

/// The sums of squares from each sample of a run to its end.
#[inline(always)]
fn sums_from<L: Lanes<T>, T>(v: L, mut columns: [L::F64; RUN]) -> [L::F64; RUN] {
    let mut sum = v.splat(0.0);
    for x in columns.iter_mut().rev() {
        sum = v.add_square(sum, *x);
        *x = sum;
    }
    columns
}

/// The sums of squares up to each sample of a run.
#[inline(always)]
fn sums_up_to<L: Lanes<T>, T>(v: L, mut columns: [L::F64; RUN]) -> [L::F64; RUN] {
    let mut sum = v.splat(0.0);
    for x in &mut columns {
        sum = v.add_square(sum, *x);
        *x = sum;
    }
    columns
}

/// A stretch, with zeros after what there is of it.
#[inline(always)]
fn padded<T: Float>(samples: &[T]) -> Aligned<[T; STRETCH]> {
    let mut stretch = Aligned([T::zero(); STRETCH]);
    stretch.0[..samples.len()].copy_from_slice(samples);
    stretch
}

/// The roots of the means. Where no mean leaves the range in which the samples have their full
/// precision, they are taken in that precision: that is several times as fast.
#[inline(always)]
fn roots<T: Float>(outputs: &mut [T], sums: &mut [f64], window: usize) {
    let share = 1.0 / window as f64;
    let mut outside = 0;
    for sum in &mut *sums {
        *sum *= share;
        outside += u64::from(!(*sum == 0.0 || T::NORMAL.contains(sum)));
    }
    if outside == 0 {
        for (output, &mean) in outputs.iter_mut().zip(&*sums) {
            *output = T::of(mean).root();
        }
    } else {
        for (output, &mean) in outputs.iter_mut().zip(&*sums) {
            *output = T::of(mean.sqrt());
        }
    }
}
