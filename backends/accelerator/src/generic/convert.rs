//! Between integers and floating point.
//!
//! A number is rounded by adding another so large that the sum has no room for a fraction: the
//! addition itself then rounds to nearest, ties to even, and needs no instruction of its own, which
//! the oldest x86-64 lacks.

use super::Generic;
use crate::arithmetic::Arithmetic;

const TWO_15: f32 = 32_768.0;
const TWO_23: f32 = 8_388_608.0;
const TWO_31: f32 = 2_147_483_648.0;

impl<A: Arithmetic> Generic<A> {
    #[inline(always)]
    pub(crate) fn f32_from_i16(self, dst: &mut [f32], src: &[i16]) {
        for (d, s) in dst.iter_mut().zip(src) {
            *d = f32::from(*s) * (1.0 / TWO_15);
        }
    }

    #[inline(always)]
    pub(crate) fn f32_from_i24(self, dst: &mut [f32], src: &[[u8; 3]]) {
        // Products rather than shifts: of shifts LLVM makes 16-bit loads, one for every sample.
        for (d, &[low, middle, high]) in dst.iter_mut().zip(src) {
            let high = i32::from(high.cast_signed()) * 65_536;
            let x = high + i32::from(middle) * 256 + i32::from(low);
            *d = x as f32 * (1.0 / TWO_23);
        }
    }

    #[inline(always)]
    pub(crate) fn f32_from_i32(self, dst: &mut [f32], src: &[i32]) {
        for (d, s) in dst.iter_mut().zip(src) {
            *d = *s as f32 * (1.0 / TWO_31);
        }
    }

    #[inline(always)]
    pub(crate) fn i16_from_f32(self, dst: &mut [i16], src: &[f32]) {
        /// Up to ±2^22, the sum with this has a unit in the last place of 1 and so ends in the
        /// rounded integer. Its own lowest 16 bits are zero.
        const ROUND: f32 = 1.5 * TWO_23;
        for (d, s) in dst.iter_mut().zip(src) {
            let x = limit(*s * TWO_15, -TWO_15, TWO_15 - 1.0);
            *d = (x + ROUND).to_bits() as i16;
        }
    }

    #[inline(always)]
    pub(crate) fn i24_from_f32(self, dst: &mut [[u8; 3]], src: &[f32]) {
        const CHUNK: usize = 16;
        let (dst_chunks, dst_tail) = dst.as_chunks_mut::<CHUNK>();
        let (src_chunks, src_tail) = src.as_chunks::<CHUNK>();
        for (dst, src) in dst_chunks.iter_mut().zip(src_chunks) {
            let integers = src.map(to_i24);
            for (d, x) in dst.iter_mut().zip(integers) {
                *d = low_bytes(x);
            }
        }
        for (d, s) in dst_tail.iter_mut().zip(src_tail) {
            *d = low_bytes(to_i24(*s));
        }
    }

    #[inline(always)]
    pub(crate) fn i32_from_f32(self, dst: &mut [i32], src: &[f32]) {
        for (d, s) in dst.iter_mut().zip(src) {
            *d = to_i32(*s);
        }
    }
}

/// `x * 2^23`, rounded and limited to 24 bits.
#[inline(always)]
fn to_i24(x: f32) -> i32 {
    let x = limit(x * TWO_23, -TWO_23, TWO_23 - 1.0);
    let magnitude = ((x.abs() + TWO_23).to_bits() - TWO_23.to_bits()).cast_signed();
    let sign = x.to_bits().cast_signed() >> 31;
    (magnitude ^ sign) - sign
}

#[inline(always)]
fn low_bytes(x: i32) -> [u8; 3] {
    let [low, middle, high, _] = x.to_le_bytes();
    [low, middle, high]
}

/// `x * 2^31`, rounded and limited to 32 bits.
#[inline(always)]
fn to_i32(x: f32) -> i32 {
    let x = limit(x * TWO_31, -TWO_31, TWO_31);
    // From 2^23 on there is no fraction.
    let magnitude = x.abs();
    let rounded = (magnitude + TWO_23) - TWO_23;
    let whole = if magnitude < TWO_23 {
        rounded
    } else {
        magnitude
    }
    .copysign(x);
    let above = whole >= TWO_31;
    // SAFETY: `limit` leaves no NaN and nothing below -2^31, which is an `i32`; 2^31 is replaced.
    // The checks of `as` would keep LLVM from vectorising.
    let integer = unsafe { (if above { 0.0 } else { whole }).to_int_unchecked::<i32>() };
    if above { i32::MAX } else { integer }
}

/// Limits `x` to `low..=high`; NaN becomes 0.
#[inline(always)]
fn limit(x: f32, low: f32, high: f32) -> f32 {
    let number = if x.is_nan() { 0.0 } else { x };
    let raised = if number > low { number } else { low };
    if raised < high { raised } else { high }
}
