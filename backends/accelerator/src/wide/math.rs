//! Exponential functions: reduced to a short interval, and there a polynomial.
//!
//! The products are fused, so that polynomials need not keep their first terms apart as those of
//! [`crate::generic`] do, and fewer terms suffice. The coefficients are those of the least greatest
//! relative error (Lawson's algorithm), rounded; each is the first factor of all that follow it.

use std::f32::consts::{LN_2, LOG2_E};

use super::walk::{Rest, map};
use crate::generic::{EXP_LIMITS, LN_2_HIGH, LN_2_LOW, ROUND, TANH_LIMIT};
use crate::simd::{Exponents, Vectors};

/// `exp(r)` for `r` within half of ln 2: within 0.04 ε.
const EXP: [f32; 7] = [
    0.001_381_459_9,
    0.008_368_717,
    0.041_668_39,
    0.166_665_21,
    0.499_999_94,
    1.0,
    1.0,
];

/// As [`ROUND`], and the lowest bits are those of the exponent of two to that power.
const BIASED: f32 = ROUND + 127.0;

/// `((exp(2 r) - 1) / 2 - r) / r^2` for `r` within a quarter of ln 2: within 0.15 ε of `exp(2 r) - 1`.
const EXP_LESS_ONE: [f32; 5] = [
    0.044_424_07,
    0.133_864_33,
    0.333_337_6,
    0.666_661_74,
    0.999_999_94,
];

/// `(ln(1 + f) - f) / f^2` for `1 + f` from 0.75 to 1.5: within 0.36 ε of the logarithm.
const LN: [f32; 8] = [
    0.055_597_23,
    -0.121_141_35,
    0.149_044_41,
    -0.167_888_18,
    0.199_823_2,
    -0.249_963_61,
    0.333_334_7,
    -0.5,
];

#[inline(always)]
pub(crate) fn exp<V: Exponents>(v: V, data: &mut [f32]) {
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
pub(crate) fn tanh<V: Vectors>(v: V, data: &mut [f32]) {
    map(
        v,
        data,
        [],
        Rest::AtOnce,
        #[inline(always)]
        |x, []| tanh_of(v, x),
    );
}

#[inline(always)]
pub(crate) fn ln<V: Exponents>(v: V, data: &mut [f32]) {
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
fn exp_of<V: Exponents>(v: V, x: V::F32) -> V::F32 {
    let (low, high) = EXP_LIMITS;
    let x = v.lesser(v.greater(x, v.splat(low)), v.splat(high));
    let sum = v.mul_add(x, v.splat(LOG2_E), v.splat(ROUND));
    let whole = v.add(sum, v.splat(-ROUND));
    let r = v.mul_add(whole, v.splat(-LN_2_HIGH), x);
    let r = v.mul_add(whole, v.splat(-LN_2_LOW), r);
    v.scale_by_power(polynomial(v, EXP, r), sum)
}

#[inline(always)]
fn tanh_of<V: Vectors>(v: V, x: V::F32) -> V::F32 {
    // tanh(x) = e / (e + 1) with e = (exp(2x) - 1) / 2, which keeps what is small.
    let size = v.lesser(v.abs(x), v.splat(TANH_LIMIT));
    let sum = v.mul_add(size, v.splat(2.0 * LOG2_E), v.splat(BIASED));
    let whole = v.add(sum, v.splat(-BIASED));
    let r = v.mul_add(whole, v.splat(-0.5 * LN_2), size);
    let part = v.mul_add(polynomial(v, EXP_LESS_ONE, r), v.mul(r, r), r);
    let power = v.power(sum);
    let rest = v.mul_add(power, v.splat(0.5), v.splat(-0.5));
    let e = v.mul_add(part, power, rest);
    v.copy_sign(v.ratio(e, v.add(e, v.splat(1.0))), x)
}

#[inline(always)]
fn ln_of<V: Exponents>(v: V, x: V::F32) -> V::F32 {
    let [mantissa, e] = v.split(x);
    let f = v.add(mantissa, v.splat(-1.0));
    let y = v.mul_add(polynomial(v, LN, f), v.mul(f, f), f);
    v.mul_add(e, v.splat(LN_2), y)
}

#[inline(always)]
pub(super) fn polynomial<V: Vectors, const N: usize>(
    v: V,
    coefficients: [f32; N],
    x: V::F32,
) -> V::F32 {
    let mut y = v.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        y = v.mul_add(y, x, v.splat(*coefficient));
    }
    y
}
