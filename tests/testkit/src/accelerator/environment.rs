//! What of the floating-point unit a trial can see.

use std::hint::black_box;

use crate::{Outcome, check};

/// Fails if this thread no longer rounds to nearest, or flushes denormal numbers to zero.
pub(super) fn unchanged() -> Outcome {
    let above = black_box(1.0_f32) + black_box(0.75 * f32::EPSILON);
    let below = black_box(1.0_f32) + black_box(0.25 * f32::EPSILON);
    let symmetric = black_box(-1.0_f32) - black_box(0.75 * f32::EPSILON) == -above;
    let nearest = symmetric && above == 1.0 + f32::EPSILON && below == 1.0;
    check(nearest, || "the rounding mode was left changed".to_owned())?;
    let made = black_box(f32::MIN_POSITIVE) * black_box(0.5);
    let read = black_box(f32::from_bits(1)) * black_box(1e30);
    check(made > 0.0 && read > 0.0, || {
        "denormal numbers were left switched off".to_owned()
    })
}
