//! The measuring pass: what the loudness solve needs to know of a file.

use std::sync::Arc;

use auralis_core::{Accelerator, AudioBlock, AudioBlockMut, BiquadCascade, Buffer, Result};

use super::folding::{Folding, Merge};
use crate::Parts;
use crate::chain::CELL;
use crate::meter::{TruePeak, k_weighting};

/// The most cells that are kept: 6 minutes at 44.1 kHz before pairs are merged.
const MAX_CELLS: usize = 1 << 18;

/// What is known of the frames of one cell, at the limiter's input with a gain of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// The sum of squares after K-weighting, over all channels by their weights.
    pub energy: f32,
    /// The true peak over all channels.
    pub peak: f32,
}

impl Merge for Cell {
    fn merge(self, later: Self) -> Self {
        Self {
            energy: self.energy + later.energy,
            peak: self.peak.max(later.peak),
        }
    }
}

/// Collects [`Cell`]s from a stream.
#[derive(Debug)]
pub struct Analyzer {
    accelerator: Arc<dyn Accelerator>,
    filter: Box<dyn BiquadCascade>,
    detector: TruePeak,
    weights: Vec<f64>,
    max_frames: usize,
    weighted: Buffer,
    peaks: Vec<f32>,
    /// The cell that is not full yet, and its frames.
    current: Cell,
    filled: usize,
    cells: Folding<Cell>,
}

impl Analyzer {
    /// An analyzer for blocks of as many channels as there are weights.
    ///
    /// # Errors
    ///
    /// What the parts answer.
    pub fn new(
        sample_rate: u32,
        weights: Vec<f64>,
        max_frames: usize,
        parts: &Parts,
    ) -> Result<Self> {
        let len = weights.len() * max_frames;
        Ok(Self {
            accelerator: Arc::clone(&parts.accelerator),
            filter: parts
                .accelerator
                .plan_biquads(&k_weighting(sample_rate), weights.len())?,
            detector: TruePeak::new(sample_rate, weights.len(), &parts.accelerator)?,
            weights,
            max_frames,
            weighted: parts.scratch(len)?,
            peaks: vec![0.0; max_frames / CELL + 2],
            current: Cell::default(),
            filled: 0,
            cells: Folding::new(MAX_CELLS),
        })
    }

    /// Takes the next frames.
    ///
    /// # Errors
    ///
    /// What the accelerator answers.
    pub fn process(&mut self, block: &AudioBlock<'_>) -> Result<()> {
        let (channels, frames) = (block.channels(), block.frames());
        self.peaks.fill(0.0);
        let mut weighted =
            AudioBlockMut::new(&mut self.weighted, channels, frames, self.max_frames)?;
        for (channel, (to, from)) in weighted.planes_mut().zip(block.planes()).enumerate() {
            to.copy_from_slice(from);
            self.detector
                .process(channel, from, self.filled, CELL, &mut self.peaks)?;
        }
        self.filter.process(&mut weighted)?;
        let (mut start, mut index) = (0, 0);
        while start < frames {
            let end = frames.min(start + CELL - self.filled);
            for (channel, weight) in self.weights.iter().enumerate() {
                if *weight > 0.0 {
                    let samples = &self.weighted[channel * self.max_frames..][start..end];
                    let energy = self.accelerator.sum_squares(samples)?;
                    self.current.energy += *weight as f32 * energy;
                }
            }
            self.current.peak = self.current.peak.max(self.peaks[index]);
            self.filled += end - start;
            if self.filled == CELL {
                self.cells.push(std::mem::take(&mut self.current));
                self.filled = 0;
                index += 1;
            }
            start = end;
        }
        Ok(())
    }

    /// The cells of everything that was taken, and the frames of each.
    pub fn finish(mut self) -> (Vec<Cell>, usize) {
        if self.filled > 0 {
            self.cells.push(self.current);
        }
        let (cells, span) = self.cells.finish();
        (cells, CELL * span)
    }
}
