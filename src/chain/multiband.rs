//! The stage `multiband`: linear-phase bands with a gain each.

use std::f64::consts::PI;
use std::sync::Mutex;

use auralis_core::{
    AudioBlockMut, Buffer, Convolver, ConvolverSpec, Error, ErrorKind, Executor, FlushToZero,
    Latency, MAX_CHANNELS, Result, Window,
};
use serde::{Deserialize, Serialize};

use super::{Prepare, Processor, Stage, StageSchema, amplitude};

/// Bands split by linear-phase filters, each with a gain, summed.
///
/// The lowest and the highest band are windowed-sinc filters (Hamming window), scaled to unit gain
/// at 0 Hz and at half the sample rate; those between come by subtraction, so that equal gains sum
/// to a pure delay, which is removed. As the gains are constant, the bands are summed in the impulse
/// response: one convolution in the place of one per band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Multiband {
    /// Where the bands meet, rising, in Hz.
    #[cfg_attr(test, schemars(inner(range(min = 1.0))))]
    pub crossovers_hz: Vec<f64>,
    /// The gain of each band in decibels, lowest first: one more than there are crossovers.
    #[cfg_attr(test, schemars(inner(range(min = -144.0, max = 60.0))))]
    pub gains_db: Vec<f64>,
    /// The length of the filters in samples: odd. More taps make steeper edges.
    #[serde(default = "taps")]
    #[cfg_attr(test, schemars(range(min = 3, max = 131_071)))]
    pub taps: usize,
}

fn taps() -> usize {
    4097
}

auralis_core::inventory::submit! {
    StageSchema { name: "multiband", schema: include_str!("schemas/multiband.schema.json") }
}

#[typetag::serde(name = "multiband")]
impl Stage for Multiband {
    fn check(&self) -> Result<()> {
        let wrong = |message: &'static str| Err(Error::new(ErrorKind::Config, message));
        if self.gains_db.len() != self.crossovers_hz.len() + 1 {
            return Err(Error::new(
                ErrorKind::Config,
                "multiband wants one gain more than it has crossovers",
            )
            .with("crossovers", self.crossovers_hz.len())
            .with("gains", self.gains_db.len()));
        }
        if self.taps.is_multiple_of(2) {
            return wrong("the taps of multiband must be odd in number");
        }
        if !self.crossovers_hz.is_sorted_by(|a, b| a < b) {
            return wrong("the crossovers of multiband must rise");
        }
        Ok(())
    }

    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        let impulse: Vec<f32> = self
            .impulse(context.sample_rate)?
            .into_iter()
            .map(|tap| tap as f32)
            .collect();
        let spec = ConvolverSpec {
            impulse: &impulse,
            block: context.max_frames,
            latency: Latency::Zero,
        };
        let parts = context.parts;
        let channels = (0..context.channels)
            .map(|_| {
                let convolver = parts.accelerator.plan_convolver(&spec)?;
                let scratch = parts.scratch(context.max_frames)?;
                Ok(Mutex::new(Channel {
                    convolver,
                    scratch,
                    outcome: Ok(()),
                }))
            })
            .collect::<Result<_>>()?;
        Ok(Box::new(Prepared {
            channels,
            latency: self.taps / 2,
        }))
    }
}

impl Multiband {
    /// The impulse response of all bands with their gains, [`taps`](Self::taps) long, its centre at
    /// `taps / 2`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the numbers of gains and crossovers do not go together, the number of
    /// taps is even, or a crossover does not rise or lies at or above half the sample rate.
    pub fn impulse(&self, sample_rate: u32) -> Result<Vec<f64>> {
        self.check()?;
        self.check_rate(sample_rate)?;
        let gains: Vec<f64> = self.gains_db.iter().map(|&db| amplitude(db)).collect();
        let mut sum = vec![0.0; self.taps];
        for (band, gain) in self.bands(sample_rate).iter().zip(gains) {
            sum.iter_mut()
                .zip(band)
                .for_each(|(s, tap)| *s += gain * tap);
        }
        Ok(sum)
    }

    fn check_rate(&self, sample_rate: u32) -> Result<()> {
        let nyquist = f64::from(sample_rate) / 2.0;
        match self.crossovers_hz.last() {
            Some(&hz) if hz >= nyquist => Err(Error::new(
                ErrorKind::Config,
                "a crossover of multiband lies at or above half the sample rate",
            )
            .with("crossover", format_args!("{hz} Hz"))
            .with("half the sample rate", format_args!("{nyquist} Hz"))),
            _ => Ok(()),
        }
    }

    fn bands(&self, sample_rate: u32) -> Vec<Vec<f64>> {
        let cutoff = |hz: f64| hz / (f64::from(sample_rate) / 2.0);
        let mut delta = vec![0.0; self.taps];
        delta[self.taps / 2] = 1.0;
        let [.., last] = self.crossovers_hz[..] else {
            return vec![delta];
        };
        let lows: Vec<Vec<f64>> = self.crossovers_hz[..self.crossovers_hz.len().max(2) - 1]
            .iter()
            .map(|&hz| low_pass(self.taps, cutoff(hz)))
            .collect();
        let mut bands = vec![lows[0].clone()];
        bands.extend(lows.windows(2).map(|pair| difference(&pair[1], &pair[0])));
        let below = &lows[lows.len() - 1];
        if self.crossovers_hz.len() == 1 {
            bands.push(difference(&delta, below));
        } else {
            let high = high_pass(self.taps, cutoff(last));
            bands.push(difference(&difference(&delta, below), &high));
            bands.push(high);
        }
        bands
    }
}

/// A Hamming-windowed sinc of unit gain at 0 Hz; `cutoff` is relative to half the sample rate.
/// Oppenheim and Schafer, "Discrete-Time Signal Processing", window method.
fn low_pass(taps: usize, cutoff: f64) -> Vec<f64> {
    let mut h = windowed(taps, |m| cutoff * sinc(cutoff * m));
    let sum: f64 = h.iter().sum();
    h.iter_mut().for_each(|tap| *tap /= sum);
    h
}

/// The same for what lies above, of unit gain at half the sample rate.
fn high_pass(taps: usize, cutoff: f64) -> Vec<f64> {
    let mut h = windowed(taps, |m| sinc(m) - cutoff * sinc(cutoff * m));
    let alternating = h
        .iter()
        .enumerate()
        .map(|(n, tap)| if n % 2 == 0 { *tap } else { -tap });
    let sign = if (taps / 2).is_multiple_of(2) {
        1.0
    } else {
        -1.0
    };
    let at_nyquist = sign * alternating.sum::<f64>();
    h.iter_mut().for_each(|tap| *tap /= at_nyquist);
    h
}

fn windowed(taps: usize, ideal: impl Fn(f64) -> f64) -> Vec<f64> {
    let [a, b, ..] = Window::Hamming.coefficients();
    let centre = (taps - 1) as f64 / 2.0;
    (0..taps)
        .map(|n| {
            let window = a - b * (2.0 * PI * n as f64 / (taps - 1) as f64).cos();
            window * ideal(n as f64 - centre)
        })
        .collect()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The channels are independent, so each may run on a thread of its own. A lock is only ever tried,
/// by the one task that has the channel's index.
#[derive(Debug)]
struct Prepared {
    channels: Vec<Mutex<Channel>>,
    latency: usize,
}

#[derive(Debug)]
struct Channel {
    convolver: Box<dyn Convolver>,
    scratch: Buffer,
    /// How the channel's part of the block went, where channels run at once.
    outcome: Result<()>,
}

impl Channel {
    fn process(&mut self, plane: &mut [f32]) -> Result<()> {
        let scratch = &mut self.scratch[..plane.len()];
        scratch.copy_from_slice(plane);
        self.convolver.process(plane, scratch)
    }
}

impl Prepared {
    fn process_channels_at_once(
        &mut self,
        block: &mut AudioBlockMut<'_>,
        executor: &dyn Executor,
    ) -> Result<()> {
        let mut planes = block.planes_mut();
        let planes: [_; MAX_CHANNELS] = std::array::from_fn(|_| Mutex::new(planes.next()));
        executor.for_ranges(self.channels.len(), 1, &|range| {
            let _flush = FlushToZero::new();
            for index in range {
                let (Ok(mut channel), Ok(mut plane)) =
                    (self.channels[index].try_lock(), planes[index].try_lock())
                else {
                    continue;
                };
                channel.outcome = plane.take().map_or(Ok(()), |plane| channel.process(plane));
            }
        })?;
        // Further errors stay where they are: to drop one here would free memory.
        let outcomes = self.channels.iter_mut().map(|channel| {
            let channel = channel.get_mut().unwrap_or_else(|p| p.into_inner());
            &mut channel.outcome
        });
        match outcomes.into_iter().find(|outcome| outcome.is_err()) {
            Some(failed) => std::mem::replace(failed, Ok(())),
            None => Ok(()),
        }
    }
}

impl Processor for Prepared {
    fn latency(&self) -> usize {
        self.latency
    }

    fn process(
        &mut self,
        block: &mut AudioBlockMut<'_>,
        executor: Option<&dyn Executor>,
    ) -> Result<()> {
        match executor {
            Some(executor) if self.channels.len() > 1 && executor.threads() > 1 => {
                self.process_channels_at_once(block, executor)
            }
            _ => self
                .channels
                .iter_mut()
                .zip(block.planes_mut())
                .try_for_each(|(channel, plane)| {
                    let channel = channel.get_mut().unwrap_or_else(|p| p.into_inner());
                    channel.process(plane)
                }),
        }
    }

    fn reset(&mut self) {
        for channel in &mut self.channels {
            channel
                .get_mut()
                .unwrap_or_else(|p| p.into_inner())
                .convolver
                .reset();
        }
    }
}
