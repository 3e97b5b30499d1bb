//! The longer partitions of a streaming convolution, their work spread over the calls.

use super::partitioned::{Partitioned, history};
use super::schedule::Part;
use crate::isa::Isa;

/// Partitions of several sizes, behind the head. Gardner, "Efficient Convolution without
/// Input-Output Delay", JAES 43 (1995); Wefers (2015), chapter 6.
#[derive(Debug)]
pub(super) struct Levels<I> {
    levels: Vec<Level<I>>,
}

impl<I: Isa> Levels<I> {
    /// `block` is that of the head, and `parts` what the schedule says of the others.
    pub(super) fn new(isa: I, impulse: &[f32], block: usize, parts: &[Part]) -> Self {
        let level = |(index, part): (usize, &Part)| Level::new(isa, impulse, block, part, index);
        Self {
            levels: parts.iter().enumerate().map(level).collect(),
        }
    }

    /// Adds what they give at `from` samples into the current block.
    pub(super) fn add(&self, dst: &mut [f32], from: usize) {
        for level in &self.levels {
            let ready = &level.ready[level.filled + from..];
            for (sample, ready) in dst.iter_mut().zip(ready) {
                *sample += ready;
            }
        }
    }

    /// Takes a whole block, and does its share of the work.
    pub(super) fn push(&mut self, block: &[f32]) {
        for level in &mut self.levels {
            level.push(block);
        }
    }

    /// Forgets what came before.
    pub(super) fn reset(&mut self) {
        for level in &mut self.levels {
            level.reset();
        }
    }
}

/// Partitions of a size that is a multiple of the head's block.
///
/// They begin two of their size into the response. So what a whole input of theirs gives is wanted
/// only after another one has come in, and the calls meanwhile share the work: the forward transform
/// in the first, the products in equal parts, the inverse transform in the last. Levels of other
/// sizes have their transforms in other calls.
#[derive(Debug)]
struct Level<I> {
    partitions: Partitioned<I, f32>,
    /// The samples before the input, then the input, filled in part.
    window: Vec<f32>,
    history: usize,
    /// How many samples of the input there are, and how many of `ready` have been given out.
    filled: usize,
    /// What the last input but one gives.
    ready: Vec<f32>,
    /// The head's blocks per input.
    steps: usize,
    /// The levels before this one.
    index: usize,
    step: usize,
}

impl<I: Isa> Level<I> {
    fn new(isa: I, impulse: &[f32], block: usize, part: &Part, index: usize) -> Self {
        let history = history(part.block);
        Self {
            partitions: Partitioned::new(isa, &impulse[part.taps.clone()], part.block),
            window: vec![0.0; history + part.block],
            history,
            filled: 0,
            ready: vec![0.0; part.block],
            steps: part.block / block,
            index,
            step: 0,
        }
    }

    fn push(&mut self, block: &[f32]) {
        let at = self.history + self.filled;
        self.window[at..at + block.len()].copy_from_slice(block);
        self.filled += block.len();
        self.step += 1;
        if self.step == self.steps {
            self.turn();
        }
        self.work();
    }

    /// Gives out what has been made, and takes the input that is whole now.
    fn turn(&mut self) {
        self.partitions.read(&mut self.ready, self.history);
        self.partitions.write(0, &self.window);
        self.partitions.silence(self.window.len());
        self.window.copy_within(self.ready.len().., 0);
        self.filled = 0;
        self.step = 0;
    }

    fn work(&mut self) {
        let (first, last) = (self.index, self.steps - 1 - self.index);
        if self.step == first {
            self.partitions.advance();
            self.partitions.forward();
        } else if self.step == last {
            self.partitions.inverse();
        } else if (first..last).contains(&self.step) {
            let (shares, share) = (last - first - 1, self.step - first - 1);
            let chunks = self.partitions.chunks();
            let range = chunks * share / shares..chunks * (share + 1) / shares;
            self.partitions
                .multiply(range, 0..self.partitions.partitions());
        }
    }

    fn reset(&mut self) {
        self.partitions.reset();
        self.window.fill(0.0);
        self.ready.fill(0.0);
        self.filled = 0;
        self.step = 0;
    }
}
