//! The trials of exponential functions.

use auralis_core::{Accelerator, Result};

use super::Tested;
use super::reference::{EPSILON, UNDERFLOW, exact, near};
use super::remembered::remembered;
use super::sweep::Sweep;
use crate::{Effort, Outcome};

trials! { tanh exp ln }

fn tanh(subject: Tested<'_>) -> Outcome {
    function(subject, "tanh", |a, data| a.tanh(data), f64::tanh)
}

fn exp(subject: Tested<'_>) -> Outcome {
    function(subject, "exp", |a, data| a.exp(data), f64::exp)
}

fn ln(subject: Tested<'_>) -> Outcome {
    function(subject, "ln", |a, data| a.ln(data), f64::ln)
}

/// Tests a function of single samples, within 2 ε of itself: in slices of any length, then all over the
/// numbers, then where such functions change their ways.
fn function(
    subject: Tested<'_>,
    name: &'static str,
    call: impl Fn(&dyn Accelerator, &mut [f32]) -> Result<()>,
    reference: fn(f64) -> f64,
) -> Outcome {
    let judge = |wanted: f64, got: f32| {
        if wanted == 0.0 {
            return exact(got, wanted as f32);
        }
        // Below the normal numbers there is no more than the step.
        let normal = wanted.abs() >= f64::from(f32::MIN_POSITIVE);
        let step = if normal { 0.0 } else { UNDERFLOW };
        near(got, wanted, 2.0 * EPSILON * wanted.abs() + step)
    };
    Sweep::of(subject).each(
        subject,
        |accelerator, data, []: [&[f32]; 0]| call(accelerator, data),
        |_, x, [], got| judge(reference(x.into()), got),
    )?;
    // Prime, so that the mantissas differ from one exponent to the next.
    let stride = match subject.effort {
        Effort::Quick => 1_048_583,
        Effort::Full => 16_411,
    };
    let values = remembered::<f32, Vec<f32>>("values", [stride, 0], || {
        let everywhere = (0..=u32::MAX).step_by(stride).map(f32::from_bits);
        everywhere.chain(turning_points()).collect()
    });
    let wanted = remembered::<f32, Vec<f64>>(name, [stride, 0], || {
        values.iter().map(|x| reference((*x).into())).collect()
    });
    let mut results = values.to_vec();
    let called = call(&*subject.instance()?, &mut results);
    called.map_err(|e| format!("length {}: failed: {}", values.len(), e.report()))?;
    for ((x, wanted), got) in values.iter().zip(&*wanted).zip(&results) {
        judge(*wanted, *got).map_err(|e| format!("of {x:?}: {e}"))?;
    }
    Ok(())
}

/// Where `exp` leaves the normal numbers and the range, where `tanh` reaches 1 and `ln` is 0, half-way
/// between two powers of two, and the ends of the number line: each with its neighbours, of either sign.
fn turning_points() -> impl Iterator<Item = f32> {
    let points = [
        0.0,
        f32::from_bits(1),
        f32::MIN_POSITIVE,
        0.346_573_6,
        std::f32::consts::LN_2,
        std::f32::consts::FRAC_1_SQRT_2,
        1.0,
        std::f32::consts::SQRT_2,
        9.010_913,
        9.1,
        87.336_55,
        88.722_84,
        103.278_93,
        103.972_08,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ];
    points.into_iter().flat_map(|x: f32| {
        let near = (-40..=40).map(move |n: i32| f32::from_bits(x.to_bits().wrapping_add_signed(n)));
        near.flat_map(|x| [x, -x])
    })
}
