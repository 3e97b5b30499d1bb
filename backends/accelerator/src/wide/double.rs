//! Gains in double precision: every sample goes the ways of single precision in the place of two.

use super::walk::{Rest, map};
use crate::generic::Generic;
use crate::simd::Vectors;

#[inline(always)]
pub(crate) fn scale_f64<V: Vectors>(v: V, data: &mut [f64], gain: f64) {
    alternate(v, data, [gain, gain]);
}

#[inline(always)]
pub(crate) fn channel_gains_f64<V: Vectors>(v: V, interleaved: &mut [f64], gains: &[f64]) {
    match *gains {
        [gain] => scale_f64(v, interleaved, gain),
        [left, right] => alternate(v, interleaved, [left, right]),
        _ => Generic::<V::Arithmetic>::default().channel_gains_f64(interleaved, gains),
    }
}

/// Multiplies even samples by the one and odd ones by the other.
#[inline(always)]
fn alternate<V: Vectors>(v: V, data: &mut [f64], gains: [f64; 2]) {
    let gains = v.splat_f64(gains);
    // SAFETY: as many bytes; any of them are a number of single precision, which needs less alignment.
    let halves =
        unsafe { std::slice::from_raw_parts_mut(data.as_mut_ptr().cast(), 2 * data.len()) };
    map(
        v,
        halves,
        [],
        Rest::InParts,
        #[inline(always)]
        |x, []| v.mul_f64(x, gains),
    );
}
