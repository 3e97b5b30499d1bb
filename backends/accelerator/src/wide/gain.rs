//! Gains and sums.

use super::walk::map;
use crate::simd::Vectors;

#[inline(always)]
pub(crate) fn scale<V: Vectors>(v: V, data: &mut [f32], gain: f32) {
    let gain = v.splat(gain);
    map(
        v,
        data,
        [],
        false,
        #[inline(always)]
        |x, []| v.mul(x, gain),
    );
}

#[inline(always)]
pub(crate) fn add<V: Vectors>(v: V, dst: &mut [f32], src: &[f32]) {
    map(
        v,
        dst,
        [src],
        false,
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
        false,
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
        false,
        #[inline(always)]
        |d, [s]| v.mul(d, s),
    );
}

#[inline(always)]
pub(crate) fn clip<V: Vectors>(v: V, data: &mut [f32], low: f32, high: f32) {
    let (low, high) = (v.splat(low), v.splat(high));
    map(
        v,
        data,
        [],
        false,
        #[inline(always)]
        |x, []| v.lesser(v.greater(x, low), high),
    );
}
