//! Memory that a pass may read and write at once.

use std::marker::PhantomData;

use super::lanes::{Lanes, Of, Wide};
use super::stream::{Interleaved, Parts, Sink, Source, swap};

/// Borrowed numbers, of which a pass may hold two views: it reads through one and writes through the
/// other.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    first: *mut f32,
    len: usize,
    borrow: PhantomData<&'a mut [f32]>,
}

impl<'a> Place<'a> {
    pub(super) fn new(numbers: &'a mut [f32]) -> Self {
        Self {
            first: numbers.as_mut_ptr(),
            len: numbers.len(),
            borrow: PhantomData,
        }
    }

    /// The parts of vectors.
    pub(super) fn vectors<V>(vectors: &'a mut [Wide<V>]) -> Self {
        Self {
            first: vectors.as_mut_ptr().cast(),
            len: size_of_val(vectors) / size_of::<f32>(),
            borrow: PhantomData,
        }
    }

    /// How many numbers there are.
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        self.len
    }

    /// The `len` numbers from `at` on.
    #[inline(always)]
    pub(super) fn part(self, at: usize, len: usize) -> Self {
        assert!(at <= self.len && len <= self.len - at);
        Self {
            // SAFETY: this is within the borrowed numbers.
            first: unsafe { self.first.add(at) },
            len,
            ..self
        }
    }

    #[inline(always)]
    fn holds(self, vectors: usize, lanes: usize) -> bool {
        self.len >= 2 * lanes * vectors
    }

    /// The vectors at `at` and after it.
    ///
    /// # Safety
    ///
    /// There are `2 * L` numbers from `at` on.
    #[inline(always)]
    unsafe fn get<I: Lanes<L>, const L: usize>(self, isa: I, at: usize) -> [I::Vector; 2] {
        // SAFETY: the caller's promise; nothing writes while this is read.
        let src = unsafe { std::slice::from_raw_parts(self.first.add(at), 2 * L) };
        [isa.load(src), isa.load(&src[L..])]
    }

    /// Replaces the vectors at `at` and after it.
    ///
    /// # Safety
    ///
    /// As of [`get`](Self::get).
    #[inline(always)]
    unsafe fn put<I: Lanes<L>, const L: usize>(
        self,
        isa: I,
        at: usize,
        [first, second]: [I::Vector; 2],
    ) {
        // SAFETY: the caller's promise; nothing else reads or writes meanwhile.
        let dst = unsafe { std::slice::from_raw_parts_mut(self.first.add(at), 2 * L) };
        isa.store(dst, first);
        isa.store(&mut dst[L..], second);
    }

    #[inline(always)]
    fn prefetch<I: Lanes<L>, const L: usize>(self, isa: I, at: usize) {
        let first = self.first.wrapping_add(at);
        isa.prefetch(first);
        isa.prefetch(first.wrapping_add(L));
    }
}

impl<I: Lanes<L>, const L: usize, const SWAPPED: bool> Source<I, L>
    for Interleaved<Place<'_>, SWAPPED>
{
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.holds(count, L)
    }

    #[inline(always)]
    unsafe fn get(&self, isa: I, i: usize) -> Of<I, L> {
        // SAFETY: the caller's promise.
        let [low, high] = unsafe { self.0.get::<I, L>(isa, 2 * L * i) };
        let (re, im) = isa.separate(low, high);
        let numbers = Wide { re, im };
        if SWAPPED { swap(numbers) } else { numbers }
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        self.0.prefetch::<I, L>(isa, 2 * L * i);
    }
}

impl<I: Lanes<L>, const L: usize> Sink<I, L> for Interleaved<Place<'_>, false> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.holds(count, L)
    }

    #[inline(always)]
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        let (low, high) = isa.interleave(numbers.re, numbers.im);
        // SAFETY: the caller's promise.
        unsafe { self.0.put::<I, L>(isa, 2 * L * i, [low, high]) };
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        self.0.prefetch::<I, L>(isa, 2 * L * i);
    }
}

/// The same, scaled.
impl<I: Lanes<L>, const L: usize> Sink<I, L> for Interleaved<(Place<'_>, f32), true> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.0.holds(count, L)
    }

    #[inline(always)]
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        let (place, scale) = self.0;
        let scale = isa.splat(scale);
        let (low, high) = isa.interleave(isa.mul(numbers.im, scale), isa.mul(numbers.re, scale));
        // SAFETY: the caller's promise.
        unsafe { place.put::<I, L>(isa, 2 * L * i, [low, high]) };
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        self.0.0.prefetch::<I, L>(isa, 2 * L * i);
    }
}

impl<I: Lanes<L>, const L: usize> Source<I, L> for Parts<Place<'_>> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.holds(count, L)
    }

    #[inline(always)]
    unsafe fn get(&self, isa: I, i: usize) -> Of<I, L> {
        // SAFETY: the caller's promise.
        let [re, im] = unsafe { self.0.get::<I, L>(isa, 2 * L * i) };
        Wide { re, im }
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        self.0.prefetch::<I, L>(isa, 2 * L * i);
    }
}

impl<I: Lanes<L>, const L: usize> Sink<I, L> for Parts<Place<'_>> {
    #[inline(always)]
    fn holds(&self, count: usize) -> bool {
        self.0.holds(count, L)
    }

    #[inline(always)]
    unsafe fn put(&mut self, isa: I, i: usize, numbers: Of<I, L>) {
        // SAFETY: the caller's promise.
        unsafe { self.0.put::<I, L>(isa, 2 * L * i, [numbers.re, numbers.im]) };
    }

    #[inline(always)]
    fn prefetch(&self, isa: I, i: usize) {
        self.0.prefetch::<I, L>(isa, 2 * L * i);
    }
}
