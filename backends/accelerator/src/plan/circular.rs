//! Overlap-save convolution with one impulse response, two windows at once.

use super::Float;
use super::cost::windows;
use super::radix::Circular;
use crate::isa::Isa;

/// The windows begin a whole number of cache lines before their outputs.
const ALIGNMENT: usize = 16;

/// The shortest windows: a square of the widest vectors.
const LEAST: usize = 256;

/// A convolution by windows of a power of two samples, of which those at the end are valid. Neighbours
/// go in pairs.
pub(super) struct Windows<T> {
    engine: Box<dyn Circular<T>>,
    len: usize,
    /// The samples of a window before its first output.
    history: usize,
    /// What of a window lies in the signal, and silence around it.
    edges: [Vec<T>; 2],
}

impl<T: Float> Windows<T> {
    /// For so many outputs, if there is an engine for them.
    pub(super) fn new<I: Isa>(isa: I, taps: &[T], outputs: usize) -> Option<Self> {
        let history = (taps.len() - 1).next_multiple_of(ALIGNMENT);
        let len = len(history, outputs);
        Some(Self {
            // Turned back, so that the valid outputs come first.
            engine: T::plan_circular(isa, len, taps, len - history)?,
            len,
            history,
            edges: Default::default(),
        })
    }

    /// Writes the convolution from index `offset` of the full one on.
    pub(super) fn convolve(&mut self, dst: &mut [T], signal: &[T], offset: usize) {
        let hop = self.len - self.history;
        let [edge, other] = &mut self.edges;
        for (pair, outputs) in dst.chunks_mut(2 * hop).enumerate() {
            let at = offset + 2 * hop * pair;
            let src = [
                window(edge, signal, at, self.history, self.len),
                window(other, signal, at + hop, self.history, self.len),
            ];
            let (first, second) = outputs.split_at_mut(hop.min(outputs.len()));
            self.engine.run([first, second], src);
        }
    }
}

/// The length of windows with which so many outputs cost least.
fn len(history: usize, outputs: usize) -> usize {
    let least = (history + 1).next_power_of_two().max(LEAST);
    let most = (history + outputs).next_power_of_two().max(LEAST);
    let cost = |len: usize| windows(len, outputs.div_ceil(2 * (len - history)));
    let lengths = (least.ilog2()..=most.ilog2()).map(|exponent| 1 << exponent);
    lengths
        .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
        .unwrap_or(most)
}

/// The `len` samples from `history` before `at` on; put together in `edge` where they reach beyond the
/// signal.
fn window<'a, T: Float>(
    edge: &'a mut Vec<T>,
    signal: &'a [T],
    at: usize,
    history: usize,
    len: usize,
) -> &'a [T] {
    let inside = at
        .checked_sub(history)
        .and_then(|from| signal.get(from..from + len));
    if let Some(samples) = inside {
        return samples;
    }
    let silence = history.saturating_sub(at);
    let from = at.saturating_sub(history).min(signal.len());
    let samples = &signal[from..signal.len().min(from + len - silence)];
    edge.clear();
    edge.resize(silence, T::zero());
    edge.extend_from_slice(samples);
    edge.resize(len, T::zero());
    edge
}
