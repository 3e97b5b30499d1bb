//! Decoding a checked file: packets in, planes of `f32` out, and a verdict at the end.

use std::io;

use auralis_core::{Error, ErrorKind, Result};
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;

use super::reader::Spec;

/// The packets of one file, in order.
pub(super) trait Packets: Send {
    /// The next packet, `None` at the end.
    fn next_packet(&mut self) -> Result<Option<Packet>>;
}

/// The packets that a symphonia demuxer finds.
pub(super) struct Demuxed {
    pub(super) demuxer: Box<dyn FormatReader>,
    pub(super) declared: Option<u64>,
    /// Whether a packet's timestamp counts the frames before it, so that a gap shows.
    pub(super) contiguous: bool,
    pub(super) demuxed: u64,
}

impl Packets for Demuxed {
    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let packet = match self.demuxer.next_packet() {
            Ok(packet) => packet,
            Err(SymphoniaError::IoError(error)) if ended(&error) => {
                return Err(truncated(self.declared, self.demuxed));
            }
            Err(error) => return Err(demux_fault(error)),
        };
        if let Some(packet) = &packet {
            if self.contiguous && packet.pts.get() != self.demuxed.cast_signed() {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!(
                        "damaged: frame {} follows frame {}",
                        packet.pts.get(),
                        self.demuxed
                    ),
                ));
            }
            self.demuxed = self.demuxed.saturating_add(packet.dur.get());
        }
        Ok(packet)
    }
}

/// The frames of one file, from the first to the last.
pub(super) trait Frames: Send {
    /// Fills `planes`, which are as many as there are channels and of one length; fewer frames
    /// only at the end of the file.
    fn read(&mut self, planes: &mut [&mut [f32]]) -> Result<usize>;
}

/// A file being decoded by symphonia.
pub(super) struct Stream {
    packets: Box<dyn Packets>,
    decoder: Box<dyn AudioDecoder>,
    spec: Spec,
    /// Frames decoded since the start, of which the last `available` may not be handed out yet.
    decoded: u64,
    available: usize,
    taken: usize,
}

impl Stream {
    /// A stream of `packets` in the codec that `params` names.
    pub(super) fn new(
        packets: Box<dyn Packets>,
        params: &AudioCodecParameters,
        spec: &Spec,
    ) -> Result<Self> {
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(params, &AudioDecoderOptions::default().verify(true))
            .map_err(decode_fault)?;
        Ok(Self {
            packets,
            decoder,
            spec: spec.clone(),
            decoded: 0,
            available: 0,
            taken: 0,
        })
    }

    /// Decodes up to the next packet that holds frames; false at the end.
    fn advance(&mut self) -> Result<bool> {
        while let Some(packet) = self.packets.next_packet()? {
            let buffer = self
                .decoder
                .decode(&packet)
                .map_err(|error| decode_fault(error).with("frame", self.decoded))?;
            let frames = buffer.frames();
            if frames == 0 {
                continue;
            }
            check_layout(&buffer, &self.spec)?;
            self.decoded += frames as u64;
            self.available = frames;
            self.taken = 0;
            return Ok(true);
        }
        self.check_end()?;
        Ok(false)
    }

    fn check_end(&mut self) -> Result<()> {
        match self.spec.frames {
            _ if self.decoded == 0 => return Err(no_audio()),
            Some(declared) if declared > self.decoded => {
                return Err(truncated(Some(declared), self.decoded));
            }
            Some(declared) if declared < self.decoded => {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!(
                        "the header promises {declared} frames, the data holds {}",
                        self.decoded
                    ),
                ));
            }
            _ => {}
        }
        if self.decoder.finalize().verify_ok == Some(false) {
            return Err(Error::new(
                ErrorKind::Corrupt,
                "damaged: the decoded audio does not match the checksum in the header",
            ));
        }
        Ok(())
    }
}

impl Frames for Stream {
    fn read(&mut self, planes: &mut [&mut [f32]]) -> Result<usize> {
        let wanted = planes.first().map_or(0, |plane| plane.len());
        let mut filled = 0;
        while filled < wanted {
            if self.taken == self.available && !self.advance()? {
                break;
            }
            let count = (wanted - filled).min(self.available - self.taken);
            let mut targets: Vec<&mut [f32]> = planes
                .iter_mut()
                .map(|plane| &mut plane[filled..filled + count])
                .collect();
            self.decoder
                .last_decoded()
                .slice(self.taken..self.taken + count)
                .copy_to_slice_planar(&mut targets);
            self.taken += count;
            filled += count;
        }
        Ok(filled)
    }
}

fn check_layout(buffer: &GenericAudioBufferRef<'_>, spec: &Spec) -> Result<()> {
    let (rate, channels) = (buffer.spec().rate(), buffer.num_planes());
    if rate == spec.sample_rate && channels == spec.channels {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "audio that changes from {} Hz and {} channels to {rate} Hz and {channels} channels",
            spec.sample_rate, spec.channels
        ),
    ))
}

/// The file holds no frame at all.
pub(super) fn no_audio() -> Error {
    Error::new(ErrorKind::Corrupt, "no audio: the file holds zero frames")
}

/// The audio ends before the length that the header gives, in frames.
pub(super) fn truncated(declared: Option<u64>, found: u64) -> Error {
    let message = match declared {
        Some(declared) => {
            format!("truncated: the header promises {declared} frames, the data ends after {found}")
        }
        None => format!("truncated: the data ends in the middle of a packet, after {found} frames"),
    };
    Error::new(ErrorKind::Corrupt, message)
}

/// The file ends before the `what` that it began.
pub(super) fn cut_short(what: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("truncated: the file ends in the middle of {what}"),
    )
}

/// What a failed read means: the end of the file where more was promised, or the disk's refusal.
pub(super) fn read_fault(error: io::Error, what: &str) -> Error {
    if ended(&error) {
        cut_short(what)
    } else {
        Error::new(ErrorKind::Io, "can't read the file").because(error)
    }
}

/// What symphonia's refusal to open or demux a file means.
pub(super) fn demux_fault(error: SymphoniaError) -> Error {
    match error {
        SymphoniaError::IoError(error) => read_fault(error, "its headers"),
        other => decode_fault(other),
    }
}

/// What symphonia's refusal to decode a packet means. Its bit readers report the end of a packet
/// as an input/output error.
fn decode_fault(error: SymphoniaError) -> Error {
    match error {
        SymphoniaError::Unsupported(what) => Error::new(ErrorKind::Unsupported, what),
        SymphoniaError::ResetRequired => Error::new(
            ErrorKind::Unsupported,
            "audio that changes its format midway",
        ),
        SymphoniaError::DecodeError(what) | SymphoniaError::LimitError(what) => {
            Error::new(ErrorKind::Corrupt, format!("damaged: {what}"))
        }
        other => {
            Error::new(ErrorKind::Corrupt, "damaged: a packet can't be decoded").because(other)
        }
    }
}

fn ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}
