//! True peak: the largest magnitude of the oversampled signal.

use std::f64::consts::PI;
use std::ops::Range;
use std::sync::Arc;

use auralis_core::{Accelerator, AudioBlockMut, FirBank, Result};

/// Half the taps of each phase of the interpolator, and its delay in frames.
const HALF: usize = 8;
/// The same where there is one phase only: nothing but its own sharpness finds a peak that lies
/// between two of its points.
const HALF_OF_ONE: usize = 16;
/// The shape of its Kaiser window.
const BETA: f64 = 7.0;
/// How many samples are interpolated at once: what stays in the first cache.
const RUN: usize = 1024;
/// For so many samples at most it is found out at once whether they need to be interpolated.
const PIECE: usize = 128;
/// More than a sum of 32 terms in single precision can be above the exact one.
const ROUNDING: f32 = 1.0 + 1e-5;

/// Finds peaks between the samples as ITU-R BS.1770-4, annex 2, asks: four times oversampled below
/// 96 kHz, twice below 192 kHz, by a polyphase interpolator (Kaiser-windowed sinc, 16 taps a phase, 32
/// where it is one phase).
/// Where no interpolated value can be above the peak that is known, none is computed. `process` is
/// real-time safe.
#[derive(Debug)]
pub struct TruePeak {
    accelerator: Arc<dyn Accelerator>,
    channels: Vec<Channel>,
    phases: usize,
    /// Of each phase, the values between the samples of a run.
    between: Vec<f32>,
    half: usize,
    /// No interpolated value is as many times the largest sample around it.
    gain: f32,
}

#[derive(Debug)]
struct Channel {
    /// None where the samples are close enough.
    phases: Option<Box<dyn FirBank>>,
    /// The last `2 * half` samples, and behind them room for the next ones.
    samples: Vec<f32>,
    /// Whether the phases have seen all samples so far, or at least the last `2 * half`.
    ready: bool,
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
        let taps = phases(factor, half);
        let taps: Vec<&[f32]> = taps.iter().map(Vec::as_slice).collect();
        let channels = (0..channels)
            .map(|_| {
                let bank = || accelerator.plan_firs(&taps);
                Ok(Channel {
                    phases: (!taps.is_empty()).then(bank).transpose()?,
                    samples: vec![0.0; 2 * half + RUN],
                    ready: true,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            accelerator: Arc::clone(accelerator),
            channels,
            phases: taps.len(),
            between: vec![0.0; taps.len() * RUN],
            half,
            gain: ROUNDING * taps.iter().map(|taps| magnitude(taps)).fold(0.0, f32::max),
        })
    }

    /// The frames by which peaks are found later than they are in the signal.
    pub fn latency(&self) -> usize {
        self.half
    }

    /// Takes the next samples of one channel and raises the peaks of the cells that they fall into:
    /// `cells[0]` is `cell` frames long, `offset` of which went before. The higher the peaks are from
    /// the start, the less there is to be computed.
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
        let mut place = Place::new(offset, cell);
        for run in samples.chunks(RUN) {
            let history = 2 * self.half;
            let line = &mut self.channels[channel].samples;
            line[history..history + run.len()].copy_from_slice(run);
            let mut start = 0;
            while start < run.len() {
                // Up to where pieces begin that need no interpolation.
                let first = place;
                let (mut end, mut next) = (start, start);
                while end == next && end < run.len() {
                    next = run.len().min(end + PIECE.min(place.left));
                    let peak = &mut cells[place.index];
                    place.advance(next - end);
                    if self.may_be_above(channel, end..next, peak)? {
                        end = next;
                    }
                }
                if start < end {
                    self.interpolate(channel, start..end, first, cells)?;
                }
                self.channels[channel].ready &= end == next && end > start;
                start = next;
            }
            let line = &mut self.channels[channel].samples;
            line.copy_within(run.len()..run.len() + history, 0);
        }
        Ok(())
    }

    /// Raises the peak by the samples themselves, and says whether a value between them may be above
    /// it.
    fn may_be_above(&self, channel: usize, piece: Range<usize>, peak: &mut f32) -> Result<bool> {
        let Channel {
            phases, samples, ..
        } = &self.channels[channel];
        let around = &samples[piece.start + 1..piece.end + 2 * self.half];
        let delayed = &samples[piece.start + self.half..piece.end + self.half];
        if *peak == 0.0 {
            *peak = self.accelerator.peak(delayed)?;
            if *peak > 0.0 {
                // What is around is no lower: nothing would be found out by it.
                return Ok(phases.is_some());
            }
        }
        let largest = self.accelerator.peak(around)?;
        // Else the samples themselves are not above it either.
        if largest > *peak {
            *peak = peak.max(self.accelerator.peak(delayed)?);
        }
        Ok(phases.is_some() && self.gain * largest > *peak)
    }

    /// Raises the peaks by the values between the samples.
    fn interpolate(
        &mut self,
        channel: usize,
        stretch: Range<usize>,
        mut place: Place,
        cells: &mut [f32],
    ) -> Result<()> {
        let history = 2 * self.half;
        let Channel {
            phases: Some(phases),
            samples,
            ready,
        } = &mut self.channels[channel]
        else {
            return Ok(());
        };
        let (start, len) = (stretch.start, stretch.len());
        let between = &mut self.between;
        if !*ready {
            let before = &samples[start..start + history];
            let mut block = AudioBlockMut::new(between, self.phases, history, RUN)?;
            phases.process(&mut block, before)?;
        }
        let mut block = AudioBlockMut::new(between, self.phases, len, RUN)?;
        phases.process(&mut block, &samples[start + history..][..len])?;
        *ready = true;
        let mut from = 0;
        while from < len {
            let to = len.min(from.saturating_add(place.left));
            for phase in between.chunks(RUN) {
                let peak = self.accelerator.peak(&phase[from..to])?;
                cells[place.index] = cells[place.index].max(peak);
            }
            place.advance(to - from);
            from = to;
        }
        Ok(())
    }

    /// Forgets what came before.
    pub fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.samples.fill(0.0);
            if let Some(phases) = &mut channel.phases {
                phases.reset();
            }
            channel.ready = true;
        }
    }
}

/// Where a sample lies in the cells.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    /// The samples from here to the end of the cell.
    left: usize,
    cell: usize,
}

impl Place {
    /// So many samples from the beginning of the first cell.
    fn new(offset: usize, cell: usize) -> Self {
        Self {
            index: offset / cell,
            left: cell - offset % cell,
            cell,
        }
    }

    /// Goes on, but not beyond the end of the cell.
    fn advance(&mut self, samples: usize) {
        self.left -= samples;
        if self.left == 0 {
            self.index += 1;
            self.left = self.cell;
        }
    }
}

/// The most that taps can make of samples of magnitude 1.
fn magnitude(taps: &[f32]) -> f32 {
    taps.iter().map(|tap| tap.abs()).sum()
}

/// The taps of each phase of an interpolator by `factor`. Phases as far from a sample as others from the
/// next one are those mirrored, to the last bit: that is half the work.
fn phases(factor: usize, half: usize) -> Vec<Vec<f32>> {
    let mut phases = Vec::from_iter((1..factor).map(|phase| {
        let nearer = phase.min(factor - phase);
        taps(nearer as f64 / factor as f64, half)
    }));
    for phase in factor / 2 + 1..factor {
        phases[phase - 1].reverse();
    }
    phases
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
