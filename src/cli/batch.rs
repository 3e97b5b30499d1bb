//! Many files through one chain: who goes first, what is reported of each, and how it ends.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auralis_core::executor::contain;
use auralis_core::{Error, ErrorKind, Result};
use auralis_registry::RejectedPlugin;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Value, json};

use super::inputs::{Identity, identity};
use super::process::{Bits, Nan, Options};
use super::{Global, Outcome, Stop, offers, output, progress, rejection};
use crate::audio::{OutputFormat, Reader, SampleFormat};
use crate::master::{Delivery, Job, NonFinite, Record};
use crate::optimizer::{Chosen, Fallback};
use crate::report::{self, Asked, BackendChoice, FileReport, FolderReport, Machine};
use crate::{Optimizer, Parts};

/// What the cache had to do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CacheUse {
    /// An earlier run made the output; this one verified it.
    Hit,
    /// The output was made now, and a record of it kept.
    Miss,
    /// The cache keeps nothing, or the file failed.
    Off,
}

/// One file that is done.
struct Done {
    report: FileReport,
    cache: CacheUse,
    /// The backends that did it.
    chosen: Arc<Chosen>,
}

/// One file to be done.
#[derive(Debug)]
pub struct Task {
    input: PathBuf,
    output: Option<PathBuf>,
    /// Bytes of the input: what decides who goes first.
    size: u64,
    failed: Option<String>,
}

impl Task {
    /// A task from file to file.
    pub fn new(input: PathBuf, output: PathBuf) -> Self {
        let size = fs::metadata(&input).map_or(0, |m| m.len());
        Self {
            input,
            output: Some(output),
            size,
            failed: None,
        }
    }

    /// One that has failed before it began.
    pub fn failed(input: PathBuf, output: Option<PathBuf>, error: &Error) -> Self {
        Self {
            input,
            output,
            size: 0,
            failed: Some(error.report()),
        }
    }
}

/// Many files, one chain.
pub struct Batch<'a> {
    global: &'a Global,
    optimizer: &'a Optimizer,
    options: &'a Options,
    format: OutputFormat,
    fallback: Fallback<'a>,
    bar: ProgressBar,
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

impl<'a> Batch<'a> {
    /// A batch with these options.
    pub fn new(
        global: &'a Global,
        optimizer: &'a Optimizer,
        options: &'a Options,
        format: OutputFormat,
    ) -> Self {
        let bar = progress::bar(global, 0);
        let above = bar.clone();
        let fallback = Fallback::new(optimizer, move |given_up| {
            above.suspend(|| output::remark(global, &given_up.to_string()));
        });
        Self {
            global,
            optimizer,
            options,
            format,
            fallback,
            bar,
        }
    }

    /// Does something beside the files with the backends of the batch.
    pub fn attempt<T>(&self, file: &Path, mut work: impl FnMut(&Parts) -> Result<T>) -> Result<T> {
        let (outcome, _) = self
            .fallback
            .attempt(Some(file), |chosen| work(&chosen.parts));
        outcome
    }

    /// Does every task, reports each, and says how it ended.
    pub fn run(&self, mut tasks: Vec<Task>) -> Outcome {
        self.protect_inputs(&mut tasks)?;
        watch_for_interrupts()?;
        let began = Instant::now();
        let files = self.process_all(&tasks)?;
        self.bar.finish_and_clear();
        let report = self.folder_report(files, began.elapsed());
        if !self.global.json {
            self.print_tables(&report)?;
        }
        self.write_documents(&report)?;
        if INTERRUPTED.load(Ordering::Relaxed) {
            return Err(Stop::Interrupted);
        }
        match report.files.iter().all(|file| file.outcome.is_ok()) {
            true => Ok(()),
            false => Err(Stop::SomeFailed),
        }
    }

    /// Fails each task whose output is an input, its own or another's, and refuses documents that
    /// would overwrite an input or an output.
    fn protect_inputs(&self, tasks: &mut [Task]) -> Outcome {
        let inputs: HashMap<Identity, PathBuf> = tasks
            .iter()
            .filter_map(|task| Some((identity(&task.input)?, task.input.clone())))
            .collect();
        let input_at = |path: &Path| inputs.get(&identity(path)?);
        let documents = [
            ("--report", &self.options.report),
            ("--trace", &self.options.trace),
        ];
        for (flag, path) in documents {
            let Some(path) = path else { continue };
            let is_output = |task: &Task| task.output.as_ref() == Some(path);
            let taken = match input_at(path) {
                Some(_) => "an input",
                None if tasks.iter().any(is_output) => "an output",
                None => continue,
            };
            let message = format!("`{flag} {}` would overwrite {taken}", path.display());
            return Err(Stop::Usage(message));
        }
        for task in tasks.iter_mut().filter(|task| task.failed.is_none()) {
            let Some(output) = &task.output else { continue };
            let error = match input_at(output) {
                None => continue,
                Some(_) if identity(output) == identity(&task.input) => {
                    Error::new(ErrorKind::InvalidInput, "the output is the input itself")
                }
                Some(other) => Error::new(ErrorKind::InvalidInput, "the output is another input")
                    .with("output", output.display())
                    .with("other input", other.display()),
            };
            task.failed = Some(error.report());
        }
        Ok(())
    }

    /// The largest file first, so that the threads end together.
    fn process_all(&self, tasks: &[Task]) -> Result<Vec<FileReport>, Stop> {
        let mut order: Vec<usize> = (0..tasks.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(tasks[index].size));
        self.count_audio(tasks);
        let results: Vec<Mutex<Option<FileReport>>> =
            tasks.iter().map(|_| Mutex::new(None)).collect();
        let stopped = Mutex::new(None);
        self.fallback.spread(&order, &|index| {
            if stopped.lock().expect("no holder panics").is_some() {
                return;
            }
            let done = self.process(&tasks[index], tasks.len());
            if self.global.json
                && let Err(stop) = output::json(&self.json_line(&done))
            {
                *stopped.lock().expect("no holder panics") = Some(stop);
            }
            *results[index].lock().expect("no holder panics") = Some(done.report);
        })?;
        match stopped.into_inner().expect("no holder panics") {
            Some(stop) => Err(stop),
            None => Ok(results
                .into_iter()
                .filter_map(|slot| slot.into_inner().expect("no holder panics"))
                .collect()),
        }
    }

    /// The parts to work with inside a file: on one thread where there are files for all threads.
    fn inside(&self, parts: &Parts, files: usize) -> Parts {
        match self.optimizer.sequential_executor() {
            Some(executor) if files >= parts.executor.threads() => Parts {
                executor,
                ..parts.clone()
            },
            _ => parts.clone(),
        }
    }

    fn count_audio(&self, tasks: &[Task]) {
        if self.bar.is_hidden() {
            return;
        }
        let passes = if self.optimizer.chain().loudness().is_some() {
            2
        } else {
            1
        };
        let seconds = |task: &Task| {
            let reader = Reader::open(&task.input).ok()?;
            Some(reader.spec().frames? / u64::from(reader.spec().sample_rate))
        };
        self.bar
            .set_length(tasks.iter().filter_map(seconds).sum::<u64>() * passes * 1000);
        self.bar.set_message(format!("of {} files", tasks.len()));
    }

    /// Masters a file of so many, from the start again where a backend breaks on the way.
    fn process(&self, task: &Task, files: usize) -> Done {
        let began = Instant::now();
        let shown = AtomicU64::new(0);
        let (outcome, chosen) = self.fallback.attempt(Some(&task.input), |chosen| {
            self.bar.dec(shown.swap(0, Ordering::Relaxed));
            let outcome = Mutex::new(None);
            contain(0..1, &|_| {
                let result = self.master(task, chosen, files, &shown);
                *outcome.lock().expect("no holder panics") = Some(result);
            })?;
            let left_out = || Error::new(ErrorKind::Panicked, "the file was left out");
            let outcome = outcome.into_inner().expect("no holder panics");
            outcome.unwrap_or_else(|| Err(left_out()))
        });
        let (outcome, cache) = match outcome {
            Ok((delivery, cache)) => (Ok(delivery), cache),
            Err(error) => (Err(named(&error, &task.input)), CacheUse::Off),
        };
        let report = FileReport {
            input: task.input.clone(),
            output: task.output.clone().unwrap_or_default(),
            outcome,
            wall_seconds: began.elapsed().as_secs_f64(),
            from_cache: cache == CacheUse::Hit,
        };
        Done {
            report,
            cache,
            chosen,
        }
    }

    fn master(
        &self,
        task: &Task,
        chosen: &Chosen,
        files: usize,
        shown: &AtomicU64,
    ) -> Result<(Delivery, CacheUse)> {
        if let Some(failed) = &task.failed {
            return Err(Error::new(ErrorKind::InvalidInput, failed.clone()));
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        let parts = &self.inside(&chosen.parts, files);
        let output = task.output.as_deref().unwrap_or(Path::new(""));
        let sample_rate = AtomicUsize::new(48_000);
        let job = Job {
            input: &task.input,
            output,
            format: self.format,
            sample: match self.options.bits {
                Bits::Int16 => SampleFormat::Int16,
                Bits::Int24 => SampleFormat::Int24,
                Bits::Float32 => SampleFormat::Float32,
            },
            chain: self.optimizer.chain(),
            parts,
            non_finite: match self.options.nan {
                Nan::Refuse => NonFinite::Refuse,
                Nan::Zero => NonFinite::Zero,
            },
            prefetch: self.optimizer.config().process.prefetch,
            timeline: self.options.report.is_some(),
            digest: caches(chosen),
            interrupted: &INTERRUPTED,
            progress: &|frames| {
                let rate = sample_rate.load(Ordering::Relaxed) as u64;
                let milliseconds = frames * 1000 / rate.max(1);
                shown.fetch_add(milliseconds, Ordering::Relaxed);
                self.bar.inc(milliseconds);
            },
        };
        if !self.bar.is_hidden()
            && let Ok(reader) = Reader::open(&task.input)
        {
            sample_rate.store(reader.spec().sample_rate as usize, Ordering::Relaxed);
        }
        // Before anything reads to the end of it: a device has none.
        Reader::open(&task.input)?;
        let record = match job.digest {
            true => Some(Record::of(&job, &engine(self.optimizer, chosen))?),
            false => None,
        };
        if let Some(record) = &record
            && let Some(delivery) = record.verified(&*parts.cache, output)
        {
            return Ok((delivery, CacheUse::Hit));
        }
        let ours = record.as_ref().is_some_and(|r| r.is_ours(&*parts.cache));
        if output.exists() && !ours && !self.options.force {
            let message = "the output exists already (`--force` overwrites it)";
            return Err(
                Error::new(ErrorKind::InvalidInput, message).with("output", output.display())
            );
        }
        if let Some(folder) = output.parent().filter(|f| !f.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|e| {
                Error::new(ErrorKind::Io, "can't make the output folder")
                    .with("folder", folder.display())
                    .because(e)
            })?;
        }
        let delivery = job.run()?;
        match record {
            None => Ok((delivery, CacheUse::Off)),
            Some(record) => {
                record.keep(&*parts.cache, &delivery);
                Ok((delivery, CacheUse::Miss))
            }
        }
    }

    fn json_line(&self, done: &Done) -> Value {
        let Done {
            report: file,
            cache,
            chosen,
        } = done;
        let backends: serde_json::Map<String, Value> = chosen
            .selections
            .iter()
            .map(|s| (s.kind.to_owned(), Value::from(s.chosen.clone())))
            .collect();
        let mut given_up = self.fallback.given_up();
        given_up.retain(|g| g.file.as_ref() == Some(&file.input));
        let delivery = file.outcome.as_ref().ok();
        let seconds = delivery.map(Delivery::seconds);
        json!({
            "schema": "auralis.process/1",
            "input": file.input,
            "output": Some(&file.output).filter(|o| !o.as_os_str().is_empty()),
            "frames": delivery.map(|d| d.frames),
            "channels": delivery.map(|d| d.channels),
            "sample_rate": delivery.map(|d| d.sample_rate),
            "audio_seconds": seconds,
            "wall_seconds": file.wall_seconds,
            "realtime_factor": seconds.map(|s| s / file.wall_seconds.max(1e-9)),
            "loudness_in_lufs": delivery.and_then(|d| d.loudness_in_lufs),
            "loudness_out_lufs": delivery.and_then(|d| d.loudness_out_lufs),
            "loudness_target_lufs": delivery.and_then(|d| d.loudness_target_lufs),
            "true_peak_out_dbtp": delivery.and_then(|d| d.true_peak_out_dbtp),
            "gain_db": delivery.map(|d| d.gain_db),
            "reduction_db": delivery.and_then(|d| d.reduction_db),
            "renderings": delivery.map(|d| d.renderings),
            "latency_samples": delivery.map(|d| d.latency_samples),
            "cache": cache,
            "backends": backends,
            "given_up": given_up,
            "plugins_rejected": self.rejected_plugins(),
            "loudness_note": delivery.and_then(|d| d.loudness_note.as_deref()),
            "warnings": delivery.map_or(&[][..], |d| &d.warnings),
            "error": file.outcome.as_ref().err(),
        })
    }

    /// The allowed plugins that were rejected: a backend that the request names may be one of theirs.
    fn rejected_plugins(&self) -> Vec<Value> {
        let plugins = self.optimizer.rejected_plugins().iter();
        let object = |plugin: &RejectedPlugin| {
            json!({
                "file": plugin.file,
                "reason": plugin.reason,
                "offers": offers(plugin),
            })
        };
        plugins.map(object).collect()
    }

    fn folder_report(&self, files: Vec<FileReport>, wall: Duration) -> FolderReport {
        let chosen = self.fallback.chosen();
        let chain = self.optimizer.chain();
        FolderReport {
            files,
            profile: chosen.parts.profiler.report(),
            wall_seconds: wall.as_secs_f64(),
            asked: Asked {
                loudness_lufs: chain.loudness().map(|l| l.target_lufs),
                ceiling_dbtp: chain.limiter().map(|l| l.ceiling_dbtp),
                chain: chain
                    .stages()
                    .iter()
                    .map(|s| s.typetag_name().to_owned())
                    .collect(),
            },
            machine: Machine {
                cpu_features: self.optimizer.cpu().to_string(),
                cores: std::thread::available_parallelism().map_or(1, usize::from),
            },
            given_up: self.fallback.given_up(),
            rejected_plugins: self
                .optimizer
                .rejected_plugins()
                .iter()
                .map(rejection)
                .collect(),
            backends: chosen
                .selections
                .iter()
                .map(|s| {
                    let kind = s.kind.to_owned();
                    BackendChoice {
                        kind,
                        id: s.chosen.clone(),
                        decided_by: s.decided_by.to_string(),
                    }
                })
                .collect(),
        }
    }

    fn print_tables(&self, report: &FolderReport) -> Outcome {
        use std::io::IsTerminal;

        let color = output::colored(self.global, std::io::stdout().is_terminal());
        let width = console_width();
        output::line(report::files_table(&report.files, color, width).trim_end())?;
        let given_up = report::given_up_list(&report.given_up, color, width);
        if !given_up.is_empty() {
            output::line(format_args!("\n{}", given_up.trim_end()))?;
        }
        let rejected = report::rejected_plugins_list(&report.rejected_plugins, color, width);
        if !rejected.is_empty() {
            output::line(format_args!("\n{}", rejected.trim_end()))?;
        }
        let worked = report.profile.operations.iter().any(|o| o.count > 0);
        if worked && !self.global.quiet {
            let operations = report::operations_table(&report.profile);
            output::line(format_args!("\n{}", operations.trim_end()))?;
        }
        Ok(())
    }

    fn write_documents(&self, report: &FolderReport) -> Outcome {
        let write = |path: &Path, text: String| {
            fs::write(path, text).map_err(|e| {
                Error::new(ErrorKind::Io, "can't write the file")
                    .with("file", path.display())
                    .because(e)
            })
        };
        if let Some(path) = &self.options.report {
            write(path, report::html(report))?;
            output::remark(self.global, &format!("report: {}", path.display()));
        }
        if let Some(path) = &self.options.trace {
            let events = self.fallback.chosen().parts.profiler.events();
            write(path, report.profile.to_chrome_trace(&events))?;
            output::remark(self.global, &format!("trace: {}", path.display()));
        }
        Ok(())
    }
}

/// The columns of the terminal; 100 where there is none.
fn console_width() -> usize {
    console::Term::stdout()
        .size_checked()
        .map_or(100, |(_, columns)| usize::from(columns))
}

/// The error with the file that it is about.
fn named(error: &Error, input: &Path) -> String {
    let says_it = error
        .context()
        .any(|(key, _)| key == "file" || key == "folder");
    let report = error.report();
    if says_it || input.as_os_str().is_empty() {
        report
    } else {
        format!("{}: {report}", input.display())
    }
}

/// Whether the chosen cache keeps anything.
fn caches(chosen: &Chosen) -> bool {
    let selection = chosen.selection("cache");
    selection.is_none_or(|s| s.chosen != "none")
}

/// What decides the bits of an output: this version and the backends of the kernels.
fn engine(optimizer: &Optimizer, chosen: &Chosen) -> String {
    let accelerator = chosen.selection("accelerator");
    let versions: Vec<String> = optimizer
        .backends_of(chosen)
        .into_iter()
        .filter(|b| b.kind.as_deref() == Some("accelerator") && b.available)
        .map(|b| {
            format!(
                "{}={}",
                b.id.unwrap_or_default(),
                b.version.unwrap_or_default()
            )
        })
        .collect();
    let chosen = accelerator.map(|s| (s.chosen.as_str(), &s.kernels));
    format!("{} {chosen:?} {versions:?}", env!("CARGO_PKG_VERSION"))
}

fn watch_for_interrupts() -> Result<()> {
    INTERRUPTED.store(false, Ordering::Relaxed);
    let watched = ctrlc::try_set_handler(|| {
        // The second one ends the program at once; temporary files may then remain.
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    match watched {
        Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        Err(e) => Err(Error::new(ErrorKind::Io, "can't watch for interrupts").because(e)),
    }
}
