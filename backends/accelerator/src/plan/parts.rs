//! Complex numbers with their real and imaginary parts apart, as vector instructions like them.

use std::ops::Range;

use auralis_core::Complex;

use super::Float;

/// Any number of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Split<T> {
    pub(super) re: Vec<T>,
    pub(super) im: Vec<T>,
}

impl<T: Float> Split<T> {
    #[inline(always)]
    pub(super) fn range(&self, range: Range<usize>) -> (&[T], &[T]) {
        (&self.re[range.clone()], &self.im[range])
    }
}

impl<T: Float> FromIterator<Complex<T>> for Split<T> {
    fn from_iter<C: IntoIterator<Item = Complex<T>>>(numbers: C) -> Self {
        let (re, im) = numbers.into_iter().map(|n| (n.re, n.im)).unzip();
        Self { re, im }
    }
}

/// The numbers that are worked on at once: few enough for the first-level cache, enough for the
/// compiler to make vector loops of.
const SPAN: usize = 64;

/// Cuts `0..n` into ranges that fit into a [`Span`].
pub(super) fn spans(n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n)
        .step_by(SPAN)
        .map(move |start| start..n.min(start + SPAN))
}

/// Up to 64 numbers. Loops over them need no proof that slices of complex numbers don't overlap.
#[repr(align(64))]
pub(super) struct Span<T> {
    re: [T; SPAN],
    im: [T; SPAN],
}

impl<T: Float> Span<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            re: [T::zero(); SPAN],
            im: [T::zero(); SPAN],
        }
    }

    /// The parts of the first `n`.
    #[inline(always)]
    pub(super) fn parts(&mut self, n: usize) -> (&mut [T], &mut [T]) {
        (&mut self.re[..n], &mut self.im[..n])
    }

    #[inline(always)]
    pub(super) fn load(&mut self, numbers: &[Complex<T>]) {
        let (re, im) = self.parts(numbers.len());
        for i in 0..numbers.len() {
            (re[i], im[i]) = (numbers[i].re, numbers[i].im);
        }
    }

    /// The conjugates, last one first.
    #[inline(always)]
    pub(super) fn load_mirrored(&mut self, numbers: &[Complex<T>]) {
        let n = numbers.len();
        let (re, im) = self.parts(n);
        for i in 0..n {
            let number = numbers[n - 1 - i];
            (re[i], im[i]) = (number.re, -number.im);
        }
    }

    #[inline(always)]
    pub(super) fn store(&self, numbers: &mut [Complex<T>]) {
        let n = numbers.len();
        let (re, im) = (&self.re[..n], &self.im[..n]);
        for i in 0..n {
            numbers[i] = Complex::new(re[i], im[i]);
        }
    }

    /// The reverse of [`load_mirrored`](Self::load_mirrored).
    #[inline(always)]
    pub(super) fn store_mirrored(&self, numbers: &mut [Complex<T>]) {
        let n = numbers.len();
        let (re, im) = (&self.re[..n], &self.im[..n]);
        for i in 0..n {
            numbers[n - 1 - i] = Complex::new(re[i], -im[i]);
        }
    }
}
