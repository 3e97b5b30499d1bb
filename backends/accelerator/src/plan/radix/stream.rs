//! Where a transform takes its numbers from and puts them.

use super::lanes::{Lanes, Of, Wide};

/// Complex numbers to read, `L` at a time.
pub(super) trait Source<I: Lanes<L>, const L: usize> {
    /// Whether it holds `count` vectors.
    fn holds(&self, count: usize) -> bool;

    /// Vector `i`.
    ///
    /// # Safety
    ///
    /// It [`holds`](Self::holds) more than `i` vectors.
    unsafe fn get(&self, isa: I, i: usize) -> Of<I, L>;

    /// Asks the cache for vector `i`, if there is one.
    fn prefetch(&self, isa: I, i: usize);
}

/// Room for complex numbers, written `L` at a time.
pub(super) trait Sink<I: Lanes<L>, const L: usize> {
    /// Whether it holds `count` vectors.
    fn holds(&self, count: usize) -> bool;

    /// Replaces vector `i`.
    ///
    /// # Safety
    ///
    /// It [`holds`](Self::holds) more than `i` vectors.
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>);

    /// Asks the cache for vector `i`, if there is one.
    fn prefetch(&self, isa: I, i: usize);
}

/// Numbers with their parts side by side, as the interface has them. An inverse transform is a
/// forward one with real and imaginary parts swapped on the way in and out.
pub(super) struct Interleaved<S, const SWAPPED: bool>(pub(super) S);

impl<I: Lanes<L>, const L: usize, const SWAPPED: bool> Source<I, L>
    for Interleaved<&[f32], SWAPPED>
{
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.len() >= 2 * L * count
    }

    #[inline(always)]
    unsafe fn get(&self, isa: I, i: usize) -> Of<I, L> {
        // SAFETY: the caller's promise.
        let src = unsafe { self.0.get_unchecked(2 * L * i..2 * L * (i + 1)) };
        let numbers = pairs(isa, src, 0);
        if SWAPPED { swap(numbers) } else { numbers }
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        let first = self.0.as_ptr().wrapping_add(2 * L * i);
        isa.prefetch(first);
        isa.prefetch(first.wrapping_add(L));
    }
}

impl<I: Lanes<L>, const L: usize> Sink<I, L> for Interleaved<&mut [f32], false> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.len() >= 2 * L * count
    }

    #[inline(always)]
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        // SAFETY: the caller's promise.
        let dst = unsafe { self.0.get_unchecked_mut(2 * L * i..2 * L * (i + 1)) };
        put_pairs(isa, dst, 0, numbers);
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        let first = self.0.as_ptr().wrapping_add(2 * L * i);
        isa.prefetch(first);
        isa.prefetch(first.wrapping_add(L));
    }
}

/// The same, scaled.
impl<I: Lanes<L>, const L: usize> Sink<I, L> for Interleaved<(&mut [f32], f32), true> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.0.len() >= 2 * L * count
    }

    #[inline(always)]
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        let scale = isa.splat(self.0.1);
        let scaled = Wide {
            re: isa.mul(numbers.im, scale),
            im: isa.mul(numbers.re, scale),
        };
        // SAFETY: the caller's promise.
        let dst = unsafe { self.0.0.get_unchecked_mut(2 * L * i..2 * L * (i + 1)) };
        put_pairs(isa, dst, 0, scaled);
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        let first = self.0.0.as_ptr().wrapping_add(2 * L * i);
        isa.prefetch(first);
        isa.prefetch(first.wrapping_add(L));
    }
}

/// Numbers of which every `L` real parts are followed by their imaginary parts, as vectors are kept.
#[derive(Clone, Copy)]
pub(super) struct Parts<S>(pub(super) S);

impl<I: Lanes<L>, const L: usize> Source<I, L> for Parts<&[f32]> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.len() >= 2 * L * count
    }

    #[inline(always)]
    unsafe fn get(&self, isa: I, i: usize) -> Of<I, L> {
        // SAFETY: the caller's promise.
        let src = unsafe { self.0.get_unchecked(2 * L * i..2 * L * (i + 1)) };
        parts(isa, src, 0)
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        let first = self.0.as_ptr().wrapping_add(2 * L * i);
        isa.prefetch(first);
        isa.prefetch(first.wrapping_add(L));
    }
}

impl<I: Lanes<L>, const L: usize> Sink<I, L> for Parts<&mut [f32]> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.len() >= 2 * L * count
    }

    #[inline(always)]
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        // SAFETY: the caller's promise.
        let dst = unsafe { self.0.get_unchecked_mut(2 * L * i..2 * L * (i + 1)) };
        put_parts(isa, dst, 0, numbers);
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        let first = self.0.as_ptr().wrapping_add(2 * L * i);
        isa.prefetch(first);
        isa.prefetch(first.wrapping_add(L));
    }
}

/// Numbers of which the real parts are in one place, and the imaginary parts in another.
pub(super) struct Apart<S>(pub(super) S, pub(super) S);

impl<I: Lanes<L>, const L: usize> Source<I, L> for Apart<&[f32]> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.len().min(self.1.len()) >= L * count
    }

    #[inline(always)]
    unsafe fn get(&self, isa: I, i: usize) -> Of<I, L> {
        // SAFETY: the caller's promise.
        let (re, im) = unsafe {
            (
                self.0.get_unchecked(L * i..L * (i + 1)),
                self.1.get_unchecked(L * i..L * (i + 1)),
            )
        };
        Wide {
            re: isa.load(re),
            im: isa.load(im),
        }
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        isa.prefetch(self.0.as_ptr().wrapping_add(L * i));
        isa.prefetch(self.1.as_ptr().wrapping_add(L * i));
    }
}

/// What there is no room for is left out.
impl<I: Lanes<L>, const L: usize> Sink<I, L> for Apart<&mut [f32]> {
    #[inline(always)]
    fn holds(&self, _: usize) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        put_some(isa, self.0, L * i, numbers.re);
        put_some(isa, self.1, L * i, numbers.im);
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        isa.prefetch(self.0.as_ptr().wrapping_add(L * i));
        isa.prefetch(self.1.as_ptr().wrapping_add(L * i));
    }
}

/// Replaces the values from `at` on, as far as there are any.
#[inline(always)]
fn put_some<I: Lanes<L>, const L: usize>(isa: I, dst: &mut [f32], at: usize, vector: I::Vector) {
    if let Some(dst) = dst.get_mut(at..at + L) {
        isa.store(dst, vector);
    } else if let Some(dst) = dst.get_mut(at..) {
        let mut all = [0.0; L];
        isa.store(&mut all, vector);
        dst.copy_from_slice(&all[..dst.len()]);
    }
}

/// Vector `i` of [`Parts`].
#[inline(always)]
pub(super) fn parts<I: Lanes<L>, const L: usize>(isa: I, src: &[f32], i: usize) -> Of<I, L> {
    let src = &src[2 * L * i..][..2 * L];
    Wide {
        re: isa.load(src),
        im: isa.load(&src[L..]),
    }
}

/// Replaces vector `i` of [`Parts`].
#[inline(always)]
pub(super) fn put_parts<I: Lanes<L>, const L: usize>(
    isa: I,
    dst: &mut [f32],
    i: usize,
    numbers: Of<I, L>,
) {
    let dst = &mut dst[2 * L * i..][..2 * L];
    isa.store(dst, numbers.re);
    isa.store(&mut dst[L..], numbers.im);
}

/// Real and imaginary parts exchanged.
#[inline(always)]
pub(super) fn swap<V>(numbers: Wide<V>) -> Wide<V> {
    Wide {
        re: numbers.im,
        im: numbers.re,
    }
}

/// The numbers from `at` on.
#[inline(always)]
pub(super) fn pairs<I: Lanes<L>, const L: usize>(isa: I, src: &[f32], at: usize) -> Of<I, L> {
    let src = &src[2 * at..][..2 * L];
    let (re, im) = isa.separate(isa.load(src), isa.load(&src[L..]));
    Wide { re, im }
}

/// Replaces the numbers from `at` on.
#[inline(always)]
pub(super) fn put_pairs<I: Lanes<L>, const L: usize>(
    isa: I,
    dst: &mut [f32],
    at: usize,
    numbers: Of<I, L>,
) {
    let dst = &mut dst[2 * at..][..2 * L];
    let (low, high) = isa.interleave(numbers.re, numbers.im);
    isa.store(dst, low);
    isa.store(&mut dst[L..], high);
}
