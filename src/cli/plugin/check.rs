//! `auralis plugin check`: the conformance suite over a plugin, in a process of its own.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use auralis_core::{CpuFeatures, Error, ErrorKind, REFERENCE, Result};
use auralis_registry::plugin::process::{self, End, Stoppable};
use auralis_registry::plugin::{
    Allowance, LibraryFile, Manifest, Store, Verdict, Voucher, inspect,
};
use clap::Args;
use serde::Serialize;

use super::trials::{MANIFEST, Message, Request};
use crate::cli::{Global, Outcome, Stop, output};
use crate::conformance::{planned, planned_of_kernel};

/// Runs the conformance suite over a plugin, in a process of its own.
#[derive(Debug, Args)]
pub struct Check {
    /// The plugin
    file: PathBuf,
    /// Runs only the trials whose name holds this
    #[arg(long, value_name = "NAME_PART")]
    trial: Option<String>,
    /// Runs only the quick part, as before the first use of a plugin
    #[arg(long)]
    quick: bool,
    /// How long one trial may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
}

/// One object of `plugin check --json`.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.trial/1")]
struct Trial<'a> {
    trial: &'a str,
    outcome: Ending,
    reason: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Ending {
    Passed,
    Failed,
    Ignored,
}

/// How many trials ended how.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Tally {
    fn tell(
        &mut self,
        global: &Global,
        name: &str,
        outcome: Ending,
        reason: Option<&str>,
    ) -> Outcome {
        let (count, word) = match outcome {
            Ending::Passed => (&mut self.passed, "passed"),
            Ending::Failed => (&mut self.failed, "failed"),
            Ending::Ignored => (&mut self.ignored, "ignored"),
        };
        *count += 1;
        if global.json {
            let trial = name;
            return output::json(&Trial {
                trial,
                outcome,
                reason,
            });
        }
        // One line, whatever the trial has to say.
        let reason = reason.map_or(String::new(), |reason| {
            format!(
                ": {}",
                reason.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        });
        output::line(format_args!("{word:<7}  {name}{reason}"))
    }
}

impl Check {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let file = super::named(&self.file)?;
        let mut allowance = super::Allowed::find(global)?.of(&file);
        if allowance.voucher == Voucher::Seal {
            // The child is there to contain it.
            allowance.voucher = Voucher::Caller;
        }
        let (library, manifest) = checked(&file, &allowance)?;
        let mut tally = Tally::default();
        let mut trials = VecDeque::new();
        for (name, needs) in self.planned(&manifest) {
            match needs {
                Some(needs) => tally.tell(global, &name, Ending::Ignored, Some(&needs))?,
                None => trials.push_back(name),
            }
        }
        if let Some(part) = &self.trial
            && trials.len() + tally.ignored == 1
            && !MANIFEST.contains(part)
        {
            return Err(Stop::Usage(format!(
                "no trial of this plugin has `{part}` in its name"
            )));
        }
        let request = Request {
            secret: secret(),
            library,
            allow_abort: allowance.abort,
            quick: self.quick,
            trials,
        };
        self.run_all(global, request, &mut tally)?;
        let Tally {
            passed,
            failed,
            ignored,
        } = tally;
        let summary = format!("{passed} passed, {failed} failed, {ignored} ignored");
        if global.json {
            output::remark(global, &summary);
        } else {
            output::line(summary)?;
        }
        if failed > 0 {
            return Err(Stop::SomeFailed);
        }
        Ok(())
    }

    /// The trials of the plugin, and what this CPU lacks for them.
    fn planned(&self, manifest: &Manifest) -> Vec<(String, Option<String>)> {
        let cpu = CpuFeatures::detect();
        let mut all = vec![(MANIFEST.to_owned(), None)];
        for backend in &manifest.backends {
            let missing = backend.missing(cpu);
            let needs = (!missing.is_empty()).then(|| format!("needs {}", missing.join(", ")));
            let trials = planned(&backend.kind, &backend.id, &backend.capabilities);
            let wanted = trials.into_iter().filter(|t| t.quick || !self.quick);
            all.extend(wanted.map(|trial| (trial.name, needs.clone())));
        }
        for kernel in &manifest.kernels {
            let variants = kernel
                .variants
                .iter()
                .map(|v| (v.id.as_str(), v.missing(cpu)));
            for (variant, missing) in iter::once((REFERENCE, Vec::new())).chain(variants) {
                let needs = (!missing.is_empty()).then(|| format!("needs {}", missing.join(", ")));
                let trials = planned_of_kernel(&kernel.name, variant).into_iter();
                all.extend(trials.map(|trial| (trial.name, needs.clone())));
            }
        }
        if let Some(part) = &self.trial {
            all.retain(|(name, _)| name == MANIFEST || name.contains(part));
        }
        all
    }

    /// Runs the trials in a child, and what is left of them in another one when that ends too early.
    fn run_all(&self, global: &Global, mut request: Request, tally: &mut Tally) -> Outcome {
        let limit = Duration::from_secs(self.limit);
        while !request.trials.is_empty() {
            let mut runner = Runner::start(&request, global.verbose > 0)?;
            while let Some(name) = request.trials.pop_front() {
                let failure = runner.next(&name, limit);
                let outcome = match failure {
                    None => Ending::Passed,
                    Some(_) => Ending::Failed,
                };
                tally.tell(global, &name, outcome, failure.as_deref())?;
                if failure.is_some() && name == MANIFEST {
                    let reason = Some("the plugin can't be used as it is");
                    return request
                        .trials
                        .iter()
                        .try_for_each(|name| tally.tell(global, name, Ending::Ignored, reason));
                }
                if runner.ended {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// A private copy of the plugin, and what it says of itself. What stands in quarantine is checked all
/// the same: the child is there to contain it.
fn checked(file: &Path, allowance: &Allowance) -> Result<(PathBuf, Manifest)> {
    let inspection = inspect(file, allowance, None);
    let (Verdict::Accepted, Some(manifest)) = (inspection.verdict, inspection.manifest) else {
        let reason = inspection.reason.unwrap_or_default();
        return Err(Error::new(ErrorKind::Plugin, reason).with("file", file.display()));
    };
    let library = LibraryFile::read(file, allowance.within.as_deref())?;
    if inspection.sha256.as_ref() != Some(&library.sha256) {
        let message = "the file has changed since it was inspected";
        return Err(Error::new(ErrorKind::Plugin, message).with("file", file.display()));
    }
    Ok((Store::for_user()?.copy(&library)?, manifest))
}

/// What no plugin can guess, and so not print.
fn secret() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("auralis-trial {:016x}{:016x} ", random(), random())
}

/// A child that runs trials one after the other. Dropping it ends it, and whatever it has started.
struct Runner {
    child: Child,
    /// Ends the reading of its output, which a process of another group may hold open.
    stop: Arc<AtomicBool>,
    messages: Receiver<Message>,
    ended: bool,
}

impl Runner {
    /// `noise`: whether what the plugin prints on standard error is passed on.
    fn start(request: &Request, noise: bool) -> Result<Self> {
        let failed = |e| Error::new(ErrorKind::Io, "can't run the trials in a process").because(e);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command
            .args(["plugin", "trials"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if noise {
                Stdio::inherit()
            } else {
                Stdio::null()
            });
        let mut child = process::own_group(&mut command).spawn().map_err(failed)?;
        let text = serde_json::to_vec(request).expect("a request is plain data");
        if let Some(mut input) = child.stdin.take() {
            // A child that ended at once is found to have ended when it is asked.
            let _ = input.write_all(&text);
        }
        let (sender, messages) = mpsc::channel();
        let stop = Arc::<AtomicBool>::default();
        let secret = request.secret.clone();
        if let Some(output) = child.stdout.take() {
            let output = Stoppable::new(output, Arc::clone(&stop));
            thread::spawn(move || listen(output, &secret, &sender));
        }
        Ok(Self {
            child,
            stop,
            messages,
            ended: false,
        })
    }

    /// What is wrong, if anything: what the trial found, that the child ended in it, or that it does
    /// not end.
    fn next(&mut self, name: &str, limit: Duration) -> Option<String> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let failure = match self.messages.recv_timeout(left) {
                Ok(Message::Ended(trial, failure)) if trial == name => return failure,
                Ok(_) => continue,
                Err(RecvTimeoutError::Timeout) => {
                    format!("hangs: it was stopped after {} s", limit.as_secs())
                }
                Err(RecvTimeoutError::Disconnected) => self.end(),
            };
            self.ended = true;
            return Some(failure);
        }
    }

    /// How a child ended that should not have.
    fn end(&mut self) -> String {
        // It has closed its output, which the end of a process does before the process is gone.
        let patience = Instant::now() + Duration::from_secs(5);
        loop {
            match process::ended(&mut self.child) {
                Ok(Some(End::Signal(signal))) => return format!("ended the process by {signal}"),
                Ok(Some(End::Status(status))) => {
                    return format!("ended the process with exit status {status}");
                }
                Err(error) => return format!("ended the process, nobody knows how: {error}"),
                Ok(None) if Instant::now() > patience => {
                    return "closed the standard output".to_owned();
                }
                Ok(None) => thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        process::kill_group(&mut self.child);
        // There is nobody to tell.
        let _ = self.child.wait();
    }
}

fn listen(output: impl Read, secret: &str, sender: &mpsc::Sender<Message>) {
    // A plugin may print lines without end.
    const LONGEST: u64 = 1 << 16;
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output
        .by_ref()
        .take(LONGEST)
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        if let Some(message) = Message::find(&line, secret)
            && sender.send(message).is_err()
        {
            return;
        }
        line.clear();
    }
}
