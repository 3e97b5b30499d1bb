//! Convolution with a response cut into partitions of one size.

use std::marker::PhantomData;
use std::ops::Range;

use auralis_core::Complex;

use super::Float;
use super::overlap_save::fast_len;
use super::packed::{Packed, pack, rounded_twiddles, unpack};
use super::parts::Split;
use super::spectra::{Chunk, Products, Spectra, add, join};
use crate::isa::{Body, Isa};

/// Uniformly partitioned overlap-save, step by step: the spectra of the last blocks are kept, and
/// each is multiplied with the partition that it has reached. Wefers, "Partitioned convolution
/// algorithms for real-time auralization" (2015), chapter 5.
///
/// A round is: [`write`](Self::write) the block and the one before it, [`forward`](Self::forward),
/// [`multiply`](Self::multiply) every chunk, [`inverse`](Self::inverse), [`read`](Self::read) what
/// lies where the block was written, [`advance`](Self::advance).
#[derive(Debug)]
pub(super) struct Partitioned<I, T> {
    isa: I,
    packed: Packed<T>,
    twiddles: Split<T>,
    bins: Vec<Complex<T>>,
    /// One per partition, scaled for the inverse transform.
    responses: Spectra<T>,
    /// The spectra of the last blocks: a ring, the newest first.
    blocks: Spectra<T>,
    newest: usize,
    sum: Vec<Chunk<T>>,
}

/// The samples before the block that its transform holds: those that the taps of a partition reach,
/// and for an even block one more, as samples are moved fastest in pairs.
pub(super) fn history(block: usize) -> usize {
    (block - 1).next_multiple_of(2)
}

impl<I: Isa, T: Float> Partitioned<I, T> {
    pub(super) fn new(isa: I, impulse: &[T], block: usize) -> Self {
        let len = fast_len(history(block) + block);
        let count = impulse.len().div_ceil(block);
        let silent = Spectra::new(count, len);
        let mut this = Self {
            isa,
            packed: Packed::new(isa, len),
            twiddles: rounded_twiddles(len),
            bins: vec![Complex::default(); len / 2 + 1],
            responses: silent.clone(),
            newest: 0,
            sum: vec![Chunk::default(); silent.chunks()],
            blocks: silent,
        };
        let scale = T::of(1.0 / len as f64);
        let mut scaled = vec![T::zero(); block];
        for (index, part) in impulse.chunks(block).enumerate() {
            for (scaled, &tap) in scaled.iter_mut().zip(part) {
                *scaled = tap * scale;
            }
            this.write(0, &scaled[..part.len()]);
            this.silence(part.len());
            this.newest = index;
            this.forward();
        }
        std::mem::swap(&mut this.responses, &mut this.blocks);
        this.newest = 0;
        this.silence(0);
        this
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
    pub(super) fn write(&mut self, at: usize, samples: &[T]) {
        self.packed.write(at, samples);
    }

    /// Silences the window from index `from` on.
    pub(super) fn silence(&mut self, from: usize) {
        self.packed.silence(from);
    }

    /// Makes the spectrum of the window the newest one.
    pub(super) fn forward(&mut self) {
        self.packed.forward();
        self.isa.run(Unpack::<I, T> {
            isa: PhantomData,
            bins: &mut self.bins,
            points: &self.packed.points,
            twiddles: &self.twiddles,
            spectra: &mut self.blocks,
            index: self.newest,
        });
    }

    /// Sums some chunks over some partitions.
    pub(super) fn multiply(&mut self, chunks: Range<usize>, partitions: Range<usize>) {
        self.isa.run(Products::<I, T> {
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
    pub(super) fn sum(&mut self) -> &mut [Chunk<T>] {
        &mut self.sum
    }

    /// Adds another sum.
    pub(super) fn add(&mut self, other: &[Chunk<T>]) {
        let sum = &mut self.sum;
        self.isa.run(|| add(sum, other));
    }

    /// Makes samples from the sum.
    pub(super) fn inverse(&mut self) {
        self.isa.run(Pack::<I, T> {
            isa: PhantomData,
            points: &mut self.packed.points,
            bins: &mut self.bins,
            twiddles: &self.twiddles,
            spectrum: &self.sum,
        });
        self.packed.inverse();
    }

    /// Takes samples of the window.
    pub(super) fn read(&self, dst: &mut [T], at: usize) {
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

/// Makes one of several spectra from transformed points.
struct Unpack<'a, I, T> {
    isa: PhantomData<I>,
    bins: &'a mut [Complex<T>],
    points: &'a [Complex<T>],
    twiddles: &'a Split<T>,
    spectra: &'a mut Spectra<T>,
    index: usize,
}

impl<I: Isa, T: Float> Body for Unpack<'_, I, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        unpack::<I, T>(self.bins, self.points, self.twiddles);
        self.spectra.set(self.index, self.bins);
    }
}

/// Makes the points to be transformed back from a spectrum.
struct Pack<'a, I, T> {
    isa: PhantomData<I>,
    points: &'a mut [Complex<T>],
    bins: &'a mut [Complex<T>],
    twiddles: &'a Split<T>,
    spectrum: &'a [Chunk<T>],
}

impl<I: Isa, T: Float> Body for Pack<'_, I, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        join(self.bins, self.spectrum);
        pack::<I, T>(self.points, self.bins, self.twiddles, T::one());
    }
}
