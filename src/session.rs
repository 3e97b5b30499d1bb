//! A prepared chain: what an audio callback and the program run block after block.

use std::sync::Arc;
use std::time::Duration;

use auralis_core::profiler::{Operation, OperationId, now};
use auralis_core::{
    Accelerator, AudioBlockMut, Buffer, Error, ErrorKind, Executor, FlushToZero, MAX_CHANNELS,
    Profiler, Result,
};

use crate::Parts;
use crate::chain::{Chain, Prepare, Processor, Role, Stage};

/// What a session is prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSpec {
    /// Frames per second.
    pub sample_rate: u32,
    /// Channels of every block: 1 to 64.
    pub channels: usize,
    /// The most frames that a block will have.
    pub max_frames: usize,
}

/// A prepared chain.
///
/// Making one plans, allocates and starts everything; [`process`](Self::process) then runs on an
/// audio thread: no allocation, no lock, no system call, no panic. The program masters files with
/// this very object. While a block is processed denormal numbers count as zero, so that a tail costs
/// what the music does; the caller's setting of the thread is back afterwards.
///
/// A backend of a plugin that breaks mutes one block; then a spare takes over, if
/// [`Optimizer::session`](crate::Optimizer::session) prepared one. Nothing is freed meanwhile: the
/// broken line and the error stay here until the session is dropped. Catching the panic, which
/// happens in the plugin, and the text that it says do allocate: that one block may be late.
#[derive(Debug)]
pub struct Session {
    spec: SessionSpec,
    /// The line in force, then its spares. Those before have broken.
    lines: Vec<Line>,
    in_force: usize,
    faults: Vec<Fault>,
    blocks: u64,
    muted: u64,
}

/// A backend that broke in a session.
#[derive(Debug)]
pub struct Fault {
    block: u64,
    error: Error,
}

impl Fault {
    /// The block that was muted for it: the first of a session is 0.
    pub fn block(&self) -> u64 {
        self.block
    }

    /// The backend's kind and id.
    pub fn backend(&self) -> (&str, &str) {
        self.error.faulty_backend().unwrap_or_default()
    }

    /// What it said.
    pub fn error(&self) -> &Error {
        &self.error
    }
}

/// How a chain is turned into a session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Preparation {
    /// The gain of the loudness stage.
    pub loudness_gain_db: f64,
    /// Leave the limiter out: the signal that the loudness solve works on.
    pub before_limiter: bool,
    /// Whether blocks are work of a batch, which any executor may spread, or of a callback, which
    /// only a real-time safe one may.
    pub batch: bool,
}

/// The threads that a batch keeps busy without spreading any stage: one per step.
const BATCH_STEPS: usize = 3;

impl Session {
    /// Prepares `chain` to run live with these parts, without spares.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a spec of no channels, frames or sample rate; what the stages
    /// can't make of it otherwise.
    pub fn new(chain: &Chain, spec: SessionSpec, parts: &Parts) -> Result<Self> {
        Self::prepare(chain.stages(), spec, parts, Preparation::default())
    }

    pub(crate) fn prepare(
        stages: &[Box<dyn Stage>],
        spec: SessionSpec,
        parts: &Parts,
        preparation: Preparation,
    ) -> Result<Self> {
        Self::of(vec![Line::new(stages, spec, parts, preparation)?], spec)
    }

    /// A session of this line and its spares, all prepared for `spec`.
    pub(crate) fn of(lines: Vec<Line>, spec: SessionSpec) -> Result<Self> {
        if let Some(pair) = lines
            .windows(2)
            .find(|pair| pair[0].latency != pair[1].latency)
        {
            let message = "a spare lies further behind its input than what it stands in for";
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with("latency", pair[0].latency)
                .with("of the spare", pair[1].latency));
        }
        Ok(Self {
            spec,
            faults: Vec::with_capacity(lines.len()),
            lines,
            in_force: 0,
            blocks: 0,
            muted: 0,
        })
    }

    /// What the session was prepared for.
    pub fn spec(&self) -> SessionSpec {
        self.spec
    }

    /// The frames by which the output lies behind the input: the same for every spare.
    pub fn latency(&self) -> usize {
        self.lines.first().map_or(0, |line| line.latency)
    }

    /// The backends that broke, in order: one for each line that was given up.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The blocks that were muted, because something failed in them or because no spare was left.
    pub fn muted_blocks(&self) -> u64 {
        self.muted
    }

    /// The spares that are left.
    pub fn spares(&self) -> usize {
        self.lines.len().saturating_sub(self.in_force + 1)
    }

    /// Processes the next frames in place: any number up to the prepared one. Real-time safe.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for other channels or too many frames: the block is then as it
    /// was. What a backend answers otherwise: the block is then silent.
    ///
    /// [`ErrorKind::Panicked`] if a backend of a plugin broke: [`faults`](Self::faults) says which
    /// and why. From the next block on a spare works, which begins as if silence had gone in until
    /// then. Without a spare every block is silent, with this error, and the broken backend is not
    /// called again.
    pub fn process(&mut self, mut block: AudioBlockMut<'_>) -> Result<()> {
        if block.channels() != self.spec.channels || block.frames() > self.spec.max_frames {
            return Err(misfit());
        }
        let outcome = self.run(&mut block);
        self.settle(outcome)
    }

    /// [`process`](Self::process) for a batch, which starts over where a backend breaks: the error
    /// is what the backend answered.
    pub(crate) fn run(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        let outcome = match self.lines.get_mut(self.in_force) {
            Some(line) => line.process(block),
            None => Err(broken("the session has no spare left")),
        };
        if outcome.is_err() {
            block.planes_mut().for_each(|plane| plane.fill(0.0));
        }
        outcome
    }

    /// Processes interleaved audio in place, as most drivers hand it over. Real-time safe.
    ///
    /// # Errors
    ///
    /// As [`process`](Self::process); the length must be a multiple of the channels.
    pub fn process_interleaved(&mut self, samples: &mut [f32]) -> Result<()> {
        let SessionSpec {
            channels,
            max_frames,
            ..
        } = self.spec;
        let frames = samples.len() / channels;
        if !samples.len().is_multiple_of(channels) || frames > max_frames {
            return Err(misfit());
        }
        let outcome = match self.lines.get_mut(self.in_force) {
            Some(line) => line.process_interleaved(samples, frames, self.spec),
            None => Err(broken("the session has no spare left")),
        };
        if outcome.is_err() {
            samples.fill(0.0);
        }
        self.settle(outcome)
    }

    /// Counts a block, and goes over to a spare where a backend broke in it.
    fn settle(&mut self, outcome: Result<()>) -> Result<()> {
        let block = self.blocks;
        self.blocks += 1;
        let Err(error) = outcome else {
            return Ok(());
        };
        self.muted += 1;
        let Some(backend) = error.faulty_backend() else {
            return Err(error);
        };
        let uses = |line: &Line| {
            line.plugins
                .iter()
                .any(|(k, id)| (*k, id.as_str()) == backend)
        };
        let spares = self.lines.iter().enumerate().skip(self.in_force + 1);
        let next = spares
            .filter(|(_, line)| !uses(line))
            .map(|(at, _)| at)
            .next();
        self.in_force = next.unwrap_or(self.lines.len());
        // There is room: every fault gives a line up. The error stays, because dropping it frees.
        self.faults.push(Fault { block, error });
        Err(broken(match next {
            Some(_) => "a backend broke in this block: a spare takes over",
            None => "a backend broke in this block: no spare is left",
        }))
    }

    /// Forgets what came before: silence went in until now.
    pub fn reset(&mut self) {
        if let Some(line) = self.lines.get_mut(self.in_force) {
            line.stages.iter_mut().for_each(|(_, stage)| stage.reset());
        }
    }
}

/// An error without context does not allocate.
fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::Panicked, message)
}

fn misfit() -> Error {
    let message = "the block is not what the session was prepared for";
    Error::new(ErrorKind::InvalidInput, message)
}

/// A chain prepared with one choice of backends.
#[derive(Debug)]
pub(crate) struct Line {
    stages: Vec<(OperationId, Box<dyn Processor>)>,
    whole: OperationId,
    profiler: Arc<dyn Profiler>,
    executor: Option<Arc<dyn Executor>>,
    /// Planes for interleaved audio.
    planes: Buffer,
    accelerator: Arc<dyn Accelerator>,
    latency: usize,
    /// The backends of plugins that may be called in it.
    plugins: Vec<(&'static str, String)>,
}

impl Line {
    pub fn new(
        chain: &[Box<dyn Stage>],
        spec: SessionSpec,
        parts: &Parts,
        preparation: Preparation,
    ) -> Result<Self> {
        let SessionSpec {
            sample_rate,
            channels,
            max_frames,
        } = spec;
        if sample_rate == 0 || channels == 0 || channels > MAX_CHANNELS || max_frames == 0 {
            let message =
                "a session wants a sample rate, 1 to 64 channels and blocks of some frames";
            return Err(Error::new(ErrorKind::InvalidInput, message)
                .with("sample_rate", sample_rate)
                .with("channels", channels)
                .with("max_frames", max_frames));
        }
        // A batch runs its three steps at once: a stage is spread only over threads beyond those.
        let usable = match preparation.batch {
            true => parts.executor.threads() > BATCH_STEPS,
            false => parts.executor.is_real_time(),
        };
        let executor = usable.then(|| Arc::clone(&parts.executor));
        let context = Prepare {
            sample_rate,
            channels,
            max_frames,
            parts,
            executor: executor.as_deref(),
            loudness_gain_db: preparation.loudness_gain_db,
        };
        let mut stages = Vec::new();
        for stage in chain {
            if preparation.before_limiter && matches!(stage.role(), Role::Limiter(_)) {
                break;
            }
            let name = format!("chain/{}", stage.typetag_name());
            let id = parts.profiler.register(&Operation::named(&name));
            stages.push((id, stage.prepare(&context)?));
        }
        let period = Duration::from_secs_f64(max_frames as f64 / f64::from(sample_rate));
        let whole = Operation {
            name: "chain",
            period: Some(period),
        };
        let planes = max_frames * channels;
        Ok(Self {
            latency: stages.iter().map(|(_, stage)| stage.latency()).sum(),
            stages,
            whole: parts.profiler.register(&whole),
            profiler: Arc::clone(&parts.profiler),
            executor,
            planes: parts.scratch(planes)?,
            accelerator: Arc::clone(&parts.accelerator),
            plugins: Vec::new(),
        })
    }

    /// The line, in which these backends of plugins may be called.
    pub fn of_plugins(mut self, plugins: &[(&'static str, String)]) -> Self {
        self.plugins = plugins.to_vec();
        self
    }

    /// Runs every stage. After an error the block holds anything.
    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        let _flush = FlushToZero::new();
        let executor = self.executor.as_deref();
        let mut outcome = Ok(());
        let began = now();
        let mut start = began;
        for (id, stage) in &mut self.stages {
            outcome = stage.process(block, executor);
            let end = now();
            self.profiler.record(*id, start, end);
            start = end;
            if outcome.is_err() {
                break;
            }
        }
        self.profiler.record(self.whole, began, start);
        outcome
    }

    fn process_interleaved(
        &mut self,
        samples: &mut [f32],
        frames: usize,
        spec: SessionSpec,
    ) -> Result<()> {
        // The planes leave the line for the call, so that both can be borrowed.
        let mut planes = std::mem::replace(&mut self.planes, Buffer::empty());
        let outcome = self.process_planes(&mut planes, samples, frames, spec);
        self.planes = planes;
        outcome
    }

    fn process_planes(
        &mut self,
        planes: &mut Buffer,
        samples: &mut [f32],
        frames: usize,
        spec: SessionSpec,
    ) -> Result<()> {
        let SessionSpec {
            channels,
            max_frames,
            ..
        } = spec;
        let mut rows = planes.chunks_mut(max_frames).map(|row| &mut row[..frames]);
        let mut rows: [&mut [f32]; MAX_CHANNELS] =
            std::array::from_fn(|_| rows.next().unwrap_or_default());
        self.accelerator
            .deinterleave(&mut rows[..channels], samples)?;
        self.process(&mut AudioBlockMut::new(
            planes, channels, frames, max_frames,
        )?)?;
        let mut rows = planes.chunks(max_frames).map(|row| &row[..frames]);
        let rows: [&[f32]; MAX_CHANNELS] = std::array::from_fn(|_| rows.next().unwrap_or_default());
        self.accelerator.interleave(samples, &rows[..channels])
    }
}
