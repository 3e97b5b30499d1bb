//! The host's side of a test run: a child process opens the plugin first, within limits.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use auralis_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::Manifest;
use super::file::contents;
use super::platform::{self, End, Limits, Stoppable};

/// The argument by which a program is asked to be a probe's child.
pub(super) const ARGUMENT: &str = "--auralis-probe";

/// The word that an answer begins with.
pub(super) const ANSWER: &str = "auralis-probe";

/// What is said in the place of an answer when the limits are set and the plugin is about to be opened.
pub(super) const READY: &str = "ready";

/// How often it is looked whether the child still lives.
const TICK: Duration = Duration::from_millis(2);

/// And how often of one that has answered, which is about to end.
const END_TICK: Duration = Duration::from_micros(100);

/// What a dead child has written is awaited so long.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A longer line is no answer; what a plugin prints may be endless.
const MOST_LINE_BYTES: u64 = 1 << 20;

/// Of what it prints as errors, so much of the end is looked at.
const MOST_COMPLAINT_BYTES: usize = 4096;

/// The test runs: a plain one, then watched ones, and what unwritten memory holds in those: bits that
/// differ from zeros, from ones and from each other.
const RUNS: [Option<u8>; 3] = [None, Some(0x5A), Some(0xA5)];

/// What the child is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// What the answer must name: what a plugin prints does not know it.
    pub(super) nonce: String,
    /// The process that asks.
    pub(super) host: u32,
    /// What it limits itself to.
    pub(super) limits: Limits,
    /// What the plugin must serve: the host has read it, so that a child need not read the file.
    pub(super) manifest: Manifest,
    /// Whether the plugin's panics may end the process.
    pub(super) abort: bool,
    /// For a watched run: what stands in memory that nobody has written, as far as the child can bring
    /// that about.
    pub(super) watched: Option<u8>,
}

/// What the child answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// Why the plugin is not accepted.
    pub(super) rejected: Option<String>,
    /// What else was seen.
    pub(super) notes: Vec<String>,
}

/// Why a test run was not passed.
#[derive(Debug)]
pub enum Failure {
    /// It could not be made: nothing is known of the plugin.
    NotRun(Error),
    /// The plugin is at fault.
    Failed {
        /// What happened.
        reason: String,
        /// The signal that ended it, such as `SIGSEGV`.
        signal: Option<String>,
    },
}

impl Failure {
    fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
            signal: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun(error) => f.write_str(&error.report()),
            Self::Failed { reason, .. } => f.write_str(reason),
        }
    }
}

/// Makes test runs: starts a program that serves them ([`child::serve`](super::child::serve)) and
/// believes nothing but an answer that names a number which only the two know.
///
/// Each child has 10 seconds, and 512 MiB of memory beyond what it begins with. They keep a crash away
/// from the host; a plugin that wants to deceive may behave in the test run and strike later.
#[derive(Clone, Debug)]
pub struct Probe {
    program: PathBuf,
    time: Duration,
    memory: u64,
    abort: bool,
}

impl Probe {
    /// Test runs in this program.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            time: Duration::from_secs(10),
            memory: 512 << 20,
            abort: false,
        }
    }

    /// Ends a test run after this time.
    #[must_use]
    pub fn time_limit(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Gives a test run so many bytes of memory beyond what it begins with.
    #[must_use]
    pub fn memory_limit(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// Takes plugins whose panics end the process.
    #[must_use]
    pub fn allow_abort(self, abort: bool) -> Self {
        Self { abort, ..self }
    }

    /// The program that serves the test runs.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Lets children open `file` and try what it serves. Gives what they noticed, such as that the
    /// floating-point control was changed.
    ///
    /// Beside a plain one, there are children that watch their heap and their stack, and whose memory
    /// begins with other bytes: code that reads what nobody has written, or writes past what is its
    /// own, may well be right once.
    ///
    /// # Errors
    ///
    /// What happened instead of a good answer: in the plain one, or else in the next.
    pub fn run(&self, file: &Path) -> Result<Vec<String>, Failure> {
        let manifest = contents(file).and_then(|bytes| Manifest::read(&bytes));
        match manifest {
            Ok(manifest) => self.run_described(file, &manifest),
            Err(error) => Err(Failure::failed(error.report())),
        }
    }

    /// The same for a file whose manifest is known.
    pub(super) fn run_described(
        &self,
        file: &Path,
        manifest: &Manifest,
    ) -> Result<Vec<String>, Failure> {
        let decided = &AtomicBool::new(false);
        thread::scope(|scope| {
            let runs = RUNS.map(|watched| {
                scope.spawn(move || self.run_once(file, manifest, watched, decided))
            });
            let mut notes = Vec::new();
            for run in runs {
                let outcome = run.join().unwrap_or_else(|panic| resume_unwind(panic));
                // Which of them fails first is chance, so all that come before have their say.
                decided.store(outcome.is_err(), Ordering::Relaxed);
                notes = outcome?;
            }
            Ok(notes)
        })
    }

    /// `decided`: nobody waits for this run any more.
    fn run_once(
        &self,
        file: &Path,
        manifest: &Manifest,
        watched: Option<u8>,
        decided: &AtomicBool,
    ) -> Result<Vec<String>, Failure> {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        let request = Request {
            nonce: format!("{:016x}", RandomState::new().hash_one(std::process::id())),
            host: std::process::id(),
            limits: Limits {
                memory: self.memory,
                // On every core, it is out of time sooner.
                cpu_seconds: (self.time.as_secs() + 2) * cores,
            },
            manifest: manifest.clone(),
            abort: self.abort,
            watched,
        };
        let run = Run::start(&self.program, file, watched, decided);
        let mut child = run.map_err(|e| self.not_run(e))?;
        child.ask(&request).map_err(|e| self.not_run(e))?;
        child.judge(&request, self.time)
    }

    fn not_run(&self, error: io::Error) -> Failure {
        let message = "the program that would test the plugin can't be run";
        let error = Error::new(ErrorKind::Plugin, message).because(error);
        Failure::NotRun(error.with("program", self.program.display()))
    }
}

/// What comes from a child.
enum Event {
    Ready,
    Answer(Answer),
    Complaints(Vec<u8>),
}

/// A child at work. It and its group are gone when this is dropped.
struct Run<'a> {
    child: Child,
    /// Whether the verdict has fallen elsewhere.
    decided: &'a AtomicBool,
    /// Whether the plugin has had its chance: what happens before is not its fault.
    ready: bool,
    out_of_memory: bool,
    /// The end of what it has printed as errors, once that is over.
    complaints: Vec<u8>,
    /// Ends the reading of its pipes, which a process of another group may hold open.
    stop: Arc<AtomicBool>,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        platform::kill_group(&mut self.child);
        // There is nobody to tell.
        let _ = self.child.wait();
    }
}

impl<'a> Run<'a> {
    fn start(
        program: &Path,
        file: &Path,
        watched: Option<u8>,
        decided: &'a AtomicBool,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .arg(ARGUMENT)
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(fill) = watched {
            platform::watch_heap(&mut command, fill);
        }
        Ok(Self {
            child: platform::own_group(&mut command).spawn()?,
            decided,
            ready: false,
            out_of_memory: false,
            complaints: Vec::new(),
            stop: Arc::default(),
        })
    }

    fn ask(&mut self, request: &Request) -> io::Result<()> {
        let mut request = serde_json::to_vec(request)?;
        request.push(b'\n');
        match self.child.stdin.take() {
            Some(mut stdin) => match stdin.write_all(&request) {
                // A program that does not listen is judged by how it ends.
                Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn judge(&mut self, request: &Request, time: Duration) -> Result<Vec<String>, Failure> {
        let deadline = Instant::now() + time;
        let events = self.listen(&request.nonce);
        let answer = self.answer(&events, deadline, request);
        let answer = match answer.map_err(lost)? {
            Outcome::Answer(answer) => answer,
            Outcome::End(end) if !self.ready => return Err(self.not_begun(&end.to_string())),
            Outcome::Silence if !self.ready => {
                return Err(self.not_begun(&format!("nothing within {}", seconds(time))));
            }
            Outcome::End(end) => return Err(self.death(&end, request)),
            Outcome::Silence => return Err(self.silence(time, request)),
        };
        if let Some(reason) = answer.rejected {
            return Err(Failure::failed(reason));
        }
        // What it has left in the process must let the process end.
        match self.end(deadline).map_err(lost)? {
            Some(End::Status(0)) => Ok(answer.notes),
            Some(End::Status(status)) => Err(Failure::failed(format!(
                "it passed its test, but made the process end with exit status {status}"
            ))),
            Some(End::Signal(signal)) => Err(Failure::Failed {
                reason: format!("it passed its test, but then the process was killed by {signal}"),
                signal: Some(signal),
            }),
            None => Err(Failure::failed(format!(
                "it passed its test, but did not let the process end within {}",
                seconds(time)
            ))),
        }
    }

    /// Reads both pipes until they end, whatever is written there.
    fn listen(&mut self, nonce: &str) -> Receiver<Event> {
        let (events, received) = channel();
        if let Some(stdout) = self.child.stdout.take() {
            let (events, start) = (events.clone(), format!("{ANSWER} {nonce} "));
            let stdout = Stoppable::new(stdout, Arc::clone(&self.stop));
            thread::spawn(move || read_answers(stdout, &start, &events));
        }
        if let Some(stderr) = self.child.stderr.take() {
            let stderr = Stoppable::new(stderr, Arc::clone(&self.stop));
            thread::spawn(move || read_complaints(stderr, &events));
        }
        received
    }

    fn answer(
        &mut self,
        events: &Receiver<Event>,
        deadline: Instant,
        request: &Request,
    ) -> io::Result<Outcome> {
        loop {
            match events.recv_timeout(TICK) {
                Ok(Event::Answer(answer)) => return Ok(Outcome::Answer(answer)),
                Ok(Event::Ready) => self.ready = true,
                Ok(Event::Complaints(text)) => self.complaints = text,
                // It has closed its pipes, or is about to end.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(TICK),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(end) = platform::ended(&mut self.child)? {
                let last = self.last_words(events);
                return Ok(last.map_or(Outcome::End(end), Outcome::Answer));
            }
            let memory = request.limits.memory;
            self.out_of_memory |= platform::is_out_of_memory(self.child.id(), memory);
            if self.is_over(deadline) {
                return Ok(Outcome::Silence);
            }
        }
    }

    /// What a child that has ended had written before.
    fn last_words(&mut self, events: &Receiver<Event>) -> Option<Answer> {
        // Others of its group may hold the pipes open.
        platform::kill_group(&mut self.child);
        while let Ok(event) = events.recv_timeout(LAST_WORDS) {
            match event {
                Event::Answer(answer) => return Some(answer),
                Event::Ready => self.ready = true,
                Event::Complaints(text) => self.complaints = text,
            }
        }
        None
    }

    fn end(&mut self, deadline: Instant) -> io::Result<Option<End>> {
        loop {
            let end = platform::ended(&mut self.child)?;
            if end.is_some() || self.is_over(deadline) {
                return Ok(end);
            }
            thread::sleep(END_TICK);
        }
    }

    fn is_over(&self, deadline: Instant) -> bool {
        self.decided.load(Ordering::Relaxed) || Instant::now() >= deadline
    }

    /// What is to be said of a program that never came to the plugin.
    fn not_begun(&self, end: &str) -> Failure {
        let message = "the program that would test the plugin did not begin to: is it one that \
                       begins with `probe_if_asked`, of this version?";
        let complaints = String::from_utf8_lossy(&self.complaints);
        let mut error = Error::new(ErrorKind::Plugin, message).with("it gave", end);
        if let Some(last) = complaints
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
        {
            error = error.with("it said", last);
        }
        Failure::NotRun(error)
    }

    /// What is to be said of a child that ended without an answer.
    fn death(&self, end: &End, request: &Request) -> Failure {
        let complaints = String::from_utf8_lossy(&self.complaints);
        tracing::debug!(%complaints, "the test run of a plugin ended");
        // What the standard libraries of Rust and C++ print.
        let said = |words: &[&str]| words.iter().any(|words| complaints.contains(words));
        let out_of_memory = self.out_of_memory || said(&["memory allocation of", "std::bad_alloc"]);
        let stack = said(&["has overflowed its stack"]);
        let (reason, signal) = match end {
            End::Status(status) => {
                let reason =
                    format!("it ended the process with exit status {status} before it answered");
                (reason, None)
            }
            End::Signal(signal) if out_of_memory => {
                let reason = format!(
                    "it used more than the memory limit of {} MiB ({signal})",
                    request.limits.memory >> 20
                );
                (reason, Some(signal))
            }
            End::Signal(signal) if stack => {
                (format!("it overflowed the stack ({signal})"), Some(signal))
            }
            End::Signal(signal) if signal == "SIGABRT" => {
                ("it aborted (SIGABRT)".into(), Some(signal))
            }
            End::Signal(signal) if signal == "SIGXCPU" => {
                let limit = request.limits.cpu_seconds;
                let reason = format!("it used more than {limit} s of CPU time");
                (reason, Some(signal))
            }
            End::Signal(signal) => (format!("killed by {signal}"), Some(signal)),
        };
        Failure::Failed {
            reason,
            signal: signal.cloned(),
        }
    }

    fn silence(&self, time: Duration, request: &Request) -> Failure {
        let mut reason = format!("no answer within {}", seconds(time));
        if self.out_of_memory {
            let limit = request.limits.memory >> 20;
            reason += &format!(", and the memory limit of {limit} MiB is used up");
        }
        Failure::failed(reason)
    }
}

/// The child's end is lost: nothing is known of the plugin.
fn lost(error: io::Error) -> Failure {
    Failure::NotRun(Error::new(ErrorKind::Plugin, "the plugin can't be tested").because(error))
}

/// How the wait for an answer ended.
enum Outcome {
    Answer(Answer),
    End(End),
    Silence,
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Hands on the first answer. Reads on, so that nothing blocks on a full pipe.
fn read_answers(stdout: impl Read, start: &str, events: &Sender<Event>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        match stdout
            .by_ref()
            .take(MOST_LINE_BYTES)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let answer = line.strip_prefix(start.as_bytes());
        if answer.is_some_and(|said| said.trim_ascii_end() == READY.as_bytes()) {
            // Nobody may be waiting any more.
            let _ = events.send(Event::Ready);
        }
        if let Some(answer) = answer.and_then(|json| serde_json::from_slice(json).ok()) {
            // Nobody may be waiting any more.
            let _ = events.send(Event::Answer(answer));
        }
    }
}

/// Hands on the end of what was complained, when nothing more can come.
fn read_complaints(mut stderr: impl Read, events: &Sender<Event>) {
    let mut end = Vec::new();
    let mut part = [0; 4096];
    while let Ok(len @ 1..) = stderr.read(&mut part) {
        end.extend_from_slice(&part[..len]);
        let excess = end.len().saturating_sub(MOST_COMPLAINT_BYTES);
        end.drain(..excess);
    }
    // Nobody may be waiting any more.
    let _ = events.send(Event::Complaints(end));
}
