//! Between integers and floating point.
//!
//! Rounding to nearest even is done by adding a number so large that the fraction has no room left:
//! that needs no instruction beyond addition. See "Rounding to integers" in the Bit Twiddling
//! literature: Knuth, The Art of Computer Programming 2, section 4.2.2, exercise on fix by addition.

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
        for (d, &[low, middle, high]) in dst.iter_mut().zip(src) {
            *d = i32::from_le_bytes([0, low, middle, high]) as f32 * (1.0 / TWO_31);
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
        for (d, s) in dst.iter_mut().zip(src) {
            let x = limit(*s * TWO_23, -TWO_23, TWO_23 - 1.0);
            let magnitude = ((x.abs() + TWO_23).to_bits() - TWO_23.to_bits()) as i32;
            let sign = (x.to_bits() as i32) >> 31;
            let [low, middle, high, _] = ((magnitude ^ sign) - sign).to_le_bytes();
            *d = [low, middle, high];
        }
    }

    #[inline(always)]
    pub(crate) fn i32_from_f32(self, dst: &mut [i32], src: &[f32]) {
        for (d, s) in dst.iter_mut().zip(src) {
            let x = *s * TWO_31;
            // From 2^23 on there is no fraction.
            let magnitude = x.abs();
            let rounded = (magnitude + TWO_23) - TWO_23;
            let whole = if magnitude < TWO_23 {
                rounded
            } else {
                magnitude
            };
            *d = whole.copysign(x) as i32;
        }
    }
}

/// Limits `x` to `low..=high`; NaN becomes 0.
#[inline(always)]
fn limit(x: f32, low: f32, high: f32) -> f32 {
    let number = if x.is_nan() { 0.0 } else { x };
    let raised = if number > low { number } else { low };
    if raised < high { raised } else { high }
}
