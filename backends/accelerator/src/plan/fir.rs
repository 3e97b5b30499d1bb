//! Streaming filters in direct form: for responses so short that a transform costs more.

use std::marker::PhantomData;
use std::ops::Range;

use auralis_core::{Convolver, Error, ErrorKind, Fir, Result};

use super::correlate::Correlation;
use super::mul_add;
use crate::check;
use crate::isa::{Body, Isa};

/// Plans a filter with these taps.
pub(crate) fn plan_fir<I: Isa>(isa: I, taps: &[f32]) -> Result<Box<dyn Fir>> {
    if taps.is_empty() {
        let message = "a filter has at least one tap";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(Box::new(DirectForm::new(isa, taps)))
}

/// So many taps are summed in one go: their error is within that many roundings.
pub(super) const FEW: usize = 16;

/// The outputs of a filter of few taps that are worked on at once: four vectors of the widest kind,
/// as a sum waits for the one before it as long as four vectors take.
const OUTPUTS: usize = 64;

/// `dst[i]` is the sum of `reversed[j] * padded[i + j]`.
fn correlate<I: Isa>(isa: I, dst: &mut [f32], padded: &[f32], reversed: &[f32]) {
    let len = dst.len();
    let many = if reversed.len() <= FEW {
        len / OUTPUTS * OUTPUTS
    } else {
        0
    };
    let (most, rest) = dst.split_at_mut(many);
    isa.run(Few {
        isa: PhantomData::<I>,
        dst: most,
        padded,
        reversed,
    });
    let padded = padded.get(many..).unwrap_or_default();
    isa.run(Correlation::<I, f32>::new(rest, padded, reversed));
}

/// A correlation with up to [`FEW`] taps, of whole [`OUTPUTS`].
struct Few<'a, I> {
    isa: PhantomData<I>,
    dst: &'a mut [f32],
    padded: &'a [f32],
    reversed: &'a [f32],
}

impl<I: Isa> Body for Few<'_, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (many, _) = self.dst.as_chunks_mut::<OUTPUTS>();
        for (outputs, padded) in many.iter_mut().zip((0..).step_by(OUTPUTS)) {
            let mut sums = [0.0; OUTPUTS];
            let samples = self.padded[padded..].windows(OUTPUTS);
            for (&tap, samples) in self.reversed.iter().zip(samples) {
                for i in 0..OUTPUTS {
                    sums[i] = mul_add::<I, f32>(tap, samples[i], sums[i]);
                }
            }
            *outputs = sums;
        }
    }
}

/// The `taps - 1` samples that filters still need.
#[derive(Debug)]
pub(super) struct History {
    len: usize,
    /// The history, and room for at least as many samples after it: outputs further on need the input
    /// alone.
    window: Vec<f32>,
}

impl History {
    pub(super) fn new(taps: usize) -> Self {
        let len = taps - 1;
        Self {
            len,
            window: vec![0.0; len + len.max(OUTPUTS)],
        }
    }

    /// Takes the next samples: `filter` is called for two ranges of outputs, either of which may be
    /// empty, with the samples that they need.
    pub(super) fn next(&mut self, src: &[f32], mut filter: impl FnMut(Range<usize>, &[f32])) {
        let (history, window) = (self.len, &mut self.window);
        let head = src.len().min(window.len() - history);
        window[history..][..head].copy_from_slice(&src[..head]);
        filter(0..head, &window[..history + head]);
        filter(head..src.len(), &src[head.saturating_sub(history)..]);
        match src.len().checked_sub(history) {
            Some(last) => window[..history].copy_from_slice(&src[last..]),
            None => window.copy_within(head..head + history, 0),
        }
    }

    pub(super) fn forget(&mut self) {
        self.window.fill(0.0);
    }
}

/// A filter.
#[derive(Debug)]
pub(super) struct DirectForm<I> {
    isa: I,
    reversed: Vec<f32>,
    history: History,
}

impl<I: Isa> DirectForm<I> {
    pub(super) fn new(isa: I, taps: &[f32]) -> Self {
        Self {
            isa,
            reversed: taps.iter().rev().copied().collect(),
            history: History::new(taps.len()),
        }
    }

    fn next(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        self.history.next(src, |outputs, padded| {
            correlate(self.isa, &mut dst[outputs], padded, &self.reversed);
        });
        Ok(())
    }

    fn forget(&mut self) {
        self.history.forget();
    }
}

impl<I: Isa> Fir for DirectForm<I> {
    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        self.next(dst, src)
    }

    fn reset(&mut self) {
        self.forget();
    }
}

impl<I: Isa> Convolver for DirectForm<I> {
    fn latency(&self) -> usize {
        0
    }

    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        self.next(dst, src)
    }

    fn reset(&mut self) {
        self.forget();
    }
}
