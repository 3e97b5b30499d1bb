//! Audio blocks: the views of planar `f32` audio that cross the traits.

use crate::{Error, ErrorKind, Result};

/// The most channels that a block may have.
pub const MAX_CHANNELS: usize = 64;

/// A shared view of planar audio: `channels` planes of `frames` samples, `stride` samples apart.
#[derive(Clone, Copy, Debug)]
pub struct AudioBlock<'a> {
    samples: &'a [f32],
    shape: Shape,
}

/// A mutable view of planar audio: `channels` planes of `frames` samples, `stride` samples apart.
#[derive(Debug)]
pub struct AudioBlockMut<'a> {
    samples: &'a mut [f32],
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    channels: usize,
    frames: usize,
    stride: usize,
}

impl Shape {
    fn check(self, len: usize) -> Result<Self> {
        let Self {
            channels,
            frames,
            stride,
        } = self;
        if channels == 0 || channels > MAX_CHANNELS {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "a block has 1 to 64 channels",
            ));
        }
        let end = stride
            .checked_mul(channels - 1)
            .and_then(|n| n.checked_add(frames));
        match end {
            Some(end) if frames <= stride && end <= len => Ok(self),
            _ => Err(Error::new(
                ErrorKind::InvalidInput,
                "the planes of the block do not fit into its samples",
            )),
        }
    }

    fn plane(self, channel: usize) -> std::ops::Range<usize> {
        assert!(
            channel < self.channels,
            "channel {channel} of {}",
            self.channels
        );
        let start = channel * self.stride;
        start..start + self.frames
    }
}

impl<'a> AudioBlock<'a> {
    /// A view of `channels` planes of `frames` samples, the first at 0, each `stride` after the last.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the planes overlap or do not fit, or there are not 1 to
    /// [`MAX_CHANNELS`] channels.
    pub fn new(samples: &'a [f32], channels: usize, frames: usize, stride: usize) -> Result<Self> {
        let shape = Shape {
            channels,
            frames,
            stride,
        }
        .check(samples.len())?;
        Ok(Self { samples, shape })
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.shape.channels
    }

    /// The number of frames: the length of each plane.
    pub fn frames(&self) -> usize {
        self.shape.frames
    }

    /// The samples of one channel.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    pub fn channel(&self, channel: usize) -> &'a [f32] {
        &self.samples[self.shape.plane(channel)]
    }

    /// The planes, first channel first.
    pub fn planes(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let this = *self;
        (0..this.channels()).map(move |c| this.channel(c))
    }

    /// The frames in `range` alone.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the block.
    pub fn range(&self, range: std::ops::Range<usize>) -> AudioBlock<'a> {
        assert!(range.start <= range.end && range.end <= self.shape.frames);
        let shape = Shape {
            frames: range.len(),
            ..self.shape
        };
        AudioBlock {
            samples: &self.samples[range.start..],
            shape,
        }
    }
}

impl<'a> AudioBlockMut<'a> {
    /// A view of `channels` planes of `frames` samples, the first at 0, each `stride` after the last.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the planes overlap or do not fit, or there are not 1 to
    /// [`MAX_CHANNELS`] channels.
    pub fn new(
        samples: &'a mut [f32],
        channels: usize,
        frames: usize,
        stride: usize,
    ) -> Result<Self> {
        let shape = Shape {
            channels,
            frames,
            stride,
        }
        .check(samples.len())?;
        Ok(Self { samples, shape })
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.shape.channels
    }

    /// The number of frames: the length of each plane.
    pub fn frames(&self) -> usize {
        self.shape.frames
    }

    /// The samples of one channel.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    pub fn channel(&self, channel: usize) -> &[f32] {
        &self.samples[self.shape.plane(channel)]
    }

    /// The samples of one channel, to be changed.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    pub fn channel_mut(&mut self, channel: usize) -> &mut [f32] {
        &mut self.samples[self.shape.plane(channel)]
    }

    /// The planes, to be changed, first channel first.
    pub fn planes_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let Shape {
            channels,
            frames,
            stride,
        } = self.shape;
        self.samples
            .chunks_mut(stride.max(1))
            .take(channels)
            .map(move |plane| &mut plane[..frames])
    }

    /// All samples from the first channel on, with what lies between the planes, and the stride.
    pub fn as_samples_mut(&mut self) -> (&mut [f32], usize) {
        (self.samples, self.shape.stride)
    }

    /// A view of the same audio that lives shorter.
    pub fn reborrow(&mut self) -> AudioBlockMut<'_> {
        AudioBlockMut {
            samples: self.samples,
            shape: self.shape,
        }
    }

    /// A shared view of the same audio.
    pub fn as_block(&self) -> AudioBlock<'_> {
        AudioBlock {
            samples: self.samples,
            shape: self.shape,
        }
    }

    /// The frames in `range` alone.
    ///
    /// # Panics
    ///
    /// If the range does not lie within the block.
    pub fn range_mut(&mut self, range: std::ops::Range<usize>) -> AudioBlockMut<'_> {
        assert!(range.start <= range.end && range.end <= self.shape.frames);
        let shape = Shape {
            frames: range.len(),
            ..self.shape
        };
        AudioBlockMut {
            samples: &mut self.samples[range.start..],
            shape,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_lie_a_stride_apart() {
        let mut samples: Vec<f32> = (0..10).map(|i| i as f32).collect();
        let mut block = AudioBlockMut::new(&mut samples, 2, 3, 5).unwrap();
        assert_eq!(block.channel(1), [5.0, 6.0, 7.0]);
        block.range_mut(1..3).channel_mut(0).fill(-1.0);
        assert_eq!(block.as_block().range(1..2).channel(0), [-1.0]);
        assert_eq!(
            block.planes_mut().map(|p| p.len()).collect::<Vec<_>>(),
            [3, 3]
        );
        assert_eq!(block.as_block().planes().count(), 2);
        assert_eq!(samples[..5], [0.0, -1.0, -1.0, 3.0, 4.0]);
    }

    #[test]
    fn a_shape_that_does_not_fit_is_refused() {
        let samples = [0.0; 10];
        let cases = [
            (0, 1, 1),
            (65, 0, 0),
            (2, 6, 5),
            (3, 4, 4),
            (2, 1, usize::MAX),
            (2, 5, 6),
        ];
        for (channels, frames, stride) in cases {
            assert!(AudioBlock::new(&samples, channels, frames, stride).is_err());
        }
        assert!(AudioBlock::new(&samples, 2, 5, 5).is_ok());
        assert!(AudioBlock::new(&[], 64, 0, 0).is_ok());
    }
}
