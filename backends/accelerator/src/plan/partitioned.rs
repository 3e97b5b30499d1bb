//! Convolution with a response cut into partitions of one block each.

use auralis_core::{Complex, Result};

use super::convolver::Engine;
use super::overlap_save::{fast_len, impulse_bins};
use super::packed::{Packed, pack, rounded_twiddles, unpack};
use super::parts::Split;
use super::{mul_add, rounded};
use crate::isa::Isa;

/// Uniformly partitioned overlap-save: the spectra of the last blocks are kept, and each is
/// multiplied with the partition that it has reached. Wefers, "Partitioned convolution algorithms
/// for real-time auralization" (2015), chapter 5.
#[derive(Debug)]
pub(super) struct Partitioned<I> {
    isa: I,
    block: usize,
    packed: Packed<f32>,
    twiddles: Split<f32>,
    bins: Vec<Complex<f32>>,
    /// One per partition, scaled for the inverse transform.
    responses: Vec<Split<f32>>,
    /// The spectra of the last blocks, a ring.
    blocks: Vec<Split<f32>>,
    /// Where in the ring the current block is.
    current: usize,
    /// How many samples of the current block its spectrum holds.
    transformed: usize,
    /// What the blocks before the current one add to it: its spectrum, and its samples if wanted.
    older: Split<f32>,
    tail: Vec<f32>,
    has_tail: bool,
}

impl<I: Isa> Partitioned<I> {
    pub(super) fn new(isa: I, impulse: &[f32], block: usize) -> Result<Self> {
        let len = fast_len(2 * block - 1);
        let scale = 1.0 / len as f64;
        let responses = impulse
            .chunks(block)
            .map(|part| {
                let bins = impulse_bins(isa, part, len)?;
                Ok(bins.into_iter().map(|bin| rounded(bin * scale)).collect())
            })
            .collect::<Result<Vec<Split<f32>>>>()?;
        let silent: Split<f32> = (0..=len / 2).map(|_| Complex::default()).collect();
        Ok(Self {
            isa,
            block,
            packed: Packed::new(isa, len),
            twiddles: rounded_twiddles(len),
            bins: vec![Complex::default(); len / 2 + 1],
            blocks: vec![silent.clone(); responses.len()],
            responses,
            current: 0,
            transformed: 0,
            older: silent,
            tail: vec![0.0; block],
            has_tail: false,
        })
    }

    fn transform(&mut self, history: &[f32], block: &[f32]) {
        self.packed.write(0, history);
        self.packed.write(history.len(), block);
        self.packed.silence(history.len() + block.len());
        self.packed.forward();
        self.transformed = block.len();
        let Self {
            isa,
            packed,
            twiddles,
            bins,
            blocks,
            current,
            ..
        } = self;
        isa.run(|| {
            unpack::<I, f32>(bins, &packed.points, twiddles);
            separate(&mut blocks[*current], bins);
        });
    }

    /// Makes the tail, unless it is there.
    fn find_tail(&mut self) {
        if self.has_tail {
            return;
        }
        let Self {
            isa,
            packed,
            twiddles,
            bins,
            older,
            ..
        } = self;
        isa.run(|| {
            join(bins, older);
            pack::<I, f32>(&mut packed.points, bins, twiddles, 1.0);
        });
        packed.inverse();
        packed.read(&mut self.tail, self.block - 1);
        self.has_tail = true;
    }
}

impl<I: Isa> Engine for Partitioned<I> {
    fn convolve(&mut self, dst: &mut [f32], history: &[f32], block: &[f32], from: usize) {
        self.transform(history, block);
        let Self {
            isa,
            packed,
            twiddles,
            bins,
            blocks,
            current,
            responses,
            older,
            ..
        } = self;
        isa.run(|| {
            multiply_add::<I>(bins, older, &blocks[*current], &responses[0]);
            pack::<I, f32>(&mut packed.points, bins, twiddles, 1.0);
        });
        packed.inverse();
        packed.read(dst, history.len() + from);
    }

    fn add_older(&mut self, dst: &mut [f32], from: usize) {
        self.find_tail();
        for (sample, tail) in dst.iter_mut().zip(&self.tail[from..]) {
            *sample += tail;
        }
    }

    fn finish(&mut self, history: &[f32], block: &[f32]) {
        if self.transformed != block.len() {
            self.transform(history, block);
        }
        let count = self.blocks.len();
        self.current = (self.current + 1) % count;
        self.transformed = 0;
        self.has_tail = false;
        let Self {
            isa,
            blocks,
            current,
            responses,
            older,
            ..
        } = self;
        isa.run(|| {
            older.re.fill(0.0);
            older.im.fill(0.0);
            for (age, response) in responses.iter().enumerate().skip(1) {
                accumulate::<I>(older, &blocks[(*current + count - age) % count], response);
            }
        });
    }

    fn reset(&mut self) {
        for spectrum in self.blocks.iter_mut().chain([&mut self.older]) {
            spectrum.re.fill(0.0);
            spectrum.im.fill(0.0);
        }
        self.current = 0;
        self.transformed = 0;
        self.has_tail = false;
    }
}

#[inline(always)]
fn separate(split: &mut Split<f32>, bins: &[Complex<f32>]) {
    for ((re, im), bin) in split.re.iter_mut().zip(&mut split.im).zip(bins) {
        (*re, *im) = (bin.re, bin.im);
    }
}

#[inline(always)]
fn join(bins: &mut [Complex<f32>], split: &Split<f32>) {
    for ((bin, &re), &im) in bins.iter_mut().zip(&split.re).zip(&split.im) {
        *bin = Complex { re, im };
    }
}

/// `bins = older + block * response`.
#[inline(always)]
fn multiply_add<I: Isa>(
    bins: &mut [Complex<f32>],
    older: &Split<f32>,
    block: &Split<f32>,
    response: &Split<f32>,
) {
    let n = bins.len();
    let (or, oi) = (&older.re[..n], &older.im[..n]);
    let (br, bi) = (&block.re[..n], &block.im[..n]);
    let (rr, ri) = (&response.re[..n], &response.im[..n]);
    for i in 0..n {
        bins[i] = Complex {
            re: mul_add::<I, f32>(br[i], rr[i], mul_add::<I, f32>(-bi[i], ri[i], or[i])),
            im: mul_add::<I, f32>(br[i], ri[i], mul_add::<I, f32>(bi[i], rr[i], oi[i])),
        };
    }
}

/// `sum += block * response`.
#[inline(always)]
fn accumulate<I: Isa>(sum: &mut Split<f32>, block: &Split<f32>, response: &Split<f32>) {
    let n = sum.re.len();
    let (sr, si) = (&mut sum.re[..n], &mut sum.im[..n]);
    let (br, bi) = (&block.re[..n], &block.im[..n]);
    let (rr, ri) = (&response.re[..n], &response.im[..n]);
    for i in 0..n {
        sr[i] = mul_add::<I, f32>(br[i], rr[i], mul_add::<I, f32>(-bi[i], ri[i], sr[i]));
        si[i] = mul_add::<I, f32>(br[i], ri[i], mul_add::<I, f32>(bi[i], rr[i], si[i]));
    }
}
