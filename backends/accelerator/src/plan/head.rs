//! The partitions of one block each that a streaming convolution begins with, and the longer ones
//! behind them.

use super::convolver::Engine;
use super::levels::Levels;
use super::partitioned::Partitioned;
use super::schedule::Part;
use super::spectra::Chunk;
use crate::isa::Isa;

/// Convolves a block in the call that brings it with the first partitions, and adds what the longer
/// ones have made ready.
#[derive(Debug)]
pub(super) struct Head<I> {
    partitions: Partitioned<I, f32>,
    levels: Levels<I>,
    block: usize,
    /// How many samples of the current block its spectrum holds.
    transformed: usize,
    /// What the blocks before the current one add to it: its spectrum, and its samples; each is made
    /// when a call first wants it.
    older: Vec<Chunk<f32>>,
    has_older: bool,
    tail: Vec<f32>,
    has_tail: bool,
}

impl<I: Isa> Head<I> {
    pub(super) fn new(isa: I, impulse: &[f32], parts: &[Part]) -> Self {
        let (head, later) = parts.split_first().expect("there is always a head");
        let partitions = Partitioned::new(isa, &impulse[head.taps.clone()], head.block);
        Self {
            levels: Levels::new(isa, impulse, head.block, later),
            block: head.block,
            transformed: 0,
            older: vec![Chunk::default(); partitions.chunks()],
            has_older: false,
            tail: vec![0.0; head.block],
            has_tail: false,
            partitions,
        }
    }

    fn transform(&mut self, history: &[f32], block: &[f32]) {
        self.partitions.write(0, history);
        self.partitions.write(history.len(), block);
        self.partitions.silence(history.len() + block.len());
        self.partitions.forward();
        self.transformed = block.len();
    }

    fn find_older(&mut self) {
        if !self.has_older {
            let (chunks, count) = (self.partitions.chunks(), self.partitions.partitions());
            self.partitions.multiply(0..chunks, 1..count);
            self.older.copy_from_slice(self.partitions.sum());
            self.has_older = true;
        }
    }

    fn find_tail(&mut self, history: usize) {
        if !self.has_tail {
            self.find_older();
            self.partitions.sum().copy_from_slice(&self.older);
            self.partitions.inverse();
            self.partitions.read(&mut self.tail, history);
            self.has_tail = true;
        }
    }
}

impl<I: Isa> Engine for Head<I> {
    fn convolve(&mut self, dst: &mut [f32], history: &[f32], block: &[f32], from: usize) {
        self.transform(history, block);
        let (chunks, count) = (self.partitions.chunks(), self.partitions.partitions());
        if from == 0 && block.len() == self.block {
            self.partitions.multiply(0..chunks, 0..count);
        } else {
            self.find_older();
            self.partitions.multiply(0..chunks, 0..1);
            self.partitions.add(&self.older);
        }
        self.partitions.inverse();
        self.partitions.read(dst, history.len() + from);
        self.levels.add(dst, from);
    }

    fn add_older(&mut self, dst: &mut [f32], history: &[f32], from: usize) {
        self.find_tail(history.len());
        for (sample, tail) in dst.iter_mut().zip(&self.tail[from..]) {
            *sample += tail;
        }
        self.levels.add(dst, from);
    }

    fn finish(&mut self, history: &[f32], block: &[f32]) {
        if self.transformed != block.len() {
            self.transform(history, block);
        }
        self.partitions.advance();
        self.transformed = 0;
        self.has_older = false;
        self.has_tail = false;
        self.levels.push(block);
    }

    fn reset(&mut self) {
        self.partitions.reset();
        self.levels.reset();
        self.transformed = 0;
        self.has_older = false;
        self.has_tail = false;
    }
}
