//! A cascade whose sections work side by side, each behind the one before it.
//!
//! Several sections, and of each the channels and maybe two frames, are the lanes of a vector. What a
//! section makes goes to the next section some steps later: so no step waits for the one before it with
//! more than one multiplication, and all sections take their step at once.

use std::ops::{Range, RangeInclusive};

use auralis_core::{AudioBlockMut, Biquad, BiquadCascade, Error, ErrorKind, Result};

use crate::isa::Body;
use crate::plan::eight::{Eight, Frames};

/// The steps of a round: so many a section is behind the one before it.
///
/// From an output to the next section's lanes, and through that section's terms to its output, are four
/// operations; over so many steps, their latency is no more than an output waits for the one before it.
const ROUND: usize = 4;

/// The most frames of a round.
const MOST: usize = 2 * ROUND;

/// A value below this is set to zero at the end of a call. No 32-bit sample is as small, nor what
/// becomes of it, [without the gains](GAINS) of up to twelve sections; left alone, a filter in silence
/// would decay into denormal numbers, which many CPUs are slow at.
const NEGLIGIBLE: f64 = 1e-90;

/// The magnitudes of `b0` that a section may have. All sections work without theirs, which saves a
/// multiplication each, and what comes out is multiplied with all of them at once.
const GAINS: RangeInclusive<f64> = 1e-6..=1e2;

/// Whether these sections can work side by side.
pub(super) fn fits(sections: &[Biquad]) -> bool {
    sections.iter().all(|s| GAINS.contains(&s.b0.abs()))
}

/// A section that leaves the audio as it is.
const IDENTITY: Biquad = Biquad {
    b0: 1.0,
    b1: 0.0,
    b2: 0.0,
    a1: 0.0,
    a2: 0.0,
};

/// Sections of `P` lanes each, that take `F` frames a step, in `G` vectors. The channels that lie in a
/// section's lanes are filtered together, one or two of them.
#[derive(Debug)]
pub(super) struct Cascade<V, const G: usize, const P: usize, const F: usize> {
    isa: V,
    /// Of all sections.
    gain: f64,
    parts: Vec<Part<G>>,
    channels: usize,
}

/// What filters the channels of a section's lanes.
#[derive(Clone, Debug)]
struct Part<const G: usize> {
    groups: [Group; G],
    /// The frames that wait for a whole round of them, and how many those are.
    waiting: [[f32; MOST]; 2],
    count: usize,
}

/// The sections of a vector: the last one in the first lanes.
#[derive(Clone, Debug)]
struct Group {
    coefficients: [[f64; 8]; 6],
    inputs: [[f64; 8]; 3],
    /// The outputs of the last steps.
    outputs: [[f64; 8]; ROUND],
}

impl Group {
    /// Where a step takes two frames, an output is made from the second and the fourth before it: the
    /// section is multiplied above and below by its denominator at the mirrored frequency, `A(-z)`.
    fn of<const P: usize, const F: usize>(sections: &[Biquad]) -> Self {
        let lanes: [[f64; 6]; 8] = std::array::from_fn(|lane| {
            let section = sections.get(8 / P - 1 - lane / P);
            let &Biquad { b0, b1, b2, a1, a2 } = section.unwrap_or(&IDENTITY);
            let (b1, b2) = (b1 / b0, b2 / b0);
            match F {
                1 => [b1, b2, 0.0, 0.0, -a1, -a2],
                _ => [
                    b1 - a1,
                    b2 - a1 * b1 + a2,
                    a2 * b1 - a1 * b2,
                    a2 * b2,
                    a1 * a1 - 2.0 * a2,
                    -a2 * a2,
                ],
            }
        });
        Self {
            coefficients: std::array::from_fn(|i| lanes.map(|lane| lane[i])),
            inputs: [[0.0; 8]; 3],
            outputs: [[0.0; 8]; ROUND],
        }
    }
}

impl<V, const G: usize, const P: usize, const F: usize> Cascade<V, G, P, F> {
    /// The most sections.
    pub(super) const SECTIONS: usize = G * 8 / P;

    pub(super) fn new(isa: V, sections: &[Biquad], channels: usize) -> Self {
        let group = |g| Group::of::<P, F>(sections.get(g * 8 / P..).unwrap_or_default());
        let part = Part {
            groups: std::array::from_fn(group),
            waiting: [[0.0; MOST]; 2],
            count: 0,
        };
        Self {
            isa,
            gain: sections.iter().map(|section| section.b0).product(),
            parts: vec![part; channels.div_ceil(P / F)],
            channels,
        }
    }
}

impl<V: Eight, const G: usize, const P: usize, const F: usize> BiquadCascade
    for Cascade<V, G, P, F>
{
    fn channels(&self) -> usize {
        self.channels
    }

    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        if block.channels() != self.channels {
            let message = "the block has not the channels that the cascade was planned for";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let mut planes = block.planes_mut();
        for part in &mut self.parts {
            let mut plane = || planes.next().unwrap_or_default();
            let planes = match P / F {
                1 => [plane(), &mut []],
                _ => [plane(), plane()],
            };
            self.isa.run(Planes::<V, G, P, F> {
                isa: self.isa,
                gain: self.gain,
                planes,
                part,
            });
        }
        Ok(())
    }

    fn reset(&mut self) {
        for part in &mut self.parts {
            part.count = 0;
            for group in &mut part.groups {
                group.inputs = [[0.0; 8]; 3];
                group.outputs = [[0.0; 8]; ROUND];
            }
        }
    }
}

/// The channels of a section's lanes. If that is one, the second plane is empty.
struct Planes<'a, V, const G: usize, const P: usize, const F: usize> {
    isa: V,
    gain: f64,
    planes: [&'a mut [f32]; 2],
    part: &'a mut Part<G>,
}

impl<V: Eight, const G: usize, const P: usize, const F: usize> Body for Planes<'_, V, G, P, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (v, gain) = (self.isa, self.gain);
        let Part {
            groups,
            waiting,
            count,
        } = self.part;
        let mut running = groups.each_ref().map(
            #[inline(always)]
            |group| Running::of(v, group),
        );
        let frames = *count + self.planes[0].len();
        let (whole, left) = (frames / (ROUND * F), frames % (ROUND * F));
        let late = Cascade::<V, G, P, F>::SECTIONS - 1;
        let all = frames.div_ceil(ROUND * F) + late;
        let mut audio = Audio {
            planes: self.planes,
            before: *waiting,
            early: *count,
        };
        // Before what comes out takes its place.
        for (channel, waiting) in waiting.iter_mut().enumerate() {
            *waiting = std::array::from_fn(|i| audio.sample(channel, frames - left + i));
        }
        *count = left;
        rounds::<V, G, P, F>(v, &mut running, &mut audio, gain, 0..whole);
        // What the sections still hold is now made from silence, and later from the audio that comes next.
        for (group, running) in groups.iter_mut().zip(&running) {
            running.keep(v, group);
        }
        rounds::<V, G, P, F>(v, &mut running, &mut audio, gain, whole..all);
    }
}

/// A group at work.
#[derive(Clone, Copy)]
struct Running<V: Eight> {
    coefficients: [V::F64; 6],
    inputs: [V::F64; 3],
    outputs: [V::F64; ROUND],
}

impl<V: Eight> Running<V> {
    #[inline(always)]
    fn of(v: V, group: &Group) -> Self {
        let nothing = v.load(&[0.0; 8]);
        let mut running = Self {
            coefficients: [nothing; 6],
            inputs: [nothing; 3],
            outputs: [nothing; ROUND],
        };
        for (to, from) in running.coefficients.iter_mut().zip(&group.coefficients) {
            *to = v.load(from);
        }
        for (to, from) in running.inputs.iter_mut().zip(&group.inputs) {
            *to = v.load(from);
        }
        for (to, from) in running.outputs.iter_mut().zip(&group.outputs) {
            *to = v.load(from);
        }
        running
    }

    #[inline(always)]
    fn keep(&self, v: V, group: &mut Group) {
        for (to, &from) in group.inputs.iter_mut().zip(&self.inputs) {
            v.store(to, from);
        }
        for (to, &from) in group.outputs.iter_mut().zip(&self.outputs) {
            v.store(to, from);
        }
        let state = group.inputs.iter_mut().chain(&mut group.outputs);
        for value in state.flatten() {
            *value = if value.abs() < NEGLIGIBLE {
                0.0
            } else {
                *value
            };
        }
    }
}

/// What waited, and what comes in and goes out. Frames are counted from the first one that waited.
struct Audio<'a> {
    planes: [&'a mut [f32]; 2],
    before: [[f32; MOST]; 2],
    early: usize,
}

impl Audio<'_> {
    /// Silence follows.
    #[inline(always)]
    fn sample(&self, channel: usize, at: usize) -> f32 {
        let plane = &self.planes[channel];
        match at.checked_sub(self.early) {
            Some(at) => plane.get(at).copied().unwrap_or_default(),
            None => self.before[channel][at],
        }
    }

    /// A round of frames.
    #[inline(always)]
    fn take<const F: usize>(&self, channel: usize, first: usize) -> Frames<F> {
        let here = first.checked_sub(self.early).and_then(
            #[inline(always)]
            |first| self.planes[channel].get(first..first + ROUND * F),
        );
        let mut frames = [[0.0; F]; ROUND];
        match here {
            Some(here) => frames.as_flattened_mut().copy_from_slice(here),
            None => {
                for (at, frame) in (first..).zip(frames.as_flattened_mut()) {
                    *frame = self.sample(channel, at);
                }
            }
        }
        frames
    }

    #[inline(always)]
    fn give<const F: usize>(&mut self, channel: usize, first: usize, frames: &Frames<F>) {
        let (plane, frames) = (&mut self.planes[channel], frames.as_flattened());
        let here = first.checked_sub(self.early);
        match here.and_then(|first| plane.get_mut(first..first + ROUND * F)) {
            Some(here) => here.copy_from_slice(frames),
            None => {
                for (at, &frame) in (first..).zip(frames) {
                    let at = at.checked_sub(self.early);
                    if let Some(sample) = at.and_then(|at| plane.get_mut(at)) {
                        *sample = frame;
                    }
                }
            }
        }
    }
}

/// All sections on so many rounds.
#[inline(always)]
fn rounds<V: Eight, const G: usize, const P: usize, const F: usize>(
    v: V,
    running: &mut [Running<V>; G],
    audio: &mut Audio<'_>,
    gain: f64,
    rounds: Range<usize>,
) {
    // A copy, so that it stays in registers.
    let mut hot = *running;
    let late = Cascade::<V, G, P, F>::SECTIONS - 1;
    for round in rounds {
        let first = round * ROUND * F;
        let left = audio.take::<F>(0, first);
        let right = if P == F { left } else { audio.take(1, first) };
        let mut frames = v.widen::<P, F>(&left, &right);
        for (at, frame) in frames.iter_mut().enumerate() {
            *frame = step::<V, G, P, F>(v, &mut hot, *frame, at);
        }
        let [left, right] = v.narrow::<P, F>(frames, gain);
        if let Some(round) = round.checked_sub(late) {
            let first = round * ROUND * F;
            audio.give(0, first, &left);
            if P != F {
                audio.give(1, first, &right);
            }
        }
    }
    *running = hot;
}

/// All sections on a step each. `at` is where the oldest outputs lie.
#[inline(always)]
fn step<V: Eight, const G: usize, const P: usize, const F: usize>(
    v: V,
    groups: &mut [Running<V>; G],
    input: V::F64,
    at: usize,
) -> V::F64 {
    let (mut next, mut made) = (input, input);
    for group in groups {
        let [c1, c2, c3, c4, d1, d2] = group.coefficients;
        let oldest = group.outputs[at];
        let y1 = group.outputs[(at + ROUND - 1) % ROUND];
        let y2 = group.outputs[(at + ROUND - 2) % ROUND];
        let x = v.follow::<P>(oldest, next);
        // What depends on the last output comes last.
        let [before, second, third] = group.inputs;
        let sum = if F == 1 {
            let sum = v.mul(c2, second);
            let sum = v.fused(c1, before, sum);
            group.inputs = [x, before, second];
            v.add(x, sum)
        } else {
            let between = v.between(before, x);
            let sum = v.mul(c4, third);
            let sum = v.fused(c3, second, sum);
            let sum = v.fused(c2, before, sum);
            let sum = v.add(x, sum);
            group.inputs = [x, between, before];
            v.fused(c1, between, sum)
        };
        let sum = v.fused(d2, y2, sum);
        let y = v.fused(d1, y1, sum);
        group.outputs[at] = y;
        (next, made) = (oldest, y);
    }
    made
}
