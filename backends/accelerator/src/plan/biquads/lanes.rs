//! A cascade that filters several channels side by side, sample by sample.

use std::marker::PhantomData;
use std::ops::Range;

use auralis_core::{AudioBlockMut, Biquad, BiquadCascade, Error, ErrorKind, Result};

use crate::isa::{Body, Isa};
use crate::plan::mul_add;

/// The frames that are turned to double precision at once.
const FRAMES: usize = 64;

/// A state below this is set to zero at the end of a call. It lies 600 dB below full scale; left
/// alone, a filter in silence would decay into denormal numbers, which many CPUs are slow at.
const NEGLIGIBLE: f64 = 1e-30;

/// Sections whose state is a sum, the sum before it and the last input, per section and channel.
#[derive(Debug)]
pub(super) struct Cascade<I> {
    isa: I,
    sections: Vec<Biquad>,
    /// Three values per section and channel; those of channels that are filtered together lie together.
    states: Vec<f64>,
    channels: usize,
}

impl<I> Cascade<I> {
    pub(super) fn new(isa: I, sections: &[Biquad], channels: usize) -> Self {
        Self {
            isa,
            sections: sections.into(),
            states: vec![0.0; 3 * sections.len() * channels],
            channels,
        }
    }
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
        for sum in &mut self.states {
            if sum.abs() < NEGLIGIBLE {
                *sum = 0.0;
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.states.fill(0.0);
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
        let sections = &self.sections[..];
        let sums = 3 * sections.len();
        let (states, _) = self.states[first * sums..][..L * sums].as_chunks_mut();
        self.isa.run(Stretch::<I, L> {
            isa: PhantomData,
            block: &mut block.range_mut(range),
            first,
            sections,
            states,
        });
        L
    }
}

/// Up to [`FRAMES`] frames of `L` channels, `first` and on.
struct Stretch<'a, 'b, I, const L: usize> {
    isa: PhantomData<I>,
    block: &'a mut AudioBlockMut<'b>,
    first: usize,
    sections: &'a [Biquad],
    states: &'a mut [[f64; L]],
}

impl<I: Isa, const L: usize> Body for Stretch<'_, '_, I, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut buffer = [[0.0; L]; FRAMES];
        let frames = &mut buffer[..self.block.frames()];
        for lane in 0..L {
            let samples = self.block.channel(self.first + lane);
            for (frame, &sample) in frames.iter_mut().zip(samples) {
                frame[lane] = f64::from(sample);
            }
        }
        cascade::<I, L>(frames, self.sections, self.states);
        for lane in 0..L {
            let samples = self.block.channel_mut(self.first + lane);
            for (frame, sample) in frames.iter().zip(samples) {
                *sample = frame[lane] as f32;
            }
        }
    }
}

/// Runs up to four sections at a time: so many coefficients and states fit into registers, and a
/// section works on a frame while the next one still works on the frame before.
#[inline(always)]
fn cascade<I: Isa, const L: usize>(
    frames: &mut [[f64; L]],
    sections: &[Biquad],
    states: &mut [[f64; L]],
) {
    let mut done = 0;
    while done < sections.len() {
        let (rest, states) = (&sections[done..], &mut states[3 * done..]);
        done += match *rest {
            [a] => run::<I, L, 1>(frames, [a], states),
            [a, b] => run::<I, L, 2>(frames, [a, b], states),
            [a, b, c] => run::<I, L, 3>(frames, [a, b, c], states),
            [a, b, c, d, ..] => run::<I, L, 4>(frames, [a, b, c, d], states),
            [] => 0,
        };
    }
}

/// A section with its first sum alone in the recurrence:
/// `y = b0 x + s`, `s' = -a1 s + (b1 - a1 b0) x + (b2 - a2 b0) x₋₁ - a2 s₋₁`. All but the first term
/// of the sum is known a frame earlier, so that a frame waits for one multiplication of the frame
/// before it, and not for its output and a second one.
#[derive(Clone, Copy)]
struct Coefficients {
    b0: f64,
    from_input: f64,
    from_last_input: f64,
    minus_a1: f64,
    minus_a2: f64,
}

impl Coefficients {
    #[inline(always)]
    fn of(Biquad { b0, b1, b2, a1, a2 }: Biquad) -> Self {
        let (from_input, from_last_input) = (b1 - a1 * b0, b2 - a2 * b0);
        Self {
            b0,
            from_input,
            from_last_input,
            minus_a1: -a1,
            minus_a2: -a2,
        }
    }
}

#[inline(always)]
fn run<I: Isa, const L: usize, const S: usize>(
    frames: &mut [[f64; L]],
    sections: [Biquad; S],
    states: &mut [[f64; L]],
) -> usize {
    let coefficients = sections.map(Coefficients::of);
    let mut sums = [[0.0; L]; S];
    let mut last_sums = [[0.0; L]; S];
    let mut last_inputs = [[0.0; L]; S];
    for s in 0..S {
        [sums[s], last_sums[s], last_inputs[s]] =
            [states[3 * s], states[3 * s + 1], states[3 * s + 2]];
    }
    for frame in frames {
        let mut x = *frame;
        for s in 0..S {
            let Coefficients {
                b0,
                from_input,
                from_last_input,
                minus_a1,
                minus_a2,
            } = coefficients[s];
            // One operation over all lanes at a time: the compiler makes vectors of that.
            let (mut pushed, mut y) = ([0.0; L], [0.0; L]);
            for lane in 0..L {
                pushed[lane] = from_last_input * last_inputs[s][lane];
            }
            for lane in 0..L {
                pushed[lane] = mul_add::<I, f64>(from_input, x[lane], pushed[lane]);
            }
            for lane in 0..L {
                y[lane] = mul_add::<I, f64>(b0, x[lane], sums[s][lane]);
            }
            for lane in 0..L {
                pushed[lane] = mul_add::<I, f64>(minus_a2, last_sums[s][lane], pushed[lane]);
            }
            (last_sums[s], last_inputs[s]) = (sums[s], x);
            for lane in 0..L {
                sums[s][lane] = mul_add::<I, f64>(minus_a1, last_sums[s][lane], pushed[lane]);
            }
            x = y;
        }
        *frame = x;
    }
    for s in 0..S {
        [states[3 * s], states[3 * s + 1], states[3 * s + 2]] =
            [sums[s], last_sums[s], last_inputs[s]];
    }
    S
}
