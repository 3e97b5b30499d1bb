//! The stage `multiband` against double-precision filters by scipy's formulas.

use std::f64::consts::PI;

use auralis::chain::Multiband;

use crate::signals::{amplitude, decibels, impulse, noise, run, session};

fn multiband(crossovers_hz: &[f64], gains_db: &[f64], taps: usize) -> Multiband {
    Multiband {
        crossovers_hz: crossovers_hz.to_vec(),
        gains_db: gains_db.to_vec(),
        taps,
    }
}

/// `scipy.signal.firwin(taps, [left, right], window="hamming", pass_zero=left == 0)`, where the
/// edges are relative to half the sample rate: scipy/signal/_fir_filter_design.py.
fn firwin(taps: usize, left: f64, right: f64) -> Vec<f64> {
    let alpha = 0.5 * (taps as f64 - 1.0);
    let sinc = |x: f64| {
        if x == 0.0 {
            1.0
        } else {
            (PI * x).sin() / (PI * x)
        }
    };
    let mut h: Vec<f64> = (0..taps)
        .map(|n| {
            let m = n as f64 - alpha;
            let hamming = 0.54 + 0.46 * (PI * m / alpha).cos();
            hamming * (right * sinc(right * m) - left * sinc(left * m))
        })
        .collect();
    let scale_frequency = if left == 0.0 { 0.0 } else { 1.0 };
    let scale: f64 = (0..taps)
        .map(|n| h[n] * (PI * (n as f64 - alpha) * scale_frequency).cos())
        .sum();
    h.iter_mut().for_each(|tap| *tap /= scale);
    h
}

/// Lowest and highest band by `firwin`, those between by subtraction.
fn reference(stage: &Multiband, sample_rate: u32) -> Vec<f64> {
    let Multiband {
        crossovers_hz,
        gains_db,
        taps,
    } = stage;
    let relative: Vec<f64> = crossovers_hz
        .iter()
        .map(|hz| 2.0 * hz / f64::from(sample_rate))
        .collect();
    let gain = |band: usize| amplitude(gains_db[band]);
    let last = relative.len();
    // Each band as far as its upper edge; what lies below the highest band is all but that band.
    let mut delta = vec![0.0; *taps];
    delta[taps / 2] = 1.0;
    let high = match last {
        0 => vec![0.0; *taps],
        1 => subtract(&delta, &firwin(*taps, 0.0, relative[0])),
        _ => firwin(*taps, relative[last - 1], 1.0),
    };
    let mut edges = vec![vec![0.0; *taps]];
    edges.extend(
        relative[..last.saturating_sub(1)]
            .iter()
            .map(|&r| firwin(*taps, 0.0, r)),
    );
    edges.push(subtract(&delta, &high));
    let mut sum = vec![0.0; *taps];
    for (band, pair) in edges.windows(2).enumerate() {
        accumulate(&mut sum, &subtract(&pair[1], &pair[0]), gain(band));
    }
    if last > 0 {
        accumulate(&mut sum, &high, gain(last));
    }
    sum
}

fn subtract(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn accumulate(sum: &mut [f64], band: &[f64], gain: f64) {
    sum.iter_mut().zip(band).for_each(|(s, b)| *s += gain * b);
}

fn cases() -> Vec<(u32, Multiband)> {
    vec![
        (48_000, multiband(&[], &[-3.0], 31)),
        (44_100, multiband(&[1000.0], &[3.0, -6.0], 255)),
        (48_000, multiband(&[200.0, 2000.0], &[2.0, 0.0, -2.0], 1023)),
        (
            44_100,
            multiband(&[120.0, 900.0, 6000.0], &[4.0, -2.0, 1.0, -144.0], 4097),
        ),
        (
            96_000,
            multiband(
                &[60.0, 250.0, 4000.0, 12_000.0],
                &[6.0, 3.0, 0.0, -3.0, -6.0],
                3,
            ),
        ),
    ]
}

#[test]
fn the_impulse_response_is_that_of_the_formulas() {
    for (rate, stage) in cases() {
        let found = stage.impulse(rate).unwrap();
        let expected = reference(&stage, rate);
        assert_eq!(found.len(), expected.len());
        for (tap, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let off = (found - expected).abs();
            assert!(off <= 1e-12, "{stage:?}, tap {tap}: off by {off:e}");
        }
    }
}

#[test]
fn equal_gains_sum_to_a_pure_delay() {
    for gain_db in [0.0, -6.0, 6.0] {
        let stage = multiband(&[150.0, 1500.0, 7000.0], &[gain_db; 4], 1025);
        let mut session = session(vec![Box::new(stage)], 48_000, 1);
        assert_eq!(session.latency(), 512);
        let output = run(&mut session, &[impulse(2048)], &[100]);
        for (n, sample) in output[0].iter().enumerate() {
            let expected = if n == 512 { amplitude(gain_db) } else { 0.0 };
            let off = (f64::from(*sample) - expected).abs();
            assert!(
                off <= 1e-6 * amplitude(gain_db),
                "{gain_db} dB, frame {n}: {sample}"
            );
        }
    }
}

#[test]
fn noise_comes_out_as_by_direct_convolution() {
    let stage = multiband(&[200.0, 2000.0], &[2.0, -1.0, -4.0], 1023);
    let taps = reference(&stage, 44_100);
    let input = [noise(1, 12_000), noise(2, 12_000)];
    let mut session = session(vec![Box::new(stage)], 44_100, 2);
    let output = run(&mut session, &input, &[512, 1, 63, 64, 441]);
    for (input, output) in input.iter().zip(&output) {
        let (mut energy, mut residual) = (0.0, 0.0);
        for (n, &found) in output.iter().enumerate() {
            let first = n.saturating_sub(input.len() - 1);
            let expected: f64 = (first..taps.len().min(n + 1))
                .map(|k| taps[k] * f64::from(input[n - k]))
                .sum();
            energy += expected * expected;
            residual += (f64::from(found) - expected).powi(2);
        }
        let residual_db = decibels((residual / energy).sqrt());
        println!("residual of multiband: {residual_db:.1} dB");
        assert!(residual_db <= -110.0, "{residual_db} dB");
    }
}
