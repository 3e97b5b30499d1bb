//! Linear samples to planes of `f32`: the part of reading a WAV file where the time goes.
//!
//! symphonia's decoder of linear samples took six times as long: a twelfth of a mastering job.

use std::fs::File;
use std::io::Read;

use auralis_core::Result;

use super::decode::{Frames, read_fault};

/// The bytes that are read at once, about.
const CHUNK: usize = 1 << 16;

/// How a sample lies in the file, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    U8,
    I16,
    I24,
    I32,
    F32,
    F64,
}

impl Sample {
    const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// Interleaved samples of a file, read on from where it stands.
pub(super) struct Samples {
    file: File,
    sample: Sample,
    channels: usize,
    left: u64,
    bytes: Vec<u8>,
}

impl Samples {
    /// The next `frames` frames of `file`.
    pub(super) fn new(file: File, sample: Sample, channels: usize, frames: u64) -> Self {
        Self {
            file,
            sample,
            channels,
            left: frames,
            bytes: Vec::new(),
        }
    }
}

impl Frames for Samples {
    fn read(&mut self, planes: &mut [&mut [f32]]) -> Result<usize> {
        let wanted = planes
            .first()
            .map_or(0, |plane| plane.len() as u64)
            .min(self.left) as usize;
        let frame_bytes = self.channels * self.sample.bytes();
        let at_once = (CHUNK / frame_bytes).max(1);
        let mut filled = 0;
        while filled < wanted {
            let frames = at_once.min(wanted - filled);
            self.bytes.resize(frames * frame_bytes, 0);
            self.file
                .read_exact(&mut self.bytes)
                .map_err(|e| read_fault(e, "its data"))?;
            let range = filled..filled + frames;
            let bytes = &self.bytes;
            match self.sample {
                Sample::U8 => spread(bytes, planes, range, |[b]| (f32::from(b) - 128.0) / 128.0),
                Sample::I16 => spread(bytes, planes, range, |b| {
                    f32::from(i16::from_le_bytes(b)) / 32_768.0
                }),
                Sample::I24 => spread(bytes, planes, range, |[a, b, c]| {
                    (i32::from_le_bytes([0, a, b, c]) >> 8) as f32 / 8_388_608.0
                }),
                Sample::I32 => spread(bytes, planes, range, |b| {
                    i32::from_le_bytes(b) as f32 / 2_147_483_648.0
                }),
                Sample::F32 => spread(bytes, planes, range, f32::from_le_bytes),
                Sample::F64 => spread(bytes, planes, range, |b| f64::from_le_bytes(b) as f32),
            }
            filled += frames;
        }
        self.left -= wanted as u64;
        Ok(wanted)
    }
}

/// Spreads interleaved samples over the planes.
fn spread<const B: usize>(
    bytes: &[u8],
    planes: &mut [&mut [f32]],
    range: std::ops::Range<usize>,
    convert: impl Fn([u8; B]) -> f32,
) {
    let (samples, _) = bytes.as_chunks::<B>();
    if let [left, right] = planes {
        let (frames, _) = samples.as_chunks::<2>();
        let sides = left[range.clone()].iter_mut().zip(&mut right[range]);
        for ((left, right), frame) in sides.zip(frames) {
            (*left, *right) = (convert(frame[0]), convert(frame[1]));
        }
        return;
    }
    let channels = planes.len();
    for (channel, plane) in planes.iter_mut().enumerate() {
        let samples = samples.iter().skip(channel).step_by(channels);
        for (to, sample) in plane[range.clone()].iter_mut().zip(samples) {
            *to = convert(*sample);
        }
    }
}
