//! Windows against their formulas.

use std::f64::consts::TAU;

use auralis_core::Window;

use super::super::guarded::written;
use super::super::remembered::remembered;
use super::{Tested, close};
use crate::Outcome;

const LENGTHS: [usize; 11] = [0, 1, 2, 3, 4, 5, 16, 17, 64, 1000, 4097];

pub(super) fn matches_the_formula(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let windows = [
        Window::Hann,
        Window::Hamming,
        Window::Blackman,
        Window::BlackmanHarris,
    ];
    for window in windows {
        let [a0, a1, a2, a3] = window.coefficients();
        for &len in subject.either(&[0, 1, 7, 31, 64, 67][..], &LENGTHS) {
            let formula = |i: usize| {
                let a = TAU * i as f64 / (len - 1) as f64;
                a0 - a1 * a.cos() + a2 * (2.0 * a).cos() - a3 * (3.0 * a).cos()
            };
            let expected =
                remembered::<f32, Vec<f64>>("window", [window as usize, len], || match len {
                    1 => vec![1.0],
                    _ => (0..len).map(formula).collect(),
                });
            let what = || format!("{window:?}, length {len}");
            let found = written(&vec![f32::NAN; len], |dst| accelerator.window(dst, window))
                .map_err(|e| format!("{}: {e}", what()))?;
            let bound = 2.0 * f64::from(f32::EPSILON);
            close(&found, &expected, bound, what)?;
        }
    }
    Ok(())
}
