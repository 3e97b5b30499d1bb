//! Loudness of a stream, block by block.

use std::sync::Arc;

use auralis_core::{Accelerator, AudioBlock, AudioBlockMut, BiquadCascade, Buffer, Result};

use super::{Gate, k_weighting, lufs_of_energy};
use crate::Parts;

/// A gating block of 400 ms is four sub-blocks long and begins at every one of them (75 % overlap).
pub const SUB_BLOCKS_PER_BLOCK: usize = 4;

/// The sub-blocks of 3 s, over which short-term loudness goes.
const SUB_BLOCKS_OF_SHORT_TERM: usize = 30;

/// The frames of a sub-block of 100 ms.
pub fn sub_block_frames(sample_rate: u32) -> usize {
    ((sample_rate + 5) / 10).max(1) as usize
}

/// Measures integrated loudness by ITU-R BS.1770-4, and momentary and short-term loudness and loudness
/// range by EBU Tech 3341 and 3342. `process` is real-time safe.
#[derive(Debug)]
pub struct LoudnessMeter {
    accelerator: Arc<dyn Accelerator>,
    filter: Box<dyn BiquadCascade>,
    scratch: Buffer,
    weights: Vec<f64>,
    max_frames: usize,
    sub_block: usize,
    /// Frames and energy of the current sub-block.
    filled: usize,
    energy: f64,
    /// The energies of the last sub-blocks, newest last.
    recent: [f64; SUB_BLOCKS_OF_SHORT_TERM],
    sub_blocks: u64,
    gate: Gate,
    short_terms: Gate,
}

impl LoudnessMeter {
    /// A meter for blocks of as many channels as there are weights (see
    /// [`channel_weights`](super::channel_weights)) and at most `max_frames` frames.
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
        let len = max_frames * weights.len();
        Ok(Self {
            accelerator: Arc::clone(&parts.accelerator),
            filter: parts
                .accelerator
                .plan_biquads(&k_weighting(sample_rate), weights.len())?,
            scratch: parts.scratch(len)?,
            weights,
            max_frames,
            sub_block: sub_block_frames(sample_rate),
            filled: 0,
            energy: 0.0,
            recent: [0.0; SUB_BLOCKS_OF_SHORT_TERM],
            sub_blocks: 0,
            gate: Gate::default(),
            short_terms: Gate::default(),
        })
    }

    /// The most frames of a block.
    pub fn max_frames(&self) -> usize {
        self.max_frames
    }

    /// Measures the next frames.
    ///
    /// # Errors
    ///
    /// What the accelerator answers, to a block of other channels or too many frames above all.
    pub fn process(&mut self, block: &AudioBlock<'_>) -> Result<()> {
        let (channels, frames) = (block.channels(), block.frames());
        let mut weighted =
            AudioBlockMut::new(&mut self.scratch, channels, frames, self.max_frames)?;
        for (to, from) in weighted.planes_mut().zip(block.planes()) {
            to.copy_from_slice(from);
        }
        self.filter.process(&mut weighted)?;
        let mut start = 0;
        while start < frames {
            let end = frames.min(start + self.sub_block - self.filled);
            for (channel, weight) in self.weights.iter().enumerate() {
                if *weight > 0.0 {
                    let samples = &self.scratch[channel * self.max_frames..][start..end];
                    self.energy += weight * energy(&*self.accelerator, samples)?;
                }
            }
            self.filled += end - start;
            if self.filled == self.sub_block {
                self.close_sub_block();
            }
            start = end;
        }
        Ok(())
    }

    fn close_sub_block(&mut self) {
        self.recent.rotate_left(1);
        self.recent[SUB_BLOCKS_OF_SHORT_TERM - 1] = self.energy / self.sub_block as f64;
        (self.filled, self.energy) = (0, 0.0);
        self.sub_blocks += 1;
        if self.sub_blocks >= SUB_BLOCKS_PER_BLOCK as u64 {
            self.gate.add(self.mean_of_last(SUB_BLOCKS_PER_BLOCK));
        }
        if self.sub_blocks >= SUB_BLOCKS_OF_SHORT_TERM as u64 {
            self.short_terms
                .add(self.mean_of_last(SUB_BLOCKS_OF_SHORT_TERM));
        }
    }

    /// The integrated loudness so far, in LUFS; negative infinity for silence, and for less than
    /// 400 ms.
    pub fn integrated(&self) -> f64 {
        self.gate.loudness()
    }

    /// The momentary loudness: of the last 400 ms that are whole sub-blocks, in LUFS.
    pub fn momentary(&self) -> f64 {
        lufs_of_energy(self.mean_of_last(SUB_BLOCKS_PER_BLOCK))
    }

    /// The short-term loudness: of the last 3 s that are whole sub-blocks, in LUFS.
    pub fn short_term(&self) -> f64 {
        lufs_of_energy(self.mean_of_last(SUB_BLOCKS_OF_SHORT_TERM))
    }

    /// The loudness range so far, in LU; 0 for silence, and for less than 3 s.
    pub fn range(&self) -> f64 {
        self.short_terms.range()
    }

    fn mean_of_last(&self, count: usize) -> f64 {
        let (_, last) = self.recent.split_at(SUB_BLOCKS_OF_SHORT_TERM - count);
        last.iter().sum::<f64>() / count as f64
    }

    /// The number of whole sub-blocks so far.
    pub fn sub_blocks(&self) -> u64 {
        self.sub_blocks
    }

    /// Forgets what came before.
    pub fn reset(&mut self) {
        self.filter.reset();
        self.gate.reset();
        self.short_terms.reset();
        (self.filled, self.energy, self.sub_blocks) = (0, 0.0, 0);
        self.recent = [0.0; SUB_BLOCKS_OF_SHORT_TERM];
    }
}

/// A sum of squares that keeps its precision over long stretches: `f32` sums of short runs, summed
/// in double precision.
pub(crate) fn energy(accelerator: &dyn Accelerator, samples: &[f32]) -> Result<f64> {
    samples.chunks(512).try_fold(0.0, |sum, run| {
        Ok(sum + f64::from(accelerator.sum_squares(run)?))
    })
}
