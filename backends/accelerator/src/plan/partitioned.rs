//! Convolution with a response cut into partitions of one size.

use std::marker::PhantomData;
use std::ops::Range;

use auralis_core::{Complex, Result};

use super::overlap_save::{fast_len, impulse_bins};
use super::packed::{Packed, pack, rounded_twiddles, unpack};
use super::parts::Split;
use super::rounded;
use super::spectra::{Chunk, Products, Spectra, add, join};
use crate::isa::Isa;

/// Uniformly partitioned overlap-save, step by step: the spectra of the last blocks are kept, and
/// each is multiplied with the partition that it has reached. Wefers, "Partitioned convolution
/// algorithms for real-time auralization" (2015), chapter 5.
///
/// A round is: [`write`](Self::write) the block and the one before it, [`forward`](Self::forward),
/// [`multiply`](Self::multiply) every chunk, [`inverse`](Self::inverse), [`read`](Self::read) what
/// lies where the block was written, [`advance`](Self::advance).
#[derive(Debug)]
pub(super) struct Partitioned<I> {
    isa: I,
    packed: Packed<f32>,
    twiddles: Split<f32>,
    bins: Vec<Complex<f32>>,
    /// One per partition, scaled for the inverse transform.
    responses: Spectra,
    /// The spectra of the last blocks: a ring, the newest first.
    blocks: Spectra,
    newest: usize,
    sum: Vec<Chunk>,
}

/// The samples before the block that its transform holds: those that the taps of a partition reach,
/// and for an even block one more, as samples are moved fastest in pairs.
pub(super) fn history(block: usize) -> usize {
    (block - 1).next_multiple_of(2)
}

impl<I: Isa> Partitioned<I> {
    pub(super) fn new(isa: I, impulse: &[f32], block: usize) -> Result<Self> {
        let len = fast_len(history(block) + block);
        let scale = 1.0 / len as f64;
        let mut responses = Spectra::new(impulse.len().div_ceil(block), len);
        for (index, part) in impulse.chunks(block).enumerate() {
            let bins: Vec<_> = impulse_bins(isa, part, len)?
                .into_iter()
                .map(|bin| rounded(bin * scale))
                .collect();
            responses.set(index, &bins);
        }
        Ok(Self {
            isa,
            packed: Packed::new::<I>(len),
            twiddles: rounded_twiddles(len),
            bins: vec![Complex::default(); len / 2 + 1],
            blocks: Spectra::new(responses.count(), len),
            newest: 0,
            sum: vec![Chunk::default(); responses.chunks()],
            responses,
        })
    }

    /// The number of partitions.
    pub(super) fn partitions(&self) -> usize {
        self.responses.count()
    }

    /// The number of chunks of a spectrum.
    pub(super) fn chunks(&self) -> usize {
        self.sum.len()
    }

    /// Places samples in the window that is transformed.
    pub(super) fn write(&mut self, at: usize, samples: &[f32]) {
        self.packed.write(at, samples);
    }

    /// Silences the window from index `from` on.
    pub(super) fn silence(&mut self, from: usize) {
        self.packed.silence(from);
    }

    /// Makes the spectrum of the window the newest one.
    pub(super) fn forward(&mut self) {
        self.packed.forward();
        let (bins, points, twiddles) = (&mut self.bins, &self.packed.points, &self.twiddles);
        let (blocks, newest) = (&mut self.blocks, self.newest);
        self.isa.run(|| {
            unpack::<I, f32>(bins, points, twiddles);
            blocks.set(newest, bins);
        });
    }

    /// Sums some chunks over some partitions.
    pub(super) fn multiply(&mut self, chunks: Range<usize>, partitions: Range<usize>) {
        self.isa.run(Products::<I> {
            isa: PhantomData,
            sum: &mut self.sum[chunks.clone()],
            chunks,
            blocks: &self.blocks,
            newest: self.newest,
            responses: &self.responses,
            partitions,
        });
    }

    /// What [`multiply`](Self::multiply) has made.
    pub(super) fn sum(&mut self) -> &mut [Chunk] {
        &mut self.sum
    }

    /// Adds another sum.
    pub(super) fn add(&mut self, other: &[Chunk]) {
        let sum = &mut self.sum;
        self.isa.run(|| add(sum, other));
    }

    /// Makes samples from the sum.
    pub(super) fn inverse(&mut self) {
        let (points, bins) = (&mut self.packed.points, &mut self.bins);
        let (sum, twiddles) = (&self.sum, &self.twiddles);
        self.isa.run(|| {
            join(bins, sum);
            pack::<I, f32>(points, bins, twiddles, 1.0);
        });
        self.packed.inverse();
    }

    /// Takes samples of the window.
    pub(super) fn read(&self, dst: &mut [f32], at: usize) {
        self.packed.read(dst, at);
    }

    /// Makes room for the spectrum of the next block.
    pub(super) fn advance(&mut self) {
        let count = self.partitions();
        self.newest = (self.newest + count - 1) % count;
    }

    /// Forgets what came before.
    pub(super) fn reset(&mut self) {
        self.blocks.silence();
        self.newest = 0;
        self.packed.silence(0);
    }
}
