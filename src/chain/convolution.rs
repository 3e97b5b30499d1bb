//! What convolves the channels of a block, each with a response of its own or all with one.

use std::sync::Mutex;

use auralis_core::{
    AudioBlockMut, Buffer, Convolver, ConvolverSpec, Executor, FlushToZero, Latency, MAX_CHANNELS,
    Result,
};

use super::{Prepare, Processor};

/// A prepared convolution.
///
/// The channels are independent, so each may run on a thread of its own. A lock is only ever tried,
/// by the one task that has the channel's index.
#[derive(Debug)]
pub(super) struct Convolution {
    channels: Vec<Mutex<Channel>>,
    latency: usize,
}

impl Convolution {
    /// Convolves channel `c` with response `c`, or with the last one where there are fewer. The
    /// output is said to lie `latency` frames behind.
    pub(super) fn new(
        responses: &[Vec<f32>],
        latency: usize,
        context: &Prepare<'_>,
    ) -> Result<Self> {
        let parts = context.parts;
        let last = responses.len().saturating_sub(1);
        let channels = (0..context.channels)
            .map(|channel| {
                let spec = ConvolverSpec {
                    impulse: &responses[channel.min(last)],
                    block: context.max_frames,
                    latency: Latency::Zero,
                };
                Ok(Mutex::new(Channel {
                    convolver: parts.accelerator.plan_convolver(&spec)?,
                    scratch: parts.scratch(context.max_frames)?,
                    outcome: Ok(()),
                }))
            })
            .collect::<Result<_>>()?;
        Ok(Self { channels, latency })
    }

    fn process_channels_at_once(
        &mut self,
        block: &mut AudioBlockMut<'_>,
        executor: &dyn Executor,
    ) -> Result<()> {
        let mut planes = block.planes_mut();
        let planes: [_; MAX_CHANNELS] = std::array::from_fn(|_| Mutex::new(planes.next()));
        executor.for_ranges(self.channels.len(), 1, &|range| {
            let _flush = FlushToZero::new();
            for index in range {
                let (Ok(mut channel), Ok(mut plane)) =
                    (self.channels[index].try_lock(), planes[index].try_lock())
                else {
                    continue;
                };
                channel.outcome = plane.take().map_or(Ok(()), |plane| channel.process(plane));
            }
        })?;
        // Further errors stay where they are: to drop one here would free memory.
        let outcomes = self.channels.iter_mut().map(|channel| {
            let channel = channel.get_mut().unwrap_or_else(|p| p.into_inner());
            &mut channel.outcome
        });
        match outcomes.into_iter().find(|outcome| outcome.is_err()) {
            Some(failed) => std::mem::replace(failed, Ok(())),
            None => Ok(()),
        }
    }
}

#[derive(Debug)]
struct Channel {
    convolver: Box<dyn Convolver>,
    scratch: Buffer,
    /// How the channel's part of the block went, where channels run at once.
    outcome: Result<()>,
}

impl Channel {
    fn process(&mut self, plane: &mut [f32]) -> Result<()> {
        let scratch = &mut self.scratch[..plane.len()];
        scratch.copy_from_slice(plane);
        self.convolver.process(plane, scratch)
    }
}

impl Processor for Convolution {
    fn latency(&self) -> usize {
        self.latency
    }

    fn process(
        &mut self,
        block: &mut AudioBlockMut<'_>,
        executor: Option<&dyn Executor>,
    ) -> Result<()> {
        match executor {
            Some(executor) if self.channels.len() > 1 && executor.threads() > 1 => {
                self.process_channels_at_once(block, executor)
            }
            _ => self
                .channels
                .iter_mut()
                .zip(block.planes_mut())
                .try_for_each(|(channel, plane)| {
                    let channel = channel.get_mut().unwrap_or_else(|p| p.into_inner());
                    channel.process(plane)
                }),
        }
    }

    fn reset(&mut self) {
        for channel in &mut self.channels {
            channel
                .get_mut()
                .unwrap_or_else(|p| p.into_inner())
                .convolver
                .reset();
        }
    }
}
