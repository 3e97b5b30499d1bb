//! The last step: quantise, write, and measure what was written.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use auralis_core::{Accelerator, Buffer, MAX_CHANNELS, Result};

use super::conveyor::{Planes, STRETCH, stretches};
use super::folding::{Folding, Largest};
use super::source::{STEPS, push_peaks};
use crate::Parts;
use crate::audio::{OutputSpec, SampleFormat, Writer};
use crate::meter::{LoudnessMeter, TruePeak};

/// What silence is in a timeline, in LUFS: a record can't hold infinity.
const QUIETEST: f64 = -120.0;

/// Writes a file block by block and measures it.
#[derive(Debug)]
pub struct Sink {
    accelerator: Arc<dyn Accelerator>,
    writer: Writer,
    sample: SampleFormat,
    meter: LoudnessMeter,
    detector: TruePeak,
    /// Frames still to be left out at the start, and to be written.
    skip: usize,
    remaining: u64,
    interleaved: Buffer,
    quantized: Quantized,
    /// The true peak so far, and the samples that did not fit into the sample format.
    peak: f32,
    clipped: u64,
    pub peaks: Folding<Largest>,
    pub momentary: Folding<Largest>,
}

/// Room for one block of quantised samples.
#[derive(Debug)]
enum Quantized {
    Int16(Vec<i16>),
    Int24(Vec<[u8; 3]>),
    Float32,
}

impl Sink {
    pub fn new(
        path: &Path,
        output: &OutputSpec,
        skip: usize,
        frames: u64,
        weights: Vec<f64>,
        parts: &Parts,
    ) -> Result<Self> {
        let samples = output.channels * STRETCH;
        Ok(Self {
            accelerator: Arc::clone(&parts.accelerator),
            writer: Writer::create(path, output)?,
            sample: output.sample,
            meter: LoudnessMeter::new(output.sample_rate, weights, STRETCH, parts)?,
            detector: TruePeak::new(output.sample_rate, output.channels, &parts.accelerator)?,
            skip,
            remaining: frames,
            interleaved: parts.scratch(samples)?,
            quantized: match output.sample {
                SampleFormat::Int16 => Quantized::Int16(vec![0; samples]),
                SampleFormat::Int24 => Quantized::Int24(vec![[0; 3]; samples]),
                SampleFormat::Float32 => Quantized::Float32,
            },
            peak: 0.0,
            clipped: 0,
            peaks: Folding::new(STEPS),
            momentary: Folding::new(STEPS),
        })
    }

    /// Takes the next block.
    pub fn take(&mut self, planes: &mut Planes) -> Result<()> {
        let frames = planes.block().frames();
        let start = self.skip.min(frames);
        self.skip -= start;
        let end = frames.min(start.saturating_add(self.remaining.min(frames as u64) as usize));
        self.remaining -= (end - start) as u64;
        stretches(start..end, STRETCH).try_for_each(|Range { start, end }| {
            self.write(planes, start, end)?;
            self.measure(planes, start, end)
        })
    }

    fn write(&mut self, planes: &mut Planes, start: usize, end: usize) -> Result<()> {
        let channels = planes.block().channels();
        let samples = channels * (end - start);
        let interleaved = &mut self.interleaved[..samples];
        {
            let block = planes.block().range(start..end);
            let mut rows = block.planes();
            let rows: [&[f32]; MAX_CHANNELS] =
                std::array::from_fn(|_| rows.next().unwrap_or_default());
            self.accelerator
                .interleave(interleaved, &rows[..channels])?;
        }
        match &mut self.quantized {
            Quantized::Float32 => return self.writer.write_f32(interleaved),
            Quantized::Int16(integers) => {
                let integers = &mut integers[..samples];
                self.clipped += clipped(&*self.accelerator, interleaved)?;
                self.accelerator.i16_from_f32(integers, interleaved)?;
                self.writer.write_i16(integers)?;
                self.accelerator.f32_from_i16(interleaved, integers)?;
            }
            Quantized::Int24(integers) => {
                let integers = &mut integers[..samples];
                self.clipped += clipped(&*self.accelerator, interleaved)?;
                self.accelerator.i24_from_f32(integers, interleaved)?;
                self.writer.write_i24(integers)?;
                self.accelerator.f32_from_i24(interleaved, integers)?;
            }
        }
        let mut block = planes.block_mut();
        let mut block = block.range_mut(start..end);
        let mut rows = block.planes_mut();
        let mut rows: [&mut [f32]; MAX_CHANNELS] =
            std::array::from_fn(|_| rows.next().unwrap_or_default());
        self.accelerator
            .deinterleave(&mut rows[..channels], interleaved)
    }

    fn measure(&mut self, planes: &Planes, start: usize, end: usize) -> Result<()> {
        let block = planes.block().range(start..end);
        self.meter.process(&block)?;
        let momentary = self.meter.momentary().max(QUIETEST);
        self.momentary.push(Largest(momentary as f32));
        push_peaks(&*self.accelerator, &block, &mut self.peaks)?;
        let mut peak = [self.peak];
        for (channel, plane) in block.planes().enumerate() {
            self.detector
                .process(channel, plane, 0, usize::MAX, &mut peak)?;
        }
        self.peak = peak[0];
        Ok(())
    }

    /// The integrated loudness of what was written, in LUFS.
    pub fn loudness(&self) -> f64 {
        self.meter.integrated()
    }

    /// Ends the measurement and gives the true peak and the number of clipped samples.
    pub fn finish_measuring(&mut self, channels: usize) -> Result<(f32, u64)> {
        // What the interpolator still holds.
        let silence = vec![0.0; 2 * self.detector.latency()];
        let mut peak = [self.peak];
        for channel in 0..channels {
            self.detector
                .process(channel, &silence, 0, usize::MAX, &mut peak)?;
        }
        self.peaks.flush();
        self.momentary.flush();
        Ok((peak[0], self.clipped))
    }

    /// Gives the file its name.
    pub fn finish(self) -> Result<crate::audio::Finished> {
        self.writer.finish()
    }

    /// Whether the output holds integers.
    pub fn is_integer(&self) -> bool {
        self.sample != SampleFormat::Float32
    }
}

/// The samples that an integer format can't hold.
fn clipped(accelerator: &dyn Accelerator, samples: &[f32]) -> Result<u64> {
    if accelerator.peak(samples)? <= 1.0 {
        return Ok(0);
    }
    Ok(samples.iter().filter(|x| x.abs() > 1.0).count() as u64)
}
