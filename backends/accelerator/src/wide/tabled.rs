//! Exponential functions with tables of sixteen numbers: what is left for a polynomial is so short an
//! interval that half the terms suffice.
//!
//! The coefficients are found as those of [`super::math`].

use std::f32::consts::{LN_2, LOG2_E, SQRT_2};

use super::math::polynomial;
use super::walk::{Rest, map};
use crate::generic::{EXP_LIMITS, LN_2_HIGH, LN_2_LOW, ROUND};
use crate::simd::Tables;

/// The sum of a number up to 2^18 and this is that number rounded to sixteenths, which are its lowest
/// bits.
const SIXTEENTHS: f32 = ROUND / 16.0;

/// Two to the power of each sixteenth.
const POWERS: [f32; 16] = [
    1.0,
    1.044_273_7,
    1.090_507_7,
    1.138_788_6,
    1.189_207_1,
    1.241_857_8,
    1.296_839_6,
    1.354_255_6,
    SQRT_2,
    1.476_826_2,
    1.542_210_8,
    1.610_490_3,
    1.681_792_9,
    1.756_252_2,
    1.834_008_1,
    1.915_206_6,
];

/// `(exp(r) - 1) / r` for `r` within a 32nd of ln 2: within 0.02 ε of `exp(r)`.
const EXP_LESS_ONE: [f32; 3] = [0.166_667_18, 0.500_016_15, 1.0];

/// For a mantissa from 0.75 to 1.5, by its four highest bits: nearly the inverse of the middle of where
/// these are the same, and 1 on both sides of 1. Each is chosen so that its logarithm is next to a
/// number.
const INVERSES: [f32; 16] = [
    1.0,
    0.914_179_27,
    0.864_982_55,
    0.820_661_07,
    0.780_449_15,
    0.744_031_6,
    0.711_086_3,
    0.681_020_5,
    1.306_144_6,
    1.254_705_2,
    1.207_589_5,
    1.163_535_4,
    1.122_914_1,
    1.084_562_8,
    1.049_214_7,
    1.0,
];

/// The logarithms of what these are the inverses of; below 1 that of 2 more, because the exponent is that
/// of a mantissa from 1.
const LOGARITHMS: [f32; 16] = [
    0.0,
    0.089_728_594,
    0.145_045_95,
    0.197_645_08,
    0.247_885_69,
    0.295_671_76,
    0.340_961_52,
    0.384_162_87,
    0.426_067_44,
    0.466_246_55,
    0.504_520_95,
    0.541_684_1,
    0.577_22,
    0.611_970_25,
    0.645_105_2,
    LN_2,
];

/// `(ln(1 + r) - r) / r^2` for `r` from -1/32 to 1/16: within 0.03 ε of the logarithm.
const LN: [f32; 4] = [0.188_460_34, -0.250_061_04, 0.333_344_52, -0.5];

#[inline(always)]
pub(crate) fn exp<V: Tables>(v: V, data: &mut [f32]) {
    map(
        v,
        data,
        [],
        Rest::AtOnce,
        #[inline(always)]
        |x, []| exp_of(v, x),
    );
}

#[inline(always)]
pub(crate) fn ln<V: Tables>(v: V, data: &mut [f32]) {
    map(
        v,
        data,
        [],
        Rest::AtOnce,
        #[inline(always)]
        |x, []| ln_of(v, x),
    );
}

#[inline(always)]
fn exp_of<V: Tables>(v: V, x: V::F32) -> V::F32 {
    let x = v.greater(x, v.splat(EXP_LIMITS.0));
    let sum = v.mul_add(x, v.splat(LOG2_E), v.splat(SIXTEENTHS));
    let power = v.add(sum, v.splat(-SIXTEENTHS));
    let r = v.mul_add(power, v.splat(-LN_2_HIGH), x);
    let r = v.mul_add(power, v.splat(-LN_2_LOW), r);
    let sixteenth = v.pick(&POWERS, sum);
    let y = v.mul_add(
        v.mul(polynomial(v, EXP_LESS_ONE, r), r),
        sixteenth,
        sixteenth,
    );
    // Far beyond the range `r` is no longer small, and its cube may be less than -1.
    v.scale_by_floor(v.abs(y), power)
}

#[inline(always)]
fn ln_of<V: Tables>(v: V, x: V::F32) -> V::F32 {
    let [mantissa, highest, exponent] = v.dissect(x);
    let r = v.mul_add(mantissa, v.pick(&INVERSES, highest), v.splat(-1.0));
    let y = v.mul_add(polynomial(v, LN, r), v.mul(r, r), r);
    let whole = v.mul_add(exponent, v.splat(LN_2), v.pick(&LOGARITHMS, highest));
    v.add(whole, y)
}
