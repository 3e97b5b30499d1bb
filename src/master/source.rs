//! The first step: decoded audio, checked and measured, with silence behind it to flush the chain.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use auralis_core::{Accelerator, AudioBlock, Error, ErrorKind, MAX_CHANNELS, Result};

use super::NonFinite;
use super::conveyor::{Planes, stretches};
use super::folding::{Folding, Largest};
use crate::audio::Reader;
use crate::meter::LoudnessMeter;

/// Steps of a timeline.
pub const STEPS: usize = 1024;
/// The frames that give one peak to a timeline before it folds.
const PEAK_FRAMES: usize = 512;

/// Adds the largest samples of a block to a timeline, stretch by stretch.
pub fn push_peaks(
    accelerator: &dyn Accelerator,
    block: &AudioBlock<'_>,
    peaks: &mut Folding<Largest>,
) -> Result<()> {
    for start in (0..block.frames()).step_by(PEAK_FRAMES) {
        let end = block.frames().min(start + PEAK_FRAMES);
        let mut largest = 0.0f32;
        for plane in block.range(start..end).planes() {
            largest = largest.max(accelerator.peak(plane)?);
        }
        peaks.push(Largest(largest));
    }
    Ok(())
}

/// Reads a file block by block.
pub struct Source<'a> {
    pub reader: &'a mut Reader,
    pub path: &'a Path,
    pub accelerator: &'a dyn Accelerator,
    pub non_finite: NonFinite,
    pub interrupted: &'a AtomicBool,
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// Measures what is read, in the first pass.
    pub meter: Option<&'a mut LoudnessMeter>,
    pub peaks: Option<Folding<Largest>>,
    /// Frames read, and samples that were not finite and are now zero.
    pub frames: u64,
    pub zeroed: u64,
    /// Frames of silence still to come after the end.
    pub tail: usize,
    pub ended: bool,
}

impl Source<'_> {
    /// Fills a block; leaves it empty after the end.
    pub fn fill(&mut self, planes: &mut Planes) -> Result<()> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        let room = planes.block().frames();
        let read = if self.ended { 0 } else { self.read(planes)? };
        let silence = if self.ended {
            self.tail.min(room - read)
        } else {
            0
        };
        self.tail -= silence;
        for plane in planes.block_mut().planes_mut() {
            plane[read..read + silence].fill(0.0);
        }
        planes.resize(read + silence, silence);
        Ok(())
    }

    fn read(&mut self, planes: &mut Planes) -> Result<usize> {
        let read = self.decode(planes)?;
        self.frames += read as u64;
        (self.progress)(read as u64);
        let block = planes.block().range(0..read);
        if let Some(peaks) = &mut self.peaks {
            push_peaks(self.accelerator, &block, peaks)?;
        }
        if let Some(meter) = &mut self.meter {
            for stretch in stretches(0..read, meter.max_frames()) {
                meter.process(&block.range(stretch))?;
            }
        }
        Ok(read)
    }

    fn decode(&mut self, planes: &mut Planes) -> Result<usize> {
        let mut block = planes.block_mut();
        let (channels, room) = (block.channels(), block.frames());
        let mut rows = block.planes_mut();
        let mut rows: [&mut [f32]; MAX_CHANNELS] =
            std::array::from_fn(|_| rows.next().unwrap_or_default());
        let read = self.reader.read(&mut rows[..channels])?;
        self.ended = read < room;
        if self.reader.spec().float {
            for (channel, row) in rows[..channels].iter_mut().enumerate() {
                self.check(channel, &mut row[..read])?;
            }
        }
        Ok(read)
    }

    fn check(&mut self, channel: usize, samples: &mut [f32]) -> Result<()> {
        // Without an early exit, so that it can be vectorised.
        let bad = samples
            .iter()
            .fold(0u32, |bad, x| bad + u32::from(!x.is_finite()));
        if bad == 0 {
            return Ok(());
        }
        if self.non_finite == NonFinite::Refuse {
            let at = samples.iter().position(|x| !x.is_finite()).unwrap_or(0);
            let message = "the audio holds a sample that is not a finite number (`--nan zero` \
                           replaces such samples by 0)";
            return Err(Error::new(ErrorKind::Corrupt, message)
                .with("file", self.path.display())
                .with("sample", samples[at])
                .with("frame", self.frames + at as u64)
                .with("channel", channel));
        }
        self.zeroed += u64::from(bad);
        samples
            .iter_mut()
            .filter(|x| !x.is_finite())
            .for_each(|x| *x = 0.0);
        Ok(())
    }
}
