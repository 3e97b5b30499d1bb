//! What was delivered, as measured on what was written.

use serde::{Deserialize, Serialize};

/// What became of one file. Levels are measured on the samples as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Frames of the output: as many as the input has, or as they become by resampling.
    pub frames: u64,
    /// Channels of the output.
    pub channels: usize,
    /// Frames per second of the output.
    pub sample_rate: u32,
    /// Integrated loudness of the input, in LUFS; `None` where there is none to measure.
    pub loudness_in_lufs: Option<f64>,
    /// Integrated loudness of the output, in LUFS; `None` where there is none to measure.
    pub loudness_out_lufs: Option<f64>,
    /// True peak of the output, in dBTP; `None` for digital silence.
    pub true_peak_out_dbtp: Option<f64>,
    /// The loudness that was asked for, in LUFS; `None` for a chain without a loudness stage.
    pub loudness_target_lufs: Option<f64>,
    /// The gain that the loudness stage applied, in decibels.
    pub gain_db: f64,
    /// The most that the limiter took off, in decibels, where it is known.
    pub reduction_db: Option<f64>,
    /// Why the loudness is not what was asked, if it is not.
    pub loudness_note: Option<String>,
    /// The frames by which the output lies behind the input.
    pub latency_samples: i64,
    /// How often the file was rendered.
    pub renderings: u32,
    /// What the reader of the input had to say, what was zeroed, and what was clipped.
    pub warnings: Vec<String>,
    /// The BLAKE3 digest of the output file, if the job asked for it.
    pub digest: Option<[u8; 32]>,
    /// What a report draws.
    pub timeline: Timeline,
}

impl Delivery {
    /// The playing time in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate)
    }
}

/// The course of a file in a bounded number of steps, for a report. Every series spans the whole
/// file; a series that was not recorded is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// The largest sample of each step of the input.
    pub peak_in: Vec<f32>,
    /// The largest sample of each step of the output.
    pub peak_out: Vec<f32>,
    /// The largest momentary loudness of each step of the output, in LUFS.
    pub momentary_lufs: Vec<f32>,
    /// The most that the limiter took off in each step, in decibels.
    pub reduction_db: Vec<f32>,
}
