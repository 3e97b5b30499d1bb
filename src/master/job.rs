//! One file through a chain.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use auralis_core::profiler::{Operation, OperationId};
use auralis_core::{Error, ErrorKind, ProfilerExt, Result};

use super::analysis::{Analyzer, Cell};
use super::conveyor::{Conveyor, Pace, STRETCH, stretches};
use super::delivery::{Delivery, Timeline};
use super::folding::{Folding, Largest, Smallest};
use super::pipeline::Pipeline;
use super::resampler::Ratio;
use super::sink::Sink;
use super::solve::{Model, Shortfall, Solution};
use super::source::{STEPS, Source};
use crate::Parts;
use crate::audio::{OutputFormat, OutputSpec, Reader, SampleFormat, Spec};
use crate::chain::{Chain, Loudness, decibels};
use crate::meter::{LoudnessMeter, channel_weights};
use crate::session::{Preparation, SessionSpec};

/// The samples of a block of one or two channels: so many that a filter of some thousand taps costs
/// little, so few that they stay in the second cache. Behind 4096 or 8192 taps, a block of 49,152 frames
/// is whole pairs of windows of a power of two. Blocks of more channels have fewer frames.
const BLOCK_SAMPLES: usize = 98_304;
/// What a rendering may be off its target before it is corrected, in LU.
const CLOSE_ENOUGH: f64 = 0.05;
/// What a delivery may be off its target without a note, in LU.
const DELIVERED: f64 = 0.1;
/// How often a rendering is corrected.
const CORRECTIONS: u32 = 2;

/// What to do with samples that are NaN or infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NonFinite {
    /// Refuse the file.
    #[default]
    Refuse,
    /// Replace them by 0, count them and say so.
    Zero,
}

/// One file to be mastered.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The file to read.
    pub input: &'a Path,
    /// The file to write. It appears when it is whole.
    pub output: &'a Path,
    /// Its container.
    pub format: OutputFormat,
    /// Its samples.
    pub sample: SampleFormat,
    /// The chain.
    pub chain: &'a Chain,
    /// The backends. Their executor works inside the file.
    pub parts: &'a Parts,
    /// What to do with samples that are not finite.
    pub non_finite: NonFinite,
    /// Whether to decode ahead of what is processed, where there are threads.
    pub prefetch: bool,
    /// Whether to record the limiter's course even where the solve does not need it.
    pub timeline: bool,
    /// Whether to take the digest of the output, which a record of the work needs.
    pub digest: bool,
    /// Set from outside to stop the work.
    pub interrupted: &'a AtomicBool,
    /// Called with the frames read since the last call.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// The operations of a job in the profiler.
#[derive(Clone, Copy)]
struct Operations {
    decode: OperationId,
    analyze: OperationId,
    solve: OperationId,
    deliver: OperationId,
}

/// What the passes over one file share.
struct Work<'a> {
    job: &'a Job<'a>,
    reader: Reader,
    spec: Spec,
    /// The sample rate of the output.
    rate: u32,
    weights: Vec<f64>,
    /// The frames of a block.
    block: usize,
    pace: Pace,
    operations: Operations,
}

/// What is known of the input.
struct Measured {
    frames: u64,
    loudness: f64,
    peaks: Vec<f32>,
    zeroed: u64,
}

struct Rendered {
    sink: Sink,
    measured: Option<Measured>,
}

impl Job<'_> {
    /// Masters the file.
    ///
    /// # Errors
    ///
    /// What is wrong with the input, the output or the chain at this sample rate. No output is left
    /// then, and an older one is as it was.
    pub fn run(&self) -> Result<Delivery> {
        let mut work = Work::open(self)?;
        match (self.chain.loudness(), self.chain.limiter()) {
            (Some(loudness), _) => work.meet_target(loudness),
            (None, Some(_)) if self.timeline => work.as_it_is_with_timeline(),
            _ => work.as_it_is(),
        }
    }
}

impl<'a> Work<'a> {
    fn open(job: &'a Job<'a>) -> Result<Self> {
        let reader = Reader::open(job.input)?;
        let spec = reader.spec().clone();
        let register = |name| job.parts.profiler.register(&Operation::named(name));
        let operations = Operations {
            decode: register("decode"),
            analyze: register("analyze"),
            solve: register("solve"),
            deliver: register("deliver"),
        };
        let weights = channel_weights(spec.channels, spec.channel_mask);
        let resampling = job.chain.around_resampling(spec.sample_rate);
        let rate = resampling.map_or(spec.sample_rate, |(_, rate, _)| rate);
        let block = (BLOCK_SAMPLES / spec.channels).clamp(1024, BLOCK_SAMPLES / 2);
        Ok(Self {
            job,
            reader,
            spec,
            rate,
            weights,
            block,
            pace: Pace::default(),
            operations,
        })
    }

    /// A chain without a loudness stage: one pass.
    fn as_it_is(&mut self) -> Result<Delivery> {
        let rendered = self.render(0.0, self.spec.frames)?;
        self.deliver(rendered, None, None, Vec::new(), 1)
    }

    fn as_it_is_with_timeline(&mut self) -> Result<Delivery> {
        let (cells, cell_frames, measured) = self.measure()?;
        let model = self.model(&cells, cell_frames, measured.frames);
        let reductions = reductions(&model, 0.0);
        let mut rendered = self.render(0.0, Some(measured.frames))?;
        rendered.measured = Some(measured);
        self.deliver(rendered, None, None, reductions, 1)
    }

    /// A chain with a loudness stage: measure, solve, render, and correct.
    fn meet_target(&mut self, loudness: &Loudness) -> Result<Delivery> {
        let (cells, cell_frames, measured) = self.measure()?;
        let profiler = &self.job.parts.profiler;
        let (mut correction, mut renderings) = (0.0, 0);
        loop {
            let model = self.model(&cells, cell_frames, measured.frames);
            let solution =
                profiler.time(self.operations.solve, || model.solve(loudness, correction));
            let mut rendered = self.render(solution.gain_db, Some(measured.frames))?;
            renderings += 1;
            let off = loudness.target_lufs - rendered.sink.loudness();
            let settled = off.abs() <= CLOSE_ENOUGH || solution.shortfall.is_some();
            if settled || !off.is_finite() || renderings > CORRECTIONS {
                let reductions = match self.job.chain.limiter() {
                    Some(_) => {
                        let model = self.model(&cells, cell_frames, measured.frames);
                        reductions(&model, solution.gain_db)
                    }
                    None => Vec::new(),
                };
                rendered.measured = Some(measured);
                return self.deliver(
                    rendered,
                    Some(loudness),
                    Some(solution),
                    reductions,
                    renderings,
                );
            }
            correction += off;
        }
    }

    fn model<'m>(&'m self, cells: &'m [Cell], cell_frames: usize, frames: u64) -> Model<'m> {
        let limiter = self.job.chain.limiter();
        Model {
            cells,
            cell_frames,
            frames: self.delivered(frames),
            sample_rate: self.rate,
            limiter,
        }
    }

    /// How many frames `frames` of the input become.
    fn delivered(&self, frames: u64) -> u64 {
        // That the rates go together is seen when the chain is prepared.
        Ratio::new(self.spec.sample_rate, self.rate).map_or(frames, |ratio| ratio.len(frames))
    }

    fn pipeline(&self, preparation: Preparation) -> Result<Pipeline> {
        let Spec {
            sample_rate,
            channels,
            ..
        } = self.spec;
        let spec = SessionSpec {
            sample_rate,
            channels,
            max_frames: self.block,
        };
        Pipeline::new(self.job.chain, spec, self.job.parts, preparation)
    }

    fn conveyor(&self, pipeline: &Pipeline) -> Result<Conveyor<'a>> {
        Conveyor::new(
            self.job.parts,
            self.spec.channels,
            pipeline.room(),
            self.job.prefetch,
        )
    }

    fn meter(&self) -> Result<LoudnessMeter> {
        let weights = self.weights.clone();
        LoudnessMeter::new(self.spec.sample_rate, weights, STRETCH, self.job.parts)
    }

    /// Runs the chain up to its limiter and keeps what the solve needs.
    fn measure(&mut self) -> Result<(Vec<Cell>, usize, Measured)> {
        let preparation = Preparation {
            before_limiter: true,
            batch: true,
            ..Preparation::default()
        };
        let mut pipeline = self.pipeline(preparation)?;
        let weights = self.weights.clone();
        let parts = self.job.parts;
        let mut analyzer = Analyzer::new(self.rate, weights, STRETCH, parts)?;
        let mut conveyor = self.conveyor(&pipeline)?;
        let mut meter = self.meter()?;
        let (job, operations) = (self.job, self.operations);
        let mut skip = pipeline.latency();
        let mut source = Source {
            reader: &mut self.reader,
            path: job.input,
            accelerator: &*parts.accelerator,
            non_finite: job.non_finite,
            interrupted: job.interrupted,
            progress: job.progress,
            meter: Some(&mut meter),
            peaks: Some(Folding::new(STEPS)),
            frames: 0,
            zeroed: 0,
            tail: pipeline.tail(),
            ended: false,
        };
        conveyor.run(
            &mut self.pace,
            |planes| {
                parts
                    .profiler
                    .time(operations.decode, || source.fill(planes))
            },
            |planes| pipeline.process(planes),
            |planes| {
                parts.profiler.time(operations.analyze, || {
                    let block = planes.block();
                    let start = skip.min(block.frames());
                    skip -= start;
                    stretches(start..block.frames(), STRETCH)
                        .try_for_each(|stretch| analyzer.process(&block.range(stretch)))
                })
            },
        )?;
        let measured = source.measured();
        self.reader.rewind()?;
        let (cells, cell_frames) = analyzer.finish();
        Ok((cells, cell_frames, measured))
    }

    /// Runs the whole chain and writes what comes out. Measures the input too if no pass did yet.
    fn render(&mut self, loudness_gain_db: f64, frames: Option<u64>) -> Result<Rendered> {
        let preparation = Preparation {
            loudness_gain_db,
            batch: true,
            ..Preparation::default()
        };
        let mut pipeline = self.pipeline(preparation)?;
        let Spec {
            channels,
            channel_mask,
            ..
        } = self.spec;
        let (job, operations) = (self.job, self.operations);
        let output = OutputSpec {
            sample_rate: self.rate,
            channels,
            channel_mask,
            format: job.format,
            sample: job.sample,
            frames: frames.map(|frames| self.delivered(frames)),
            digest: job.digest,
        };
        let first = job.chain.loudness().is_none();
        let mut meter = if first { Some(self.meter()?) } else { None };
        let weights = self.weights.clone();
        let mut sink = Sink::new(
            job.output,
            &output,
            pipeline.latency(),
            u64::MAX,
            weights,
            job.parts,
        )?;
        let mut conveyor = self.conveyor(&pipeline)?;
        let mut source = Source {
            reader: &mut self.reader,
            path: job.input,
            accelerator: &*job.parts.accelerator,
            non_finite: job.non_finite,
            interrupted: job.interrupted,
            progress: job.progress,
            peaks: first.then(|| Folding::new(STEPS)),
            meter: meter.as_mut(),
            frames: 0,
            zeroed: 0,
            tail: pipeline.tail(),
            ended: false,
        };
        let profiler = &job.parts.profiler;
        conveyor.run(
            &mut self.pace,
            |planes| profiler.time(operations.decode, || source.fill(planes)),
            |planes| pipeline.process(planes),
            |planes| profiler.time(operations.deliver, || sink.take(planes)),
        )?;
        let measured = first.then(|| source.measured());
        self.reader.rewind()?;
        Ok(Rendered { sink, measured })
    }

    fn deliver(
        &mut self,
        rendered: Rendered,
        loudness: Option<&Loudness>,
        solution: Option<Solution>,
        reduction_db: Vec<f32>,
        renderings: u32,
    ) -> Result<Delivery> {
        let Rendered { mut sink, measured } = rendered;
        let Some(measured) = measured else {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "the input was not measured",
            ));
        };
        let (peak, clipped) = sink.finish_measuring(self.spec.channels)?;
        let loudness_out = sink.loudness();
        let timeline = Timeline {
            peak_in: measured.peaks,
            peak_out: values(&sink.peaks),
            momentary_lufs: values(&sink.momentary),
            reduction_db,
        };
        let mut warnings = self.reader.warnings().to_vec();
        if measured.zeroed > 0 {
            warnings.push(format!(
                "{} samples were not finite and are now 0",
                measured.zeroed
            ));
        }
        if clipped > 0 && sink.is_integer() {
            warnings.push(format!(
                "{clipped} samples lie above full scale and are clipped: a limiter or \
                 `--bits 32f` keeps them"
            ));
        }
        let finished = sink.finish()?;
        Ok(Delivery {
            frames: finished.frames,
            channels: self.spec.channels,
            sample_rate: self.rate,
            loudness_in_lufs: finite(measured.loudness),
            loudness_out_lufs: finite(loudness_out),
            true_peak_out_dbtp: finite(decibels(f64::from(peak))),
            loudness_target_lufs: loudness.map(|l| l.target_lufs),
            gain_db: solution.map_or(0.0, |s| s.gain_db),
            reduction_db: solution
                .filter(|_| self.job.chain.limiter().is_some())
                .map(|s| s.reduction_db),
            loudness_note: loudness
                .zip(solution)
                .and_then(|(wanted, solution)| note(wanted, &solution, loudness_out)),
            latency_samples: 0,
            renderings,
            warnings,
            digest: finished.digest,
            timeline,
        })
    }
}

impl Source<'_> {
    fn measured(mut self) -> Measured {
        let peaks = self.peaks.take().map_or_else(Vec::new, |mut peaks| {
            peaks.flush();
            values(&peaks)
        });
        Measured {
            frames: self.frames,
            loudness: self
                .meter
                .as_ref()
                .map_or(f64::NEG_INFINITY, |m| m.integrated()),
            peaks,
            zeroed: self.zeroed,
        }
    }
}

/// Why the loudness is not what was asked, in a sentence with the figures.
fn note(wanted: &Loudness, solution: &Solution, reached: f64) -> Option<String> {
    let (target, limit) = (wanted.target_lufs, wanted.max_reduction_db);
    let asked = format!("asked {target:.1} LUFS, got {reached:.2} LUFS");
    let limited = format!("with {:.1} dB of limiting", solution.reduction_db);
    match solution.shortfall {
        Some(Shortfall::NoLoudness) => Some(format!(
            "asked {target:.1} LUFS, but there is no loudness to measure: silence, or less than \
             400 ms; no gain was applied"
        )),
        Some(Shortfall::Needs(reduction)) => Some(format!(
            "{asked} {limited}; it would take {reduction:.1} dB of limiting \
             (max_reduction_db = {limit})"
        )),
        Some(Shortfall::OutOfReach {
            loudest_lufs,
            reduction_db,
        }) => Some(format!(
            "{asked} {limited} (max_reduction_db = {limit}); out of reach: even {reduction_db:.0} \
             dB of limiting would give {loudest_lufs:.1} LUFS"
        )),
        None if (reached - target).abs() > DELIVERED => {
            Some(format!("{asked} {limited} after {CORRECTIONS} corrections"))
        }
        None => None,
    }
}

fn finite(level: f64) -> Option<f64> {
    level.is_finite().then_some(level)
}

fn values(series: &Folding<Largest>) -> Vec<f32> {
    series.values().iter().map(|value| value.0).collect()
}

/// What the limiter takes off, in decibels, in a bounded number of steps.
fn reductions(model: &Model<'_>, gain_db: f64) -> Vec<f32> {
    let mut gains = Folding::new(STEPS);
    model.limiting(gain_db, |gain| gains.push(Smallest(gain)));
    gains.flush();
    let gains = gains.values().iter();
    gains.map(|gain| -20.0 * gain.0.log10()).collect()
}
