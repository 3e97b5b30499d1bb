//! A cascade of two channels whose sections work side by side, each behind the one before it.
//!
//! Four sections of two channels are the lanes of a vector. What a section makes of a frame goes to the
//! next section some steps later: so no step waits for the one before it with more than one
//! multiplication, and all sections take their step at once.

use std::hint::black_box;

use auralis_core::{AudioBlockMut, Biquad, BiquadCascade, Error, ErrorKind, Result};

use crate::isa::Body;
use crate::plan::eight::{Eight, Frames};

/// The sections of a vector.
pub(super) const SECTIONS: usize = 4;

/// The frames that go in and out at once.
const FRAMES: usize = 8;

/// A state below this is set to zero at the end of a call. It lies 600 dB below full scale; left
/// alone, a filter in silence would decay into denormal numbers, which many CPUs are slow at.
const NEGLIGIBLE: f64 = 1e-30;

/// A section that leaves the audio as it is.
const IDENTITY: Biquad = Biquad {
    b0: 1.0,
    b1: 0.0,
    b2: 0.0,
    a1: 0.0,
    a2: 0.0,
};

/// `G` groups of four sections, each section `D` steps behind the one before it.
///
/// From a sum to the output, to the next section's lane, and through that section's terms to its sum
/// are five operations; over four steps and more, their latency is no more than a sum waits for the sum
/// before it. The steps divide those that are taken at once.
#[derive(Debug)]
pub(super) struct Cascade<V, const G: usize, const D: usize> {
    isa: V,
    groups: [Group; G],
}

/// Four sections of two channels: the last section in the first two lanes.
#[derive(Clone, Debug)]
struct Group {
    /// As in [`super::lanes`]: of the input, of the sum to be from the input and the input before, and
    /// from the sum and the sum before.
    coefficients: [[f64; 8]; 5],
    /// The sum, the sum before it and the last input.
    state: [[f64; 8]; 3],
}

impl Group {
    fn of(sections: &[Biquad]) -> Self {
        let lanes: [Biquad; 8] = std::array::from_fn(|lane| {
            let section = sections.get(SECTIONS - 1 - lane / 2);
            *section.unwrap_or(&IDENTITY)
        });
        Self {
            coefficients: [
                lanes.map(|s| s.b0),
                lanes.map(|s| s.b1 - s.a1 * s.b0),
                lanes.map(|s| s.b2 - s.a2 * s.b0),
                lanes.map(|s| -s.a1),
                lanes.map(|s| -s.a2),
            ],
            state: [[0.0; 8]; 3],
        }
    }
}

impl<V, const G: usize, const D: usize> Cascade<V, G, D> {
    /// Up to `4 * G` sections.
    pub(super) fn new(isa: V, sections: &[Biquad]) -> Self {
        let group = |g| Group::of(sections.get(g * SECTIONS..).unwrap_or_default());
        Self {
            isa,
            groups: std::array::from_fn(group),
        }
    }
}

impl<V: Eight, const G: usize, const D: usize> BiquadCascade for Cascade<V, G, D> {
    fn channels(&self) -> usize {
        2
    }

    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        let two = block.channels() == 2;
        let mut planes = block.planes_mut();
        let (Some(left), Some(right), true) = (planes.next(), planes.next(), two) else {
            let message = "the block has not the channels that the cascade was planned for";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        };
        self.isa.run(Planes::<V, G, D> {
            isa: self.isa,
            planes: [left, right],
            groups: &mut self.groups,
        });
        for group in &mut self.groups {
            for value in group.state.as_flattened_mut() {
                if value.abs() < NEGLIGIBLE {
                    *value = 0.0;
                }
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        for group in &mut self.groups {
            group.state = [[0.0; 8]; 3];
        }
    }
}

/// Two channels of a block.
struct Planes<'a, V, const G: usize, const D: usize> {
    isa: V,
    planes: [&'a mut [f32]; 2],
    groups: &'a mut [Group; G],
}

impl<V: Eight, const G: usize, const D: usize> Body for Planes<'_, V, G, D> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let v = self.isa;
        let [left, right] = self.planes;
        let count = left.len();
        let behind = D * (SECTIONS * G - 1);
        let late = behind.div_ceil(FRAMES);
        let mut running = self.groups.each_ref().map(
            #[inline(always)]
            |group| Running::<V, D>::of(v, group),
        );
        // What comes out is so far from a multiple of the frames that go in and out at once.
        let rest = late * FRAMES - behind;
        let mut made = [[0.0; 2]; 2 * FRAMES];
        let all = count.div_ceil(FRAMES) + late;
        let full = behind.div_ceil(FRAMES).min(all);
        let end = full.max(count / FRAMES);
        for at in 0..full {
            let frames = take(v, left, right, at * FRAMES);
            partly(
                v,
                &mut running,
                &frames,
                &mut made[rest..],
                at * FRAMES,
                count,
            );
            if at >= late {
                give(v, left, right, (at - late) * FRAMES, &made);
            }
            made.copy_within(FRAMES..FRAMES + rest, 0);
        }
        let mut hot = running;
        let (lefts, _) = left.as_chunks_mut();
        let (rights, _) = right.as_chunks_mut();
        for at in full..end {
            let mut frames = v.widen(&lefts[at], &rights[at]);
            // Through memory: the compiler would rather take vectors apart into pairs, with more
            // shuffles than the CPU has room for.
            let frames = black_box(&mut frames);
            for i in 0..FRAMES {
                let y = step::<V, G, D, false>(v, &mut hot, &frames[i], i, count);
                v.store_pair(&mut made[rest + i], y);
            }
            black_box(&mut made);
            [lefts[at - late], rights[at - late]] = v.narrow(&made);
            made.copy_within(FRAMES..FRAMES + rest, 0);
        }
        running = hot;
        for at in end..all {
            let frames = take(v, left, right, at * FRAMES);
            partly(
                v,
                &mut running,
                &frames,
                &mut made[rest..],
                at * FRAMES,
                count,
            );
            if at >= late {
                give(v, left, right, (at - late) * FRAMES, &made);
            }
            made.copy_within(FRAMES..FRAMES + rest, 0);
        }
        for (group, running) in self.groups.iter_mut().zip(running) {
            for (state, x) in group.state.iter_mut().zip(running.state) {
                v.store(state, x);
            }
        }
    }
}

/// A group at work.
#[derive(Clone, Copy)]
struct Running<V: Eight, const D: usize> {
    coefficients: [V::F64; 5],
    state: [V::F64; 3],
    /// The last outputs, of frame `n` at `n % D`.
    made: [V::F64; D],
}

impl<V: Eight, const D: usize> Running<V, D> {
    #[inline(always)]
    fn of(v: V, group: &Group) -> Self {
        let nothing = v.load(&[0.0; 8]);
        let mut running = Self {
            coefficients: [nothing; 5],
            state: [nothing; 3],
            made: [nothing; D],
        };
        for (to, from) in running.coefficients.iter_mut().zip(&group.coefficients) {
            *to = v.load(from);
        }
        for (to, from) in running.state.iter_mut().zip(&group.state) {
            *to = v.load(from);
        }
        running
    }
}

/// Eight frames from `first` on; zeros where there are fewer.
#[inline(always)]
fn take<V: Eight>(v: V, left: &[f32], right: &[f32], first: usize) -> Frames {
    let end = first + FRAMES;
    if let (Some(left), Some(right)) = (left.get(first..end), right.get(first..end))
        && let (Some(left), Some(right)) = (left.first_chunk(), right.first_chunk())
    {
        return v.widen(left, right);
    }
    let mut frames = [[0.0; 2]; FRAMES];
    let (left, right) = (left.iter().skip(first), right.iter().skip(first));
    for (frame, (&left, &right)) in frames.iter_mut().zip(left.zip(right)) {
        *frame = [left.into(), right.into()];
    }
    frames
}

/// Gives the first eight frames back, or as many as there are.
#[inline(always)]
fn give<V: Eight>(
    v: V,
    left: &mut [f32],
    right: &mut [f32],
    first: usize,
    made: &[[f64; 2]; 2 * FRAMES],
) {
    let narrow = v.narrow(made);
    for (plane, narrow) in [left, right].into_iter().zip(narrow) {
        let plane = plane.get_mut(first..).unwrap_or_default();
        match plane.first_chunk_mut() {
            Some(plane) => *plane = narrow,
            None => plane.copy_from_slice(&narrow[..plane.len()]),
        }
    }
}

#[inline(always)]
fn partly<V: Eight, const G: usize, const D: usize>(
    v: V,
    running: &mut [Running<V, D>; G],
    frames: &Frames,
    made: &mut [[f64; 2]],
    first: usize,
    count: usize,
) {
    for ((at, frame), made) in (first..).zip(frames).zip(made) {
        v.store_pair(made, step::<V, G, D, true>(v, running, frame, at, count));
    }
}

/// All sections on a frame each. At either end of the audio, those for which there is none keep their
/// state.
#[inline(always)]
fn step<V: Eight, const G: usize, const D: usize, const PARTLY: bool>(
    v: V,
    groups: &mut [Running<V, D>; G],
    frame: &[f64; 2],
    at: usize,
    count: usize,
) -> V::F64 {
    let (mut next, mut made) = (v.pair(frame), v.pair(frame));
    for (g, group) in groups.iter_mut().enumerate() {
        let [b0, from_input, from_last_input, minus_a1, minus_a2] = group.coefficients;
        let [sum, last_sum, last_input] = group.state;
        let oldest = group.made[at % D];
        let x = v.follow(oldest, next);
        let pushed = v.mul(from_last_input, last_input);
        let pushed = v.fused(from_input, x, pushed);
        let y = v.fused(b0, x, sum);
        let pushed = v.fused(minus_a2, last_sum, pushed);
        let state = [v.fused(minus_a1, sum, pushed), sum, x];
        if PARTLY {
            let bits = working::<D>(g * SECTIONS, at, count);
            for (kept, new) in group.state.iter_mut().zip(state) {
                *kept = v.choose(bits, new, *kept);
            }
        } else {
            group.state = state;
        }
        (next, made) = (oldest, y);
        group.made[at % D] = y;
    }
    made
}

/// The lanes of the sections from `first` on that have one of `count` frames at this step.
#[inline(always)]
fn working<const D: usize>(first: usize, at: usize, count: usize) -> u8 {
    let behind = D * first;
    let begun = match at.checked_sub(behind) {
        Some(frame) => SECTIONS.min(frame / D + 1),
        None => 0,
    };
    let done = match at.checked_sub(behind + count) {
        Some(frame) => SECTIONS.min(frame / D + 1),
        None => 0,
    };
    // The first section's lanes are the last ones.
    let bits = 0xff00_u32 >> (2 * begun) & 0xff >> (2 * done);
    bits as u8
}
