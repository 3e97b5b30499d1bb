//! The stage `limiter`: what it holds down, what it leaves alone, and that blocks do not matter.

use auralis::chain::{Band, BandShape, Equalizer, Gain, Limiter, Stage};
use ebur128::{EbuR128, Mode};

use crate::signals::{Planar, decibels, interleave, noise, run, session, sine};

fn limiter(ceiling_dbtp: f64) -> Limiter {
    Limiter {
        ceiling_dbtp,
        lookahead_ms: 5.0,
        release_ms: 60.0,
    }
}

/// The true peak by the `ebur128` crate, in dBTP.
pub fn true_peak(rate: u32, planes: &[Vec<f32>]) -> f64 {
    let mut meter = EbuR128::new(planes.len() as u32, rate, Mode::TRUE_PEAK).unwrap();
    meter.add_frames_f32(&interleave(planes)).unwrap();
    // What its interpolator still holds.
    meter.add_frames_f32(&vec![0.0; planes.len() * 64]).unwrap();
    let peaks = (0..planes.len() as u32).map(|channel| meter.true_peak(channel).unwrap());
    decibels(peaks.fold(0.0, f64::max))
}

fn loud(rate: u32) -> Vec<(&'static str, Planar)> {
    let len = rate as usize / 2;
    let quarter = f64::from(rate) / 4.0;
    let bursts = |seed| {
        let gate = |n: usize| {
            if (n / 3000).is_multiple_of(3) {
                2.0
            } else {
                0.1
            }
        };
        let noise = noise(seed, len).into_iter().enumerate();
        noise.map(|(n, x)| gate(n) * x).collect::<Vec<_>>()
    };
    let clicks = (0..len)
        .map(|n| match n % 2777 {
            5 => 3.0,
            6 => -2.5,
            _ => 0.05,
        })
        .collect();
    let square = (0..len)
        .map(|n| {
            if (n / 50).is_multiple_of(2) {
                1.0
            } else {
                -1.0
            }
        })
        .collect();
    vec![
        ("noise bursts", vec![bursts(3), bursts(4)]),
        ("clicks", vec![clicks]),
        ("a full-scale square", vec![square]),
        // Sampled at 45 degrees, its samples are 3 dB under its peak.
        (
            "a sine at a quarter of the rate",
            vec![sine(rate, quarter, 0.125, 1.0, len)],
        ),
        (
            "a sine near a quarter of the rate",
            vec![sine(rate, quarter * 1.01, 0.125, 1.4, len)],
        ),
        (
            "a low sine, far too loud",
            vec![sine(rate, 50.0, 0.0, 10.0, len)],
        ),
    ]
}

#[test]
fn the_true_peak_stays_under_the_ceiling() {
    let mut worst = f64::NEG_INFINITY;
    for rate in [44_100, 48_000, 96_000] {
        for (what, input) in loud(rate) {
            for ceiling in [-1.0, -6.0] {
                let mut session = session(vec![Box::new(limiter(ceiling))], rate, input.len());
                let before = true_peak(rate, &input);
                assert!(before > ceiling, "{what} needs no limiting: {before}");
                let output = run(&mut session, &input, &[512]);
                let over = true_peak(rate, &output) - ceiling;
                worst = worst.max(over);
                assert!(
                    over <= 0.05,
                    "{what} at {rate} Hz: {over:.3} dB over {ceiling} dBTP"
                );
                assert!(
                    over >= -3.0,
                    "{what} at {rate} Hz: {over:.3} dB is far too low"
                );
            }
        }
    }
    println!("the limiter's true peak is {worst:.3} dB over its ceiling at most");
}

#[test]
fn what_needs_no_limiting_passes_as_it_is() {
    let input = [noise(7, 9000), noise(8, 9000)].map(|x| x.iter().map(|x| 0.3 * x).collect());
    let mut session = session(vec![Box::new(limiter(-1.0))], 44_100, 2);
    let latency = session.latency();
    let output = run(&mut session, &input, &[441, 64, 1]);
    for (input, output) in input.iter().zip(&output) {
        assert_eq!(output[..latency], vec![0.0; latency]);
        assert!(
            output[latency..] == input[..],
            "it is not the input, delayed"
        );
    }
}

#[test]
fn blocks_may_be_cut_anywhere() {
    let band = Band {
        hz: 300.0,
        gain_db: 4.0,
        q: None,
        shape: BandShape::Peak,
    };
    let stages = || -> Vec<Box<dyn Stage>> {
        vec![
            Box::new(Equalizer { bands: vec![band] }),
            Box::new(Gain { gain_db: 9.0 }),
            Box::new(limiter(-1.0)),
        ]
    };
    let input = [noise(5, 8000), noise(6, 8000)];
    let render = |cuts: &[usize]| run(&mut session(stages(), 48_000, 2), &input, cuts);
    let whole = render(&[512]);
    for cuts in [&[1][..], &[63], &[64], &[65], &[441], &[7, 300, 64, 1, 128]] {
        assert!(render(cuts) == whole, "other bits with blocks of {cuts:?}");
    }
}
