//! The loudness solve: the gain that brings the limiter's output to a target, found in memory.

use super::analysis::Cell;
use crate::chain::{Limiter, Loudness, amplitude, decibels};
use crate::meter::{Gate, SUB_BLOCKS_PER_BLOCK, sub_block_frames};

/// A file as the solve sees it.
#[derive(Debug)]
pub struct Model<'a> {
    /// The cells before the limiter, at a gain of 1.
    pub cells: &'a [Cell],
    /// The frames of a cell.
    pub cell_frames: usize,
    /// The frames of the file.
    pub frames: u64,
    /// Frames per second.
    pub sample_rate: u32,
    /// The limiter, if the chain has one.
    pub limiter: Option<&'a Limiter>,
}

/// What the solve found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solution {
    /// The gain before the limiter, in decibels.
    pub gain_db: f64,
    /// The loudness that the model expects with it, in LUFS.
    pub loudness_lufs: f64,
    /// The most that the limiter takes off, in decibels.
    pub reduction_db: f64,
    /// Why the target is not reached, if it is not.
    pub shortfall: Option<Shortfall>,
}

/// Why a target can't be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shortfall {
    /// There is no loudness to be set: silence, or less than 400 ms.
    NoLoudness,
    /// It would take this much limiting, in decibels.
    Needs(f64),
    /// No amount of limiting reaches it: the loudest that was found, and the limiting it takes.
    OutOfReach {
        /// In LUFS.
        loudest_lufs: f64,
        /// In decibels.
        reduction_db: f64,
    },
}

/// The solve stops this close to the target, in LU.
const TOLERANCE: f64 = 0.001;
/// No gain above this is tried, in decibels.
const LARGEST_GAIN: f64 = 80.0;

impl Model<'_> {
    /// Finds the gain for `loudness`, whose target is shifted by `correction` LU: what a rendering
    /// showed the model to be off by.
    pub fn solve(&self, loudness: &Loudness, correction: f64) -> Solution {
        let natural = self.loudness(0.0, None).0;
        if !natural.is_finite() {
            return Solution {
                gain_db: 0.0,
                loudness_lufs: natural,
                reduction_db: 0.0,
                shortfall: Some(Shortfall::NoLoudness),
            };
        }
        let target = loudness.target_lufs + correction;
        let allowed = self.gain_of_reduction(loudness.max_reduction_db);
        let solution = self.search(target, target - natural, allowed);
        if (solution.loudness_lufs - target).abs() <= 10.0 * TOLERANCE {
            return solution;
        }
        let unbounded = self.search(target, target - natural, LARGEST_GAIN);
        let reached = (unbounded.loudness_lufs - target).abs() <= 10.0 * TOLERANCE;
        let shortfall = if reached {
            Shortfall::Needs(unbounded.reduction_db)
        } else {
            Shortfall::OutOfReach {
                loudest_lufs: unbounded.loudness_lufs,
                reduction_db: unbounded.reduction_db,
            }
        };
        Solution {
            shortfall: Some(shortfall),
            ..solution
        }
    }

    /// The loudness rises with the gain, but less and less: a secant kept within a bracket.
    fn search(&self, target: f64, guess: f64, largest: f64) -> Solution {
        let (mut low, mut high) = (f64::NEG_INFINITY, largest);
        let mut gain = guess.min(largest);
        let mut best = self.at(gain);
        let mut last: Option<Solution> = None;
        for _ in 0..40 {
            let error = target - best.loudness_lufs;
            if error.abs() <= TOLERANCE || (error > 0.0 && gain >= largest) {
                break;
            }
            if error > 0.0 {
                low = gain
            } else {
                high = gain
            }
            let slope = last.map_or(1.0, |l| {
                let run = gain - l.gain_db;
                if run.abs() < 1e-9 {
                    1.0
                } else {
                    (best.loudness_lufs - l.loudness_lufs) / run
                }
            });
            let mut next = gain + error / slope.clamp(0.02, 1.0);
            if next >= high {
                next = if low.is_finite() && high < largest {
                    (low + high) / 2.0
                } else {
                    high
                };
            } else if next <= low {
                next = (low + high) / 2.0;
            }
            last = Some(best);
            gain = next;
            best = self.at(gain);
        }
        best
    }

    fn at(&self, gain_db: f64) -> Solution {
        let (loudness_lufs, reduction_db) = self.loudness(gain_db, self.limiter);
        Solution {
            gain_db,
            loudness_lufs,
            reduction_db,
            shortfall: None,
        }
    }

    /// The gain at which the loudest cell needs so much limiting.
    fn gain_of_reduction(&self, reduction_db: f64) -> f64 {
        let Some(limiter) = self.limiter else {
            return LARGEST_GAIN;
        };
        let peak = self.cells.iter().map(|cell| cell.peak).fold(0.0, f32::max);
        let ceiling = f64::from(limiter.ceiling());
        (decibels(ceiling / f64::from(peak)) + reduction_db).min(LARGEST_GAIN)
    }

    /// Visits the limiter's gain at the end of each cell.
    pub fn limiting(&self, gain_db: f64, mut visit: impl FnMut(f32)) {
        self.walk(gain_db, self.limiter, |_, _, end| visit(end));
    }

    fn walk(
        &self,
        gain_db: f64,
        limiter: Option<&Limiter>,
        mut visit: impl FnMut(&Cell, f32, f32),
    ) {
        let Some(limiter) = limiter else {
            return self.cells.iter().for_each(|cell| visit(cell, 1.0, 1.0));
        };
        let gain = amplitude(gain_db) as f32;
        let mut law = limiter.law(self.sample_rate, self.cell_frames);
        let latency = law.latency();
        let peaks = self.cells.iter().map(|cell| cell.peak * gain);
        let mut edges = peaks
            .chain(std::iter::repeat(0.0))
            .map(|peak| law.next(peak));
        let mut start = edges.nth(latency - 2).unwrap_or(1.0);
        for cell in self.cells {
            let end = edges.next().unwrap_or(1.0);
            visit(cell, start, end);
            start = end;
        }
    }

    /// The gated loudness with this gain, in LUFS, and the most that the limiter takes off, in dB.
    fn loudness(&self, gain_db: f64, limiter: Option<&Limiter>) -> (f64, f64) {
        let third = amplitude(gain_db).powi(2) / 3.0;
        let sub_block = sub_block_frames(self.sample_rate) as f64;
        let mut gate = Gate::default();
        let mut recent = [0.0; SUB_BLOCKS_PER_BLOCK];
        let (mut filled, mut energy, mut sub_blocks) = (0.0, 0.0, 0);
        let mut remaining = self.frames as f64;
        let mut smallest = 1.0f32;
        self.walk(gain_db, limiter, |cell, start, end| {
            smallest = smallest.min(start).min(end);
            // The mean of the square of a straight line from `start` to `end`.
            let (a, b) = (f64::from(start), f64::from(end));
            let power = third * f64::from(cell.energy) * (a * a + a * b + b * b);
            let frames = (self.cell_frames as f64).min(remaining);
            remaining -= frames;
            if filled + frames < sub_block {
                energy += power;
                filled += frames;
                return;
            }
            let mut left = frames;
            while left > 0.0 {
                let part = left.min(sub_block - filled);
                energy += power * part / frames;
                filled += part;
                left -= part;
                if filled >= sub_block {
                    recent.rotate_left(1);
                    recent[SUB_BLOCKS_PER_BLOCK - 1] = energy / sub_block;
                    (filled, energy) = (0.0, 0.0);
                    sub_blocks += 1;
                    if sub_blocks >= SUB_BLOCKS_PER_BLOCK {
                        gate.add(recent.iter().sum::<f64>() / SUB_BLOCKS_PER_BLOCK as f64);
                    }
                }
            }
        });
        (gate.loudness(), decibels(1.0 / f64::from(smallest)))
    }
}
