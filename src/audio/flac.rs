//! FLAC files: the length and the checksum in their header are what proves them whole.

use std::fs::File;
use std::ops::Range;

use auralis_core::{Error, ErrorKind, Result};
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::formats::{FormatReader, Track};
use symphonia::core::io::MediaSourceStream;
use symphonia::default::formats::FlacReader;

use super::decode::{Demuxed, Frames, Stream, demux_fault, read_fault};
use super::reader::{Container, Format, Spec};
use super::window::Window;

struct Flac {
    audio: Range<u64>,
    spec: Spec,
}

/// Checks the header of the FLAC stream in the bytes `audio` of a file.
pub(super) fn survey(
    file: &File,
    audio: Range<u64>,
    warnings: &mut Vec<String>,
) -> Result<Box<dyn Container>> {
    let file = file.try_clone().map_err(|e| read_fault(e, "itself"))?;
    let demuxer = demuxer(file, audio.clone())?;
    let (track, params) = audio_track(demuxer.as_ref())?;
    let spec = spec(track, params)?;
    if spec.frames.is_none() && params.verification_check.is_none() {
        warnings.push(
            "the FLAC header gives neither length nor checksum: the length can't be verified"
                .to_owned(),
        );
    }
    Ok(Box::new(Flac { audio, spec }))
}

impl Container for Flac {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn start(&self, file: File) -> Result<Box<dyn Frames>> {
        let demuxer = demuxer(file, self.audio.clone())?;
        let (_, params) = audio_track(demuxer.as_ref())?;
        let params = params.clone();
        let packets = Demuxed {
            demuxer,
            declared: self.spec.frames,
            contiguous: true,
            demuxed: 0,
        };
        Ok(Box::new(Stream::new(
            Box::new(packets),
            &params,
            &self.spec,
        )?))
    }
}

fn demuxer(file: File, audio: Range<u64>) -> Result<Box<dyn FormatReader>> {
    let window = Window::new(file, audio).map_err(|e| read_fault(e, "itself"))?;
    let source = MediaSourceStream::new(Box::new(window), Default::default());
    let reader = FlacReader::try_new(source, Default::default()).map_err(demux_fault)?;
    Ok(Box::new(reader))
}

/// The first audio track of a demuxed file.
pub(super) fn audio_track(demuxer: &dyn FormatReader) -> Result<(&Track, &AudioCodecParameters)> {
    demuxer
        .tracks()
        .iter()
        .find_map(|track| Some((track, track.codec_params.as_ref()?.audio()?)))
        .ok_or_else(|| Error::new(ErrorKind::Corrupt, "damaged: the file has no audio track"))
}

fn spec(track: &Track, params: &AudioCodecParameters) -> Result<Spec> {
    let channels = params.channels.as_ref();
    Ok(Spec {
        sample_rate: params.sample_rate.filter(|rate| *rate > 0).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "damaged: the header gives a sample rate of 0 Hz",
            )
        })?,
        channels: channels.map_or(0, |channels| channels.count()),
        channel_mask: channels.and_then(channel_mask),
        frames: track.num_frames,
        bits: params.bits_per_sample,
        float: false,
        format: Format::Flac,
    })
}

/// The mask of the channels of FLAC and Vorbis, where mono has no position: the centre is meant.
///
/// symphonia's positions are the bits of a WAVE channel mask as far as that goes, 18 speakers.
pub(super) fn channel_mask(channels: &Channels) -> Option<u32> {
    match channels {
        Channels::Positioned(_) if channels.count() == 1 => Some(0x4),
        Channels::Positioned(positions) => u32::try_from(positions.bits())
            .ok()
            .filter(|mask| mask >> 18 == 0),
        _ => None,
    }
}
