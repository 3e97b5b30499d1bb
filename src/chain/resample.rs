//! The stage `resample`: the sample rate of what follows it, and so of the file that is delivered.

use auralis_core::{AudioBlockMut, Error, ErrorKind, Executor, Result};
use serde::{Deserialize, Serialize};

use super::{Prepare, Processor, Stage, StageSchema};

/// The sample rates that can be asked for, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 8000..=768_000;

/// A change of the sample rate: the stages after it work at the new one, and the file is delivered
/// at it.
///
/// The filter is a windowed sinc of linear phase. Up to 0.97 of half the lower rate the level stays
/// within 0.001 dB, at half the lower rate and beyond aliases and images lie 120 dB down. Its delay is
/// removed: the first frame of the output is the first of the input, and the output is as long as the
/// input, to the nearest frame. Audio that has the rate already is left as it is, bit for bit.
///
/// A chain has one such stage at most. Blocks of a live session are processed in place and keep their
/// number of frames, so there the stage only accepts audio that has the rate already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resample {
    /// Frames per second from here on.
    #[cfg_attr(test, schemars(range(min = 8000, max = 768_000)))]
    pub sample_rate: u32,
}

auralis_core::inventory::submit! {
    StageSchema { name: "resample", schema: include_str!("schemas/resample.schema.json") }
}

#[typetag::serde(name = "resample")]
impl Stage for Resample {
    fn check(&self) -> Result<()> {
        if RATES.contains(&self.sample_rate) {
            return Ok(());
        }
        let message = "resample wants a sample rate from 8000 to 768000 Hz";
        Err(Error::new(ErrorKind::Config, message)
            .with("sample_rate", format_args!("{} Hz", self.sample_rate)))
    }

    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        if self.sample_rate == context.sample_rate {
            return Ok(Box::new(AsItIs));
        }
        let message = "a session keeps its sample rate: resample changes it only where files are \
                       mastered";
        Err(Error::new(ErrorKind::Config, message)
            .with("session", format_args!("{} Hz", context.sample_rate))
            .with("resample", format_args!("{} Hz", self.sample_rate)))
    }

    fn resamples_to(&self) -> Option<u32> {
        Some(self.sample_rate)
    }
}

/// What is prepared for audio that has the rate already.
#[derive(Debug)]
struct AsItIs;

impl Processor for AsItIs {
    fn process(&mut self, _: &mut AudioBlockMut<'_>, _: Option<&dyn Executor>) -> Result<()> {
        Ok(())
    }

    fn reset(&mut self) {}
}
