//! What a result must be: the same bits, or within a bound of a double-precision value.

use auralis_core::Complex;

use super::samples::Sample;

/// What is said of one result: nothing, or what was wanted instead.
pub(super) type Verdict = Result<(), String>;

/// ε of the contract.
pub(super) const EPSILON: f64 = f32::EPSILON as f64;

/// The smallest step of `f32`. A product below the normal range is rounded to a multiple of it: an
/// error that no bound relative to the product covers, so the bounds leave one step for each.
pub(super) const UNDERFLOW: f64 = 1.401_298_464_324_817e-45;

/// The same bits, the payloads of NaN aside.
pub(super) fn exact<T: Sample>(got: T, wanted: T) -> Verdict {
    verdict(got.same(wanted), || format!("{got:?}, expected {wanted:?}"))
}

/// The same value: the sign of a zero is free.
pub(super) fn equal(got: f32, wanted: f32) -> Verdict {
    let same = got == wanted || (got.is_nan() && wanted.is_nan());
    verdict(same, || format!("{got:?}, expected {wanted:?}"))
}

/// Within `bound` of `wanted`. Where the two together leave the range of `f32`, infinity will do.
pub(super) fn near(got: f32, wanted: f64, bound: f64) -> Verdict {
    let value = f64::from(got);
    let holds = if wanted.is_nan() || wanted.is_infinite() {
        value == wanted || (value.is_nan() && wanted.is_nan())
    } else {
        let furthest = wanted + bound.copysign(value);
        let overflows = furthest.abs() > f64::from(f32::MAX) && furthest.signum() == value.signum();
        (value - wanted).abs() <= bound || (value.is_infinite() && overflows)
    };
    verdict(holds, || {
        format!("{got:?}, expected {wanted:?} within {bound:e}")
    })
}

/// Both parts within `bound`.
pub(super) fn near_complex(got: Complex<f32>, wanted: Complex<f64>, bound: f64) -> Verdict {
    // A magnitude that is not a number bounds nothing.
    if bound.is_nan() {
        return Ok(());
    }
    near(got.re, wanted.re, bound).map_err(|e| format!("{e} (real part)"))?;
    near(got.im, wanted.im, bound).map_err(|e| format!("{e} (imaginary part)"))
}

/// In double precision.
pub(super) fn wide(x: Complex<f32>) -> Complex<f64> {
    Complex {
        re: x.re.into(),
        im: x.im.into(),
    }
}

/// The magnitude of what was single precision: its square is finite and normal in double precision.
pub(super) fn norm(x: Complex<f64>) -> f64 {
    let square = x.norm_sqr();
    // One infinite part is enough, whatever the other one is.
    if square.is_finite() {
        square.sqrt()
    } else {
        x.norm()
    }
}

/// `x * 2^bits` to nearest even, limited to the integers of `bits + 1` bits; 0 for NaN. Exact: the
/// product and the limits are whole in double precision.
pub(super) fn integer(x: f32, bits: i32) -> i32 {
    let limit = f64::from(bits).exp2();
    (f64::from(x) * limit)
        .round_ties_even()
        .clamp(-limit, limit - 1.0) as i32
}

fn verdict(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_bound() {
        assert!(near(1.0, 1.0 + 1e-8, 1e-7).is_ok());
        assert!(near(1.0, 1.0 + 1e-6, 1e-7).is_err());
        assert!(near(f32::NAN, 1.0, 1e-7).is_err());
        assert!(near(1.0, f64::NAN, 1e-7).is_err());
        assert!(near(f32::INFINITY, 1.0, 1e-7).is_err());
        assert!(near(f32::INFINITY, f64::NEG_INFINITY, f64::INFINITY).is_err());
        assert!(near(f32::INFINITY, 4e38, 1e30).is_ok());
        assert!(near(f32::NEG_INFINITY, 4e38, 1e30).is_err());
        assert!(near(f32::NEG_INFINITY, 1.0, 1e39).is_ok());
        assert!(equal(0.0, -0.0).is_ok() && exact(0.0_f32, -0.0).is_err());
    }

    #[test]
    fn ties_go_to_the_even_integer() {
        let tie = |k: f32| integer((k + 0.5) / 32_768.0, 15);
        assert_eq!([tie(0.0), tie(1.0), tie(-1.0), tie(-2.0)], [0, 2, 0, -2]);
        assert_eq!(
            [integer(1.0, 15), integer(-2.0, 15), integer(f32::NAN, 15)],
            [32_767, -32_768, 0]
        );
    }
}
