//! `auralis process`: masters files and folders.

use std::path::PathBuf;

use auralis_core::Result;
use clap::{Args, ValueEnum};

use super::batch::{Batch, Task};
use super::inputs::{self, Input};
use super::{Global, Outcome, Stop};
use crate::Optimizer;
use crate::audio::OutputFormat;

/// Masters files and folders.
#[derive(Debug, Args)]
pub struct Process {
    /// Files, and folders with all they hold
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The file to write, for a single input
    #[arg(
        short,
        long,
        value_name = "FILE",
        required_unless_present = "output_dir"
    )]
    output: Option<PathBuf>,
    /// The folder to write to; folders are mirrored there
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    output_dir: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// How files are processed.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// The most threads that work; files first, inside a file where files are fewer
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// The samples of the output
    #[arg(long, value_name = "BITS", default_value = "24")]
    pub bits: Bits,
    /// The container of the output; by default WAV, or what `-o` is called
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Container>,
    /// What to do with samples that are not finite numbers
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    pub nan: Nan,
    /// Overwrites outputs that exist
    #[arg(long)]
    pub force: bool,
    /// Writes a report as one HTML page
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Writes a timeline in the format of Chrome's trace viewer and Perfetto
    #[arg(long, value_name = "FILE.json")]
    pub trace: Option<PathBuf>,
}

/// The samples of the output.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Bits {
    /// 16-bit integers
    #[value(name = "16")]
    Int16,
    /// 24-bit integers
    #[default]
    #[value(name = "24")]
    Int24,
    /// 32-bit floats
    #[value(name = "32f")]
    Float32,
}

/// The container of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Container {
    /// RIFF WAVE
    Wav,
    /// FLAC
    Flac,
}

/// What to do with samples that are not finite numbers.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Nan {
    /// The file fails
    #[default]
    Refuse,
    /// They become 0, counted
    Zero,
}

impl Process {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let format = self.format()?;
        let named = inputs::collect(&self.inputs);
        if self.output.is_some() && (named.len() > 1 || self.inputs[0].is_dir()) {
            return Err(Stop::Usage(format!(
                "`-o` names one file, but there are {} inputs: use `--output-dir`",
                named.len()
            )));
        }
        let optimizer = self.options.optimizer(global)?;
        let found: Vec<&Input> = named
            .iter()
            .filter_map(|input| input.as_ref().ok())
            .collect();
        let mut outputs = match (&self.output, &self.output_dir) {
            (Some(output), _) => vec![Ok(output.clone())],
            (None, Some(folder)) => inputs::outputs(&found, folder, format.extension()),
            (None, None) => Vec::new(),
        }
        .into_iter();
        let tasks = named.iter().map(|input| match input {
            Err(error) => Task::failed(PathBuf::new(), None, error),
            Ok(input) => match outputs.next() {
                Some(Ok(output)) => Task::new(input.path.clone(), output),
                Some(Err(error)) => Task::failed(input.path.clone(), None, &error),
                None => Task::new(input.path.clone(), PathBuf::new()),
            },
        });
        let tasks = tasks.collect();
        let batch = Batch::new(global, &optimizer, &self.options, format);
        batch.run(tasks)
    }

    fn format(&self) -> Result<OutputFormat, Stop> {
        let named = self
            .output
            .as_ref()
            .and_then(|o| o.extension())
            .and_then(|e| e.to_str());
        Ok(match (self.options.format, named) {
            (Some(Container::Wav), _) => OutputFormat::Wav,
            (Some(Container::Flac), _) => OutputFormat::Flac,
            (None, Some(e)) if e.eq_ignore_ascii_case("flac") => OutputFormat::Flac,
            (None, Some(e)) if e.eq_ignore_ascii_case("wav") => OutputFormat::Wav,
            (None, Some(e)) if self.output.is_some() => {
                return Err(Stop::Usage(format!(
                    "can't write a `.{e}` file: outputs are `.wav` or `.flac` (`--format` says \
                     which where the name does not)"
                )));
            }
            _ => OutputFormat::Wav,
        })
    }
}

impl Options {
    /// The orchestrator for these options.
    pub fn optimizer(&self, global: &Global) -> Result<Optimizer> {
        let mut sets = Vec::new();
        if let Some(jobs) = self.jobs {
            sets.push(format!("executor.threads={jobs}"));
        }
        if self.trace.is_some() {
            sets.push("profiler.backend=trace".into());
        }
        global.optimizer(&sets)
    }
}
