//! Resampling of a stream: without delay, to the length that the rates give.

use auralis_core::{Error, ErrorKind, Result};
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use super::conveyor::Planes;

/// The fewest taps of the filter, counted at the lower rate: its edge then takes the last 3 % below
/// half that rate.
const TAPS: usize = 1024;

/// The longest block of either side: rates whose ratio has no small terms want long ones.
const LONGEST: usize = 1 << 20;

/// The ratio of two rates, and the blocks by which audio goes from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    from: u32,
    to: u32,
    /// The frames of a block before and after: even, so that half of it is a number of frames.
    block: [usize; 2],
}

impl Ratio {
    /// From one rate to another, in Hz.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the blocks would be too long.
    pub fn new(from: u32, to: u32) -> Result<Self> {
        let divisor = greatest_common_divisor(from, to).max(1);
        let terms = [from, to].map(|rate| (rate / divisor) as usize);
        let lower = terms[0].min(terms[1]).max(1);
        let times = 2 * (TAPS / 2).div_ceil(lower);
        let block = terms.map(|term| term.saturating_mul(times));
        if block.iter().any(|frames| !(1..=LONGEST).contains(frames)) {
            let message = "can't resample between these rates: their ratio has no small terms";
            return Err(Error::new(ErrorKind::InvalidInput, message)
                .with("from", format_args!("{from} Hz"))
                .with("to", format_args!("{to} Hz"))
                .with("ratio", format_args!("{}:{}", terms[0], terms[1])));
        }
        Ok(Self { from, to, block })
    }

    /// How many frames `frames` become, to the nearest.
    pub fn len(self, frames: u64) -> u64 {
        let (from, to) = (u128::from(self.from), u128::from(self.to));
        ((u128::from(frames) * to + from / 2) / from) as u64
    }

    /// The most frames that may go in at once, so that hardly more than `most` are there before and
    /// after.
    pub fn source(self, most: usize) -> usize {
        let [before, after] = self.block;
        most.min((most * before).div_ceil(after))
    }

    /// The most frames that come out at once for so many that go in.
    pub fn most(self, frames: usize) -> usize {
        frames.div_ceil(self.block[0]) * self.block[1]
    }

    /// The frames that must follow the last one, so that all come out and `more` after them.
    pub fn tail(self, more: usize) -> usize {
        let [before, after] = self.block;
        (more + after / 2 + 1) * before / after + 1 + before
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// Changes the sample rate of a stream of blocks.
#[derive(Debug)]
pub struct Resampler {
    ratio: Ratio,
    fft: Fft<f32>,
    /// What waits for a block to be full.
    waiting: Vec<Vec<f32>>,
    filled: usize,
    /// What came out of the blocks of one call.
    made: Vec<Vec<f32>>,
    /// Frames still to be left out, before and after: the delay of the stages before, and the filter's.
    skip: [usize; 2],
    /// The frames of audio so far, without the silence after it, and those that were given on.
    taken: u64,
    given: u64,
    /// The frames that the stages after want beyond the audio.
    more: usize,
}

impl Resampler {
    /// One for blocks of at most `max_frames` frames, of which the first `delay` are left out. After
    /// the end of the audio `more` frames come.
    ///
    /// # Errors
    ///
    /// If the filter can't be made.
    pub fn new(
        ratio: Ratio,
        channels: usize,
        max_frames: usize,
        delay: usize,
        more: usize,
    ) -> Result<Self> {
        let [before, after] = ratio.block;
        let (from, to) = (ratio.from as usize, ratio.to as usize);
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(from, to, before, 1, channels, window, FixedSync::Both);
        Ok(Self {
            fft: fft.map_err(failed)?,
            waiting: vec![vec![0.0; before]; channels],
            filled: 0,
            made: vec![vec![0.0; ratio.most(max_frames)]; channels],
            skip: [delay, after / 2],
            taken: 0,
            given: 0,
            more,
            ratio,
        })
    }

    /// Takes a block, and leaves in its place the frames that are ready.
    ///
    /// # Errors
    ///
    /// What rubato answers: nothing, for blocks of the shape that was prepared.
    pub fn process(&mut self, planes: &mut Planes) -> Result<()> {
        let made = self.take(planes)?;
        let start = self.skip[1].min(made);
        self.skip[1] -= start;
        let mut ready = made - start;
        if planes.silent() > 0 {
            let all = self.ratio.len(self.taken) + self.more as u64;
            ready = ready.min(all.saturating_sub(self.given) as usize);
        }
        self.given += ready as u64;
        planes.resize(ready, 0);
        for (plane, made) in planes.block_mut().planes_mut().zip(&self.made) {
            plane.copy_from_slice(&made[start..start + ready]);
        }
        Ok(())
    }

    /// Resamples every block that becomes full. Returns the frames that came out.
    fn take(&mut self, planes: &Planes) -> Result<usize> {
        let [before, after] = self.ratio.block;
        let block = planes.block();
        let frames = block.frames();
        self.taken += (frames - planes.silent()) as u64;
        let mut start = self.skip[0].min(frames);
        self.skip[0] -= start;
        let mut made = 0;
        while start < frames {
            let end = frames.min(start + before - self.filled);
            for (waiting, plane) in self.waiting.iter_mut().zip(block.planes()) {
                waiting[self.filled..][..end - start].copy_from_slice(&plane[start..end]);
            }
            self.filled += end - start;
            start = end;
            if self.filled == before {
                self.filled = 0;
                self.resample(made)?;
                made += after;
            }
        }
        Ok(made)
    }

    /// Resamples a block to this place in what is made.
    fn resample(&mut self, at: usize) -> Result<()> {
        let [before, after] = self.ratio.block;
        let channels = self.waiting.len();
        let input = SequentialSliceOfVecs::new(&self.waiting, channels, before).map_err(failed)?;
        let mut output =
            SequentialSliceOfVecs::new_mut(&mut self.made, channels, at + after).map_err(failed)?;
        let place = Indexing {
            output_offset: at,
            ..Indexing::default()
        };
        self.fft
            .process_into_buffer(&input, &mut output, Some(&place))
            .map_err(failed)?;
        Ok(())
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidInput, "the audio can't be resampled").because(error)
}
