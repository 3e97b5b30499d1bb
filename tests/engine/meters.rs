//! The meters against the `ebur128` crate.

use std::sync::Arc;

use auralis::meter::{LoudnessMeter, TruePeak, channel_weights};
use auralis_core::AudioBlock;
use ebur128::{EbuR128, Mode};

use crate::limiter::true_peak;
use crate::signals::{Planar, decibels, interleave, noise, optimizer, sine, sweep};

const MAX_FRAMES: usize = 4096;

fn integrated(rate: u32, planes: &[Vec<f32>]) -> f64 {
    measured(rate, planes, |_| {}).integrated()
}

/// A meter that has heard this, and was looked at after each block.
pub fn measured(
    rate: u32,
    planes: &[Vec<f32>],
    mut look: impl FnMut(&LoudnessMeter),
) -> LoudnessMeter {
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
        look(&meter);
        start = end;
        if start == planes[0].len() {
            break;
        }
    }
    meter
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

#[test]
fn true_peak_agrees_with_ebur128() {
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
            let found = detected(rate, &signal);
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

/// The true peak of a channel in dBTP.
pub fn detected(rate: u32, signal: &[f32]) -> f64 {
    let accelerator = Arc::clone(&optimizer(&[]).parts().accelerator);
    let mut detector = TruePeak::new(rate, 1, &accelerator).unwrap();
    let mut peak = [0.0];
    let silence = vec![0.0; 2 * detector.latency()];
    for part in signal.chunks(777).chain([&silence[..]]) {
        detector.process(0, part, 0, part.len(), &mut peak).unwrap();
    }
    decibels(f64::from(peak[0]))
}

/// What is known of a peak from the start, and how the cells lie, makes no difference to the largest.
#[test]
fn a_true_peak_is_the_same_in_cells() {
    let accelerator = Arc::clone(&optimizer(&[]).parts().accelerator);
    let swelling = |(n, x): (usize, f32)| x * ((n as f32 / 700.0).sin() + 1.1);
    let signal: Vec<f32> = noise(3, 30_000)
        .into_iter()
        .enumerate()
        .map(swelling)
        .collect();
    for rate in [44_100, 96_000, 192_000] {
        let cells = |cell: usize, floor: f32, part: usize| {
            let mut detector = TruePeak::new(rate, 1, &accelerator).unwrap();
            let mut cells = vec![floor; signal.len() / cell + 1];
            for (index, samples) in signal.chunks(part).enumerate() {
                let (first, offset) = (index * part / cell, index * part % cell);
                let cells = &mut cells[first..];
                detector.process(0, samples, offset, cell, cells).unwrap();
            }
            cells
        };
        let exact = cells(64, 0.0, 4096);
        let largest = exact.iter().copied().fold(0.0, f32::max);
        assert_eq!(cells(signal.len(), 0.0, 777)[0], largest, "at {rate} Hz");
        for floor in [0.3, 1.0] {
            let found = cells(64, floor, 1000);
            for (cell, (found, exact)) in found.iter().zip(&exact).enumerate() {
                assert_eq!(*found, exact.max(floor), "cell {cell} at {rate} Hz");
            }
        }
    }
}
