//! Overlap-save convolution with one impulse response, two windows at once.

use std::fmt;

use super::Float;
use super::cost::{plan_windows, products, transform, windows};
use super::overlap_save::fast_len;
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
    /// For so many outputs, once, if there is an engine for them.
    pub(super) fn new<I: Isa>(isa: I, taps: &[T], outputs: usize) -> Option<Self> {
        let history = history(taps.len());
        Self::of_len(isa, taps, len(history, outputs))
    }

    /// For block after block, if there is an engine for them and whole pairs of windows fit into a
    /// block: a transform of the whole block costs less than a pair of which one window is empty.
    pub(super) fn streaming<I: Isa>(isa: I, taps: &[T], block: usize) -> Option<Self> {
        let (len, cost) = streaming_len(history(taps.len()), block)?;
        let whole = fast_len(taps.len() - 1 + block);
        if cost > 2.0 * transform(whole) + products(whole / 2) {
            return None;
        }
        Self::of_len(isa, taps, len)
    }

    fn of_len<I: Isa>(isa: I, taps: &[T], len: usize) -> Option<Self> {
        let history = history(taps.len());
        Some(Self {
            // Turned back, so that the valid outputs come first.
            engine: T::plan_circular(isa, len, taps, len - history)?,
            len,
            history,
            // What is prepared here need not be allocated in a call.
            edges: [Vec::with_capacity(len), Vec::with_capacity(len)],
        })
    }

    /// The samples that the first window reaches back before its first output.
    pub(super) fn history(&self) -> usize {
        self.history
    }

    /// Writes the convolution of a signal in two pieces from index `offset` of the full one on.
    pub(super) fn convolve(&mut self, dst: &mut [T], signal: [&[T]; 2], offset: usize) {
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

impl<T> fmt::Debug for Windows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, history) = (self.len, self.history);
        write!(f, "Windows({len}, after {history})")
    }
}

fn history(taps: usize) -> usize {
    (taps - 1).next_multiple_of(ALIGNMENT)
}

/// The lengths of windows from the shortest to that which holds so many outputs.
fn lengths(history: usize, outputs: usize) -> impl Iterator<Item = usize> {
    let least = (history + 1).next_power_of_two().max(LEAST);
    let most = (history + outputs).next_power_of_two().max(LEAST);
    (least.ilog2()..=most.ilog2()).map(|exponent| 1 << exponent)
}

/// How many pairs of windows so many outputs take.
fn pairs(len: usize, history: usize, outputs: usize) -> usize {
    outputs.div_ceil(2 * (len - history))
}

/// The length of windows with which so many outputs cost least, the planning included.
fn len(history: usize, outputs: usize) -> usize {
    let cost = |len: usize| plan_windows(len) + windows(len, pairs(len, history, outputs));
    lengths(history, outputs)
        .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
        .expect("there is always a shortest one")
}

/// The length with which a block costs least, of those of which pairs fit into it, and what it costs.
fn streaming_len(history: usize, block: usize) -> Option<(usize, f64)> {
    lengths(history, block)
        .filter(|len| 2 * (len - history) <= block)
        .map(|len| (len, windows(len, pairs(len, history, block))))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
}

/// The `len` samples from `history` before `at` on; put together in `edge` where they do not lie within
/// the second piece of the signal.
fn window<'a, T: Float>(
    edge: &'a mut Vec<T>,
    [first, second]: [&'a [T]; 2],
    at: usize,
    history: usize,
    len: usize,
) -> &'a [T] {
    let inside = at
        .checked_sub(history + first.len())
        .and_then(|from| second.get(from..from + len));
    if let Some(samples) = inside {
        return samples;
    }
    let silence = history.saturating_sub(at);
    let from = at.saturating_sub(history);
    edge.clear();
    edge.resize(silence, T::zero());
    for (piece, from) in [(first, from), (second, from.saturating_sub(first.len()))] {
        let samples = piece.get(from..).unwrap_or_default();
        edge.extend_from_slice(&samples[..samples.len().min(len - edge.len())]);
    }
    edge.resize(len, T::zero());
    edge
}
