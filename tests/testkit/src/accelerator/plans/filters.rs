//! Recursive and finite filters against plain loops in double precision.

use std::f64::consts::TAU;

use auralis_core::{Accelerator, AudioBlockMut, Biquad, BiquadCascade};

use super::super::guarded::{refuses, written};
use super::streams::{Cut, same_bits, stream};
use super::{Tested, close, convolution, largest, noise, refused, report, sum_of_magnitudes};
use crate::{Outcome, check};

const FIR_CUTS: [Cut; 4] = [
    Cut::Every(64),
    Cut::Every(1),
    Cut::Whole,
    Cut::Random { block: 37, seed: 3 },
];

pub(super) fn fir(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let signal = noise::<f32>(1, *subject.either(&130, &2500));
    for &count in subject.either(&[1, 3, 31][..], &[1, 2, 3, 12, 31, 48, 300]) {
        let taps = noise::<f32>(2, count);
        let mut expected = convolution(&signal, &taps);
        expected.truncate(signal.len());
        let scale = largest(&signal) * sum_of_magnitudes(&taps);
        let bound = count as f64 * f64::from(f32::EPSILON) * scale;
        let mut filter = accelerator.plan_fir(&taps).map_err(report)?;
        for &cut in subject.either(&FIR_CUTS[2..], &FIR_CUTS) {
            let what = || format!("length {} with {count} taps, {cut:?}", signal.len());
            let first = stream(&signal, cut, |dst, src| filter.process(dst, src))
                .map_err(|e| format!("{}: {e}", what()))?;
            close(&first, &expected, bound, what)?;
            refuses(
                || "8 samples into 9".into(),
                &[7.0; 9],
                |dst| filter.process(dst, &signal[..8]),
            )?;
            filter.reset();
            let second = stream(&signal, cut, |dst, src| filter.process(dst, src))?;
            same_bits(&first, &second, || format!("{}, after a reset", what()))?;
            filter.reset();
        }
    }
    refused(accelerator.plan_fir(&[]), || "a filter without taps".into())?;
    banks(subject)
}

/// Filters over one signal: any, and those of interpolators, which mirror each other.
fn banks(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let signal = noise::<f32>(1, *subject.either(&130, &2500));
    let (a, b, c) = (noise::<f32>(2, 16), noise::<f32>(3, 16), noise::<f32>(4, 5));
    let mirrored: Vec<f32> = a.iter().rev().copied().collect();
    let symmetric: Vec<f32> = b[..8].iter().chain(b[..8].iter().rev()).copied().collect();
    let banks: [&[&[f32]]; 5] = [
        &[&a, &symmetric, &mirrored],
        &[&a[..2], &symmetric[7..9], &mirrored[14..]],
        &[&a, &b, &mirrored],
        &[&symmetric],
        &[&a, &c],
    ];
    for (index, taps) in banks.into_iter().enumerate() {
        let mut bank = accelerator.plan_firs(taps).map_err(report)?;
        let mut whole: Vec<f32> = Vec::new();
        for &cut in subject.either(&FIR_CUTS[2..], &FIR_CUTS) {
            let what = || format!("bank {index}, {cut:?}");
            let mut outputs = vec![Vec::new(); taps.len()];
            let mut at = 0;
            for frames in cut.lengths(signal.len()) {
                let mut planes = vec![7.0; taps.len() * (frames + 1)];
                let mut block = AudioBlockMut::new(&mut planes, taps.len(), frames, frames + 1)
                    .map_err(report)?;
                bank.process(&mut block, &signal[at..at + frames])
                    .map_err(report)?;
                for (output, plane) in outputs.iter_mut().zip(planes.chunks(frames + 1)) {
                    output.extend(&plane[..frames]);
                    check(plane[frames] == 7.0, || {
                        format!("{}: wrote too much", what())
                    })?;
                }
                at += frames;
            }
            for (taps, output) in taps.iter().zip(&outputs) {
                let mut expected = convolution(&signal, taps);
                expected.truncate(signal.len());
                let scale = largest(&signal) * sum_of_magnitudes(taps);
                let bound = taps.len() as f64 * f64::from(f32::EPSILON) * scale;
                close(output, &expected, bound, what)?;
            }
            let outputs = outputs.concat();
            if !whole.is_empty() {
                same_bits(&whole, &outputs, what)?;
            }
            whole = outputs;
            bank.reset();
        }
        for (channels, frames) in [(taps.len() + 1, 8), (taps.len(), 9)] {
            refuses(
                || format!("8 samples into {channels} channels of {frames}"),
                &vec![7.0; channels * frames],
                |planes| {
                    let mut block = AudioBlockMut::new(planes, channels, frames, frames)?;
                    bank.process(&mut block, &signal[..8])
                },
            )?;
        }
    }
    let what = || "a bank with a filter without taps".into();
    refused(accelerator.plan_firs(&[&a, &[]]), what)
}

/// A Butterworth high-pass of the second order at 48 kHz.
fn high_pass(hz: f64) -> Biquad {
    let w = TAU * hz / 48_000.0;
    let alpha = w.sin() / std::f64::consts::SQRT_2;
    let a0 = 1.0 + alpha;
    Biquad {
        b0: (1.0 + w.cos()) / 2.0 / a0,
        b1: -(1.0 + w.cos()) / a0,
        b2: (1.0 + w.cos()) / 2.0 / a0,
        a1: -2.0 * w.cos() / a0,
        a2: (1.0 - alpha) / a0,
    }
}

/// Sections as an equaliser has them: high-pass near 0, bells, a sharp resonance, a shelf's like.
/// Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
fn sections(count: usize) -> Vec<Biquad> {
    let bell = |hz: f64, q: f64, db: f64| {
        let (w, a) = (TAU * hz / 48_000.0, 10_f64.powf(db / 40.0));
        let alpha = w.sin() / (2.0 * q);
        let a0 = 1.0 + alpha / a;
        Biquad {
            b0: (1.0 + alpha * a) / a0,
            b1: -2.0 * w.cos() / a0,
            b2: (1.0 - alpha * a) / a0,
            a1: -2.0 * w.cos() / a0,
            a2: (1.0 - alpha / a) / a0,
        }
    };
    let all = [
        high_pass(38.0),
        bell(60.0, 0.7, 6.0),
        bell(1000.0, 20.0, 12.0),
        bell(3000.0, 1.4, -4.0),
        bell(12_000.0, 0.5, 3.0),
        high_pass(120.0),
        bell(200.0, 4.0, -18.0),
        bell(8000.0, 2.0, 9.0),
        Biquad {
            b0: 0.5,
            b1: 0.25,
            b2: 0.125,
            a1: 0.0,
            a2: 0.0,
        },
    ];
    all.into_iter().cycle().take(count).collect()
}

/// Direct form I in double precision, section after section.
fn reference(sections: &[Biquad], samples: &[f32]) -> Vec<f64> {
    let mut signal: Vec<f64> = samples.iter().map(|&x| x.into()).collect();
    for s in sections {
        let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
        for sample in &mut signal {
            let x = *sample;
            let y = s.b0 * x + s.b1 * x1 + s.b2 * x2 - s.a1 * y1 - s.a2 * y2;
            (x2, x1, y2, y1) = (x1, x, y1, y);
            *sample = y;
        }
    }
    signal
}

/// Filters planes in calls; each call's block has a stride wider than its frames.
fn filter(
    cascade: &mut dyn BiquadCascade,
    planes: &[Vec<f32>],
    cut: Cut,
) -> Result<Vec<Vec<f32>>, String> {
    const GAP: usize = 3;
    let mut output = vec![Vec::new(); planes.len()];
    let mut at = 0;
    for frames in cut.lengths(planes[0].len()) {
        let stride = frames + GAP;
        let mut samples = vec![7.0; stride * planes.len()];
        for (plane, part) in planes.iter().zip(samples.chunks_mut(stride)) {
            part[..frames].copy_from_slice(&plane[at..at + frames]);
        }
        let samples = written(&samples, |samples| {
            cascade.process(&mut AudioBlockMut::new(
                samples,
                planes.len(),
                frames,
                stride,
            )?)
        })?;
        for (channel, part) in output.iter_mut().zip(samples.chunks(stride)) {
            channel.extend(&part[..frames]);
            check(part[frames..] == [7.0; GAP], || {
                "wrote between the planes".into()
            })?;
        }
        at += frames;
    }
    Ok(output)
}

fn plan(
    accelerator: &dyn Accelerator,
    sections: &[Biquad],
    channels: usize,
) -> Result<Box<dyn BiquadCascade>, String> {
    let cascade = accelerator
        .plan_biquads(sections, channels)
        .map_err(report)?;
    check(cascade.channels() == channels, || {
        format!(
            "a cascade of {channels} channels says {}",
            cascade.channels()
        )
    })?;
    Ok(cascade)
}

/// Sections and channels.
const SHAPES: [(usize, usize); 14] = [
    (0, 2),
    (1, 1),
    (2, 2),
    (3, 3),
    (2, 5),
    (3, 2),
    (7, 2),
    (9, 2),
    (4, 8),
    (5, 11),
    (1, 64),
    (6, 1),
    (10, 1),
    (2, 6),
];

const BIQUAD_CUTS: [Cut; 3] = [
    Cut::Whole,
    Cut::Random { block: 50, seed: 2 },
    Cut::Every(64),
];

pub(super) fn biquads(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for &(count, channels) in subject.either(&SHAPES[1..5], &SHAPES) {
        let sections = sections(count);
        let frames = *subject.either(&130, &1100);
        let planes: Vec<Vec<f32>> = (0..channels).map(|c| noise(c as u64, frames)).collect();
        let expected: Vec<_> = planes.iter().map(|p| reference(&sections, p)).collect();
        let mut cascade = plan(&*accelerator, &sections, channels)?;
        for &cut in subject.either(&BIQUAD_CUTS[..2], &BIQUAD_CUTS) {
            let what =
                || format!("length {frames}, {count} sections, {channels} channels, {cut:?}");
            let first =
                filter(&mut *cascade, &planes, cut).map_err(|e| format!("{}: {e}", what()))?;
            for (expected, found) in expected.iter().zip(&first) {
                let bound = 4.0 * f64::from(f32::EPSILON) * largest(expected);
                close(found, expected, bound, what)?;
            }
            cascade.reset();
            let second = filter(&mut *cascade, &planes, cut)?;
            for (first, second) in first.iter().zip(&second) {
                same_bits(first, second, || format!("{}, after a reset", what()))?;
            }
            cascade.reset();
        }
        let other = if channels == 64 { 63 } else { channels + 1 };
        refuses(
            || format!("{other} channels for a cascade of {channels}"),
            &vec![7.0; 4 * other],
            |samples| cascade.process(&mut AudioBlockMut::new(samples, other, 4, 4)?),
        )?;
    }
    for channels in [0, 65, usize::MAX] {
        let what = || format!("a cascade of {channels} channels");
        refused(accelerator.plan_biquads(&sections(1), channels), what)?;
    }
    Ok(())
}

/// Corners so low that the poles almost lie on the circle: 1 Hz of 192 kHz, and what blocks direct
/// current. Errors there grow for seconds.
pub(super) fn low_corners(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let plane = noise::<f32>(1, 40_000);
    for hz in [0.25, 1.25, 5.0] {
        for channels in [1, 2] {
            let sections = [high_pass(hz); 4];
            let planes = vec![plane.clone(); channels];
            let mut cascade = plan(&*accelerator, &sections, channels)?;
            let found = filter(&mut *cascade, &planes, Cut::Every(512))?;
            let expected = reference(&sections, &plane);
            let bound = 4.0 * f64::from(f32::EPSILON) * largest(&expected);
            for found in found {
                let what = || format!("{channels} channels, a corner at {hz} Hz of 48 kHz");
                close(&found, &expected, bound, what)?;
            }
        }
    }
    Ok(())
}

/// The decay after loud audio is the filter's own, down to where nothing is left of it.
pub(super) fn silence(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let sections = sections(3);
    let mut plane = noise::<f32>(1, 500);
    plane.resize(20_000, 0.0);
    let mut cascade = plan(&*accelerator, &sections, 1)?;
    let found = filter(&mut *cascade, std::slice::from_ref(&plane), Cut::Every(128))?;
    let expected = reference(&sections, &plane);
    // A tail must keep its level, so each stretch has the bound of what is left from it on.
    for (i, found) in found[0].chunks(1000).enumerate() {
        let expected = &expected[1000 * i..];
        let bound = 4.0 * f64::from(f32::EPSILON) * largest(expected) + 1e-28;
        close(found, &expected[..found.len()], bound, || {
            format!("from frame {}", 1000 * i)
        })?;
    }
    Ok(())
}
