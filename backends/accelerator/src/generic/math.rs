//! Exponential functions: reduced to a short interval, and there a polynomial.
//!
//! The coefficients of `exp` and `ln` are those of Cephes (Moshier, `expf.c` and `logf.c`). Each is
//! the first factor of all that follow it.

use std::f32::consts::{LN_2, LOG2_E, SQRT_2};

use super::Generic;
use crate::arithmetic::Arithmetic;

/// `(exp(r) - 1 - r) / r^2` for `r` within half of ln 2, from the highest power down.
const EXP: [f32; 6] = [
    1.987_569_1e-4,
    1.398_2e-3,
    8.333_452e-3,
    4.166_579_6e-2,
    1.666_666_5e-1,
    0.5,
];

/// `(ln(1 + f) - f + f^2 / 2) / f^3` for `1 + f` from the root of 1/2 to that of 2, likewise.
const LN: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_9e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_5e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];

/// ln 2 in two parts: the first has so few bits that its product with an exponent is exact.
pub(crate) const LN_2_HIGH: f32 = 0.693_115_23;
pub(crate) const LN_2_LOW: f32 = 3.194_618_3e-5;

/// The sum of a number up to 2^22 and this is that number rounded to an integer, in its lowest bits.
pub(crate) const ROUND: f32 = 1.5 * 8_388_608.0;

/// Where `exp` has long become infinite, and where it has become 0.
pub(crate) const EXP_LIMITS: (f32, f32) = (-105.0, 89.0);

/// Where `tanh` has become 1.
pub(crate) const TANH_LIMIT: f32 = 9.1;

/// The bits of the least number whose exponent is counted as that of 1: the root of 1/2.
const ROOT: i32 = (0.5 * SQRT_2).to_bits().cast_signed();

impl<A: Arithmetic> Generic<A> {
    #[inline(always)]
    pub(crate) fn exp(self, data: &mut [f32]) {
        for x in data {
            *x = exp(self.0, *x);
        }
    }

    #[inline(always)]
    pub(crate) fn tanh(self, data: &mut [f32]) {
        for x in data {
            *x = tanh(self.0, *x);
        }
    }

    #[inline(always)]
    pub(crate) fn ln(self, data: &mut [f32]) {
        for x in data {
            *x = ln(self.0, *x);
        }
    }
}

#[inline(always)]
fn exp<A: Arithmetic>(a: A, x: f32) -> f32 {
    let (low, high) = EXP_LIMITS;
    let raised = if x < low { low } else { x };
    let x = if raised > high { high } else { raised };

    let sum = a.mul_add(x, LOG2_E, ROUND);
    let whole = sum - ROUND;
    let r = a.mul_add(whole, -LN_2_LOW, a.mul_add(whole, -LN_2_HIGH, x));
    let y = a.mul_add(polynomial(a, EXP, r), r * r, r) + 1.0;
    // In two steps: the power of two may itself be out of range.
    let exponent = integer(sum);
    let half = exponent >> 1;
    y * power(half) * power(exponent.wrapping_sub(half))
}

#[inline(always)]
fn tanh<A: Arithmetic>(a: A, x: f32) -> f32 {
    let size = x.abs();
    let size = if size > TANH_LIMIT { TANH_LIMIT } else { size };

    // tanh(x) = e / (e + 2) with e = exp(2x) - 1, which keeps what is small.
    let sum = a.mul_add(size, 2.0 * LOG2_E, ROUND);
    let r = a.mul_add(sum - ROUND, -LN_2, 2.0 * size);
    let less_one = a.mul_add(polynomial(a, EXP, r), r * r, r);
    let power = power(integer(sum));
    let e = a.mul_add(less_one, power, power - 1.0);
    (e / (e + 2.0)).copysign(x)
}

#[inline(always)]
fn ln<A: Arithmetic>(a: A, x: f32) -> f32 {
    let denormal = x < f32::MIN_POSITIVE;
    let normal = if denormal { x * 8_388_608.0 } else { x };
    let bits = normal.to_bits().cast_signed();
    let exponent = bits.wrapping_sub(ROOT) >> 23;
    let f = f32::from_bits(bits.wrapping_sub(exponent << 23).cast_unsigned()) - 1.0;
    let e = exponent as f32 - if denormal { 23.0 } else { 0.0 };

    let square = f * f;
    let y = a.mul_add(polynomial(a, LN, f), f * square, e * LN_2_LOW);
    let y = a.mul_add(square, -0.5, y);
    let y = a.mul_add(e, LN_2_HIGH, f + y);

    let y = if x < f32::INFINITY { y } else { x };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x == 0.0 { f32::NEG_INFINITY } else { y }
}

#[inline(always)]
fn polynomial<A: Arithmetic, const N: usize>(a: A, coefficients: [f32; N], x: f32) -> f32 {
    let mut y = coefficients[0];
    for coefficient in &coefficients[1..] {
        y = a.mul_add(y, x, *coefficient);
    }
    y
}

/// The integer in the lowest bits of a sum with [`ROUND`].
#[inline(always)]
fn integer(sum: f32) -> i32 {
    sum.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed()
}

/// Two to the power of an integer, if that is a normal number.
#[inline(always)]
fn power(exponent: i32) -> f32 {
    f32::from_bits((exponent.wrapping_add(127) << 23).cast_unsigned())
}
