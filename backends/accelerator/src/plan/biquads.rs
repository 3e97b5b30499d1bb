//! Cascades of second-order sections, several channels side by side.

use std::ops::Range;

use auralis_core::{AudioBlockMut, Biquad, BiquadCascade, Error, ErrorKind, MAX_CHANNELS, Result};

use super::mul_add;
use crate::isa::Isa;

/// The frames that are turned to double precision at once.
const FRAMES: usize = 64;

/// A state below this is set to zero at the end of a call. It lies 600 dB below full scale; left
/// alone, a filter in silence would decay into denormal numbers, which many CPUs are slow at.
const NEGLIGIBLE: f64 = 1e-30;

/// Plans a cascade. Without sections it leaves the audio as it is.
pub(crate) fn plan_biquads<I: Isa>(
    isa: I,
    sections: &[Biquad],
    channels: usize,
) -> Result<Box<dyn BiquadCascade>> {
    if channels == 0 || channels > MAX_CHANNELS {
        let message = "a cascade has 1 to 64 channels";
        return Err(Error::new(ErrorKind::InvalidInput, message).with("channels", channels));
    }
    Ok(Box::new(Cascade {
        isa,
        sections: sections.into(),
        states: vec![[0.0; 2]; sections.len() * channels],
        channels,
    }))
}

/// Sections in transposed direct form II, whose state is two sums per section and channel.
#[derive(Debug)]
struct Cascade<I> {
    isa: I,
    sections: Vec<Biquad>,
    /// Channel by channel, section by section.
    states: Vec<[f64; 2]>,
    channels: usize,
}

impl<I: Isa> BiquadCascade for Cascade<I> {
    fn channels(&self) -> usize {
        self.channels
    }

    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        if block.channels() != self.channels {
            let message = "the block has not the channels that the cascade was planned for";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if self.sections.is_empty() {
            return Ok(());
        }
        for start in (0..block.frames()).step_by(FRAMES) {
            let frames = start..block.frames().min(start + FRAMES);
            let mut first = 0;
            while first < self.channels {
                first += match self.channels - first {
                    1 => self.filter::<1>(block, frames.clone(), first),
                    2 | 3 => self.filter::<2>(block, frames.clone(), first),
                    4..8 => self.filter::<4>(block, frames.clone(), first),
                    _ => self.filter::<8>(block, frames.clone(), first),
                };
            }
        }
        for sum in self.states.as_flattened_mut() {
            if sum.abs() < NEGLIGIBLE {
                *sum = 0.0;
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.states.fill([0.0; 2]);
    }
}

impl<I: Isa> Cascade<I> {
    /// Filters a stretch of `L` channels, and says how many that were.
    fn filter<const L: usize>(
        &mut self,
        block: &mut AudioBlockMut<'_>,
        range: Range<usize>,
        first: usize,
    ) -> usize {
        let Self {
            isa,
            sections,
            states,
            ..
        } = self;
        let states = &mut states[first * sections.len()..][..L * sections.len()];
        isa.run(|| {
            let mut buffer = [[0.0; L]; FRAMES];
            let frames = &mut buffer[..range.len()];
            for lane in 0..L {
                let samples = &block.channel(first + lane)[range.clone()];
                for (frame, &sample) in frames.iter_mut().zip(samples) {
                    frame[lane] = f64::from(sample);
                }
            }
            cascade::<I, L>(frames, sections, states);
            for lane in 0..L {
                let samples = &mut block.channel_mut(first + lane)[range.clone()];
                for (frame, sample) in frames.iter().zip(samples) {
                    *sample = frame[lane] as f32;
                }
            }
        });
        L
    }
}

/// Runs up to four sections at a time: so many coefficients and states fit into registers, and a
/// section works on a frame while the next one still works on the frame before.
#[inline(always)]
fn cascade<I: Isa, const L: usize>(
    frames: &mut [[f64; L]],
    sections: &[Biquad],
    states: &mut [[f64; 2]],
) {
    let stride = sections.len();
    let mut done = 0;
    while done < stride {
        let (rest, states) = (&sections[done..], &mut states[done..]);
        done += match *rest {
            [a] => run::<I, L, 1>(frames, [a], states, stride),
            [a, b] => run::<I, L, 2>(frames, [a, b], states, stride),
            [a, b, c] => run::<I, L, 3>(frames, [a, b, c], states, stride),
            [a, b, c, d, ..] => run::<I, L, 4>(frames, [a, b, c, d], states, stride),
            [] => 0,
        };
    }
}

#[inline(always)]
fn run<I: Isa, const L: usize, const S: usize>(
    frames: &mut [[f64; L]],
    sections: [Biquad; S],
    states: &mut [[f64; 2]],
    stride: usize,
) -> usize {
    let mut first = [[0.0; L]; S];
    let mut second = [[0.0; L]; S];
    for lane in 0..L {
        for s in 0..S {
            [first[s][lane], second[s][lane]] = states[lane * stride + s];
        }
    }
    for frame in frames {
        for s in 0..S {
            let Biquad { b0, b1, b2, a1, a2 } = sections[s];
            for lane in 0..L {
                let x = frame[lane];
                let y = mul_add::<I, f64>(b0, x, first[s][lane]);
                let next = mul_add::<I, f64>(b1, x, second[s][lane]);
                first[s][lane] = mul_add::<I, f64>(-a1, y, next);
                second[s][lane] = mul_add::<I, f64>(-a2, y, b2 * x);
                frame[lane] = y;
            }
        }
    }
    for lane in 0..L {
        for s in 0..S {
            states[lane * stride + s] = [first[s][lane], second[s][lane]];
        }
    }
    S
}
