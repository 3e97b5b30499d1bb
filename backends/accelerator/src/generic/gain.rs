//! Gains and sums: what walks over samples one by one.

use std::array;
use std::ops::{Mul, MulAssign};

use super::Generic;
use crate::arithmetic::Arithmetic;

/// Samples between two exact points of a ramp.
const RAMP: usize = 64;

/// Gains that are laid side by side until they fill a few vectors.
const PATTERN: usize = 64;

impl<A: Arithmetic> Generic<A> {
    #[inline(always)]
    pub(crate) fn scale(self, data: &mut [f32], gain: f32) {
        scale(data, gain);
    }

    #[inline(always)]
    pub(crate) fn scale_f64(self, data: &mut [f64], gain: f64) {
        scale(data, gain);
    }

    #[inline(always)]
    pub(crate) fn ramp(self, data: &mut [f32], from: f32, to: f32) {
        // At half their size, gains and their differences stay finite whatever they are.
        let (from, to) = (0.5 * f64::from(from), 0.5 * f64::from(to));
        let step = (to - from) / data.len().max(1) as f64;
        let offsets: [f32; RAMP] = array::from_fn(|i| i as f32 * step as f32);
        // Single precision within a chunk, double precision from chunk to chunk: the error does not
        // grow with the length.
        let start = |chunk: usize| (from + step * (chunk * RAMP) as f64) as f32;

        let (chunks, tail) = data.as_chunks_mut::<RAMP>();
        let last = start(chunks.len());
        for (k, chunk) in chunks.iter_mut().enumerate() {
            rise(chunk, start(k), &offsets);
        }
        rise(tail, last, &offsets);
    }

    #[inline(always)]
    pub(crate) fn channel_gains(self, interleaved: &mut [f32], gains: &[f32]) {
        channel_gains(interleaved, gains);
    }

    #[inline(always)]
    pub(crate) fn channel_gains_f64(self, interleaved: &mut [f64], gains: &[f64]) {
        channel_gains(interleaved, gains);
    }

    #[inline(always)]
    pub(crate) fn add(self, dst: &mut [f32], src: &[f32]) {
        for (d, s) in dst.iter_mut().zip(src) {
            *d += s;
        }
    }

    #[inline(always)]
    pub(crate) fn mix(self, dst: &mut [f32], src: &[f32], gain: f32) {
        for (d, s) in dst.iter_mut().zip(src) {
            *d = self.0.mul_add(*s, gain, *d);
        }
    }

    #[inline(always)]
    pub(crate) fn mul(self, dst: &mut [f32], src: &[f32]) {
        for (d, s) in dst.iter_mut().zip(src) {
            *d *= s;
        }
    }

    #[inline(always)]
    pub(crate) fn clip(self, data: &mut [f32], low: f32, high: f32) {
        for x in data {
            let raised = if *x < low { low } else { *x };
            *x = if raised > high { high } else { raised };
        }
    }
}

/// Multiplies by gains that are given at half their size.
#[inline(always)]
fn rise(data: &mut [f32], first: f32, offsets: &[f32; RAMP]) {
    for (x, offset) in data.iter_mut().zip(offsets) {
        *x *= 2.0 * (first + offset);
    }
}

#[inline(always)]
fn scale<T: Copy + MulAssign>(data: &mut [T], gain: T) {
    for x in data {
        *x *= gain;
    }
}

#[inline(always)]
fn channel_gains<T: Copy + Default + Mul<Output = T> + MulAssign>(data: &mut [T], gains: &[T]) {
    match *gains {
        [] => {}
        [gain] => scale(data, gain),
        [left, right] => {
            for frame in data.as_chunks_mut::<2>().0 {
                *frame = [frame[0] * left, frame[1] * right];
            }
        }
        _ if gains.len() > PATTERN / 2 => {
            for frame in data.chunks_exact_mut(gains.len()) {
                multiply(frame, gains);
            }
        }
        _ => {
            let mut pattern = [T::default(); PATTERN];
            let period = PATTERN - PATTERN % gains.len();
            for frame in pattern[..period].chunks_exact_mut(gains.len()) {
                frame.copy_from_slice(gains);
            }
            for frames in data.chunks_mut(period) {
                multiply(frames, &pattern);
            }
        }
    }
}

#[inline(always)]
fn multiply<T: Copy + MulAssign>(data: &mut [T], by: &[T]) {
    for (x, gain) in data.iter_mut().zip(by) {
        *x *= *gain;
    }
}
