//! Signals that the tests are fed with, and what they are run through.

use std::f64::consts::TAU;
use std::sync::Arc;

use auralis::chain::{Chain, Stage};
use auralis::registry::config::Sources;
use auralis::{Optimizer, Session, SessionSpec};
use auralis_core::AudioBlockMut;

/// Planar audio: one vector per channel.
pub type Planar = Vec<Vec<f32>>;

/// White noise over `-1..1`, the same for the same seed.
pub fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            // Marsaglia, "Xorshift RNGs", 2003.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// A sine of `hz` whose samples begin at `phase` (in turns).
pub fn sine(rate: u32, hz: f64, phase: f64, amplitude: f64, len: usize) -> Vec<f32> {
    let step = hz / f64::from(rate);
    (0..len)
        .map(|n| (amplitude * (TAU * (step * n as f64 + phase)).sin()) as f32)
        .collect()
}

/// A sine whose frequency rises from `from` to `to` Hz by equal ratios in equal times.
pub fn sweep(rate: u32, from: f64, to: f64, amplitude: f64, len: usize) -> Vec<f32> {
    let seconds = len as f64 / f64::from(rate);
    let octaves = (to / from).ln();
    (0..len)
        .map(|n| {
            let t = n as f64 / f64::from(rate);
            let turns = from * seconds / octaves * ((t / seconds * octaves).exp() - 1.0);
            (amplitude * (TAU * turns).sin()) as f32
        })
        .collect()
}

pub fn impulse(len: usize) -> Vec<f32> {
    let mut signal = vec![0.0; len];
    signal[0] = 1.0;
    signal
}

pub fn interleave(planes: &[Vec<f32>]) -> Vec<f32> {
    (0..planes[0].len())
        .flat_map(|n| planes.iter().map(move |plane| plane[n]))
        .collect()
}

pub fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

pub fn amplitude(decibels: f64) -> f64 {
    10f64.powf(decibels / 20.0)
}

/// An orchestrator with these settings (`key=value`) above the built-in ones.
pub fn optimizer(sets: &[&str]) -> Optimizer {
    let sources = Sources {
        sets: sets.iter().map(|set| set.to_string()).collect(),
        ..Sources::default()
    };
    Optimizer::builder().sources(sources).build().unwrap()
}

pub fn session(stages: Vec<Box<dyn Stage>>, sample_rate: u32, channels: usize) -> Session {
    let spec = SessionSpec {
        sample_rate,
        channels,
        max_frames: 512,
    };
    let parts = Arc::new(optimizer(&[]));
    Session::new(&Chain::new(stages).unwrap(), spec, parts.parts()).unwrap()
}

/// Runs a signal through a session, cut into blocks of these sizes in turn, with silence behind it
/// as long as the latency.
pub fn run(session: &mut Session, input: &[Vec<f32>], cuts: &[usize]) -> Planar {
    let tail = session.latency();
    let mut planes: Planar = input.to_vec();
    for plane in &mut planes {
        plane.extend(vec![0.0; tail]);
    }
    let len = planes[0].len();
    let mut sizes = cuts.iter().cycle();
    let mut start = 0;
    while start < len {
        let end = len.min(start + sizes.next().unwrap());
        let frames = end - start;
        let mut block: Vec<f32> = planes
            .iter()
            .flat_map(|plane| plane[start..end].to_vec())
            .collect();
        let view = AudioBlockMut::new(&mut block, planes.len(), frames, frames).unwrap();
        session.process(view).unwrap();
        for (plane, processed) in planes.iter_mut().zip(block.chunks(frames)) {
            plane[start..end].copy_from_slice(processed);
        }
        start = end;
    }
    planes
}
