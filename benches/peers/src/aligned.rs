//! Samples that begin at a cache line, as the allocators of audio software give them.

use std::ops::{Deref, DerefMut};

const LINE: usize = 64;
const PAGE: usize = 4096;

/// Samples, the first of them at a cache line.
#[derive(Debug)]
pub struct Aligned<T> {
    storage: Vec<T>,
    start: usize,
    len: usize,
    place: Place,
}

/// So many bytes behind a multiple of some.
#[derive(Clone, Copy, Debug)]
struct Place {
    multiple: usize,
    behind: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// Sample `i` is `f(i)`.
    pub fn from_fn(len: usize, f: impl Fn(usize) -> T) -> Self {
        let place = Place {
            multiple: LINE,
            behind: 0,
        };
        Self::at(place, len, f)
    }

    /// The same, so many cache lines behind the start of a page. Whoever loads from where another page
    /// was stored to just before has to wait: what is read lies behind what is written.
    pub fn in_page(lines: usize, len: usize, f: impl Fn(usize) -> T) -> Self {
        let place = Place {
            multiple: PAGE,
            behind: LINE * lines,
        };
        Self::at(place, len, f)
    }

    fn at(place: Place, len: usize, f: impl Fn(usize) -> T) -> Self {
        let Place { multiple, behind } = place;
        let storage = vec![T::default(); len + (multiple + behind) / size_of::<T>()];
        let start = storage.as_ptr().align_offset(multiple) + behind / size_of::<T>();
        let mut this = Self {
            storage,
            start,
            len,
            place,
        };
        for (i, sample) in this.iter_mut().enumerate() {
            *sample = f(i);
        }
        this
    }

    /// Nothing but zeros.
    pub fn zeroed(len: usize) -> Self {
        Self::from_fn(len, |_| T::default())
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        Self::at(self.place, self.len, |i| self[i])
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.storage[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.storage[self.start..self.start + self.len]
    }
}

/// Even noise between -1 and 1 (a linear congruential generator): the same for every run.
pub fn noise(len: usize, seed: u32) -> Aligned<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut samples = Aligned::zeroed(len);
    for sample in samples.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = (state >> 8) as f32 / 8_388_608.0 - 1.0;
    }
    samples
}

/// As double precision, for comparisons.
pub fn wide(samples: &[f32]) -> Vec<f64> {
    samples.iter().map(|&x| x.into()).collect()
}
