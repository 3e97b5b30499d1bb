//! Convolution of a whole signal with a kernel.

use std::marker::PhantomData;

use auralis_core::{ConvolutionMode, Result};

use super::Float;
use super::aligned::Aligned;
use super::circular::Windows;
use super::correlate::{correlate, dot};
use super::cost::{plan, products, transform};
use super::overlap_save::{OverlapSave, fast_len};
use super::partitioned::{Partitioned, history};
use crate::isa::{Body, Isa};

/// Up to so many taps, or outputs, the direct form costs less than transforms.
const DIRECT: usize = 64;

/// Convolves `signal` with `kernel`, in direct form or by overlap-save: by pairs of windows where the
/// instruction set has an engine for them, else with the whole kernel or with its partitions,
/// whichever costs least.
///
/// In direct form a NaN or an infinity spoils the outputs that it is a part of; a transform spreads
/// it over the blocks that were transformed together.
pub(crate) fn convolve<I: Isa, T: Float>(
    isa: I,
    dst: &mut [T],
    signal: &[T],
    kernel: &[T],
    mode: ConvolutionMode,
) -> Result<()> {
    mode.check(dst.len(), signal.len(), kernel.len())?;
    let offset = mode.offset(kernel.len());
    let (long, short) = if signal.len() < kernel.len() {
        (kernel, signal)
    } else {
        (signal, kernel)
    };
    if dst.len().min(short.len()) <= DIRECT {
        let reversed: Vec<T> = short.iter().rev().copied().collect();
        let reversed = &reversed;
        isa.run(Direct {
            isa: PhantomData::<I>,
            dst,
            long,
            reversed,
            offset,
        });
        Ok(())
    } else if let Some(mut windows) = Windows::new(isa, short, dst.len()) {
        windows.convolve(dst, [&[], long], offset);
        Ok(())
    } else {
        match form(dst.len(), offset + dst.len(), short.len()) {
            Form::Single(len) => overlap_save(isa, dst, long, short, offset, len),
            Form::Partitioned(block) => partitioned(isa, dst, long, short, offset, block),
        }
        Ok(())
    }
}

/// [`direct`] as a body to be compiled for an instruction set: it is too large for a closure.
struct Direct<'a, I, T> {
    isa: PhantomData<I>,
    dst: &'a mut [T],
    long: &'a [T],
    reversed: &'a [T],
    offset: usize,
}

impl<I: Isa, T: Float> Body for Direct<'_, I, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        direct::<I, T>(self.dst, self.long, self.reversed, self.offset);
    }
}

/// Writes the convolution from index `offset` of the full one on.
#[inline(always)]
fn direct<I: Isa, T: Float>(dst: &mut [T], long: &[T], reversed: &[T], offset: usize) {
    let history = reversed.len() - 1;
    let end = offset + dst.len();
    // The outputs for which the taps lie wholly within the signal.
    let first = history.clamp(offset, end);
    let last = long.len().clamp(first, end);
    let (before, rest) = dst.split_at_mut(first - offset);
    let (within, after) = rest.split_at_mut(last - first);
    // Silence around the signal is as good as an end, unless it meets what makes NaN of it.
    if reversed.len() <= DIRECT && reversed.iter().all(|tap| tap.double().is_finite()) {
        for (outputs, at) in [(before, offset), (after, last)] {
            if !outputs.is_empty() {
                edge::<I, T>(outputs, long, reversed, at);
            }
        }
    } else {
        let edges = (offset..first).zip(before).chain((last..end).zip(after));
        for (n, output) in edges {
            let from = n.saturating_sub(history);
            let reversed = &reversed[history - (n - from)..];
            *output = dot::<I, T>(&long[from..long.len().min(n + 1)], reversed);
        }
    }
    if !within.is_empty() {
        correlate::<I, T>(within, &long[first - history..], reversed);
    }
}

/// Writes outputs from index `at` of the full convolution on, fewer than there are taps, as if there was
/// silence around the signal.
#[inline(always)]
fn edge<I: Isa, T: Float>(outputs: &mut [T], long: &[T], reversed: &[T], at: usize) {
    let history = reversed.len() - 1;
    let mut padded = Aligned([T::zero(); 2 * DIRECT]);
    let samples = long.get(at.saturating_sub(history)..).unwrap_or_default();
    let silence = history.saturating_sub(at);
    let len = samples.len().min(history + outputs.len() - silence);
    padded.0[silence..][..len].copy_from_slice(&samples[..len]);
    // More of them than wanted, so that they are whole vectors.
    let mut sums = Aligned([T::zero(); DIRECT]);
    let many = outputs.len().next_multiple_of(8);
    correlate::<I, T>(&mut sums.0[..many], &padded.0, reversed);
    outputs.copy_from_slice(&sums.0[..outputs.len()]);
}

fn overlap_save<I: Isa, T: Float>(
    isa: I,
    dst: &mut [T],
    long: &[T],
    short: &[T],
    offset: usize,
    len: usize,
) {
    let history = short.len() - 1;
    let mut engine = OverlapSave::new(isa, short, len);
    let mut at = offset;
    for outputs in dst.chunks_mut(len - history) {
        let from = at.saturating_sub(history);
        let silence = history.saturating_sub(at);
        let to = long.len().min(at + outputs.len());
        if silence > 0 {
            engine.packed.silence(0);
        }
        let samples = long.get(from..to).unwrap_or_default();
        engine.packed.write(silence, samples);
        engine.packed.silence(silence + samples.len());
        engine.run();
        engine.packed.read(outputs, history);
        at += outputs.len();
    }
}

/// Convolves block after block, from the beginning of the full convolution on, and gives out what
/// lies in `dst`.
fn partitioned<I: Isa, T: Float>(
    isa: I,
    dst: &mut [T],
    long: &[T],
    short: &[T],
    offset: usize,
    block: usize,
) {
    let mut engine = Partitioned::new(isa, short, block);
    let (chunks, partitions) = (engine.chunks(), engine.partitions());
    let history = history(block);
    let end = offset + dst.len();
    for (index, at) in (0..end).step_by(block).enumerate() {
        let silence = history.saturating_sub(at);
        let from = at.saturating_sub(history);
        let samples = long
            .get(from..long.len().min(at + block))
            .unwrap_or_default();
        engine.silence(0);
        engine.write(silence, samples);
        engine.advance();
        engine.forward();
        let wanted = offset.max(at)..end.min(at + block);
        if !wanted.is_empty() {
            engine.multiply(0..chunks, 0..partitions.min(index + 1));
            engine.inverse();
            let outputs = &mut dst[wanted.start - offset..wanted.end - offset];
            engine.read(outputs, history + wanted.start - at);
        }
    }
}

/// How a long signal is convolved with a long kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Overlap-save with the whole kernel, by transforms of this length.
    Single(usize),
    /// The kernel cut into partitions of this length.
    Partitioned(usize),
}

/// The form that costs least. `end` is the last index of the full convolution that is wanted, as the
/// partitioned form begins at the first one.
fn form(outputs: usize, end: usize, taps: usize) -> Form {
    let whole = fast_len(outputs + taps - 1);
    let single = |len: usize| {
        let blocks = outputs.div_ceil(len - taps + 1);
        plan(len) + (1 + 2 * blocks) as f64 * transform(len)
    };
    let cut = |block: usize| {
        let (blocks, partitions) = (end.div_ceil(block), taps.div_ceil(block));
        plan(2 * block)
            + (partitions + 2 * blocks) as f64 * transform(2 * block)
            + (blocks * partitions) as f64 * products(block)
    };
    let singles = (1..8)
        .map(|doublings| fast_len(taps << doublings))
        .filter(|&len| len < whole)
        .chain([whole])
        .map(|len| (single(len), Form::Single(len)));
    let cuts = (9..16)
        .map(|exponent| 1 << exponent)
        .filter(|&block| block < taps)
        .map(|block| (cut(block), Form::Partitioned(block)));
    let forms = singles.chain(cuts);
    let best = forms.min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map_or(Form::Single(whole), |(_, form)| form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Portable;

    const MODES: [ConvolutionMode; 3] = [
        ConvolutionMode::Full,
        ConvolutionMode::Same,
        ConvolutionMode::Valid,
    ];

    /// The full convolution, sample by sample.
    fn full(signal: &[f64], kernel: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; signal.len() + kernel.len() - 1];
        for (i, sample) in signal.iter().enumerate() {
            for (j, tap) in kernel.iter().enumerate() {
                sums[i + j] += sample * tap;
            }
        }
        sums
    }

    fn ramp(len: usize) -> Vec<f64> {
        (0..len).map(|i| 1.0 + i as f64 / 8.0).collect()
    }

    /// Integers and eighths: whatever the order of the sums, they are exact.
    fn assert_convolved(signal: &[f64], kernel: &[f64]) {
        let all = full(signal, kernel);
        for mode in MODES {
            let len = mode.output_len(signal.len(), kernel.len());
            let offset = mode.offset(kernel.len());
            let mut dst = vec![f64::NAN; len];
            convolve(Portable, &mut dst, signal, kernel, mode).unwrap();
            for (i, (got, wanted)) in dst.iter().zip(&all[offset..]).enumerate() {
                let same = got == wanted || (got.is_nan() && wanted.is_nan());
                let sizes = [signal.len(), kernel.len()];
                assert!(same, "{mode:?}, {sizes:?}, output {i}: {got} for {wanted}");
            }
        }
    }

    #[test]
    fn short_responses_are_convolved_up_to_the_ends() {
        for taps in (1..=DIRECT).step_by(3).chain([2, 8, 16, 17, DIRECT]) {
            for len in [1, 2, 7, 8, 9, 31, 63, 64, 65, 127, 128, 200] {
                assert_convolved(&ramp(len), &ramp(taps));
            }
        }
    }

    #[test]
    fn what_is_not_finite_spoils_what_it_is_a_part_of() {
        for odd in [f64::NAN, f64::INFINITY] {
            for at in [0, 1, 9, 18] {
                let mut kernel = ramp(19);
                kernel[at] = odd;
                assert_convolved(&ramp(100), &kernel);
            }
            for at in [0, 1, 18, 50, 98, 99] {
                let mut signal = ramp(100);
                signal[at] = odd;
                assert_convolved(&signal, &ramp(19));
            }
        }
    }
}
