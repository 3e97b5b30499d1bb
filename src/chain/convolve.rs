//! The stage `convolve`: the impulse response in an audio file, as of a room, a speaker or a filter.

use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::convolution::Convolution;
use super::{Prepare, Processor, Stage, StageSchema, amplitude};
use crate::audio::Reader;

/// The longest response: almost six minutes at 48 kHz.
const MAX_TAPS: usize = 1 << 24;

/// The frames that are read at once.
const READ: usize = 1 << 14;

/// A convolution with an impulse response that is read from an audio file of the same sample rate.
///
/// A response of one channel goes for every channel; one of several wants audio of as many, and
/// channel `c` is convolved with channel `c`. What the stage adds to the output's delay is what the
/// response itself begins with; the output is as long as the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Convolve {
    /// The audio file: WAV, FLAC, MP3 or Ogg Vorbis. A relative path begins at the working
    /// directory.
    pub file: PathBuf,
    /// The gain of the response in decibels.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(min = -144.0, max = 60.0)))]
    pub gain_db: f64,
    /// How much of the output is convolved; the rest is the input as it came.
    #[serde(default = "all")]
    #[cfg_attr(test, schemars(range(min = 0.0, max = 1.0)))]
    pub mix: f64,
}

fn all() -> f64 {
    1.0
}

auralis_core::inventory::submit! {
    StageSchema { name: "convolve", schema: include_str!("schemas/convolve.schema.json") }
}

#[typetag::serde(name = "convolve")]
impl Stage for Convolve {
    fn check(&self) -> Result<()> {
        if !(self.gain_db.is_finite() && (0.0..=1.0).contains(&self.mix)) {
            let message = "convolve wants a finite gain and a mix from 0 to 1";
            return Err(Error::new(ErrorKind::Config, message)
                .with("gain_db", self.gain_db)
                .with("mix", self.mix));
        }
        self.open().map(|_| ())
    }

    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        let mut reader = self.open()?;
        let (rate, channels) = (reader.spec().sample_rate, reader.spec().channels);
        if rate != context.sample_rate {
            let message = "the impulse response of convolve has another sample rate than the audio";
            return Err(self
                .wrong(message)
                .with("response", format_args!("{rate} Hz"))
                .with("audio", format_args!("{} Hz", context.sample_rate)));
        }
        if channels != 1 && channels != context.channels {
            let message = "the impulse response of convolve has neither one channel nor as many \
                           as the audio";
            return Err(self
                .wrong(message)
                .with("response", channels)
                .with("audio", context.channels));
        }
        let mut responses = self.read(&mut reader)?;
        let wet = (self.mix * amplitude(self.gain_db)) as f32;
        for response in &mut responses {
            response.iter_mut().for_each(|tap| *tap *= wet);
            // Convolving with the sum costs less than mixing the input in.
            response[0] += (1.0 - self.mix) as f32;
        }
        Ok(Box::new(Convolution::new(&responses, 0, context)?))
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.file)
    }
}

impl Convolve {
    fn wrong(&self, message: &'static str) -> Error {
        Error::new(ErrorKind::Config, message).with("file", self.file.display())
    }

    fn open(&self) -> Result<Reader> {
        Reader::open(&self.file).map_err(|error| self.unreadable(error))
    }

    fn unreadable(&self, error: Error) -> Error {
        self.wrong("the impulse response of convolve can't be read")
            .because(error)
    }

    /// The taps of each channel: at least one, and all of them finite.
    fn read(&self, reader: &mut Reader) -> Result<Vec<Vec<f32>>> {
        let mut responses = vec![Vec::new(); reader.spec().channels];
        let mut planes = vec![vec![0.0; READ]; responses.len()];
        loop {
            let mut block: Vec<_> = planes.iter_mut().map(Vec::as_mut_slice).collect();
            let frames = reader.read(&mut block).map_err(|e| self.unreadable(e))?;
            for (response, plane) in responses.iter_mut().zip(&planes) {
                response.extend_from_slice(&plane[..frames]);
            }
            let taps = responses[0].len();
            if taps > MAX_TAPS {
                let message = "the impulse response of convolve is too long";
                return Err(self.wrong(message).with("longest", MAX_TAPS));
            }
            if frames == 0 {
                break;
            }
        }
        if responses[0].is_empty() {
            return Err(self.wrong("the impulse response of convolve holds no audio"));
        }
        if responses.iter().flatten().any(|tap| !tap.is_finite()) {
            return Err(self.wrong("the impulse response of convolve holds NaN or infinity"));
        }
        Ok(responses)
    }
}
