//! Spectra laid out for sums of products over many partitions.

use std::marker::PhantomData;
use std::ops::Range;

use auralis_core::Complex;

use super::{Float, mul_add};
use crate::isa::{Body, Isa};

/// The bins of a chunk: of single precision, one AVX-512 vector for each part.
const WIDTH: usize = 16;

/// The products that are summed before the sum joins that of other partitions: so many terms keep
/// the error of the sum within a few roundings.
const GROUP: usize = 32;

/// Neighbouring bins, their real and imaginary parts apart. The first chunk holds the real bins 0
/// and `len / 2` as the two parts of its first.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Chunk<T> {
    re: [T; WIDTH],
    im: [T; WIDTH],
}

impl<T: Float> Chunk<T> {
    #[inline(always)]
    fn set(&mut self, bins: &[Complex<T>]) {
        let set = |((re, im), bin): ((&mut T, &mut T), &Complex<T>)| (*re, *im) = (bin.re, bin.im);
        let parts = self.re.iter_mut().zip(&mut self.im);
        // A whole chunk is of a length that the compiler knows.
        match bins.first_chunk::<WIDTH>() {
            Some(bins) => parts.zip(bins).for_each(set),
            None => parts.zip(bins).for_each(set),
        }
    }

    #[inline(always)]
    fn get(&self, bins: &mut [Complex<T>]) {
        let get = |((&re, &im), bin): ((&T, &T), &mut Complex<T>)| *bin = Complex::new(re, im);
        let parts = self.re.iter().zip(&self.im);
        match bins.first_chunk_mut::<WIDTH>() {
            Some(bins) => parts.zip(bins).for_each(get),
            None => parts.zip(bins).for_each(get),
        }
    }
}

/// Several spectra of a length: chunk 0 of all of them, then chunk 1 of all of them, and so on. A
/// sum over the spectra reads straight through memory, and is kept in registers.
#[derive(Clone, Debug)]
pub(super) struct Spectra<T> {
    count: usize,
    chunks: Vec<Chunk<T>>,
}

impl<T: Float> Spectra<T> {
    /// Silent spectra of `len` samples each, an even number.
    pub(super) fn new(count: usize, len: usize) -> Self {
        Self {
            count,
            chunks: vec![Chunk::default(); count * (len / 2).div_ceil(WIDTH)],
        }
    }

    /// The number of spectra.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The number of chunks of each.
    pub(super) fn chunks(&self) -> usize {
        self.chunks.len() / self.count
    }

    /// Sets a spectrum to the bins of a real signal.
    #[inline(always)]
    pub(super) fn set(&mut self, index: usize, bins: &[Complex<T>]) {
        let half = bins.len() - 1;
        let chunks = self.chunks[index..].iter_mut().step_by(self.count);
        for (chunk, bins) in chunks.zip(bins[..half].chunks(WIDTH)) {
            chunk.set(bins);
        }
        self.chunks[index].im[0] = bins[half].re;
    }

    /// Silences all of them.
    pub(super) fn silence(&mut self) {
        self.chunks.fill(Chunk::default());
    }

    #[inline(always)]
    fn row(&self, chunk: usize) -> &[Chunk<T>] {
        &self.chunks[chunk * self.count..][..self.count]
    }
}

/// Turns the chunks of a spectrum into its bins.
#[inline(always)]
pub(super) fn join<T: Float>(bins: &mut [Complex<T>], spectrum: &[Chunk<T>]) {
    let half = bins.len() - 1;
    for (chunk, bins) in spectrum.iter().zip(bins[..half].chunks_mut(WIDTH)) {
        chunk.get(bins);
    }
    bins[half] = Complex::new(bins[0].im, T::zero());
    bins[0].im = T::zero();
}

/// `sum += other`.
#[inline(always)]
pub(super) fn add<T: Float>(sum: &mut [Chunk<T>], other: &[Chunk<T>]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        for i in 0..WIDTH {
            sum.re[i] = sum.re[i] + other.re[i];
            sum.im[i] = sum.im[i] + other.im[i];
        }
    }
}

/// The spectra of the last blocks times those of the partitions that they have reached, summed.
pub(super) struct Products<'a, I, T> {
    pub(super) isa: PhantomData<I>,
    /// The chunks of the sum.
    pub(super) sum: &'a mut [Chunk<T>],
    /// Which of a spectrum's chunks these are.
    pub(super) chunks: Range<usize>,
    /// A ring, from the newest block to the oldest.
    pub(super) blocks: &'a Spectra<T>,
    /// Where in the ring the newest block is.
    pub(super) newest: usize,
    pub(super) responses: &'a Spectra<T>,
    /// The partitions that are summed over.
    pub(super) partitions: Range<usize>,
}

impl<I: Isa, T: Float> Body for Products<'_, I, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let count = self.blocks.count;
        // Before the ring's end, and from its beginning.
        let turn = (count - self.newest).clamp(self.partitions.start, self.partitions.end);
        let (near, far) = (self.partitions.start..turn, turn..self.partitions.end);
        let wrapped = (self.newest + far.start) % count;
        for (sum, chunk) in self.sum.iter_mut().zip(self.chunks) {
            let (blocks, responses) = (self.blocks.row(chunk), self.responses.row(chunk));
            let mut total = Parts::default();
            total.add::<I>(
                &blocks[self.newest + near.start..],
                &responses[near.clone()],
            );
            total.add::<I>(&blocks[wrapped..], &responses[far.clone()]);
            *sum = total.joined();
            if chunk == 0 {
                (sum.re[0], sum.im[0]) = (total.re_re[0], total.im_im[0]);
            }
        }
    }
}

/// The four sums of products that make a complex one: apart, they are four chains of additions that
/// need not wait for each other.
#[derive(Clone, Copy, Default)]
struct Parts<T> {
    re_re: [T; WIDTH],
    im_im: [T; WIDTH],
    re_im: [T; WIDTH],
    im_re: [T; WIDTH],
}

impl<T: Float> Parts<T> {
    /// Adds products, as far as both go.
    #[inline(always)]
    fn add<I: Isa>(&mut self, blocks: &[Chunk<T>], responses: &[Chunk<T>]) {
        for (blocks, responses) in blocks.chunks(GROUP).zip(responses.chunks(GROUP)) {
            let mut part = Self::default();
            for (a, b) in blocks.iter().zip(responses) {
                for i in 0..WIDTH {
                    part.re_re[i] = mul_add::<I, T>(a.re[i], b.re[i], part.re_re[i]);
                    part.im_im[i] = mul_add::<I, T>(a.im[i], b.im[i], part.im_im[i]);
                    part.re_im[i] = mul_add::<I, T>(a.re[i], b.im[i], part.re_im[i]);
                    part.im_re[i] = mul_add::<I, T>(a.im[i], b.re[i], part.im_re[i]);
                }
            }
            for i in 0..WIDTH {
                self.re_re[i] = self.re_re[i] + part.re_re[i];
                self.im_im[i] = self.im_im[i] + part.im_im[i];
                self.re_im[i] = self.re_im[i] + part.re_im[i];
                self.im_re[i] = self.im_re[i] + part.im_re[i];
            }
        }
    }

    #[inline(always)]
    fn joined(&self) -> Chunk<T> {
        let mut chunk = Chunk::default();
        for i in 0..WIDTH {
            chunk.re[i] = self.re_re[i] - self.im_im[i];
            chunk.im[i] = self.re_im[i] + self.im_re[i];
        }
        chunk
    }
}
