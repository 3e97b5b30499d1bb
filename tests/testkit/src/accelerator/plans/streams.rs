//! Streams cut into calls.

use super::super::guarded::written;
use super::super::samples::Noise;
use crate::Outcome;

/// How a stream is cut into calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// All at once.
    Whole,
    /// Calls of this many samples, and a rest.
    Every(usize),
    /// Calls of random lengths around a block, none and one among them.
    Random {
        /// The block.
        block: usize,
        /// The seed of the lengths.
        seed: u64,
    },
}

impl Cut {
    /// The lengths of the calls, which add up to `total`.
    pub(super) fn lengths(self, total: usize) -> Vec<usize> {
        let mut noise = match self {
            Self::Random { seed, .. } => Noise::new(seed),
            _ => Noise::new(0),
        };
        let mut lengths = Vec::new();
        let mut left = total;
        while left > 0 {
            let wanted = match self {
                Self::Whole => left,
                Self::Every(n) => n,
                Self::Random { block, .. } => {
                    let choices = [
                        0,
                        1,
                        2,
                        7,
                        block / 2,
                        block - 1,
                        block,
                        block + 1,
                        3 * block,
                    ];
                    choices[(noise.bits() % choices.len() as u64) as usize]
                }
            };
            let now = wanted.min(left);
            lengths.push(now);
            left -= now;
        }
        lengths
    }
}

/// Sends a stream through `process` in calls.
pub(super) fn stream(
    signal: &[f32],
    cut: Cut,
    mut process: impl FnMut(&mut [f32], &[f32]) -> auralis_core::Result<()>,
) -> Result<Vec<f32>, String> {
    let mut output = Vec::with_capacity(signal.len());
    for len in cut.lengths(signal.len()) {
        let at = output.len();
        let src = &signal[at..at + len];
        let part = written(&vec![f32::NAN; len], |dst| process(dst, src))
            .map_err(|error| format!("a call of {len} samples: {error}"))?;
        output.extend(part);
    }
    Ok(output)
}

/// Fails unless two runs gave the same bits.
pub(super) fn same_bits(a: &[f32], b: &[f32], what: impl Fn() -> String) -> Outcome {
    let differs = a
        .iter()
        .zip(b)
        .position(|(a, b)| a.to_bits() != b.to_bits());
    match differs {
        None => Ok(()),
        Some(i) => Err(format!(
            "{}: sample {i} is {:?}, expected {:?}",
            what(),
            b[i],
            a[i]
        )),
    }
}
