//! `auralis demo`: a first look that needs no input.

use std::fs;
use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};
use clap::Args;

use super::batch::{Batch, Task};
use super::process::Options;
use super::{Global, Outcome, output};
use crate::Parts;
use crate::audio::{OutputFormat, OutputSpec, SampleFormat, Writer};
use crate::demo::{Song, songs};

/// Makes three short songs, masters them and writes a report.
#[derive(Debug, Args)]
pub struct Demo {
    /// The folder to write to
    #[arg(default_value = "auralis-demo")]
    folder: PathBuf,
    /// The most threads that work
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Demo {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let report = self.folder.join("report.html");
        let options = Options {
            jobs: self.jobs,
            force: true,
            report: Some(report),
            ..Options::default()
        };
        let optimizer = options.optimizer(global)?;
        let songs_folder = self.folder.join("songs");
        fs::create_dir_all(&songs_folder).map_err(|e| {
            Error::new(ErrorKind::Io, "can't make the folder")
                .with("folder", songs_folder.display())
                .because(e)
        })?;
        let batch = Batch::new(global, &optimizer, &options, OutputFormat::Wav);
        output::remark(global, "three songs, made here and now:");
        let mut tasks = Vec::new();
        for song in songs() {
            let input = songs_folder.join(song.name).with_extension("wav");
            batch.attempt(&input, |parts| write(&song, &input, parts))?;
            let output = self
                .folder
                .join("mastered")
                .join(song.name)
                .with_extension("wav");
            output::remark(global, &format!("  {}", input.display()));
            tasks.push(Task::new(input, output));
        }
        batch.run(tasks)
    }
}

fn write(song: &Song, path: &Path, parts: &Parts) -> Result<()> {
    let channels = song.planes.len();
    let frames = song.planes.first().map_or(0, Vec::len);
    let rows: Vec<&[f32]> = song.planes.iter().map(Vec::as_slice).collect();
    let mut interleaved = vec![0.0; channels * frames];
    parts.accelerator.interleave(&mut interleaved, &rows)?;
    let mut integers = vec![0; interleaved.len()];
    parts
        .accelerator
        .i16_from_f32(&mut integers, &interleaved)?;
    let spec = OutputSpec {
        sample_rate: song.sample_rate,
        channels,
        channel_mask: None,
        format: OutputFormat::Wav,
        sample: SampleFormat::Int16,
        frames: Some(frames as u64),
        digest: false,
    };
    let mut writer = Writer::create(path, &spec)?;
    writer.write_i16(&integers)?;
    writer.finish()?;
    Ok(())
}
