//! Fourier transforms against sums in double precision.

use std::f64::consts::TAU;
use std::rc::Rc;

use auralis_core::{Accelerator, Complex, ComplexFft, RealFft, Result};

use super::super::guarded::{refuses, written};
use super::super::remembered::remembered;
use super::super::samples::Sample;
use super::{Real, Tested, close, noise, refused, report};
use crate::{Effort, Outcome, check};

/// A precision in which the plans exist.
pub(super) trait Transformed: Real {
    fn complex(on: &dyn Accelerator, len: usize) -> Result<Box<dyn ComplexFft<Self>>>;
    fn real(on: &dyn Accelerator, len: usize) -> Result<Box<dyn RealFft<Self>>>;
}

impl Transformed for f32 {
    fn complex(on: &dyn Accelerator, len: usize) -> Result<Box<dyn ComplexFft<f32>>> {
        on.plan_complex_fft(len)
    }

    fn real(on: &dyn Accelerator, len: usize) -> Result<Box<dyn RealFft<f32>>> {
        on.plan_real_fft(len)
    }
}

impl Transformed for f64 {
    fn complex(on: &dyn Accelerator, len: usize) -> Result<Box<dyn ComplexFft<f64>>> {
        on.plan_complex_fft_f64(len)
    }

    fn real(on: &dyn Accelerator, len: usize) -> Result<Box<dyn RealFft<f64>>> {
        on.plan_real_fft_f64(len)
    }
}

/// Lengths that are summed up: all small ones, a prime, powers of two, and products.
fn lengths(subject: &Tested<'_>) -> Vec<usize> {
    match subject.effort {
        Effort::Quick => vec![1, 7, 64, 67, 130],
        Effort::Full => (1..=64).chain([97, 100, 128, 210, 257, 384, 509]).collect(),
    }
}

/// Lengths that are too long to be summed up in a moment.
fn long(subject: &Tested<'_>) -> &'static [usize] {
    subject.either(&[1024], &[1000, 1024, 4093, 4096, 12_288, 16_384])
}

/// What a plan makes of a copy of `data`.
fn transformed<T: Sample>(
    data: &[T],
    call: impl FnOnce(&mut [T]) -> Result<()>,
    what: impl Fn() -> String,
) -> std::result::Result<Vec<T>, String> {
    written(data, call).map_err(|e| format!("{}: {e}", what()))
}

/// `sum x[n] exp(sign 2πi kn/N)`.
fn transform(points: &[Complex<f64>], sign: f64) -> Vec<Complex<f64>> {
    let n = points.len();
    let circle = remembered::<f64, Vec<_>>("circle", [n, usize::from(sign > 0.0)], || {
        (0..n).map(|i| unit(sign * i as f64 / n as f64)).collect()
    });
    let bin = |k: usize| {
        let mut at = 0;
        points.iter().fold(Complex::default(), |sum, point| {
            let term = point * circle[at];
            // `k * i % n`, without a division.
            at += k;
            if at >= n {
                at -= n;
            }
            sum + term
        })
    };
    (0..n).map(bin).collect()
}

fn unit(turns: f64) -> Complex<f64> {
    Complex::from_polar(1.0, TAU * turns)
}

fn double<T: Real>(points: &[Complex<T>]) -> Vec<Complex<f64>> {
    points
        .iter()
        .map(|p| Complex::new(p.re.double(), p.im.double()))
        .collect()
}

fn rounded<T: Real>(points: &[Complex<f64>]) -> Vec<Complex<T>> {
    points
        .iter()
        .map(|p| Complex::new(T::of(p.re), T::of(p.im)))
        .collect()
}

fn complex_noise<T: Real>(seed: u64, len: usize) -> Vec<Complex<T>> {
    let parts = noise::<T>(seed, 2 * len);
    parts
        .chunks(2)
        .map(|part| Complex::new(part[0], part[1]))
        .collect()
}

/// The bound of the contract, for a transform of `n` points with this result.
fn bound<T: Real>(n: usize, result: &[Complex<f64>]) -> f64 {
    let largest = result.iter().fold(0.0, |max, x| x.norm_sqr().max(max));
    8.0 * (2.0 * n as f64).log2() * T::EPSILON * largest.sqrt()
}

fn close_points<T: Real>(
    found: &[Complex<T>],
    expected: &[Complex<f64>],
    bound: f64,
    what: impl Fn() -> String,
) -> Outcome {
    for (k, (found, expected)) in double(found).iter().zip(expected).enumerate() {
        let difference = found - expected;
        // No norm is larger than this one, which is the cheaper.
        if difference.l1_norm() <= bound {
            continue;
        }
        let error = difference.norm();
        check(error <= bound, || {
            let what = what();
            format!(
                "{what}: point {k} is {found}, expected {expected}: {error:e} off, over {bound:e}"
            )
        })?;
    }
    Ok(())
}

fn scaled(points: &[Complex<f64>]) -> Vec<Complex<f64>> {
    points.iter().map(|p| p / points.len() as f64).collect()
}

pub(super) fn complex<T: Transformed>(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for len in lengths(subject) {
        let mut plan = T::complex(&*accelerator, len).map_err(report)?;
        check(plan.len() == len, || {
            format!("a plan of {len} points says {}", plan.len())
        })?;
        let points = complex_noise::<T>(len as u64, len);
        let expected = remembered::<T, _>("complex, forward", [len, 0], || {
            transform(&double(&points), -1.0)
        });
        let what = || format!("forward, length {len}");
        let data = transformed(&points, |data| plan.forward(data), what)?;
        close_points(&data, &expected, bound::<T>(len, &expected), what)?;
        let expected = remembered::<T, _>("complex, inverse", [len, 0], || {
            scaled(&transform(&double(&points), 1.0))
        });
        let what = || format!("inverse, length {len}");
        let data = transformed(&points, |data| plan.inverse(data), what)?;
        close_points(&data, &expected, bound::<T>(len, &expected), what)?;
        for wrong in [0, len - 1, len + 1, 2 * len]
            .into_iter()
            .filter(|&wrong| wrong != len)
        {
            let before = complex_noise::<T>(1, wrong);
            let what = || format!("{wrong} points for a plan of {len}");
            refuses(what, &before, |data| plan.forward(data))?;
            refuses(what, &before, |data| plan.inverse(data))?;
        }
    }
    for &len in long(subject) {
        let mut plan = T::complex(&*accelerator, len).map_err(report)?;
        let points = complex_noise::<T>(len as u64, len);
        let what = || format!("there and back, length {len}");
        let data = transformed(&points, |data| plan.forward(data), what)?;
        let data = transformed(&data, |data| plan.inverse(data), what)?;
        let points = double(&points);
        close_points(&data, &points, 2.0 * bound::<T>(len, &points), what)?;
        let mut impulse = vec![Complex::new(T::of(0.0), T::of(0.0)); len];
        impulse[5].re = T::of(1.0);
        let what = || format!("an impulse, length {len}");
        let data = transformed(&impulse, |data| plan.forward(data), what)?;
        let expected = turns(len);
        close_points(&data, &expected, bound::<T>(len, &expected), what)?;
    }
    refused(T::complex(&*accelerator, 0), || {
        "a plan of no points".into()
    })?;
    refused(T::complex(&*accelerator, usize::MAX), || {
        "a plan of usize::MAX points".into()
    })
}

/// The transform of an impulse at sample 5.
fn turns(len: usize) -> Rc<Vec<Complex<f64>>> {
    remembered::<f64, _>("turns", [len, 0], || {
        let turn = |k| unit(-((5 * k % len) as f64) / len as f64);
        (0..len).map(turn).collect()
    })
}

/// The whole spectrum of a real signal, from its bins.
fn mirrored(bins: &[Complex<f64>], len: usize) -> Vec<Complex<f64>> {
    let whole = |k: usize| {
        if k < bins.len() {
            bins[k]
        } else {
            bins[len - k].conj()
        }
    };
    let mut spectrum: Vec<_> = (0..len).map(whole).collect();
    spectrum[0].im = 0.0;
    if len.is_multiple_of(2) {
        spectrum[len / 2].im = 0.0;
    }
    spectrum
}

pub(super) fn real<T: Transformed>(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for len in lengths(subject) {
        let mut plan = T::real(&*accelerator, len).map_err(report)?;
        let bins = len / 2 + 1;
        check((plan.len(), plan.bins()) == (len, bins), || {
            format!(
                "a plan of {len} samples says {}, and {} bins",
                plan.len(),
                plan.bins()
            )
        })?;
        let samples = noise::<T>(len as u64, len);
        let expected = remembered::<T, _>("real, forward", [len, 0], || {
            let wide: Vec<_> = samples.iter().map(|x| Complex::from(x.double())).collect();
            transform(&wide, -1.0)
        });
        let what = || format!("forward, length {len}");
        let untouched = rounded::<T>(&vec![Complex::new(9.0, 9.0); bins]);
        let spectrum = transformed(&untouched, |dst| plan.forward(dst, &samples), what)?;
        close_points(&spectrum, &expected, bound::<T>(len, &expected), what)?;

        // Bins 0 and N / 2 have an imaginary part here, which must not count.
        let spectrum = complex_noise::<T>(len as u64, bins);
        let points = remembered::<T, _>("real, inverse", [len, 0], || {
            scaled(&transform(&mirrored(&double(&spectrum), len), 1.0))
        });
        let expected: Vec<_> = points.iter().map(|p| p.re).collect();
        let what = || format!("inverse, length {len}");
        let untouched = vec![T::of(9.0); len];
        let output = transformed(&untouched, |dst| plan.inverse(dst, &spectrum), what)?;
        close(&output, &expected, bound::<T>(len, &points), what)?;
        lengths_that_differ(&mut *plan, bins, len)?;
    }
    for &len in long(subject) {
        let mut plan = T::real(&*accelerator, len).map_err(report)?;
        let samples = noise::<T>(len as u64, len);
        let what = || format!("there and back, length {len}");
        let empty = rounded::<T>(&vec![Complex::default(); plan.bins()]);
        let untouched = vec![T::of(9.0); len];
        let spectrum = transformed(&empty, |dst| plan.forward(dst, &samples), what)?;
        let output = transformed(&untouched, |dst| plan.inverse(dst, &spectrum), what)?;
        let expected: Vec<_> = samples.iter().map(|x| x.double()).collect();
        let points: Vec<_> = expected.iter().map(|&x| x.into()).collect();
        close(&output, &expected, 2.0 * bound::<T>(len, &points), what)?;
        let mut impulse = vec![T::of(0.0); len];
        impulse[5] = T::of(1.0);
        let what = || format!("an impulse, length {len}");
        let spectrum = transformed(&empty, |dst| plan.forward(dst, &impulse), what)?;
        let expected = &turns(len)[..plan.bins()];
        close_points(&spectrum, expected, bound::<T>(len, expected), what)?;
    }
    refused(T::real(&*accelerator, 0), || "a plan of no samples".into())?;
    refused(T::real(&*accelerator, usize::MAX), || {
        "a plan of usize::MAX samples".into()
    })
}

fn lengths_that_differ<T: Real>(plan: &mut dyn RealFft<T>, bins: usize, len: usize) -> Outcome {
    let wrong = [
        (bins, len + 1),
        (bins, len - 1),
        (bins + 1, len),
        (bins - 1, len),
        (0, 0),
    ];
    for (bins, samples) in wrong {
        let spectrum = complex_noise::<T>(1, bins);
        let output = noise::<T>(1, samples);
        let what = || format!("{bins} bins and {samples} samples for a plan of {len}");
        refuses(what, &spectrum, |dst| plan.forward(dst, &output))?;
        refuses(what, &output, |dst| plan.inverse(dst, &spectrum))?;
    }
    Ok(())
}
