//! Moving root mean squares against sums over each window.

use auralis_core::Accelerator;

use super::super::guarded::{refuses, written};
use super::{Real, Tested, noise, refused};
use crate::{Outcome, check};

const WINDOWS: [usize; 13] = [1, 2, 3, 5, 16, 31, 63, 64, 100, 129, 256, 999, 1000];

/// A precision in which the kernel exists.
pub(super) trait Rms: Real {
    fn moving_rms(
        on: &dyn Accelerator,
        dst: &mut [Self],
        src: &[Self],
        window: usize,
    ) -> auralis_core::Result<()>;

    /// The bound, relative to the value.
    fn bound(window: usize) -> f64;
}

impl Rms for f32 {
    fn moving_rms(
        on: &dyn Accelerator,
        dst: &mut [f32],
        src: &[f32],
        window: usize,
    ) -> auralis_core::Result<()> {
        on.moving_rms(dst, src, window)
    }

    fn bound(_: usize) -> f64 {
        4.0 * <f32 as Real>::EPSILON
    }
}

impl Rms for f64 {
    fn moving_rms(
        on: &dyn Accelerator,
        dst: &mut [f64],
        src: &[f64],
        window: usize,
    ) -> auralis_core::Result<()> {
        on.moving_rms_f64(dst, src, window)
    }

    fn bound(window: usize) -> f64 {
        (window + 4) as f64 * <f64 as Real>::EPSILON
    }
}

fn naive<T: Real>(window: &[T]) -> f64 {
    let sum: f64 = window.iter().map(|x| x.double() * x.double()).sum();
    (sum / window.len() as f64).sqrt()
}

fn averaged<T: Rms>(on: &dyn Accelerator, src: &[T], window: usize) -> Result<Vec<T>, String> {
    let before = vec![T::of(f64::NAN); src.len() - window + 1];
    written(&before, |dst| T::moving_rms(on, dst, src, window))
        .map_err(|e| format!("window {window}, length {}: {e}", src.len()))
}

fn compare<T: Rms>(on: &dyn Accelerator, src: &[T], window: usize) -> Outcome {
    let found = averaged(on, src, window)?;
    for (i, (found, stretch)) in found.iter().zip(src.windows(window)).enumerate() {
        let expected = naive(stretch);
        let error = (found.double() - expected).abs();
        let right =
            error <= T::bound(window) * expected || (found.double().is_nan() && expected.is_nan());
        check(right, || {
            let len = src.len();
            format!("window {window}, length {len}: sample {i} is {found:?}, expected {expected:?}")
        })?;
    }
    Ok(())
}

pub(super) fn matches_the_sums<T: Rms>(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for &len in subject.either(&[1, 7, 67, 130][..], &[1, 2, 3, 7, 64, 100, 257, 1000]) {
        let src = noise::<T>(len as u64, len);
        for &window in subject.either(&[1, 3, 31, 64][..], &WINDOWS) {
            if window <= len {
                compare(&*accelerator, &src, window)?;
            }
        }
    }
    let src = noise::<T>(1, 8);
    for (window, dst) in [(0, 9), (0, 8), (9, 0), (3, 5), (3, 7), (8, 0)] {
        refuses(
            || format!("window {window} over 8 samples into {dst}"),
            &vec![T::of(7.0); dst],
            |dst| T::moving_rms(&*accelerator, dst, &src, window),
        )?;
    }
    refused(T::moving_rms(&*accelerator, &mut [], &[], 1), || {
        "no signal".into()
    })
}

pub(super) fn is_sound<T: Rms>(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for window in [1, 4, 50, 300] {
        // Loud noise, and a tail 200 dB below it.
        let mut src = noise::<T>(3, 900);
        for x in &mut src[..400] {
            *x = T::of(x.double() * 1e4);
        }
        for x in &mut src[400..] {
            *x = T::of(x.double() * 1e-6);
        }
        compare(&*accelerator, &src, window)?;
        for spoilt in [f64::NAN, f64::INFINITY] {
            let mut src = noise::<T>(4, 900);
            src[350] = T::of(spoilt);
            let found = averaged(&*accelerator, &src, window)?;
            for (i, x) in found.iter().enumerate() {
                let holds_it = (i..i + window).contains(&350);
                check(x.double().is_finite() != holds_it, || {
                    format!("window {window}, {spoilt} at 350: sample {i} is {x:?}")
                })?;
            }
        }
    }
    Ok(())
}
