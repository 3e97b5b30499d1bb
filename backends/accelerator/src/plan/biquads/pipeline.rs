//! A cascade whose sections work side by side, each behind the one before it.
//!
//! Several sections, and of each the channels and maybe two frames, are the lanes of a vector. What a
//! section makes goes to the next section some steps later: so no step waits for the one before it with
//! more than one multiplication, and all sections take their step at once.

use std::ops::Range;

use auralis_core::{AudioBlockMut, Biquad, BiquadCascade, Error, ErrorKind, Result};

use crate::isa::Body;
use crate::plan::eight::Eight;

/// The steps that a section is behind the one before it.
///
/// From an output to the next section's lanes, and through that section's terms to its output, are four
/// operations; over so many steps, their latency is no more than an output waits for the one before it.
const BEHIND: usize = 4;

/// The steps whose audio is turned to double precision at once.
const STRETCH: usize = 64;

/// A value below this is set to zero at the end of a call. No 32-bit sample is as small, nor what
/// becomes of it; left alone, a filter in silence would decay into denormal numbers, which many CPUs
/// are slow at.
const NEGLIGIBLE: f64 = 1e-60;

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
    parts: Vec<Part<G>>,
    channels: usize,
}

/// What filters the channels of a section's lanes.
#[derive(Clone, Debug)]
struct Part<const G: usize> {
    groups: [Group; G],
    /// The frame that waits for one to take a step with, if any does.
    waiting: Option<[f32; 2]>,
}

/// The sections of a vector: the last one in the first lanes.
#[derive(Clone, Debug)]
struct Group {
    coefficients: [[f64; 8]; 7],
    inputs: [[f64; 8]; 3],
    /// The outputs of the last steps.
    outputs: [[f64; 8]; BEHIND],
}

impl Group {
    /// Where a step takes two frames, an output is made from the second and the fourth before it: the
    /// section is multiplied above and below by its denominator at the mirrored frequency, `A(-z)`.
    fn of<const P: usize, const F: usize>(sections: &[Biquad]) -> Self {
        let lanes: [[f64; 7]; 8] = std::array::from_fn(|lane| {
            let section = sections.get(8 / P - 1 - lane / P);
            let &Biquad { b0, b1, b2, a1, a2 } = section.unwrap_or(&IDENTITY);
            match F {
                1 => [b0, b1, b2, 0.0, 0.0, -a1, -a2],
                _ => [
                    b0,
                    b1 - a1 * b0,
                    b2 - a1 * b1 + a2 * b0,
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
            outputs: [[0.0; 8]; BEHIND],
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
            waiting: None,
        };
        Self {
            isa,
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
                planes,
                part,
            });
        }
        Ok(())
    }

    fn reset(&mut self) {
        for part in &mut self.parts {
            part.waiting = None;
            for group in &mut part.groups {
                group.inputs = [[0.0; 8]; 3];
                group.outputs = [[0.0; 8]; BEHIND];
            }
        }
    }
}

/// The channels of a section's lanes; of an odd one out, the second is empty.
struct Planes<'a, V, const G: usize, const P: usize, const F: usize> {
    isa: V,
    planes: [&'a mut [f32]; 2],
    part: &'a mut Part<G>,
}

impl<V: Eight, const G: usize, const P: usize, const F: usize> Body for Planes<'_, V, G, P, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (v, mut planes) = (self.isa, self.planes);
        let Part { groups, waiting } = self.part;
        let mut running = groups.each_ref().map(
            #[inline(always)]
            |group| Running::of(v, group),
        );
        // What comes out takes its place.
        let last = planes.each_ref().map(
            #[inline(always)]
            |plane| plane.last().copied().unwrap_or_default(),
        );
        let early = usize::from(waiting.is_some());
        let count = early + planes[0].len();
        let (whole, late) = (count / F, BEHIND * (Cascade::<V, G, P, F>::SECTIONS - 1));
        let all = count.div_ceil(F) + late;
        let (mut inputs, mut outputs) = ([[0.0; P]; STRETCH], [[0.0; P]; STRETCH]);
        let mut at = 0;
        while at < all {
            // What the sections still hold at the end is made from silence behind it, and once more from
            // the audio that comes next: they stay as they are after the last whole step.
            let end = all
                .min(at + STRETCH)
                .min(if at < whole { whole } else { all });
            let (inputs, outputs) = (&mut inputs[..end - at], &mut outputs[..end - at]);
            take::<P, F>(
                inputs,
                &planes,
                *waiting,
                (F * at).cast_signed() - early.cast_signed(),
            );
            steps::<V, G, P, F>(v, &mut running, inputs, outputs);
            let first = (F * at).cast_signed() - (F * late + early).cast_signed();
            give::<P, F>(outputs, &mut planes, first);
            if end == whole {
                for (group, running) in groups.iter_mut().zip(&running) {
                    running.keep(v, group);
                }
            }
            at = end;
        }
        *waiting = (count % F > 0).then_some(last);
    }
}

/// A group at work.
#[derive(Clone, Copy)]
struct Running<V: Eight> {
    coefficients: [V::F64; 7],
    inputs: [V::F64; 3],
    outputs: [V::F64; BEHIND],
}

impl<V: Eight> Running<V> {
    #[inline(always)]
    fn of(v: V, group: &Group) -> Self {
        let nothing = v.load(&[0.0; 8]);
        let mut running = Self {
            coefficients: [nothing; 7],
            inputs: [nothing; 3],
            outputs: [nothing; BEHIND],
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

/// Which of so many steps have all of their frames among the first `frames` ones, the first of them
/// being at `first`.
#[inline(always)]
fn whole<const F: usize>(steps: usize, first: isize, frames: usize) -> Range<usize> {
    let begin = (-first).max(0).cast_unsigned().div_ceil(F);
    let end = (frames.cast_signed() - first).max(0).cast_unsigned() / F;
    begin.min(steps)..end.min(steps).max(begin.min(steps))
}

/// Takes the frames from `first` on. Before the planes lies what waits; silence follows them.
#[inline(always)]
fn take<const P: usize, const F: usize>(
    steps: &mut [[f64; P]],
    [left, right]: &[&mut [f32]; 2],
    waiting: Option<[f32; 2]>,
    first: isize,
) {
    let inner = whole::<F>(steps.len(), first, left.len());
    let (begun, rest) = steps.split_at_mut(inner.end);
    rest.fill([0.0; P]);
    let edge = begun[..inner.start].iter_mut().chain(rest.first_mut());
    for (i, step) in (0..inner.start).chain([inner.end]).zip(edge) {
        *step = std::array::from_fn(|lane| {
            let at = first + (F * i + lane % F).cast_signed();
            let sample = match usize::try_from(at) {
                Ok(at) => [&**left, right][lane / F].get(at).copied(),
                Err(_) => waiting.map(|waiting| waiting[lane / F]),
            };
            sample.unwrap_or_default().into()
        });
    }
    let steps = &mut begun[inner.start..];
    let frames = frames::<F>(&inner, first);
    let (lefts, _) = left
        .get(frames.clone())
        .unwrap_or_default()
        .as_chunks::<F>();
    let (rights, _) = right.get(frames).unwrap_or_default().as_chunks::<F>();
    if P == F {
        for (step, left) in steps.iter_mut().zip(lefts) {
            *step = std::array::from_fn(|lane| left[lane].into());
        }
    } else {
        for ((step, left), right) in steps.iter_mut().zip(lefts).zip(rights) {
            *step = std::array::from_fn(|lane| [left, right][lane / F][lane % F].into());
        }
    }
}

/// Gives the frames back from `first` on, as far as they are of the planes.
#[inline(always)]
fn give<const P: usize, const F: usize>(
    steps: &[[f64; P]],
    [left, right]: &mut [&mut [f32]; 2],
    first: isize,
) {
    let inner = whole::<F>(steps.len(), first, left.len());
    for i in [inner.start.wrapping_sub(1), inner.end] {
        let Some(step) = steps.get(i) else {
            continue;
        };
        for (lane, &made) in step.iter().enumerate() {
            let at = usize::try_from(first + (F * i + lane % F).cast_signed());
            if let Ok(at) = at
                && let Some(sample) = [&mut **left, right][lane / F].get_mut(at)
            {
                *sample = made as f32;
            }
        }
    }
    let steps = &steps[inner.clone()];
    let frames = frames::<F>(&inner, first);
    let left = left.get_mut(frames.clone()).unwrap_or_default();
    let right = right.get_mut(frames).unwrap_or_default();
    let (lefts, _) = left.as_chunks_mut::<F>();
    let (rights, _) = right.as_chunks_mut::<F>();
    if P == F {
        for (step, left) in steps.iter().zip(lefts) {
            *left = std::array::from_fn(|lane| step[lane] as f32);
        }
    } else {
        for ((step, left), right) in steps.iter().zip(lefts).zip(rights) {
            *left = std::array::from_fn(|lane| step[lane] as f32);
            *right = std::array::from_fn(|lane| step[F + lane] as f32);
        }
    }
}

/// The frames of these steps, if there are any.
#[inline(always)]
fn frames<const F: usize>(steps: &Range<usize>, first: isize) -> Range<usize> {
    let begin = first + (F * steps.start).cast_signed();
    let begin = if steps.is_empty() { 0 } else { begin };
    begin.cast_unsigned()..begin.cast_unsigned() + F * steps.len()
}

/// All sections on so many steps.
#[inline(always)]
fn steps<V: Eight, const G: usize, const P: usize, const F: usize>(
    v: V,
    running: &mut [Running<V>; G],
    inputs: &[[f64; P]],
    outputs: &mut [[f64; P]],
) {
    // A copy, so that it stays in registers.
    let mut hot = *running;
    let (inputs, last_inputs) = inputs.as_chunks::<BEHIND>();
    let (outputs, last_outputs) = outputs.as_chunks_mut::<BEHIND>();
    for (inputs, outputs) in inputs.iter().zip(outputs) {
        for at in 0..BEHIND {
            let made = step::<V, G, P, F>(v, &mut hot, &inputs[at], at);
            v.store_first(&mut outputs[at], made);
        }
    }
    *running = hot;
    for (input, output) in last_inputs.iter().zip(last_outputs) {
        v.store_first(output, step::<V, G, P, F>(v, running, input, 0));
        for group in &mut *running {
            group.outputs.rotate_left(1);
        }
    }
}

/// All sections on a step each. `at` is where the oldest outputs lie.
#[inline(always)]
fn step<V: Eight, const G: usize, const P: usize, const F: usize>(
    v: V,
    groups: &mut [Running<V>; G],
    input: &[f64; P],
    at: usize,
) -> V::F64 {
    let mut next = v.first(input);
    let mut made = next;
    for group in groups {
        let [c0, c1, c2, c3, c4, d1, d2] = group.coefficients;
        let oldest = group.outputs[at];
        let y1 = group.outputs[(at + BEHIND - 1) % BEHIND];
        let y2 = group.outputs[(at + BEHIND - 2) % BEHIND];
        let x = v.follow::<P>(oldest, next);
        // What depends on the last output comes last.
        let [before, second, third] = group.inputs;
        let sum = if F == 1 {
            let sum = v.mul(c2, second);
            let sum = v.fused(c1, before, sum);
            group.inputs = [x, before, second];
            v.fused(c0, x, sum)
        } else {
            let between = v.between(before, x);
            let sum = v.mul(c4, third);
            let sum = v.fused(c3, second, sum);
            let sum = v.fused(c2, before, sum);
            let sum = v.fused(c0, x, sum);
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
