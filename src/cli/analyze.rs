//! `auralis analyze`: measures without writing.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use auralis_core::{AudioBlockMut, Error, ErrorKind, FlushToZero, MAX_CHANNELS, Result};
use clap::Args;
use serde::Serialize;

use super::{Global, Outcome, Stop, inputs, output};
use crate::Parts;
use crate::audio::Reader;
use crate::chain::decibels;
use crate::meter::{LoudnessMeter, TruePeak, channel_weights, energy};
use crate::optimizer::Fallback;

/// Measures loudness and peaks without writing anything.
#[derive(Debug, Args)]
pub struct Analyze {
    /// Files, and folders with all they hold
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The most threads that work
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

/// One object of `analyze --json`. Levels that do not exist (silence) are `null`.
#[derive(Debug, Default, Serialize)]
#[serde(tag = "schema", rename = "auralis.analysis/1")]
struct Analysis {
    input: PathBuf,
    frames: Option<u64>,
    channels: Option<usize>,
    sample_rate: Option<u32>,
    audio_seconds: Option<f64>,
    loudness_lufs: Option<f64>,
    true_peak_dbtp: Option<f64>,
    peak_dbfs: Option<f64>,
    rms_dbfs: Option<f64>,
    warnings: Vec<String>,
    error: Option<String>,
}

impl Analyze {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let sets: Vec<String> = self
            .jobs
            .iter()
            .map(|jobs| format!("executor.threads={jobs}"))
            .collect();
        let optimizer = global.optimizer(&sets)?;
        let inputs = inputs::collect(&self.inputs);
        if !global.json {
            output::line(HEADER)?;
        }
        let printed: Mutex<Outcome> = Mutex::new(Ok(()));
        let failed = AtomicBool::new(false);
        let fallback = Fallback::new(&optimizer, |given_up| {
            output::remark(global, &given_up.to_string());
        });
        let order: Vec<usize> = (0..inputs.len()).collect();
        fallback.spread(&order, &|index| {
            let analysis = match &inputs[index] {
                Ok(input) => analyzed(&input.path, &fallback),
                Err(error) => Analysis {
                    error: Some(error.report()),
                    ..Analysis::default()
                },
            };
            failed.fetch_or(analysis.error.is_some(), Ordering::Relaxed);
            let mut printed = printed.lock().expect("no holder panics");
            if printed.is_ok() {
                *printed = analysis.print(global);
            }
        })?;
        printed.into_inner().expect("no holder panics")?;
        match failed.into_inner() {
            true => Err(Stop::SomeFailed),
            false => Ok(()),
        }
    }
}

const HEADER: &str = "   loudness  true peak       peak        rms     length  channels     rate  file\n       \
     LUFS       dBTP       dBFS       dBFS          s                 Hz";

impl Analysis {
    fn print(&self, global: &Global) -> Outcome {
        if global.json {
            return output::json(self);
        }
        if let Some(error) = &self.error {
            output::error(global, error);
            return Ok(());
        }
        let level = |level: Option<f64>| level.map_or("-inf".into(), |l| format!("{l:.2}"));
        output::line(format_args!(
            "{:>11}{:>11}{:>11}{:>11}{:>11.2}{:>10}{:>9}  {}",
            level(self.loudness_lufs),
            level(self.true_peak_dbtp),
            level(self.peak_dbfs),
            level(self.rms_dbfs),
            self.audio_seconds.unwrap_or(0.0),
            self.channels.unwrap_or(0),
            self.sample_rate.unwrap_or(0),
            self.input.display()
        ))?;
        for warning in &self.warnings {
            output::remark(global, &format!("{}: {warning}", self.input.display()));
        }
        Ok(())
    }
}

fn analyzed(path: &Path, fallback: &Fallback<'_>) -> Analysis {
    let (outcome, _) = fallback.attempt(Some(path), |chosen| measure(path, &chosen.parts));
    outcome.unwrap_or_else(|error| Analysis {
        input: path.to_path_buf(),
        error: Some(error.report()),
        ..Analysis::default()
    })
}

fn measure(path: &Path, parts: &Parts) -> Result<Analysis> {
    const FRAMES: usize = 8192;
    let _flush = FlushToZero::new();
    let mut reader = Reader::open(path)?;
    let spec = reader.spec().clone();
    let (channels, rate) = (spec.channels, spec.sample_rate);
    let accelerator = &parts.accelerator;
    let weights = channel_weights(channels, spec.channel_mask);
    let mut meter = LoudnessMeter::new(rate, weights, FRAMES, parts)?;
    let mut detector = TruePeak::new(rate, channels, accelerator)?;
    let mut buffer = parts.scratch(FRAMES * channels)?;
    let (mut frames, mut peak, mut true_peak, mut squares) = (0u64, 0.0f32, [0.0f32], 0.0);
    loop {
        let read = {
            let mut rows = buffer.chunks_mut(FRAMES);
            let mut rows: [&mut [f32]; MAX_CHANNELS] =
                std::array::from_fn(|_| rows.next().unwrap_or_default());
            reader.read(&mut rows[..channels])?
        };
        if read == 0 {
            break;
        }
        let block = AudioBlockMut::new(&mut buffer, channels, read, FRAMES)?;
        for (channel, plane) in block.as_block().planes().enumerate() {
            if let Some(at) = plane.iter().position(|x| !x.is_finite()) {
                let message = "the audio holds a sample that is not a finite number";
                return Err(Error::new(ErrorKind::Corrupt, message)
                    .with("file", path.display())
                    .with("frame", frames + at as u64)
                    .with("channel", channel));
            }
            peak = peak.max(accelerator.peak(plane)?);
            squares += energy(&**accelerator, plane)?;
            detector.process(channel, plane, 0, usize::MAX, &mut true_peak)?;
        }
        meter.process(&block.as_block())?;
        frames += read as u64;
    }
    let finite = |level: f64| level.is_finite().then_some(level);
    let mean = squares / (frames as f64 * channels as f64);
    Ok(Analysis {
        input: path.to_path_buf(),
        frames: Some(frames),
        channels: Some(channels),
        sample_rate: Some(rate),
        audio_seconds: Some(frames as f64 / f64::from(rate)),
        loudness_lufs: finite(meter.integrated()),
        true_peak_dbtp: finite(decibels(f64::from(true_peak[0].max(peak)))),
        peak_dbfs: finite(decibels(f64::from(peak))),
        rms_dbfs: finite(decibels(mean.sqrt())),
        warnings: reader.warnings().to_vec(),
        error: None,
    })
}
