//! The moving root mean square, from sums that are never subtracted.

#[cfg(target_arch = "x86_64")]
use std::any::Any;

use auralis_core::{Error, ErrorKind, Result};

use super::Float;
use crate::check;
#[cfg(target_arch = "x86_64")]
use crate::isa::Avx512;
use crate::isa::{Body, Isa};
#[cfg(target_arch = "x86_64")]
use crate::plan::eight::Sums;

/// The samples that are summed at once.
const STRETCH: usize = 256;

/// The lanes of a vector of sums.
const LANES: usize = 8;

/// Up to so many samples, the squares of each window are simply added.
const SHORT: usize = 24;

/// Fills `dst` with the root mean squares over `window` samples each.
///
/// The input is cut into blocks of a window's length. Every window is the end of one block and the
/// beginning of the next, so its sum is a sum from the block's end backwards plus one from the next
/// block's beginning forwards: the same few additions per sample whatever the window, and no
/// subtraction. This is van Herk's method for minima (Pattern Recognition Letters 13, 1992), with sums.
pub(crate) fn moving_rms<I: Isa, T: Float>(
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
    let mut ends = vec![0.0; window.min(dst.len())];
    let mut from = 0;
    for outputs in dst.chunks_mut(window) {
        let (block, next) = src[from..].split_at(window);
        let ends = &mut ends[..outputs.len()];
        from += window;
        #[cfg(target_arch = "x86_64")]
        if let Some(&isa) = (&isa as &dyn Any).downcast_ref::<Avx512>() {
            isa.run(Eights {
                isa,
                outputs,
                ends,
                block,
                next,
            });
            continue;
        }
        isa.run(Long {
            outputs,
            ends,
            block,
            next,
        });
    }
    Ok(())
}

/// Windows of few samples.
struct Short<'a, T> {
    dst: &'a mut [T],
    src: &'a [T],
    window: usize,
}

impl<T: Float> Body for Short<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (mut squares, mut sums) = ([0.0; STRETCH + SHORT], [0.0; STRETCH]);
        let mut from = 0;
        for outputs in self.dst.chunks_mut(STRETCH) {
            let count = outputs.len();
            square(
                &mut squares,
                &self.src[from..from + count + self.window - 1],
            );
            let sums = &mut sums[..count];
            sums.fill(0.0);
            for offset in 0..self.window {
                for (sum, &square) in sums.iter_mut().zip(&squares[offset..]) {
                    *sum += square;
                }
            }
            roots(outputs, sums, self.window);
            from += STRETCH;
        }
    }
}

/// The windows that begin in `block` and end in `next`.
struct Long<'a, T> {
    outputs: &'a mut [T],
    /// The sums of squares from each sample to the end of the block.
    ends: &'a mut [f64],
    block: &'a [T],
    next: &'a [T],
}

impl<T: Float> Body for Long<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (outputs, ends) = (self.outputs, self.ends);
        let window = self.block.len();
        let (begun, passed) = self.block.split_at(ends.len());
        let mut sums = [0.0; SUMS];
        let mut carry = 0.0;
        for stretch in passed.chunks(STRETCH) {
            eights(&mut sums, stretch);
            carry += total(&sums, stretch.len());
        }
        for (ends, stretch) in ends.chunks_mut(STRETCH).zip(begun.chunks(STRETCH)).rev() {
            eights(&mut sums, stretch);
            carry = backwards(ends, &sums, carry);
        }
        roots(&mut outputs[..1], &mut ends[..1], window);
        let mut carry = 0.0;
        let rest = outputs[1..].chunks_mut(STRETCH);
        for ((outputs, ends), stretch) in rest
            .zip(ends[1..].chunks_mut(STRETCH))
            .zip(self.next.chunks(STRETCH))
        {
            eights(&mut sums, &stretch[..outputs.len()]);
            carry = forwards(ends, &sums, carry);
            roots(outputs, ends, window);
        }
    }
}

/// The same by vectors that add up their own lanes.
#[cfg(target_arch = "x86_64")]
struct Eights<'a, V, T> {
    isa: V,
    outputs: &'a mut [T],
    ends: &'a mut [f64],
    block: &'a [T],
    next: &'a [T],
}

#[cfg(target_arch = "x86_64")]
impl<V: Sums, T: Float> Body for Eights<'_, V, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (v, outputs, ends) = (self.isa, self.outputs, self.ends);
        let window = self.block.len();
        let (begun, passed) = self.block.split_at(ends.len());
        let mut carry = v.splat(0.0);
        for samples in passed.chunks(LANES) {
            let sums = v.sums_from(eight_squares(v, samples));
            carry = v.add(carry, v.spread_first(sums));
        }
        let (whole, rest) = begun.as_chunks::<LANES>();
        let (to, to_rest) = ends.as_chunks_mut::<LANES>();
        if !rest.is_empty() {
            let sums = v.sums_from(eight_squares(v, rest));
            let mut sum = [0.0; LANES];
            v.store(&mut sum, v.add(sums, carry));
            to_rest.copy_from_slice(&sum[..rest.len()]);
            carry = v.add(carry, v.spread_first(sums));
        }
        for (to, samples) in to.iter_mut().zip(whole).rev() {
            let sums = v.sums_from(eight_squares(v, samples));
            v.store(to, v.add(sums, carry));
            carry = v.add(carry, v.spread_first(sums));
        }
        roots(&mut outputs[..1], &mut ends[..1], window);
        let mut carry = v.splat(0.0);
        let stretches = outputs[1..]
            .chunks_mut(STRETCH)
            .zip(ends[1..].chunks_mut(STRETCH));
        for ((outputs, ends), samples) in stretches.zip(self.next.chunks(STRETCH)) {
            let (whole, rest) = ends.as_chunks_mut::<LANES>();
            let (samples, last) = samples.as_chunks::<LANES>();
            for (end, samples) in whole.iter_mut().zip(samples) {
                let sums = v.sums_up_to(eight_squares(v, samples));
                let sum = v.add(v.add(sums, carry), v.load(end));
                v.store(end, sum);
                carry = v.add(carry, v.spread_last(sums));
            }
            if !rest.is_empty() {
                let last = samples
                    .get(whole.len())
                    .map_or(last, |samples| &samples[..]);
                let sums = v.sums_up_to(eight_squares(v, last));
                let mut sum = [0.0; LANES];
                v.store(&mut sum, v.add(sums, carry));
                for (end, sum) in rest.iter_mut().zip(sum) {
                    *end += sum;
                }
            }
            roots(outputs, ends, window);
        }
    }
}

/// The squares of up to eight samples; zeros where there are fewer.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn eight_squares<V: Sums, T: Float>(v: V, samples: &[T]) -> V::F64 {
    let mut wide = [0.0; LANES];
    for (wide, sample) in wide.iter_mut().zip(samples) {
        *wide = sample.double();
    }
    let x = v.load(&wide);
    v.mul(x, x)
}

/// Room for a stretch with zeros around it.
const SUMS: usize = STRETCH + 2 * LANES;

#[inline(always)]
fn square<T: Float>(squares: &mut [f64], samples: &[T]) {
    for (square, &sample) in squares.iter_mut().zip(samples) {
        *square = sample.double() * sample.double();
    }
}

/// Fills `sums` with the sums of eight squares: `sums[i]` is that of the samples `i - 7` to `i`, of
/// which those outside of the stretch count as zero. Each is the sum of two sums of four, and so on.
#[inline(always)]
fn eights<T: Float>(sums: &mut [f64; SUMS], stretch: &[T]) {
    let used = stretch.len().next_multiple_of(LANES) + 2 * LANES;
    let sums = &mut sums[..used];
    let (before, rest) = sums.split_at_mut(LANES - 1);
    before.fill(0.0);
    square(rest, stretch);
    rest[stretch.len()..].fill(0.0);
    pairs::<1>(sums);
    pairs::<2>(sums);
    pairs::<4>(sums);
}

/// Adds to each sum the one so far after it. The distance is fixed, so that vectors are made of it.
#[inline(always)]
fn pairs<const APART: usize>(sums: &mut [f64]) {
    for i in 0..sums.len() - LANES {
        sums[i] += sums[i + APART];
    }
}

/// The sum of a stretch of `len` samples, from its sums of eight.
#[inline(always)]
fn total(sums: &[f64; SUMS], len: usize) -> f64 {
    sums[LANES - 1..]
        .iter()
        .step_by(LANES)
        .take(len.div_ceil(LANES))
        .sum()
}

/// `ends[i]` becomes the sum of the stretch from sample `i` on, and of what follows it.
#[inline(always)]
fn backwards(ends: &mut [f64], sums: &[f64; SUMS], after: f64) -> f64 {
    let mut run = [after; LANES];
    let (whole, rest) = ends.as_chunks_mut::<LANES>();
    let (sums, _) = sums[LANES - 1..].as_chunks::<LANES>();
    if !rest.is_empty() {
        add(&mut run, &sums[whole.len()]);
        rest.copy_from_slice(&run[..rest.len()]);
    }
    let count = whole.len();
    for (ends, sums) in whole.iter_mut().zip(&sums[..count]).rev() {
        add(&mut run, sums);
        *ends = run;
    }
    run[0]
}

/// Adds to `ends[i]` the sum of the stretch up to sample `i`, and of what went before it.
#[inline(always)]
fn forwards(ends: &mut [f64], sums: &[f64; SUMS], before: f64) -> f64 {
    let mut run = [before; LANES];
    let (whole, rest) = ends.as_chunks_mut::<LANES>();
    let (sums, _) = sums.as_chunks::<LANES>();
    for (ends, sums) in whole.iter_mut().zip(sums) {
        add(&mut run, sums);
        add(ends, &run);
    }
    if !rest.is_empty() {
        add(&mut run, &sums[whole.len()]);
        for (end, sum) in rest.iter_mut().zip(&run) {
            *end += sum;
        }
    }
    run[LANES - 1]
}

#[inline(always)]
fn add(sums: &mut [f64; LANES], others: &[f64; LANES]) {
    for lane in 0..LANES {
        sums[lane] += others[lane];
    }
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
