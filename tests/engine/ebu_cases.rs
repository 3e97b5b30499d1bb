//! The cases of EBU Tech 3341 (2016) and EBU Tech 3342 (2016), table 1 of each, that are tones, within
//! the tolerances of the documents.

use std::f64::consts::PI;

use auralis::meter::LoudnessMeter;
use ebur128::{EbuR128, Mode};

use crate::meters::{detected, measured};
use crate::signals::{Planar, amplitude, interleave, sine};

/// EBU Tech 3341 (2016), table 1, cases 1 to 6: tones of 1 kHz at these levels for these seconds.
#[test]
fn integrated_loudness_of_tech_3341() {
    let stereo: fn(&[(f64, f64)]) -> Planar = |parts| vec![tones(parts); 2];
    let surround = [-28.0, -28.0, -24.0, -30.0, -30.0];
    let cases = [
        (stereo(&[(-23.0, 20.0)]), -23.0),
        (stereo(&[(-33.0, 20.0)]), -33.0),
        (
            stereo(&[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)]),
            -23.0,
        ),
        (
            stereo(&[
                (-72.0, 10.0),
                (-36.0, 10.0),
                (-23.0, 60.0),
                (-36.0, 10.0),
                (-72.0, 10.0),
            ]),
            -23.0,
        ),
        (
            stereo(&[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)]),
            -23.0,
        ),
        (surround.map(|db| tones(&[(db, 20.0)])).to_vec(), -23.0),
    ];
    for (case, (planes, expected)) in cases.iter().enumerate() {
        let found = measured(RATE_OF_CASES, planes, |_| {}).integrated();
        assert!(
            (found - expected).abs() <= 0.1,
            "case {}: {found} LUFS",
            case + 1
        );
    }
}

/// Low, so that minutes are quick; the standard leaves the rate open.
const RATE_OF_CASES: u32 = 16_000;

fn tones(parts: &[(f64, f64)]) -> Vec<f32> {
    let tone = |&(db, seconds): &(f64, f64)| {
        let len = (seconds * f64::from(RATE_OF_CASES)) as usize;
        sine(RATE_OF_CASES, 1000.0, 0.0, amplitude(db), len)
    };
    parts.iter().flat_map(tone).collect()
}

/// Case 9: a short-term loudness of -23 LUFS, constant once 3 s have gone by. Case 12: the same of the
/// momentary loudness, after 1 s.
#[test]
fn loudness_of_tones_that_alternate() {
    type Reading = fn(&LoudnessMeter) -> f64;
    let short_term: Reading = LoudnessMeter::short_term;
    let cases = [
        (9, [(-20.0, 1.34), (-30.0, 1.66)], 5, 3.0, short_term),
        (
            12,
            [(-20.0, 0.18), (-30.0, 0.22)],
            25,
            1.0,
            LoudnessMeter::momentary,
        ),
    ];
    for (case, parts, times, settled, reading) in cases {
        let planes = vec![tones(&parts.repeat(times)); 2];
        let mut readings = 0;
        measured(RATE_OF_CASES, &planes, |meter| {
            if meter.sub_blocks() as f64 >= 10.0 * settled {
                let found = reading(meter);
                assert!((found + 23.0).abs() <= 0.1, "case {case}: {found} LUFS");
                readings += 1;
            }
        });
        assert!(readings > 50, "case {case} was looked at {readings} times");
    }
}

/// Cases 15 to 19: tones at this part of the sample rate, from this phase, with this amplitude.
#[test]
fn true_peaks_of_tones() {
    const RATE: u32 = 48_000;
    let cases = [
        (15, 4.0, 0.0, 0.50, -6.0),
        (16, 4.0, 45.0, 0.50, -6.0),
        (17, 6.0, 60.0, 0.50, -6.0),
        (18, 8.0, 67.5, 0.50, -6.0),
        (19, 4.0, 45.0, 1.41, 3.0),
    ];
    for (case, part, degrees, amplitude, expected) in cases {
        let len = RATE as usize;
        let mut tone = sine(
            RATE,
            f64::from(RATE) / part,
            degrees / 360.0,
            amplitude,
            len,
        );
        fade(&mut tone);
        assert_true_peak(case, detected(RATE, &tone), expected);
    }
}

/// In the manner of cases 20 to 23: a peak of 0 dBTP that stands out of a tone and lies on a sample, and a
/// quarter, a half and three quarters of a sample after it. These are not the documents' own signals:
/// here the band is limited by the shape, a tone of a quarter of the rate under a bell.
#[test]
fn true_peaks_between_samples() {
    const RATE: u32 = 48_000;
    for (case, quarters) in (20..).zip(0..4) {
        let len = 9600;
        let mut signal = sine(RATE, f64::from(RATE) / 6.0, 0.0, 0.25, len);
        fade(&mut signal[..len / 2 - 200]);
        fade(&mut signal[len / 2 + 200..]);
        signal[len / 2 - 200..len / 2 + 200].fill(0.0);
        for (n, sample) in signal.iter_mut().enumerate() {
            let time = n as f64 - (len / 2) as f64 - f64::from(quarters) / 4.0;
            *sample += ((time / -6.0 * (time / 6.0)).exp() * (PI / 2.0 * time).cos()) as f32;
        }
        assert_true_peak(case, detected(RATE, &signal), 0.0);
    }
}

fn assert_true_peak(case: usize, found: f64, expected: f64) {
    let within = (expected - 0.4..=expected + 0.2).contains(&found);
    assert!(within, "case {case}: {found} instead of {expected} dBTP");
}

/// Takes the edges off: a tone that begins at once has a higher peak there.
fn fade(tone: &mut [f32]) {
    const FRAMES: usize = 480;
    let len = tone.len();
    for n in 0..FRAMES {
        let gain = (0.5 - 0.5 * (PI * n as f64 / FRAMES as f64).cos()) as f32;
        tone[n] *= gain;
        tone[len - 1 - n] *= gain;
    }
}

/// Tech 3342, cases 1 to 4: tones of 20 s each at these levels, and their loudness range.
#[test]
fn loudness_range_of_tech_3342() {
    let cases = [
        (&[-20.0, -30.0][..], 10.0),
        (&[-20.0, -15.0], 5.0),
        (&[-40.0, -20.0], 20.0),
        (&[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
    ];
    for (case, (levels, expected)) in (1..).zip(cases) {
        let parts: Vec<_> = levels.iter().map(|&db| (db, 20.0)).collect();
        let planes = vec![tones(&parts); 2];
        let found = measured(RATE_OF_CASES, &planes, |_| {}).range();
        assert!((found - expected).abs() <= 1.0, "case {case}: {found} LU");
        let mut meter = EbuR128::new(2, RATE_OF_CASES, Mode::LRA).unwrap();
        meter.add_frames_f32(&interleave(&planes)).unwrap();
        let theirs = meter.loudness_range().unwrap();
        assert!(
            (found - theirs).abs() <= 0.5,
            "case {case}: {found} and {theirs} LU"
        );
    }
}
