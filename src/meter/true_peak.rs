//! True peak: the largest magnitude of the oversampled signal.

use std::f64::consts::PI;
use std::sync::Arc;

use auralis_core::{Accelerator, Fir, Result};

/// Half the taps of each phase of the interpolator, and its delay in frames.
const HALF: usize = 8;
/// The same where there is one phase only: nothing but its own sharpness finds a peak that lies
/// between two of its points.
const HALF_OF_ONE: usize = 16;
/// The shape of its Kaiser window.
const BETA: f64 = 7.0;
/// How many samples are interpolated at once: what stays in the first cache.
const RUN: usize = 1024;

/// Finds peaks between the samples as ITU-R BS.1770-4, annex 2, asks: four times oversampled below
/// 96 kHz, twice below 192 kHz, by a polyphase interpolator (Kaiser-windowed sinc, 16 taps a phase, 32
/// where it is one phase).
/// `process` is real-time safe.
#[derive(Debug)]
pub struct TruePeak {
    accelerator: Arc<dyn Accelerator>,
    channels: Vec<Channel>,
    between: Vec<f32>,
    half: usize,
}

#[derive(Debug)]
struct Channel {
    phases: Vec<Box<dyn Fir>>,
    /// The last `half` samples, and behind them room for the next ones.
    samples: Vec<f32>,
}

impl TruePeak {
    /// A detector for so many channels.
    ///
    /// # Errors
    ///
    /// What the accelerator answers.
    pub fn new(
        sample_rate: u32,
        channels: usize,
        accelerator: &Arc<dyn Accelerator>,
    ) -> Result<Self> {
        let factor = match sample_rate {
            ..96_000 => 4,
            96_000..192_000 => 2,
            192_000.. => 1,
        };
        let half = if factor == 2 { HALF_OF_ONE } else { HALF };
        let channels = (0..channels)
            .map(|_| {
                let phases = (1..factor)
                    .map(|phase| accelerator.plan_fir(&taps(phase as f64 / factor as f64, half)))
                    .collect::<Result<_>>()?;
                Ok(Channel {
                    phases,
                    samples: vec![0.0; half + RUN],
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            accelerator: Arc::clone(accelerator),
            channels,
            between: vec![0.0; RUN],
            half,
        })
    }

    /// The frames by which peaks are found later than they are in the signal.
    pub fn latency(&self) -> usize {
        self.half
    }

    /// Takes the next samples of one channel and raises the peaks of the cells that they fall into:
    /// `cells[0]` is `cell` frames long, `offset` of which went before.
    ///
    /// # Errors
    ///
    /// What the accelerator answers.
    ///
    /// # Panics
    ///
    /// If there are not enough cells.
    pub fn process(
        &mut self,
        channel: usize,
        samples: &[f32],
        offset: usize,
        cell: usize,
        cells: &mut [f32],
    ) -> Result<()> {
        let half = self.half;
        let Channel {
            phases,
            samples: delayed,
        } = &mut self.channels[channel];
        let accelerator = &*self.accelerator;
        let mut raise = |position: usize, found: &[f32]| -> Result<()> {
            let mut start = 0;
            while start < found.len() {
                let at = offset + position + start;
                let end = found.len().min(start + cell - at % cell);
                let peak = accelerator.peak(&found[start..end])?;
                cells[at / cell] = cells[at / cell].max(peak);
                start = end;
            }
            Ok(())
        };
        for (index, run) in samples.chunks(RUN).enumerate() {
            let position = index * RUN;
            delayed[half..half + run.len()].copy_from_slice(run);
            raise(position, &delayed[..run.len()])?;
            for phase in &mut *phases {
                let between = &mut self.between[..run.len()];
                phase.process(between, run)?;
                raise(position, between)?;
            }
            delayed.copy_within(run.len()..run.len() + half, 0);
        }
        Ok(())
    }

    /// Forgets what came before.
    pub fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.samples.fill(0.0);
            channel.phases.iter_mut().for_each(|phase| phase.reset());
        }
    }
}

/// The taps that give the signal `fraction` of a sample later than `half` samples ago.
fn taps(fraction: f64, half: usize) -> Vec<f32> {
    let mut taps: Vec<f64> = (0..2 * half)
        .map(|k| {
            let x = k as f64 - half as f64 + fraction;
            (PI * x).sin() / (PI * x) * kaiser(x / half as f64)
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|tap| *tap /= sum);
    taps.into_iter().map(|tap| tap as f32).collect()
}

/// The Kaiser window over `-1..=1`. Kaiser, "Nonrecursive digital filter design using the I0-sinh
/// window function", ISCAS 1974.
fn kaiser(x: f64) -> f64 {
    bessel_i0(BETA * (1.0 - x * x).max(0.0).sqrt()) / bessel_i0(BETA)
}

fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= (x / (2.0 * k)).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}
