//! The stage `resample` in files: tones, impulses and noise against what they are at the other rate.

use std::f64::consts::TAU;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use auralis::audio::{OutputFormat, Reader, SampleFormat};
use auralis::chain::{Chain, Resample, Stage};
use auralis::core::{ErrorKind, Result};
use auralis::master::{Delivery, Job, NonFinite};
use auralis::{Optimizer, Session, SessionSpec};
use serde_json::{Value, json};

use crate::mastering::{loudness, read, write};
use crate::signals::{Planar, decibels, impulse, noise, optimizer, sine};

/// A folder, and what goes through a chain in it.
struct Studio {
    folder: tempfile::TempDir,
    optimizer: Optimizer,
}

impl Studio {
    fn new(sets: &[&str]) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            optimizer: optimizer(sets),
        }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out.wav")
    }

    fn master(&self, from: u32, input: &[Vec<f32>], stages: &[Value]) -> Result<Delivery> {
        let path = self.folder.path().join("in.wav");
        write(&path, from, input);
        Job {
            input: &path,
            output: &self.output(),
            format: OutputFormat::Wav,
            sample: SampleFormat::Float32,
            chain: &Chain::from_tables(stages)?,
            parts: self.optimizer.parts(),
            non_finite: NonFinite::Refuse,
            prefetch: true,
            timeline: true,
            digest: true,
            interrupted: &AtomicBool::new(false),
            progress: &|_| {},
        }
        .run()
    }

    /// `input` at another rate, as it was delivered.
    fn resampled(&self, from: u32, to: u32, input: &[Vec<f32>]) -> Planar {
        let delivery = self.master(from, input, &[stage(to)]).unwrap();
        let delivered = Reader::open(&self.output()).unwrap();
        assert_eq!(
            (delivery.sample_rate, delivered.spec().sample_rate),
            (to, to)
        );
        let output = read(&self.output());
        let expected = (input[0].len() as f64 * f64::from(to) / f64::from(from)).round();
        assert_eq!(output[0].len() as f64, expected, "{from} to {to}");
        assert_eq!(delivery.frames, output[0].len() as u64);
        output
    }
}

fn stage(sample_rate: u32) -> Value {
    json!({"stage": "resample", "sample_rate": sample_rate})
}

/// Rates that files have, up and down; the last pair has no small ratio.
const PAIRS: [(u32, u32); 10] = [
    (44_100, 48_000),
    (48_000, 44_100),
    (44_100, 96_000),
    (96_000, 44_100),
    (48_000, 96_000),
    (96_000, 48_000),
    (44_100, 22_050),
    (192_000, 44_100),
    (8000, 44_100),
    (44_100, 44_099),
];

/// The frames at either end that know of the silence around the tone.
const EDGE: usize = 4096;

#[test]
fn tones_keep_level_frequency_and_place() {
    let studio = Studio::new(&[]);
    let mut worst = 0.0f64;
    for (from, to) in PAIRS {
        let nyquist = f64::from(from.min(to)) / 2.0;
        for part in [0.01, 0.31, 0.9, 0.97] {
            let hz = part * nyquist;
            let longest = 16 * EDGE * from.max(to) as usize / from.min(to) as usize;
            let length = longest * from as usize / from.max(to) as usize;
            let output = studio.resampled(from, to, &[sine(from, hz, 0.1, 0.5, length)]);
            let step = hz / f64::from(to);
            // Where the ratio has no small terms the filter is as long as a second.
            let edge = if to == 44_099 { 50_000 } else { EDGE };
            let middle = edge..output[0].len().saturating_sub(edge);
            let off = middle.map(|n| {
                let expected = 0.5 * (TAU * (step * n as f64 + 0.1)).sin();
                (f64::from(output[0][n]) - expected).abs()
            });
            let off = off.fold(0.0, f64::max);
            worst = worst.max(off);
            // 0.001 dB of 0.5 are 5.8e-5.
            assert!(off < 5.8e-5, "{from} to {to}, {hz} Hz: off by {off:e}");
        }
    }
    println!(
        "tones are off by {:.1} dB of full scale at most",
        decibels(worst)
    );
}

#[test]
fn what_the_lower_rate_can_not_hold_is_120_db_down() {
    let studio = Studio::new(&[]);
    let mut loudest = 0.0f64;
    for (from, to) in PAIRS
        .into_iter()
        .filter(|(from, to)| from > to && *to != 44_099)
    {
        let (above, below) = (f64::from(to) / 2.0, f64::from(from) / 2.0);
        for hz in [above, above * 1.02, (above + below) / 2.0, below * 0.99] {
            let tone = sine(from, hz, 0.1, 1.0, 12 * EDGE * from as usize / to as usize);
            let output = studio.resampled(from, to, &[tone]);
            let middle = &output[0][EDGE..output[0].len() - EDGE];
            let left = middle
                .iter()
                .fold(0.0f64, |p, &x| p.max(f64::from(x).abs()));
            loudest = loudest.max(left);
            let left = decibels(left);
            assert!(left < -120.0, "{from} to {to}, {hz} Hz: {left} dB");
        }
    }
    println!("aliases lie at {:.1} dB at most", decibels(loudest));
}

#[test]
fn impulses_stay_where_they_are() {
    let studio = Studio::new(&[]);
    // Frames that fall on frames of the other rate, in blocks of both ends.
    for (from, to, places) in [
        (
            44_100,
            48_000,
            [(0, 0), (147 * 40, 160 * 40), (147 * 900, 160 * 900)],
        ),
        (
            48_000,
            44_100,
            [(0, 0), (160 * 40, 147 * 40), (160 * 900, 147 * 900)],
        ),
        (48_000, 96_000, [(0, 0), (5001, 10_002), (130_000, 260_000)]),
        (192_000, 48_000, [(0, 0), (20_004, 5001), (140_000, 35_000)]),
    ] {
        for (at, expected) in places {
            let mut input = vec![vec![0.0; 150_000]; 2];
            input[1][at] = 1.0;
            let output = studio.resampled(from, to, &input);
            assert!(output[0].iter().all(|x| *x == 0.0), "the other channel");
            let loudest =
                (0..output[1].len()).max_by(|a, b| output[1][*a].total_cmp(&output[1][*b]));
            assert_eq!(loudest, Some(expected), "{from} to {to}");
            // A filter of linear phase is the same on both sides.
            for n in 1..expected.min(400) {
                let [before, after] = [expected - n, expected + n].map(|n| output[1][n]);
                assert!(
                    (before - after).abs() < 1e-6,
                    "{from} to {to}: {n} frames aside"
                );
            }
        }
    }
}

#[test]
fn the_length_is_that_of_the_rates() {
    let studio = Studio::new(&[]);
    for (from, to) in PAIRS {
        for frames in [
            3, 4, 5, 146, 147, 148, 1175, 1176, 1177, 40_960, 49_152, 163_840, 163_841,
        ] {
            studio.resampled(from, to, &[noise(1, frames)]);
        }
    }
}

#[test]
fn the_rate_that_it_has_changes_no_bit() {
    let studio = Studio::new(&[]);
    let input = [noise(1, 50_001), noise(2, 50_001)];
    assert_eq!(studio.resampled(44_100, 44_100, &input), input);
}

/// Stages that lag behind, at both rates.
fn both_sides(rate: u32) -> [Value; 5] {
    let bands = |taps: usize| json!({"stage": "multiband", "crossovers_hz": [900.0], "gains_db": [0.0, 0.0], "taps": taps});
    [
        bands(1001),
        stage(rate),
        bands(731),
        json!({"stage": "loudness", "target_lufs": -26.0}),
        json!({"stage": "limiter"}),
    ]
}

#[test]
fn stages_on_both_sides_are_undelayed_and_the_output_is_measured() {
    let studio = Studio::new(&[]);
    for (from, to) in [(44_100, 48_000), (96_000, 44_100)] {
        let mut song: Vec<f32> = sine(from, 997.0, 0.0, 0.05, 3 * from as usize);
        let ratio = f64::from(to) / f64::from(from);
        let clicks = [from as usize / 2, 2 * from as usize];
        clicks.iter().for_each(|&n| song[n] = 0.7);
        let delivery = studio.master(from, &[song], &both_sides(to)).unwrap();
        let output = read(&studio.output());
        assert_eq!(output[0].len(), 3 * to as usize);
        for click in clicks {
            let expected = (click as f64 * ratio).round() as usize;
            let around = expected - 300..expected + 300;
            let loudest = around.max_by(|&a, &b| output[0][a].abs().total_cmp(&output[0][b].abs()));
            assert_eq!(loudest, Some(expected), "{from} to {to}");
        }
        let measured = loudness(to, &output);
        assert!(
            (measured + 26.0).abs() <= 0.1,
            "{from} to {to}: {measured} LUFS"
        );
        assert!((delivery.loudness_out_lufs.unwrap() - measured).abs() <= 0.01);
        assert!(delivery.true_peak_out_dbtp.unwrap() <= -1.0, "{delivery:?}");
    }
}

#[test]
fn how_the_work_is_spread_changes_no_byte() {
    let input = [noise(1, 300_000), noise(2, 300_000)];
    let outputs = ["sequential", "rayon", "pinned"].map(|executor| {
        let studio = Studio::new(&[&format!("executor.backend={executor}")]);
        let delivery = studio.master(44_100, &input, &both_sides(48_000)).unwrap();
        (std::fs::read(studio.output()).unwrap(), delivery.digest)
    });
    assert!(outputs.iter().all(|output| *output == outputs[0]));
}

#[test]
fn rates_that_can_not_be_had_are_errors_that_name_them() {
    for rate in [0, 7999, 768_001, u32::MAX] {
        let error = Resample { sample_rate: rate }.check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error.report().contains(&format!("{rate} Hz")),
            "{}",
            error.report()
        );
    }
    let twice = Chain::from_tables(&[stage(48_000), stage(44_100)]).unwrap_err();
    assert_eq!(
        twice.to_string(),
        "a chain has one resample stage at most (first: chain[0], second: chain[1])"
    );
    let studio = Studio::new(&[]);
    let error = studio.master(3_000_017, &[impulse(100)], &[stage(8000)]);
    let report = error.unwrap_err().report();
    for part in ["3000017 Hz", "8000 Hz", "3000017:8000"] {
        assert!(report.contains(part), "{report}");
    }
    assert!(!studio.output().exists());
}

#[test]
fn a_live_session_keeps_its_rate() {
    let spec = SessionSpec {
        sample_rate: 48_000,
        channels: 2,
        max_frames: 64,
    };
    let optimizer = optimizer(&[]);
    let session = |rate| {
        let chain = Chain::from_tables(&[stage(rate)]).unwrap();
        Session::new(&chain, spec, optimizer.parts())
    };
    assert_eq!(session(48_000).unwrap().latency(), 0);
    let error = session(44_100).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    for part in ["a session keeps its sample rate", "48000 Hz", "44100 Hz"] {
        assert!(error.report().contains(part), "{}", error.report());
    }
}
