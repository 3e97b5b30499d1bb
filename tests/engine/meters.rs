//! The meters against the `ebur128` crate and the cases of EBU Tech 3341.

use std::sync::Arc;

use auralis::meter::{LoudnessMeter, TruePeak, channel_weights};
use auralis_core::AudioBlock;
use ebur128::{EbuR128, Mode};

use crate::limiter::true_peak;
use crate::signals::{Planar, amplitude, decibels, interleave, noise, optimizer, sine, sweep};

const MAX_FRAMES: usize = 4096;

fn integrated(rate: u32, planes: &[Vec<f32>]) -> f64 {
    let optimizer = optimizer(&[]);
    let weights = channel_weights(planes.len(), None);
    let mut meter = LoudnessMeter::new(rate, weights, MAX_FRAMES, optimizer.parts()).unwrap();
    let mut start = 0;
    // Sizes that divide neither a gating block nor each other.
    for size in [1, 63, 4096, 1000, 4095].iter().cycle() {
        let end = planes[0].len().min(start + size);
        let frames = end - start;
        let block: Vec<f32> = planes
            .iter()
            .flat_map(|plane| plane[start..end].to_vec())
            .collect();
        let block = AudioBlock::new(&block, planes.len(), frames, frames).unwrap();
        meter.process(&block).unwrap();
        start = end;
        if start == planes[0].len() {
            break;
        }
    }
    meter.integrated()
}

fn oracle(rate: u32, planes: &[Vec<f32>]) -> f64 {
    let mut meter = EbuR128::new(planes.len() as u32, rate, Mode::I).unwrap();
    meter.add_frames_f32(&interleave(planes)).unwrap();
    meter.loudness_global().unwrap()
}

#[test]
fn integrated_loudness_agrees_with_ebur128() {
    let shapes = [
        (1, 44_100),
        (2, 48_000),
        (2, 44_100),
        (3, 48_000),
        (4, 96_000),
        (5, 48_000),
        (6, 44_100),
        (1, 192_000),
        (2, 22_050),
    ];
    let mut worst = 0.0f64;
    for (channels, rate) in shapes {
        let len = rate as usize * 3;
        // Louder and quieter by turns, so that both gates have something to do.
        let level = |n: usize| [0.5, 0.02, 0.1, 0.00001][n * 8 / len % 4];
        let swelling = |seed| {
            let noise = noise(seed, len).into_iter().enumerate();
            noise.map(|(n, x)| level(n) * x).collect::<Vec<_>>()
        };
        let noises: Planar = (0..channels).map(|c| swelling(c as u64 + 10)).collect();
        let sweeps: Planar = (0..channels)
            .map(|c| sweep(rate, 20.0 + c as f64, f64::from(rate) * 0.45, 0.4, len))
            .collect();
        for planes in [noises, sweeps] {
            let (found, expected) = (integrated(rate, &planes), oracle(rate, &planes));
            worst = worst.max((found - expected).abs());
            assert!(
                (found - expected).abs() <= 0.01,
                "{channels} channels at {rate} Hz: {found} instead of {expected} LUFS"
            );
        }
    }
    println!("integrated loudness is off by {worst:.5} LU at most");
}

/// EBU Tech 3341 (2016), table 1, cases 1 to 6: tones of 1 kHz at these levels for these seconds.
#[test]
fn the_cases_of_tech_3341_read_as_they_must() {
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
        let found = integrated(RATE_OF_CASES, planes);
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

#[test]
fn true_peak_agrees_with_ebur128() {
    let accelerator = Arc::clone(&optimizer(&[]).parts().accelerator);
    let mut worst = 0.0f64;
    for rate in [44_100, 48_000, 96_000, 192_000] {
        let rate_hz = f64::from(rate);
        let signals = [
            ("noise", noise(9, 20_000)),
            ("quarter", sine(rate, rate_hz / 4.0, 0.125, 0.7, 20_000)),
            ("sixth", sine(rate, rate_hz / 6.0, 1.0 / 12.0, 0.7, 20_000)),
            ("sweep", sweep(rate, 20.0, rate_hz * 0.4, 0.9, 20_000)),
        ];
        for (what, signal) in signals {
            let mut detector = TruePeak::new(rate, 1, &accelerator).unwrap();
            let mut peak = [0.0];
            let silence = vec![0.0; 2 * detector.latency()];
            for part in signal.chunks(777).chain([&silence[..]]) {
                detector.process(0, part, 0, part.len(), &mut peak).unwrap();
            }
            let found = decibels(f64::from(peak[0]));
            let expected = true_peak(rate, &[signal]);
            worst = worst.max((found - expected).abs());
            assert!(
                (found - expected).abs() <= 0.2,
                "{what} at {rate} Hz: {found} instead of {expected} dBTP"
            );
        }
    }
    println!("true peak is off by {worst:.3} dB at most");
}
