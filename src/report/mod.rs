//! What a run delivered: one HTML page to look at, and plain tables for a terminal.

mod figures;
mod file;
mod names;
mod operations;
mod page;
mod plot;
mod table;

use std::path::PathBuf;

use auralis_core::profiler;

use crate::master::Delivery;
use crate::optimizer::GivenUp;

pub use page::html;
pub use table::{files_table, given_up_list, operations_table, rejected_plugins_list};

/// What a report tells of a whole run.
#[derive(Clone, Debug)]
pub struct FolderReport {
    /// What was asked for.
    pub asked: Asked,
    /// What it ran on.
    pub machine: Machine,
    /// The backends that did the work.
    pub backends: Vec<BackendChoice>,
    /// The backends that broke on the way, in the order in which that was found.
    pub given_up: Vec<GivenUp>,
    /// The allowed plugins that were rejected when they were loaded: each with its file, why, and
    /// what it would have brought.
    pub rejected_plugins: Vec<String>,
    /// One entry per input, in the order to be shown.
    pub files: Vec<FileReport>,
    /// The time of the whole run, in seconds.
    pub wall_seconds: f64,
    /// Where the time went.
    pub profile: profiler::Report,
}

/// What a run was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The loudness, in LUFS; `None` for a chain without a loudness stage.
    pub loudness_lufs: Option<f64>,
    /// The true peak not to be exceeded, in dBTP; `None` for a chain without a limiter.
    pub ceiling_dbtp: Option<f64>,
    /// The stages in order, each in a few words.
    pub chain: Vec<String>,
}

/// The machine of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The features of the CPU that the backends could use.
    pub cpu_features: String,
    /// The cores it has.
    pub cores: usize,
}

/// A backend and why it is this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendChoice {
    /// The kind: `accelerator`, `executor` and so on.
    pub kind: String,
    /// The backend's id.
    pub id: String,
    /// Who decided: a flag, the environment, the configuration, a measurement or the rank.
    pub decided_by: String,
}

/// What became of one input.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file that was read.
    pub input: PathBuf,
    /// The file that was, or would have been, written.
    pub output: PathBuf,
    /// What was delivered, or why nothing was.
    pub outcome: Result<Delivery, String>,
    /// The time from opening the input to naming the output, in seconds.
    pub wall_seconds: f64,
    /// Whether an earlier run had made the output, so that this one only verified it.
    pub from_cache: bool,
}

impl FileReport {
    /// The playing time, in seconds; `None` without a delivery.
    pub fn audio_seconds(&self) -> Option<f64> {
        let delivery = self.outcome.as_ref().ok()?;
        (delivery.sample_rate > 0).then(|| delivery.frames as f64 / f64::from(delivery.sample_rate))
    }

    /// Playing time over wall time: 10 is ten times faster than real time. `None` without a
    /// delivery, and for a file that was only verified.
    pub fn times_real_time(&self) -> Option<f64> {
        let audio = self.audio_seconds().filter(|_| !self.from_cache)?;
        (self.wall_seconds > 0.0).then(|| audio / self.wall_seconds)
    }

    /// What a reader should know beside the figures: the note on loudness, then the warnings.
    fn notes(&self) -> Vec<&str> {
        let Ok(delivery) = &self.outcome else {
            return Vec::new();
        };
        let note = delivery.loudness_note.iter();
        note.chain(&delivery.warnings).map(String::as_str).collect()
    }
}
