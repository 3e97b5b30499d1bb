//! The stage `limiter`: a look-ahead limiter of the true peak.

mod law;

use std::sync::Arc;

use auralis_core::{Accelerator, AudioBlockMut, Buffer, Executor, Result};
use serde::{Deserialize, Serialize};

pub use law::Law;

use super::{Prepare, Processor, Role, Stage, StageSchema, amplitude};
use crate::meter::TruePeak;

/// The frames of a cell: the limiter takes one peak and sets one gain per cell.
pub const CELL: usize = 64;

/// The most frames that are delayed and multiplied at once: what stays in the first cache.
const RUN: usize = 16 * CELL;

/// How far under its ceiling the limiter works, in decibels: meters differ.
const MARGIN_DB: f64 = 0.05;

/// Holds the true peak under a ceiling.
///
/// The peak of each cell of 64 frames is taken on the oversampled signal of all channels; [`Law`]
/// makes a gain for each cell's edge of it, and between the edges the gain runs on a straight line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limiter {
    /// The ceiling in dBTP (ITU-R BS.1770-4, annex 2).
    #[serde(default = "ceiling")]
    #[cfg_attr(test, schemars(range(min = -60.0, max = 0.0)))]
    pub ceiling_dbtp: f64,
    /// How early the gain begins to fall before a peak, in milliseconds.
    #[serde(default = "lookahead")]
    #[cfg_attr(test, schemars(range(min = 0.5, max = 100.0)))]
    pub lookahead_ms: f64,
    /// The time constant with which the gain rises again, in milliseconds.
    #[serde(default = "release")]
    #[cfg_attr(test, schemars(range(min = 1.0, max = 10_000.0)))]
    pub release_ms: f64,
}

fn ceiling() -> f64 {
    -1.0
}

fn lookahead() -> f64 {
    3.0
}

fn release() -> f64 {
    40.0
}

auralis_core::inventory::submit! {
    StageSchema { name: "limiter", schema: include_str!("schemas/limiter.schema.json") }
}

impl Limiter {
    /// The largest sample that the limiter lets pass.
    pub fn ceiling(&self) -> f32 {
        amplitude(self.ceiling_dbtp - MARGIN_DB) as f32
    }

    /// The gain law for cells of `cell` frames.
    pub fn law(&self, sample_rate: u32, cell: usize) -> Law {
        Law::new(self, f64::from(sample_rate) / cell as f64)
    }
}

#[typetag::serde(name = "limiter")]
impl Stage for Limiter {
    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        let parts = context.parts;
        let detector = TruePeak::new(context.sample_rate, context.channels, &parts.accelerator)?;
        let law = self.law(context.sample_rate, CELL);
        let latency = law.latency() * CELL + detector.latency();
        let len = latency + RUN;
        let delays = (0..context.channels)
            .map(|_| parts.scratch(len))
            .collect::<Result<_>>()?;
        Ok(Box::new(Prepared {
            accelerator: Arc::clone(&parts.accelerator),
            detector,
            law,
            delays,
            head: 0,
            latency,
            filled: 0,
            floor: self.ceiling(),
            peaks: vec![self.ceiling(); context.max_frames / CELL + 2],
            edge: 1.0,
            gains: [1.0; CELL],
            limiting: false,
            run: Box::new([1.0; RUN]),
        }))
    }

    fn role(&self) -> Role<'_> {
        Role::Limiter(self)
    }
}

#[derive(Debug)]
struct Prepared {
    accelerator: Arc<dyn Accelerator>,
    detector: TruePeak,
    law: Law,
    /// A ring of the last `latency` frames of each channel.
    delays: Vec<Buffer>,
    head: usize,
    latency: usize,
    /// Frames of the current cell that came in.
    filled: usize,
    /// The ceiling: how far below it a peak is makes no difference.
    floor: f32,
    /// The peaks of the cells that the block touches, or the floor; the first is the current one's so
    /// far.
    peaks: Vec<f32>,
    /// The gain at the end of the cell that goes out, and those of its frames: taken from here and
    /// not made anew per stretch, they are the same bits however the audio is cut into blocks.
    edge: f32,
    gains: [f32; CELL],
    limiting: bool,
    /// The gains of a run of frames.
    run: Box<[f32; RUN]>,
}

impl Prepared {
    fn detect(&mut self, block: &AudioBlockMut<'_>) -> Result<()> {
        self.peaks[1..].fill(self.floor);
        for channel in 0..block.channels() {
            let plane = block.channel(channel);
            self.detector
                .process(channel, plane, self.filled, CELL, &mut self.peaks)?;
        }
        Ok(())
    }

    /// Takes the gains of the next `frames` frames, a run at most, and turns the cells that end in it;
    /// `cell` is the place of the current one among the peaks. Says whether any gain is not 1.
    fn take_gains(&mut self, frames: usize, cell: &mut usize) -> Result<bool> {
        let (mut start, mut limiting) = (0, false);
        while start < frames {
            let end = frames.min(start + CELL - self.filled);
            let gains = &self.gains[self.filled..self.filled + end - start];
            self.run[start..end].copy_from_slice(gains);
            limiting |= self.limiting;
            self.filled += end - start;
            if self.filled == CELL {
                self.turn(self.peaks[*cell])?;
                *cell += 1;
            }
            start = end;
        }
        Ok(limiting)
    }

    /// Passes on a run.
    fn pass(&mut self, block: &mut AudioBlockMut<'_>, limiting: bool) -> Result<()> {
        let frames = block.frames();
        for (delay, plane) in self.delays.iter_mut().zip(block.planes_mut()) {
            exchange(delay, self.head, self.latency, plane);
            if limiting {
                self.accelerator.mul(plane, &self.run[..frames])?;
            }
        }
        self.head = (self.head + frames) % self.delays[0].len();
        Ok(())
    }

    /// Ends the current cell, whose peak is known now.
    fn turn(&mut self, peak: f32) -> Result<()> {
        let (from, to) = (self.edge, self.law.next(peak));
        self.edge = to;
        self.filled = 0;
        self.limiting = (from, to) != (1.0, 1.0);
        self.gains = [1.0; CELL];
        if self.limiting {
            self.accelerator.ramp(&mut self.gains, from, to)?;
        }
        Ok(())
    }
}

/// Writes `plane` into the ring at `head` and reads it back as it was `latency` frames ago.
fn exchange(ring: &mut [f32], head: usize, latency: usize, plane: &mut [f32]) {
    let len = ring.len();
    let first = plane.len().min(len - head);
    ring[head..head + first].copy_from_slice(&plane[..first]);
    ring[..plane.len() - first].copy_from_slice(&plane[first..]);
    let tail = (head + len - latency) % len;
    let first = plane.len().min(len - tail);
    plane[..first].copy_from_slice(&ring[tail..tail + first]);
    let rest = plane.len() - first;
    plane[first..].copy_from_slice(&ring[..rest]);
}

impl Processor for Prepared {
    fn latency(&self) -> usize {
        self.latency
    }

    fn process(&mut self, block: &mut AudioBlockMut<'_>, _: Option<&dyn Executor>) -> Result<()> {
        self.detect(block)?;
        let mut cell = 0;
        for start in (0..block.frames()).step_by(RUN) {
            let end = block.frames().min(start + RUN);
            let limiting = self.take_gains(end - start, &mut cell)?;
            self.pass(&mut block.range_mut(start..end), limiting)?;
        }
        self.peaks[0] = if self.filled == 0 {
            self.floor
        } else {
            self.peaks[cell]
        };
        Ok(())
    }

    fn reset(&mut self) {
        self.detector.reset();
        self.law.reset();
        self.delays.iter_mut().for_each(|delay| delay.fill(0.0));
        self.peaks.fill(self.floor);
        (self.head, self.filled) = (0, 0);
        (self.edge, self.gains, self.limiting) = (1.0, [1.0; CELL], false);
    }
}
