//! Audio files: [`Reader`] decodes WAV, FLAC, MP3 and Ogg Vorbis, [`Writer`] makes WAV and FLAC.
//!
//! Both stream, so memory does not grow with the file. Nothing is silently wrong: a file that is
//! cut short or damaged is an error, and what can't be verified is a warning.

mod decode;
mod flac;
mod flac_writer;
mod mpeg;
mod ogg;
mod part_file;
mod pcm;
mod reader;
mod riff;
mod tags;
mod wav_writer;
mod window;
mod writer;

pub use reader::{Format, Reader, Spec};
pub use writer::{Finished, OutputFormat, OutputSpec, SampleFormat, Writer};

/// The most channels that a file may have.
pub const MAX_CHANNELS: usize = 64;
