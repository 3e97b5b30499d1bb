//! A cascade that filters several samples of a channel at once.

use std::marker::PhantomData;

use auralis_core::{AudioBlockMut, Biquad, BiquadCascade, Error, ErrorKind, Result};

use super::section::{Line, Pair, RUNS, Section};
use crate::isa::{Body, Isa};

/// A state below this is set to zero. No 32-bit sample is as small, nor what becomes of it; left
/// alone, a filter in silence would decay into denormal numbers, which many CPUs are slow at.
const NEGLIGIBLE: f64 = 1e-60;

/// Sections that work on runs of `N` samples.
#[derive(Debug)]
pub(super) struct Cascade<I, const N: usize> {
    isa: I,
    sections: Vec<Section<N>>,
    /// The last samples that went into the first section, and that came out of each: of one channel
    /// after the other.
    pasts: Vec<Pair>,
    channels: usize,
}

impl<I, const N: usize> Cascade<I, N> {
    pub(super) fn new(isa: I, sections: &[Biquad], channels: usize) -> Self {
        Self {
            isa,
            sections: sections.iter().map(Section::of).collect(),
            pasts: vec![[0.0; 2]; (sections.len() + 1) * channels],
            channels,
        }
    }
}

impl<I: Isa, const N: usize> BiquadCascade for Cascade<I, N> {
    fn channels(&self) -> usize {
        self.channels
    }

    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        if block.channels() != self.channels {
            let message = "the block has not the channels that the cascade was planned for";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let (isa, sections) = (self.isa, &self.sections[..]);
        let mut planes = block.planes_mut();
        for pasts in self.pasts.chunks_mut(2 * (sections.len() + 1)) {
            match (planes.next(), planes.next()) {
                (Some(first), Some(second)) => {
                    let planes = [first, second];
                    isa.run(Planes::<I, 2, N>::new(planes, sections, pasts));
                }
                (Some(plane), None) => isa.run(Planes::<I, 1, N>::new([plane], sections, pasts)),
                _ => {}
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.pasts.fill([0.0; 2]);
    }
}

/// `C` channels of a block, which share the loads of the coefficients and hide each other's latency.
struct Planes<'a, I, const C: usize, const N: usize> {
    isa: PhantomData<I>,
    planes: [&'a mut [f32]; C],
    sections: &'a [Section<N>],
    pasts: &'a mut [Pair],
}

impl<'a, I, const C: usize, const N: usize> Planes<'a, I, C, N> {
    fn new(planes: [&'a mut [f32]; C], sections: &'a [Section<N>], pasts: &'a mut [Pair]) -> Self {
        Self {
            isa: PhantomData,
            planes,
            sections,
            pasts,
        }
    }
}

impl<I: Isa, const C: usize, const N: usize> Body for Planes<'_, I, C, N> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        if self.sections.is_empty() {
            return;
        }
        let (mut here, mut there) = ([[[0.0; N]; RUNS + 1]; C], [[[0.0; N]; RUNS + 1]; C]);
        let frames = self.planes[0].len();
        for start in (0..frames).step_by(RUNS * N) {
            let count = (RUNS * N).min(frames - start);
            for (line, plane) in here.iter_mut().zip(&self.planes) {
                widen(line, &plane[start..start + count]);
            }
            cascade::<I, C, N>(&mut here, &mut there, count, self.sections, self.pasts);
            let last = if self.sections.len().is_multiple_of(2) {
                &here
            } else {
                &there
            };
            for (plane, line) in self.planes.iter_mut().zip(last) {
                narrow(&mut plane[start..start + count], line);
            }
        }
    }
}

/// Takes samples into a line; zeros follow in their last run.
#[inline(always)]
fn widen<const N: usize>(line: &mut Line<N>, samples: &[f32]) {
    let line = line[1..].as_flattened_mut();
    let (taken, rest) = line.split_at_mut(samples.len());
    for (to, &from) in taken.iter_mut().zip(samples) {
        *to = f64::from(from);
    }
    for to in rest.iter_mut().take(N - 1) {
        *to = 0.0;
    }
}

/// Gives the samples of a line back.
#[inline(always)]
fn narrow<const N: usize>(samples: &mut [f32], line: &Line<N>) {
    for (to, &from) in samples.iter_mut().zip(line[1..].as_flattened()) {
        *to = from as f32;
    }
}

/// Passes `count` frames from one section to the next, to and fro between two lines per channel.
#[inline(always)]
fn cascade<'a, I: Isa, const C: usize, const N: usize>(
    mut from: &'a mut [Line<N>; C],
    mut to: &'a mut [Line<N>; C],
    count: usize,
    sections: &[Section<N>],
    pasts: &mut [Pair],
) {
    let stages = sections.len() + 1;
    for c in 0..C {
        recall(&mut from[c], count, &mut pasts[c * stages]);
    }
    for (s, section) in sections.iter().enumerate() {
        for c in 0..C {
            [to[c][0][N - 1], to[c][0][N - 2]] = pasts[c * stages + s + 1];
        }
        section.pass::<I, C>(to, from, count.div_ceil(N));
        for c in 0..C {
            recall(&mut to[c], count, &mut pasts[c * stages + s + 1]);
        }
        std::mem::swap(&mut from, &mut to);
    }
}

/// Puts the past before a line of `count` samples, and keeps their last two as the next one.
#[inline(always)]
fn recall<const N: usize>(line: &mut Line<N>, count: usize, past: &mut Pair) {
    [line[0][N - 1], line[0][N - 2]] = *past;
    let flat = line.as_flattened();
    let end = N + count;
    *past = [flat[end - 1], flat[end - 2]];
    if past.iter().all(|sample| sample.abs() < NEGLIGIBLE) {
        *past = [0.0; 2];
    }
}
