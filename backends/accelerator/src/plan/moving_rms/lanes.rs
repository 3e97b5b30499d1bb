//! Eight runs of a stretch side by side.

use super::{RUN, STRETCH};
use crate::isa::Isa;
use crate::plan::{Float, mul_add};

/// What is done with eight numbers in double precision: one of each run, in a lane of its own.
pub(super) trait Lanes<T>: Copy {
    /// The numbers.
    type F64: Copy;

    /// The same in every lane.
    fn splat(self, x: f64) -> Self::F64;

    fn add(self, a: Self::F64, b: Self::F64) -> Self::F64;

    fn mul(self, a: Self::F64, b: Self::F64) -> Self::F64;

    /// `sum + x * x`.
    fn add_square(self, sum: Self::F64, x: Self::F64) -> Self::F64;

    /// The sums of the lanes before each lane, and of all.
    fn sums_before(self, x: Self::F64) -> (Self::F64, f64);

    /// The sums of the lanes after each lane.
    fn sums_after(self, x: Self::F64) -> Self::F64;

    /// The samples of each run one after the other.
    fn columns(self, stretch: &[T; STRETCH]) -> [Self::F64; RUN];

    /// The reverse of [`columns`](Self::columns), rounded.
    fn rows(self, stretch: &mut [T; STRETCH], columns: [Self::F64; RUN]);

    fn root(self, x: Self::F64) -> Self::F64;
}

/// Arrays, from which the compiler makes what vectors an instruction set has.
#[derive(Clone, Copy)]
pub(super) struct Arrays<I>(pub(super) I);

impl<I: Isa, T: Float> Lanes<T> for Arrays<I> {
    type F64 = [f64; 8];

    #[inline(always)]
    fn splat(self, x: f64) -> [f64; 8] {
        [x; 8]
    }

    #[inline(always)]
    fn add(self, mut a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        for lane in 0..8 {
            a[lane] += b[lane];
        }
        a
    }

    #[inline(always)]
    fn mul(self, mut a: [f64; 8], b: [f64; 8]) -> [f64; 8] {
        for lane in 0..8 {
            a[lane] *= b[lane];
        }
        a
    }

    #[inline(always)]
    fn add_square(self, mut sum: [f64; 8], x: [f64; 8]) -> [f64; 8] {
        for lane in 0..8 {
            sum[lane] = mul_add::<I, f64>(x[lane], x[lane], sum[lane]);
        }
        sum
    }

    #[inline(always)]
    fn sums_before(self, x: [f64; 8]) -> ([f64; 8], f64) {
        let (mut sums, mut sum) = ([0.0; 8], 0.0);
        for lane in 0..8 {
            sums[lane] = sum;
            sum += x[lane];
        }
        (sums, sum)
    }

    #[inline(always)]
    fn sums_after(self, x: [f64; 8]) -> [f64; 8] {
        let (mut sums, mut sum) = ([0.0; 8], 0.0);
        for lane in (0..8).rev() {
            sums[lane] = sum;
            sum += x[lane];
        }
        sums
    }

    #[inline(always)]
    fn columns(self, stretch: &[T; STRETCH]) -> [[f64; 8]; RUN] {
        let mut columns = [[0.0; 8]; RUN];
        for (run, samples) in stretch.as_chunks::<RUN>().0.iter().enumerate() {
            for (column, sample) in columns.iter_mut().zip(samples) {
                column[run] = sample.double();
            }
        }
        columns
    }

    #[inline(always)]
    fn rows(self, stretch: &mut [T; STRETCH], columns: [[f64; 8]; RUN]) {
        for (run, samples) in stretch.as_chunks_mut::<RUN>().0.iter_mut().enumerate() {
            for (sample, column) in samples.iter_mut().zip(&columns) {
                *sample = T::of(column[run]);
            }
        }
    }

    #[inline(always)]
    fn root(self, mut x: [f64; 8]) -> [f64; 8] {
        for x in &mut x {
            *x = x.sqrt();
        }
        x
    }
}
