//! The trials of gains, sums, extremes and layouts.

use auralis_core::{Accelerator, Complex, Result};

use super::Tested;
use super::guarded::{Guarded, refuses};
use super::reference::{EPSILON, UNDERFLOW, Verdict, equal, exact, near, near_complex, norm, wide};
use super::samples::{Float, Noise, Palette};
use super::sweep::{Case, Sweep};
use crate::{Outcome, check};

trials! {
    scale ramp channel_gains add mix mul dot sum_squares peak min_max clip interleave deinterleave
    complex_mul complex_mul_add scale_f64 channel_gains_f64
}

const GAINS: [f64; 4] = [-1.7, 0.0, f64::INFINITY, f64::NAN];

fn scale(subject: Tested<'_>) -> Outcome {
    scale_by(subject, |accelerator, data, gain: f32| {
        accelerator.scale(data, gain)
    })
}

fn scale_f64(subject: Tested<'_>) -> Outcome {
    scale_by(subject, |accelerator, data, gain: f64| {
        accelerator.scale_f64(data, gain)
    })
}

fn scale_by<T: Float>(
    subject: Tested<'_>,
    call: impl Fn(&dyn Accelerator, &mut [T], T) -> Result<()>,
) -> Outcome {
    let sweep = Sweep::of(subject);
    for gain in GAINS.map(T::of) {
        sweep.each(
            subject,
            |accelerator, data, []: [&[T]; 0]| call(accelerator, data, gain),
            |_, x, [], got| exact(got, x * gain),
        )?;
    }
    Ok(())
}

fn ramp(subject: Tested<'_>) -> Outcome {
    let sweep = Sweep::of(subject);
    let huge = f32::MAX;
    for (from, to) in [
        (0.0, 1.0),
        (1.0, 0.0),
        (0.25, -1.5),
        (1.0, 1.0),
        (huge, -huge),
    ] {
        let steepest = f64::from(from).abs().max(f64::from(to).abs());
        sweep.each(
            subject,
            |accelerator, data, []: [&[f32]; 0]| accelerator.ramp(data, from, to),
            |at, x, [], got| {
                if !x.is_finite() {
                    return if got.is_finite() {
                        Err(format!("{got:?} of {x:?}"))
                    } else {
                        Ok(())
                    };
                }
                let (x, from, to) = (f64::from(x), f64::from(from), f64::from(to));
                let gain = from + (to - from) * at.index as f64 / at.len as f64;
                near(
                    got,
                    x * gain,
                    4.0 * EPSILON * x.abs() * steepest + UNDERFLOW,
                )
            },
        )?;
    }
    Ok(())
}

fn channel_gains(subject: Tested<'_>) -> Outcome {
    gains_by_channel(subject, |accelerator, data, gains: &[f32]| {
        accelerator.channel_gains(data, gains)
    })
}

fn channel_gains_f64(subject: Tested<'_>) -> Outcome {
    gains_by_channel(subject, |accelerator, data, gains: &[f64]| {
        accelerator.channel_gains_f64(data, gains)
    })
}

fn gains_by_channel<T: Float>(
    subject: Tested<'_>,
    call: impl Fn(&dyn Accelerator, &mut [T], &[T]) -> Result<()>,
) -> Outcome {
    for channels in [1, 2, 3, 6, 32, 33, 100] {
        let mut noise = Noise::new(channels as u64);
        let gains: Vec<T> = (0..channels)
            .map(|_| T::draw(&mut noise, Palette::Plain))
            .collect();
        Sweep::frames(subject, channels).each(
            subject,
            |accelerator, data, []: [&[T]; 0]| call(accelerator, data, &gains),
            |at, x, [], got| exact(got, x * gains[at.index % channels]),
        )?;
    }
    let accelerator = subject.instance()?;
    for (len, channels) in [(1, 2), (7, 3), (5, 0), (64, 65)] {
        let gains = vec![T::of(0.5); channels];
        refuses(
            || format!("length {len} with {channels} gains"),
            &vec![T::of(1.0); len],
            |data| call(&*accelerator, data, &gains),
        )?;
    }
    call(&*accelerator, &mut [], &[]).map_err(|e| format!("length 0: failed: {e}"))
}

fn add(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.add(dst, src),
        |_, d, [s], got| exact(got, d + s),
    )
}

fn mix(subject: Tested<'_>) -> Outcome {
    for gain in [-0.3_f32, 0.0, 1e15] {
        Sweep::of(subject).each(
            subject,
            |accelerator, dst, [src]: [&[f32]; 1]| accelerator.mix(dst, src, gain),
            |_, d, [s], got| {
                let (d, product) = (f64::from(d), f64::from(s) * f64::from(gain));
                near(
                    got,
                    d + product,
                    EPSILON * (d.abs() + product.abs()) + UNDERFLOW,
                )
            },
        )?;
    }
    Ok(())
}

fn mul(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.mul(dst, src),
        |_, d, [s], got| exact(got, d * s),
    )
}

fn clip(subject: Tested<'_>) -> Outcome {
    let infinity = f32::INFINITY;
    // Within (-1, 1) most samples stay as they are.
    for (low, high) in [
        (-0.5, 0.5),
        (-1.0, 1.0),
        (0.0, 0.25),
        (0.3, 0.3),
        (-0.0, infinity),
    ] {
        Sweep::of(subject).each(
            subject,
            |accelerator, data, []: [&[f32]; 0]| accelerator.clip(data, low, high),
            |_, x, [], got| equal(got, x.clamp(low, high)),
        )?;
    }
    let accelerator = subject.instance()?;
    for (low, high) in [(1.0, -1.0), (f32::NAN, 1.0), (0.0, f32::NAN)] {
        refuses(
            || format!("limits {low} and {high}"),
            &[3.0, -3.0],
            |data| accelerator.clip(data, low, high),
        )?;
    }
    Ok(())
}

fn dot(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [a, b]| accelerator.dot(a, b).map(|sum| [sum]),
        |[a, b], [got]| near_sum(got, a, b),
    )
}

fn sum_squares(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [data]| accelerator.sum_squares(data).map(|sum| [sum]),
        |[data], [got]| near_sum(got, data, data),
    )
}

fn near_sum(got: f32, a: &[f32], b: &[f32]) -> Verdict {
    let products = || a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    let size: f64 = products().map(f64::abs).sum();
    near(
        got,
        products().sum(),
        a.len() as f64 * (EPSILON * size + UNDERFLOW),
    )
}

fn peak(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [data]| accelerator.peak(data).map(|peak| [peak]),
        |[data], [got]| exact(got, data.iter().fold(0.0, |peak, x| x.abs().max(peak))),
    )?;
    // Signalling NaN, which instructions treat in other ways than the quiet one.
    let accelerator = subject.instance()?;
    for (len, at) in (1..150).flat_map(|len| [(len, 0), (len, len / 2), (len, len - 1)]) {
        for nan in [0x7f80_0001, 0xff80_0001] {
            let mut data: Vec<f32> = (0..len).map(|i| i as f32 - 40.0).collect();
            data[at] = f32::from_bits(nan);
            // The furthest from zero stand at the ends.
            let ends = data.iter().take(2).chain(data.iter().rev().take(2));
            let numbers = ends.filter(|x| !x.is_nan());
            let wanted = numbers.fold(0.0, |peak, x| x.abs().max(peak));
            let got = accelerator.peak(&data);
            let got = got.map_err(|e| format!("length {len}: failed: {}", e.report()))?;
            exact(got, wanted).map_err(|e| format!("length {len}, NaN at {at}: {e}"))?;
        }
    }
    Ok(())
}

fn min_max(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [data]| accelerator.min_max(data).map(|(min, max)| [min, max]),
        |[data], [min, max]| {
            equal(min, data.iter().copied().fold(f32::INFINITY, f32::min))?;
            equal(max, data.iter().copied().fold(f32::NEG_INFINITY, f32::max))
        },
    )
}

const PLANES: [usize; 8] = [0, 1, 2, 3, 4, 6, 8, 33];

fn interleave(subject: Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for channels in PLANES {
        let sweep = Sweep::frames(subject, channels);
        for case in sweep.cases() {
            let frames = case.len / channels.max(1);
            let planes = planes(&case, channels, frames);
            let planes: Vec<&[f32]> = planes.iter().map(Guarded::get).collect();
            let mut dst = Guarded::new(&case.draw::<f32>(1), case.offset);
            case.succeeds(accelerator.interleave(dst.get_mut(), &planes))?;
            case.intact(&dst)?;
            for (i, got) in dst.get().iter().enumerate() {
                case.sample(i, exact(*got, planes[i % channels][i / channels]))?;
            }
        }
    }
    for (left, right, len) in [(2, 2, 3), (2, 2, 5), (3, 1, 4), (0, 1, 0)] {
        refuses(
            || format!("planes of {left} and {right} into {len} samples"),
            &vec![0.25_f32; len],
            |dst| accelerator.interleave(dst, &[&[0.5; 3][..left], &[0.5; 3][..right]]),
        )?;
    }
    refuses(
        || "no planes into one sample".to_owned(),
        &[0.5_f32],
        |dst| accelerator.interleave(dst, &[]),
    )
}

fn deinterleave(subject: Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for channels in PLANES {
        let sweep = Sweep::frames(subject, channels);
        for case in sweep.cases() {
            let frames = case.len / channels.max(1);
            let src = Guarded::new(&case.draw::<f32>(1), case.offset);
            let mut planes = planes(&case, channels, frames);
            let mut slices: Vec<&mut [f32]> = planes.iter_mut().map(Guarded::get_mut).collect();
            case.succeeds(accelerator.deinterleave(&mut slices, src.get()))?;
            planes.iter().try_for_each(|plane| case.intact(plane))?;
            for (i, wanted) in src.get().iter().enumerate() {
                let got = planes[i % channels].get()[i / channels];
                case.sample(i, exact(got, *wanted))?;
            }
        }
    }
    for (left, right, len) in [(2, 2, 3), (2, 2, 5), (3, 1, 4), (0, 1, 0)] {
        let src = vec![0.5_f32; len];
        refuses(
            || format!("{len} samples into planes of {left} and {right}"),
            &vec![0.25_f32; left + right],
            |dst| {
                let (left, right) = dst.split_at_mut(left);
                accelerator.deinterleave(&mut [left, right], &src)
            },
        )?;
    }
    check(accelerator.deinterleave(&mut [], &[0.5]).is_err(), || {
        "one sample into no planes: succeeded, expected InvalidInput".to_owned()
    })
}

/// Planes at different offsets, so that not all of them can be aligned.
fn planes(case: &Case, channels: usize, frames: usize) -> Vec<Guarded<f32>> {
    (0..channels)
        .map(|c| {
            let values = Case {
                len: frames,
                ..*case
            }
            .draw(2 + c as u64);
            Guarded::new(&values, case.offset + c)
        })
        .collect()
}

fn complex_mul(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [a, b]: [&[Complex<f32>]; 2]| accelerator.complex_mul(dst, a, b),
        |_, _: Complex<f32>, [a, b], got| {
            let (a, b) = (wide(a), wide(b));
            let bound = 2.0 * (EPSILON * norm(a) * norm(b) + UNDERFLOW);
            near_complex(got, a * b, bound)
        },
    )
}

fn complex_mul_add(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [a, b]: [&[Complex<f32>]; 2]| accelerator.complex_mul_add(dst, a, b),
        |_, d, [a, b], got| {
            let (d, a, b) = (wide(d), wide(a), wide(b));
            let bound = 3.0 * (EPSILON * (norm(d) + norm(a) * norm(b)) + UNDERFLOW);
            near_complex(got, d + a * b, bound)
        },
    )
}
