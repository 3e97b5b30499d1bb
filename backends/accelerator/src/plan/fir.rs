//! Streaming filters in direct form: for responses so short that a transform costs more.

use std::ops::Range;

use auralis_core::{Convolver, Error, ErrorKind, Fir, Result};

use super::correlate::Correlation;
use crate::check;
use crate::isa::Isa;

/// Plans a filter with these taps.
pub(crate) fn plan_fir<I: Isa>(isa: I, taps: &[f32]) -> Result<Box<dyn Fir>> {
    if taps.is_empty() {
        let message = "a filter has at least one tap";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(Box::new(DirectForm::new(isa, taps)))
}

/// The fewest outputs that are worked on with the history before them.
const FEWEST: usize = 64;

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
            window: vec![0.0; len + len.max(FEWEST)],
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
            let outputs = &mut dst[outputs];
            self.isa
                .run(Correlation::<I, f32>::new(outputs, padded, &self.reversed));
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
