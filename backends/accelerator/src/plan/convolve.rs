//! Convolution of a whole signal with a kernel.

use std::marker::PhantomData;

use auralis_core::{ConvolutionMode, Result};

use super::Float;
use super::correlate::{correlate, dot};
use super::overlap_save::{OverlapSave, fast_len};
use crate::isa::{Body, Isa};

/// Up to so many taps, or outputs, the direct form costs less than transforms.
const DIRECT: usize = 64;

/// Convolves `signal` with `kernel`, in direct form or by overlap-save, whichever costs less.
///
/// In direct form a NaN or an infinity spoils the outputs that it is a part of; a transform spreads
/// it over the block that was transformed.
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
    } else {
        overlap_save(isa, dst, long, short, offset)
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
    let edges = (offset..first).zip(before).chain((last..end).zip(after));
    for (n, output) in edges {
        let from = n.saturating_sub(history);
        let reversed = &reversed[history - (n - from)..];
        *output = dot::<I, T>(&long[from..long.len().min(n + 1)], reversed);
    }
    if !within.is_empty() {
        correlate::<I, T>(within, &long[first - history..], reversed);
    }
}

fn overlap_save<I: Isa, T: Float>(
    isa: I,
    dst: &mut [T],
    long: &[T],
    short: &[T],
    offset: usize,
) -> Result<()> {
    let history = short.len() - 1;
    let len = window_len(dst.len(), short.len());
    let mut engine = OverlapSave::new(isa, short, len)?;
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
    Ok(())
}

/// The length of the transform that costs least: `n log2 n` for each block of `n - taps + 1`
/// outputs.
fn window_len(outputs: usize, taps: usize) -> usize {
    let whole = fast_len(outputs + taps - 1);
    let cost = |len: usize| outputs.div_ceil(len - taps + 1) * len * len.ilog2() as usize;
    (1..8)
        .map(|doublings| fast_len(taps << doublings))
        .filter(|&len| len < whole)
        .chain([whole])
        .min_by_key(|&len| cost(len))
        .unwrap_or(whole)
}
