//! Windows against their formulas.

use std::f64::consts::TAU;

use auralis_core::Window;

use super::{Tested, close, report};
use crate::Outcome;

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
        for len in [0, 1, 2, 3, 4, 5, 16, 17, 64, 1000, 4097] {
            let formula = |i: usize| {
                let a = TAU * i as f64 / (len - 1) as f64;
                a0 - a1 * a.cos() + a2 * (2.0 * a).cos() - a3 * (3.0 * a).cos()
            };
            let expected: Vec<f64> = match len {
                1 => vec![1.0],
                _ => (0..len).map(formula).collect(),
            };
            let mut found = vec![f32::NAN; len];
            accelerator.window(&mut found, window).map_err(report)?;
            let bound = 2.0 * f64::from(f32::EPSILON);
            close(&found, &expected, bound, || {
                format!("{window:?} of {len} samples")
            })?;
        }
    }
    Ok(())
}
