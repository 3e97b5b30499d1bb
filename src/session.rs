//! A prepared chain: what an audio callback and the program run block after block.

use std::sync::Arc;
use std::time::Duration;

use auralis_core::profiler::{Operation, OperationId, now};
use auralis_core::{
    AudioBlockMut, Buffer, Error, ErrorKind, Executor, MAX_CHANNELS, Profiler, Result,
};

use crate::Parts;
use crate::chain::{Chain, Prepare, Processor, Role};

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
/// this very object.
#[derive(Debug)]
pub struct Session {
    spec: SessionSpec,
    stages: Vec<(OperationId, Box<dyn Processor>)>,
    whole: OperationId,
    profiler: Arc<dyn Profiler>,
    executor: Option<Arc<dyn Executor>>,
    /// Planes for [`process_interleaved`](Self::process_interleaved).
    planes: Buffer,
    accelerator: Arc<dyn auralis_core::Accelerator>,
    latency: usize,
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
    /// Prepares `chain` to run live.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a spec of no channels, frames or sample rate; what the stages
    /// can't make of it otherwise.
    pub fn new(chain: &Chain, spec: SessionSpec, parts: &Parts) -> Result<Self> {
        Self::prepare(chain, spec, parts, Preparation::default())
    }

    pub(crate) fn prepare(
        chain: &Chain,
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
        for stage in chain.stages() {
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
            spec,
            latency: stages.iter().map(|(_, stage)| stage.latency()).sum(),
            stages,
            whole: parts.profiler.register(&whole),
            profiler: Arc::clone(&parts.profiler),
            executor,
            planes: parts.scratch(planes)?,
            accelerator: Arc::clone(&parts.accelerator),
        })
    }

    /// What the session was prepared for.
    pub fn spec(&self) -> SessionSpec {
        self.spec
    }

    /// The frames by which the output lies behind the input.
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// Processes the next frames in place: any number up to the prepared one. Real-time safe.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for other channels or too many frames: the block is then as it
    /// was. What a backend answers otherwise: the block is then silent.
    pub fn process(&mut self, mut block: AudioBlockMut<'_>) -> Result<()> {
        if block.channels() != self.spec.channels || block.frames() > self.spec.max_frames {
            let message = "the block is not what the session was prepared for";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let executor = self.executor.as_deref();
        let mut outcome = Ok(());
        let began = now();
        let mut start = began;
        for (id, stage) in &mut self.stages {
            outcome = stage.process(&mut block, executor);
            let end = now();
            self.profiler.record(*id, start, end);
            start = end;
            if outcome.is_err() {
                block.planes_mut().for_each(|plane| plane.fill(0.0));
                break;
            }
        }
        self.profiler.record(self.whole, began, start);
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
            let message = "the block is not what the session was prepared for";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        // The planes leave the session for the call, so that both can be borrowed.
        let mut planes = std::mem::replace(&mut self.planes, Buffer::empty());
        let outcome = self.process_planes(&mut planes, samples, frames);
        self.planes = planes;
        outcome
    }

    fn process_planes(
        &mut self,
        planes: &mut Buffer,
        samples: &mut [f32],
        frames: usize,
    ) -> Result<()> {
        let SessionSpec {
            channels,
            max_frames,
            ..
        } = self.spec;
        let accelerator = Arc::clone(&self.accelerator);
        let mut rows = planes.chunks_mut(max_frames).map(|row| &mut row[..frames]);
        let mut rows: [&mut [f32]; MAX_CHANNELS] =
            std::array::from_fn(|_| rows.next().unwrap_or_default());
        accelerator.deinterleave(&mut rows[..channels], samples)?;
        let outcome = self.process(AudioBlockMut::new(planes, channels, frames, max_frames)?);
        let mut rows = planes.chunks(max_frames).map(|row| &row[..frames]);
        let rows: [&[f32]; MAX_CHANNELS] = std::array::from_fn(|_| rows.next().unwrap_or_default());
        accelerator.interleave(samples, &rows[..channels])?;
        outcome
    }

    /// Forgets what came before: silence went in until now.
    pub fn reset(&mut self) {
        self.stages.iter_mut().for_each(|(_, stage)| stage.reset());
    }
}
