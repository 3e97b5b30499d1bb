//! Mastering a file through the library: what was asked is what is delivered.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use auralis::Optimizer;
use auralis::audio::{OutputFormat, OutputSpec, Reader, SampleFormat, Writer};
use auralis::chain::Chain;
use auralis::core::Result;
use auralis::master::{Delivery, Job, NonFinite};
use ebur128::{EbuR128, Mode};
use serde_json::json;

use crate::signals::{Planar, amplitude, interleave, noise, optimizer, sine};

const RATE: u32 = 22_050;

pub fn write(path: &Path, rate: u32, planes: &[Vec<f32>]) {
    let spec = OutputSpec {
        sample_rate: rate,
        channels: planes.len(),
        channel_mask: None,
        format: OutputFormat::Wav,
        sample: SampleFormat::Float32,
        frames: None,
        digest: false,
    };
    let mut writer = Writer::create(path, &spec).unwrap();
    writer.write_f32(&interleave(planes)).unwrap();
    writer.finish().unwrap();
}

pub fn read(path: &Path) -> Planar {
    let mut reader = Reader::open(path).unwrap();
    let mut planes = vec![Vec::new(); reader.spec().channels];
    loop {
        let mut rows = vec![vec![0.0; 4096]; planes.len()];
        let mut views: Vec<&mut [f32]> = rows.iter_mut().map(|row| &mut row[..]).collect();
        let read = reader.read(&mut views).unwrap();
        if read == 0 {
            return planes;
        }
        for (plane, row) in planes.iter_mut().zip(rows) {
            plane.extend(&row[..read]);
        }
    }
}

pub fn loudness(rate: u32, planes: &[Vec<f32>]) -> f64 {
    let mut meter = EbuR128::new(planes.len() as u32, rate, Mode::I).unwrap();
    meter.add_frames_f32(&interleave(planes)).unwrap();
    meter.loudness_global().unwrap()
}

fn chain(target_lufs: f64) -> Chain {
    Chain::from_tables(&[
        json!({"stage": "equalizer", "bands": [{"hz": 60.0, "gain_db": 1.5}, {"hz": 3000.0, "gain_db": -1.0}]}),
        json!({"stage": "loudness", "target_lufs": target_lufs}),
        json!({"stage": "limiter"}),
    ])
    .unwrap()
}

/// A folder, and what is mastered in it.
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn master(&self, chain: &Chain, prefetch: bool, timeline: bool) -> Result<Delivery> {
        Job {
            input: &self.path("in.wav"),
            output: &self.path("out.wav"),
            format: OutputFormat::Wav,
            sample: SampleFormat::Int24,
            chain,
            parts: self.optimizer.parts(),
            non_finite: NonFinite::Refuse,
            prefetch,
            timeline,
            digest: true,
            interrupted: &AtomicBool::new(false),
            progress: &|_| {},
        }
        .run()
    }
}

/// Songs of some seconds: dense, dynamic, and with pauses.
fn songs() -> Vec<(&'static str, Planar)> {
    let len = RATE as usize * 4;
    let shaped = |seed: u64, hz: f64, level: fn(f64) -> f64| -> Vec<f32> {
        let tone = sine(RATE, hz, 0.0, 0.6, len);
        let hiss = noise(seed, len);
        (0..len)
            .map(|n| {
                let seconds = n as f64 / f64::from(RATE);
                level(seconds) as f32 * (tone[n] + 0.3 * hiss[n])
            })
            .collect()
    };
    let dense = |t: f64| 0.3 + 0.05 * (t * 9.0).sin();
    let beat = |t: f64| 0.05 + 0.6 * (-(t * 2.0).fract() * 5.0).exp();
    let phrases = |t: f64| {
        if (t * 0.7).fract() < 0.7 {
            0.2 * (t + 0.5) / 4.0
        } else {
            0.0001
        }
    };
    vec![
        (
            "dense",
            vec![shaped(1, 220.0, dense), shaped(2, 331.0, dense)],
        ),
        ("a beat", vec![shaped(3, 80.0, beat), shaped(4, 90.0, beat)]),
        ("phrases", vec![shaped(5, 440.0, phrases)]),
    ]
}

#[test]
fn the_loudness_that_was_asked_is_delivered() {
    let studio = Studio::new(&[]);
    let mut worst = 0.0f64;
    for (what, song) in songs() {
        write(&studio.path("in.wav"), RATE, &song);
        for target in [-23.0, -14.0, -10.0] {
            let delivery = studio.master(&chain(target), true, false).unwrap();
            let output = read(&studio.path("out.wav"));
            let off = loudness(RATE, &output) - target;
            worst = worst.max(off.abs());
            assert_eq!(delivery.loudness_note, None, "{what} at {target} LUFS");
            assert!(off.abs() <= 0.1, "{what} at {target} LUFS: off by {off} LU");
            assert!((delivery.loudness_out_lufs.unwrap() - target - off).abs() <= 0.01);
            assert!(delivery.true_peak_out_dbtp.unwrap() <= -1.0, "{delivery:?}");
            assert_eq!(delivery.frames, song[0].len() as u64);
            assert_eq!(output[0].len(), song[0].len());
            assert_eq!(delivery.latency_samples, 0);
            assert!(
                (1..=3).contains(&delivery.renderings),
                "{}",
                delivery.renderings
            );
        }
    }
    println!("the delivered loudness is off by {worst:.4} LU at most");
}

#[test]
fn the_output_is_not_delayed() {
    let studio = Studio::new(&[]);
    let mut song: Vec<f32> = noise(1, RATE as usize).iter().map(|x| 0.02 * x).collect();
    let clicks = [100, 9000, RATE as usize - 20];
    clicks.iter().for_each(|&n| song[n] = 0.9);
    write(&studio.path("in.wav"), RATE, &[song]);
    let with_bands = Chain::from_tables(&[
        json!({"stage": "multiband", "crossovers_hz": [300.0], "gains_db": [1.0, 0.0], "taps": 513}),
        json!({"stage": "loudness", "target_lufs": -30.0}),
        json!({"stage": "limiter"}),
    ])
    .unwrap();
    for chain in [
        with_bands,
        Chain::from_tables(&[json!({"stage": "limiter"})]).unwrap(),
    ] {
        studio.master(&chain, true, true).unwrap();
        let output = read(&studio.path("out.wav")).remove(0);
        for click in clicks {
            let around = click.saturating_sub(90)..(click + 90).min(output.len());
            let loudest = around.max_by(|&a, &b| output[a].abs().total_cmp(&output[b].abs()));
            assert_eq!(loudest, Some(click));
        }
    }
}

#[test]
fn how_the_work_is_spread_changes_no_byte() {
    let (_, song) = songs().remove(1);
    let song: Planar = song
        .iter()
        .map(|plane| plane[..RATE as usize * 2].to_vec())
        .collect();
    let spreads = [
        ("sequential", false, false),
        ("sequential", true, true),
        ("rayon", false, true),
        ("rayon", true, false),
        ("pinned", true, true),
        ("pinned", false, false),
    ];
    let mut seen = Vec::new();
    for (executor, prefetch, timeline) in spreads {
        let studio = Studio::new(&[&format!("executor.backend={executor}")]);
        write(&studio.path("in.wav"), RATE, &song);
        let delivery = studio.master(&chain(-12.0), prefetch, timeline).unwrap();
        let bytes = std::fs::read(studio.path("out.wav")).unwrap();
        seen.push((bytes, delivery.digest, delivery.renderings));
        assert!(
            seen[0] == seen[seen.len() - 1],
            "{executor}, {prefetch}, {timeline}"
        );
    }
}

#[test]
fn what_is_out_of_reach_is_said() {
    let studio = Studio::new(&[]);
    let len = RATE as usize * 2;
    let silence = vec![vec![0.0; len]];
    let mut clicks = vec![0.0; len];
    clicks.iter_mut().step_by(5000).for_each(|x| *x = 0.9);
    let cases = [
        (silence, -14.0, "there is no loudness to measure"),
        (
            vec![noise(1, 1000)],
            -14.0,
            "there is no loudness to measure",
        ),
        (vec![clicks], -8.0, "of limiting"),
    ];
    for (song, target, expected) in cases {
        write(&studio.path("in.wav"), RATE, &song);
        let delivery = studio.master(&chain(target), true, false).unwrap();
        let note = delivery.loudness_note.expect("a note");
        assert!(
            note.contains(expected) && note.contains(&format!("{target:.1}")),
            "{note}"
        );
        assert_eq!(delivery.frames, song[0].len() as u64);
        assert!(delivery.true_peak_out_dbtp.is_none_or(|peak| peak <= -1.0));
    }
}

#[test]
fn corrections_are_counted() {
    let studio = Studio::new(&[]);
    // Sparse clicks over a quiet ground: the limiter's edges are what the model sees least well.
    let mut song: Vec<f32> = noise(2, RATE as usize * 3)
        .iter()
        .map(|x| 0.05 * x)
        .collect();
    song.iter_mut().step_by(1500).for_each(|x| *x = 0.9);
    write(&studio.path("in.wav"), RATE, &[song]);
    let mut renderings = Vec::new();
    for target in [-23.0, -20.0, -18.0] {
        let delivery = studio.master(&chain(target), true, false).unwrap();
        let off = (delivery.loudness_out_lufs.unwrap() - target).abs();
        assert!(
            off <= 0.1 || delivery.loudness_note.is_some(),
            "off by {off} LU"
        );
        renderings.push(delivery.renderings);
    }
    println!("renderings at -23, -20 and -18 LUFS: {renderings:?}");
    assert!(
        renderings.iter().all(|n| (1..=3).contains(n)),
        "{renderings:?}"
    );
}

#[test]
fn a_refused_file_leaves_nothing_behind() {
    let studio = Studio::new(&[]);
    let mut song = noise(1, 5000);
    song[1234] = f32::NAN;
    write(&studio.path("in.wav"), RATE, &[song]);
    let error = studio.master(&chain(-14.0), true, false).unwrap_err();
    assert!(error.report().contains("frame: 1234"), "{error}");
    let names: Vec<_> = std::fs::read_dir(studio.folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let level = amplitude(-6.0) as f32;
    write(&studio.path("in.wav"), RATE, &[vec![level; 5000]]);
    studio.master(&chain(-14.0), true, false).unwrap();
}
