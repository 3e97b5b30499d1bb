//! Where a transform takes its numbers from and puts them.

use super::lanes::{Lanes, Of, Wide};

/// Complex numbers to read, `L` at a time.
pub(super) trait Source<I: Lanes<L>, const L: usize> {
    /// Vector `i`.
    fn get(&self, isa: I, i: usize) -> Of<I, L>;
}

/// Room for complex numbers, written `L` at a time.
pub(super) trait Sink<I: Lanes<L>, const L: usize> {
    /// Replaces vector `i`.
    fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>);
}

/// Bins of a real signal's spectrum, at any index.
pub(super) trait Bins<I: Lanes<L>, const L: usize> {
    /// Bin `at` and those that follow.
    fn get(&self, isa: I, at: usize) -> Of<I, L>;
}

/// Room for bins.
pub(super) trait BinsMut<I: Lanes<L>, const L: usize> {
    /// Replaces bin `at` and those that follow.
    fn put(&mut self, isa: I, at: usize, bins: Of<I, L>);

    /// Replaces one bin.
    fn put_one(&mut self, at: usize, re: f32, im: f32);
}

/// Numbers with their parts side by side, as the interface has them. An inverse transform is a
/// forward one with real and imaginary parts swapped on the way in and out.
pub(super) struct Interleaved<S, const SWAPPED: bool>(pub(super) S);

impl<I: Lanes<L>, const L: usize, const SWAPPED: bool> Source<I, L>
    for Interleaved<&[f32], SWAPPED>
{
    #[inline(always)]
    fn get(&self, isa: I, i: usize) -> Of<I, L> {
        let numbers = pairs(isa, self.0, L * i);
        if SWAPPED { swap(numbers) } else { numbers }
    }
}

impl<I: Lanes<L>, const L: usize> Sink<I, L> for Interleaved<&mut [f32], false> {
    #[inline(always)]
    fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        put_pairs(isa, self.0, L * i, numbers);
    }
}

/// The same, scaled.
impl<I: Lanes<L>, const L: usize> Sink<I, L> for Interleaved<(&mut [f32], f32), true> {
    #[inline(always)]
    fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        let (dst, scale) = &mut self.0;
        let scale = isa.splat(*scale);
        let scaled = Wide {
            re: isa.mul(numbers.im, scale),
            im: isa.mul(numbers.re, scale),
        };
        put_pairs(isa, dst, L * i, scaled);
    }
}

impl<I: Lanes<L>, const L: usize> Source<I, L> for &[Of<I, L>] {
    #[inline(always)]
    fn get(&self, _: I, i: usize) -> Of<I, L> {
        self[i]
    }
}

impl<I: Lanes<L>, const L: usize> Sink<I, L> for &mut [Of<I, L>] {
    #[inline(always)]
    fn put(&mut self, _: I, i: usize, numbers: Of<I, L>) {
        self[i] = numbers;
    }
}

impl<I: Lanes<L>, const L: usize> Bins<I, L> for &[f32] {
    #[inline(always)]
    fn get(&self, isa: I, at: usize) -> Of<I, L> {
        pairs(isa, self, at)
    }
}

impl<I: Lanes<L>, const L: usize> BinsMut<I, L> for &mut [f32] {
    #[inline(always)]
    fn put(&mut self, isa: I, at: usize, bins: Of<I, L>) {
        put_pairs(isa, self, at, bins);
    }

    #[inline(always)]
    fn put_one(&mut self, at: usize, re: f32, im: f32) {
        (self[2 * at], self[2 * at + 1]) = (re, im);
    }
}

/// The real parts, then the imaginary parts.
impl<I: Lanes<L>, const L: usize> Bins<I, L> for (&[f32], &[f32]) {
    #[inline(always)]
    fn get(&self, isa: I, at: usize) -> Of<I, L> {
        Wide {
            re: isa.load(&self.0[at..]),
            im: isa.load(&self.1[at..]),
        }
    }
}

impl<I: Lanes<L>, const L: usize> BinsMut<I, L> for (&mut [f32], &mut [f32]) {
    #[inline(always)]
    fn put(&mut self, isa: I, at: usize, bins: Of<I, L>) {
        isa.store(&mut self.0[at..], bins.re);
        isa.store(&mut self.1[at..], bins.im);
    }

    #[inline(always)]
    fn put_one(&mut self, at: usize, re: f32, im: f32) {
        (self.0[at], self.1[at]) = (re, im);
    }
}

/// Real and imaginary parts exchanged.
#[inline(always)]
pub(super) fn swap<V>(numbers: Wide<V>) -> Wide<V> {
    Wide {
        re: numbers.im,
        im: numbers.re,
    }
}

#[inline(always)]
fn pairs<I: Lanes<L>, const L: usize>(isa: I, src: &[f32], at: usize) -> Of<I, L> {
    let src = &src[2 * at..][..2 * L];
    let (re, im) = isa.separate(isa.load(src), isa.load(&src[L..]));
    Wide { re, im }
}

#[inline(always)]
fn put_pairs<I: Lanes<L>, const L: usize>(isa: I, dst: &mut [f32], at: usize, numbers: Of<I, L>) {
    let dst = &mut dst[2 * at..][..2 * L];
    let (low, high) = isa.interleave(numbers.re, numbers.im);
    isa.store(dst, low);
    isa.store(&mut dst[L..], high);
}
