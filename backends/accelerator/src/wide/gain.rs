//! Gains and sums.

use super::walk::{Rest, map, mend};
use crate::generic::Generic;
use crate::simd::Vectors;

#[inline(always)]
pub(crate) fn scale<V: Vectors>(v: V, data: &mut [f32], gain: f32) {
    let gain = v.splat(gain);
    map(
        v,
        data,
        [],
        Rest::InParts,
        #[inline(always)]
        |x, []| v.mul(x, gain),
    );
}

#[inline(always)]
pub(crate) fn channel_gains<V: Vectors>(v: V, interleaved: &mut [f32], gains: &[f32]) {
    match *gains {
        [gain] => scale(v, interleaved, gain),
        [left, right] => {
            let gains = v.splat_two([left, right]);
            map(
                v,
                interleaved,
                [],
                Rest::InParts,
                #[inline(always)]
                |x, []| v.mul(x, gains),
            );
        }
        _ => Generic::<V::Arithmetic>::default().channel_gains(interleaved, gains),
    }
}

#[inline(always)]
pub(crate) fn add<V: Vectors>(v: V, dst: &mut [f32], src: &[f32]) {
    map(
        v,
        dst,
        [src],
        Rest::InParts,
        #[inline(always)]
        |d, [s]| v.add(d, s),
    );
}

#[inline(always)]
pub(crate) fn mix<V: Vectors>(v: V, dst: &mut [f32], src: &[f32], gain: f32) {
    let gain = v.splat(gain);
    map(
        v,
        dst,
        [src],
        Rest::InParts,
        #[inline(always)]
        |d, [s]| v.mul_add(s, gain, d),
    );
}

#[inline(always)]
pub(crate) fn mul<V: Vectors>(v: V, dst: &mut [f32], src: &[f32]) {
    map(
        v,
        dst,
        [src],
        Rest::InParts,
        #[inline(always)]
        |d, [s]| v.mul(d, s),
    );
}

/// More than the first cache holds beside other data.
pub(crate) const LONG: usize = 8192;

#[inline(always)]
pub(crate) fn clip<V: Vectors>(v: V, data: &mut [f32], low: f32, high: f32) {
    let (low, high) = (v.splat(low), v.splat(high));
    if data.len() < LONG || v.halves() {
        map(
            v,
            data,
            [],
            Rest::InParts,
            #[inline(always)]
            |x, []| limited(v, x, low, high),
        );
    } else {
        mend(
            v,
            data,
            #[inline(always)]
            |x| limited(v, x, low, high),
        );
    }
}

#[inline(always)]
fn limited<V: Vectors>(v: V, x: V::F32, low: V::F32, high: V::F32) -> V::F32 {
    v.lesser(v.greater(x, low), high)
}
