//! Streaming filters in direct form: for responses so short that a transform costs more.

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

/// A filter and the `taps - 1` samples that it still needs.
#[derive(Debug)]
pub(super) struct DirectForm<I> {
    isa: I,
    reversed: Vec<f32>,
    /// The history, and room for as many samples after it: outputs further on need the input alone.
    window: Vec<f32>,
}

impl<I: Isa> DirectForm<I> {
    pub(super) fn new(isa: I, taps: &[f32]) -> Self {
        Self {
            isa,
            reversed: taps.iter().rev().copied().collect(),
            window: vec![0.0; 2 * (taps.len() - 1)],
        }
    }

    fn next(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        check::equal(dst.len(), src.len())?;
        let history = self.window.len() / 2;
        let (reversed, window) = (&self.reversed, &mut self.window);
        let head = history.min(src.len());
        window[history..][..head].copy_from_slice(&src[..head]);
        let (dst_head, dst_rest) = dst.split_at_mut(head);
        self.isa.run(Correlation::<I, f32>::new(
            dst_head,
            &window[..history + head],
            reversed,
        ));
        self.isa
            .run(Correlation::<I, f32>::new(dst_rest, src, reversed));
        match src.len().checked_sub(history) {
            Some(last) => window[..history].copy_from_slice(&src[last..]),
            None => window.copy_within(head..head + history, 0),
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.window.fill(0.0);
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
