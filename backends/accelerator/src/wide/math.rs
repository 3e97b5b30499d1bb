//! Exponential functions, as [`crate::generic`] computes them.

use std::f32::consts::{LN_2, LOG2_E};

use super::walk::{Rest, map};
use crate::generic::{EXP, EXP_LIMITS, LN, LN_2_HIGH, LN_2_LOW, ROUND, TANH_LIMIT};
use crate::simd::Vectors;

#[inline(always)]
pub(crate) fn exp<V: Vectors>(v: V, data: &mut [f32]) {
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
pub(crate) fn ln<V: Vectors>(v: V, data: &mut [f32]) {
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
fn exp_of<V: Vectors>(v: V, x: V::F32) -> V::F32 {
    let (low, high) = EXP_LIMITS;
    let x = v.lesser(v.greater(x, v.splat(low)), v.splat(high));
    let sum = v.mul_add(x, v.splat(LOG2_E), v.splat(ROUND));
    let whole = v.add(sum, v.splat(-ROUND));
    let r = v.mul_add(whole, v.splat(-LN_2_HIGH), x);
    let r = v.mul_add(whole, v.splat(-LN_2_LOW), r);
    let y = v.mul_add(polynomial(v, EXP, r), v.mul(r, r), r);
    v.scale_by_power(v.add(y, v.splat(1.0)), sum)
}

#[inline(always)]
fn tanh_of<V: Vectors>(v: V, x: V::F32) -> V::F32 {
    let size = v.lesser(v.abs(x), v.splat(TANH_LIMIT));
    let sum = v.mul_add(size, v.splat(2.0 * LOG2_E), v.splat(ROUND));
    let whole = v.add(sum, v.splat(-ROUND));
    let r = v.mul_add(whole, v.splat(-LN_2), v.add(size, size));
    let less_one = v.mul_add(polynomial(v, EXP, r), v.mul(r, r), r);
    let power = v.power(sum);
    let e = v.mul_add(less_one, power, v.add(power, v.splat(-1.0)));
    v.copy_sign(v.div(e, v.add(e, v.splat(2.0))), x)
}

#[inline(always)]
fn ln_of<V: Vectors>(v: V, x: V::F32) -> V::F32 {
    let [mantissa, e] = v.split(x);
    let f = v.add(mantissa, v.splat(-1.0));
    let square = v.mul(f, f);
    let y = v.mul(e, v.splat(LN_2_LOW));
    let y = v.mul_add(polynomial(v, LN, f), v.mul(f, square), y);
    let y = v.mul_add(square, v.splat(-0.5), y);
    v.mul_add(e, v.splat(LN_2_HIGH), v.add(f, y))
}

#[inline(always)]
fn polynomial<V: Vectors, const N: usize>(v: V, coefficients: [f32; N], x: V::F32) -> V::F32 {
    let mut y = v.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        y = v.mul_add(y, x, v.splat(*coefficient));
    }
    y
}
