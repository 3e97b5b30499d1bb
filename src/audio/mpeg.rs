//! MP3 files: a walk over every frame header shows gaps and cuts before anything is decoded.
//!
//! symphonia's demuxer skips damage without a word and, where there is no Xing header, guesses
//! the length and trims to the guess; its layer III decoder is used as it is.
//! Frame header and tables: ISO/IEC 11172-3, section 2.4; MPEG 2.5 halves the rates of MPEG 2.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use auralis_core::{Error, ErrorKind, Result};
use symphonia::core::audio::layouts;
use symphonia::core::codecs::audio::{AudioCodecParameters, well_known::CODEC_ID_MP3};
use symphonia::core::packet::{Packet, PacketBuilder};
use symphonia::core::units::{Duration, Timestamp};

use super::decode::{Frames, Packets, Stream, cut_short, read_fault, truncated};
use super::reader::{Container, Format, Spec};

/// How far into the file the first frame may lie, and how far the search after damage looks.
const SEARCH: u64 = 64 * 1024;
/// The longest layer III frame: 320 kbit/s at 32 kHz, padded.
const MAX_FRAME_BYTES: u64 = 1441;
/// The bits of a header word that one stream keeps: sync, version, layer and sample rate.
const CONSTANT_BITS: u32 = 0xfffe_0c00;
/// Frames that every decoder delays by (LAME's technical FAQ, "Why is a decoded MP3 longer").
const DECODER_DELAY: u64 = 529;

#[derive(Clone, Copy)]
struct Header {
    word: u32,
    sample_rate: u32,
    channels: usize,
    /// Audio frames that one MPEG frame decodes to.
    samples: u64,
    /// Bytes with the header.
    bytes: u64,
}

impl Header {
    fn parse(word: u32) -> Option<Self> {
        const KBITS: [[u32; 15]; 2] = [
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
            [
                0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
            ],
        ];
        let layer_3 = word >> 21 == 0x7ff && word >> 17 & 3 == 1;
        let rate = *[44_100, 48_000, 32_000].get((word >> 10 & 3) as usize)?;
        let (first_version, sample_rate) = match word >> 19 & 3 {
            3 => (true, rate),
            2 => (false, rate / 2),
            0 => (false, rate / 4),
            _ => return None,
        };
        let kbits = *KBITS[usize::from(first_version)].get((word >> 12 & 15) as usize)?;
        if !layer_3 || kbits == 0 {
            return None;
        }
        let samples = if first_version { 1152 } else { 576 };
        let bytes = samples as u32 / 8 * kbits * 1000 / sample_rate + (word >> 9 & 1);
        Some(Self {
            word,
            sample_rate,
            channels: if word >> 6 & 3 == 3 { 1 } else { 2 },
            samples,
            bytes: u64::from(bytes),
        })
    }

    fn is_of_one_stream_with(&self, other: &Self) -> bool {
        self.word & CONSTANT_BITS == other.word & CONSTANT_BITS && self.channels == other.channels
    }

    /// Where a Xing header starts: after the header word and the side information.
    fn xing_offset(&self) -> usize {
        match (self.samples, self.channels) {
            (1152, 1) => 4 + 17,
            (1152, _) => 4 + 32,
            (_, 1) => 4 + 9,
            _ => 4 + 17,
        }
    }
}

/// The length that an encoder notes in the first MPEG frame.
#[derive(Default)]
struct Promise {
    mpeg_frames: Option<u64>,
    bytes: Option<u64>,
    /// Audio frames to trim from the start and the end.
    delay: u64,
    padding: u64,
}

impl Promise {
    /// Reads a Xing, Info or VBRI header from the first MPEG frame; `None` if that holds audio.
    ///
    /// Sources: "XING VBR Header SDK" and the "MP3 info tag" of LAME's documentation; a VBRI
    /// header stands 32 bytes after the header word and counts bytes, then frames.
    fn parse(header: &Header, frame: &[u8]) -> Option<Self> {
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Self {
                mpeg_frames: Some(be32(frame, 36 + 14)?),
                bytes: Some(be32(frame, 36 + 10)?),
                ..Self::default()
            });
        }
        let tag = frame.get(header.xing_offset()..)?;
        if !matches!(tag.get(..4)?, b"Xing" | b"Info") {
            return None;
        }
        let flags = be32(tag, 4)?;
        let mut at = 8;
        let mut field = |bit: u64, length: usize| {
            let start = at;
            (flags & bit != 0).then(|| at += length).map(|()| start)
        };
        let (frames_at, bytes_at) = (field(1, 4), field(2, 4));
        let _ = (field(4, 100), field(8, 4));
        let (delay, padding) = lame_trims(tag.get(at..)?).unwrap_or_default();
        Some(Self {
            mpeg_frames: frames_at.and_then(|at| be32(tag, at)),
            bytes: bytes_at.and_then(|at| be32(tag, at)),
            delay,
            padding,
        })
    }

    /// Whether a file with so many MPEG frames, and bytes from the first on, is whole.
    fn is_kept_by(&self, mpeg_frames: u64, bytes: u64) -> bool {
        match self.mpeg_frames {
            // Some encoders count the frame that holds the header too.
            Some(promised) if promised == mpeg_frames + 1 => {
                self.bytes.is_some_and(|promised| promised == bytes)
            }
            Some(promised) => mpeg_frames >= promised,
            None => self.bytes.is_some_and(|promised| bytes >= promised),
        }
    }
}

/// Delay and padding from a LAME extension, which libavcodec writes too.
fn lame_trims(extension: &[u8]) -> Option<(u64, u64)> {
    if !matches!(extension.get(..4)?, b"LAME" | b"Lavf" | b"Lavc") {
        return None;
    }
    let trims = be32(extension, 20)? & 0x00ff_ffff;
    Some((
        (trims >> 12) + DECODER_DELAY,
        (trims & 0xfff).saturating_sub(DECODER_DELAY),
    ))
}

fn be32(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..at + 4)?;
    Some(u64::from(u32::from_be_bytes(word.try_into().ok()?)))
}

/// Where the walk over the frames stopped.
enum Stop {
    /// At the end of the file.
    End,
    /// At a frame that is longer than what is left.
    Cut,
    /// At something that is no frame of this stream.
    Junk(u64),
}

/// What the walk over the frames found.
struct Found {
    first: Header,
    promise: Promise,
    /// MPEG frames that hold audio.
    mpeg_frames: u64,
    /// Bytes from the first MPEG frame to the end.
    bytes: u64,
    stop: Stop,
}

impl Found {
    /// Decides whether that is an error, a warning, or fine.
    fn judge(
        &self,
        input: &mut BufReader<&File>,
        end: u64,
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let whole = self.promise.is_kept_by(self.mpeg_frames, self.bytes);
        if !whole {
            self.check_gap(input, end)?;
            self.check_promise()?;
            warnings.push("no Xing header: the length can't be verified".to_owned());
        }
        match self.stop {
            Stop::End => {}
            Stop::Cut => {
                warnings.push("the last MP3 frame is cut short and left out".to_owned());
            }
            Stop::Junk(at) => warnings.push(format!(
                "{} bytes after the last MP3 frame are left out",
                end - at
            )),
        }
        Ok(())
    }

    fn check_gap(&self, input: &mut BufReader<&File>, end: u64) -> Result<()> {
        match self.stop {
            Stop::Junk(at)
                if end - at > MAX_FRAME_BYTES || frames_follow(input, &self.first, at, end)? =>
            {
                Err(Error::new(
                    ErrorKind::Corrupt,
                    format!(
                        "damaged: no MP3 frame starts at byte {at}, after {} frames",
                        self.mpeg_frames
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_promise(&self) -> Result<()> {
        match (self.promise.mpeg_frames, self.promise.bytes) {
            (Some(promised), _) => Err(truncated(
                Some(promised * self.first.samples),
                self.mpeg_frames * self.first.samples,
            )),
            (None, Some(_)) => Err(cut_short("its last MP3 frames")),
            (None, None) => Ok(()),
        }
    }

    /// Audio frames without the encoder's delay and padding.
    fn frames(&self) -> u64 {
        let extra = self
            .promise
            .mpeg_frames
            .is_none_or(|promised| promised < self.mpeg_frames);
        let padding = if extra { 0 } else { self.promise.padding };
        (self.mpeg_frames * self.first.samples)
            .saturating_sub(self.promise.delay)
            .saturating_sub(padding)
    }
}

struct Mp3 {
    spec: Spec,
    /// Where the first frame that holds audio starts.
    start: u64,
    mpeg_frames: u64,
    /// Audio frames to trim from the start; what is left at the end of the last is padding.
    delay: u64,
    frames: u64,
}

/// Walks over the MPEG frames in the bytes `audio` of a file; `None` if there are none.
pub(super) fn survey(
    file: &File,
    audio: Range<u64>,
    warnings: &mut Vec<String>,
) -> Result<Option<Box<dyn Container>>> {
    let mut input = BufReader::new(file);
    let Some((first, at)) = first_frame(&mut input, &audio)? else {
        return Ok(None);
    };
    if at > audio.start {
        warnings.push(format!(
            "{} bytes before the first MP3 frame are left out",
            at - audio.start
        ));
    }
    if at + first.bytes > audio.end {
        return Err(cut_short("its first MP3 frame"));
    }
    let mut frame = vec![0; first.bytes as usize];
    seek(&mut input, at)?;
    input.read_exact(&mut frame).map_err(fault)?;
    let promise = Promise::parse(&first, &frame);
    let start = if promise.is_some() {
        at + first.bytes
    } else {
        at
    };
    let (mpeg_frames, stop) = walk(&mut input, &first, start..audio.end)?;
    let found = Found {
        first,
        promise: promise.unwrap_or_default(),
        mpeg_frames,
        bytes: audio.end - at,
        stop,
    };
    found.judge(&mut input, audio.end, warnings)?;
    Ok(Some(Box::new(Mp3 {
        spec: Spec {
            sample_rate: first.sample_rate,
            channels: first.channels,
            channel_mask: Some(if first.channels == 1 { 0x4 } else { 0x3 }),
            frames: Some(found.frames()),
            bits: None,
            float: true,
            format: Format::Mp3,
        },
        start,
        mpeg_frames,
        delay: found.promise.delay,
        frames: found.frames(),
    })))
}

/// The first frame: at the very start, or where three frames of one stream follow each other.
fn first_frame(input: &mut BufReader<&File>, audio: &Range<u64>) -> Result<Option<(Header, u64)>> {
    let head = bytes_at(input, audio.start, audio.end, SEARCH)?;
    if let Some(header) = header_in(&head, 0) {
        return Ok(Some((header, audio.start)));
    }
    let found = (1..head.len()).find_map(|at| {
        let first = header_in(&head, at)?;
        let second = header_in(&head, at + first.bytes as usize)?;
        let third = header_in(&head, at + (first.bytes + second.bytes) as usize)?;
        (first.is_of_one_stream_with(&second) && first.is_of_one_stream_with(&third))
            .then_some((first, audio.start + at as u64))
    });
    Ok(found)
}

/// Counts the frames that follow each other without a gap in `range`.
fn walk(input: &mut BufReader<&File>, first: &Header, range: Range<u64>) -> Result<(u64, Stop)> {
    let (mut at, mut count) = (range.start, 0);
    seek(input, at)?;
    while at < range.end {
        if range.end - at < 4 {
            return Ok((count, Stop::Cut));
        }
        let mut word = [0; 4];
        input.read_exact(&mut word).map_err(fault)?;
        let header = match Header::parse(u32::from_be_bytes(word)) {
            Some(header) if header.is_of_one_stream_with(first) => header,
            _ => return Ok((count, Stop::Junk(at))),
        };
        if at + header.bytes > range.end {
            return Ok((count, Stop::Cut));
        }
        input
            .seek_relative(header.bytes as i64 - 4)
            .map_err(fault)?;
        at += header.bytes;
        count += 1;
    }
    Ok((count, Stop::End))
}

/// Whether two frames of the stream follow each other somewhere after `at`.
fn frames_follow(input: &mut BufReader<&File>, first: &Header, at: u64, end: u64) -> Result<bool> {
    let rest = bytes_at(input, at, end, SEARCH)?;
    Ok((1..rest.len()).any(|at| {
        header_in(&rest, at).is_some_and(|header| {
            let next = header_in(&rest, at + header.bytes as usize);
            header.is_of_one_stream_with(first)
                && next.is_some_and(|next| next.is_of_one_stream_with(first))
        })
    }))
}

fn header_in(bytes: &[u8], at: usize) -> Option<Header> {
    Header::parse(u32::try_from(be32(bytes, at)?).ok()?)
}

fn bytes_at(input: &mut BufReader<&File>, at: u64, end: u64, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    seek(input, at)?;
    input
        .take(limit.min(end.saturating_sub(at)))
        .read_to_end(&mut bytes)
        .map_err(fault)?;
    Ok(bytes)
}

fn seek(input: &mut impl Seek, at: u64) -> Result<()> {
    input.seek(SeekFrom::Start(at)).map(drop).map_err(fault)
}

fn fault(error: std::io::Error) -> Error {
    read_fault(error, "an MP3 frame")
}

impl Container for Mp3 {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn start(&self, file: File) -> Result<Box<dyn Frames>> {
        let mut input = BufReader::new(file);
        seek(&mut input, self.start)?;
        let packets = MpegFrames {
            input,
            left: self.mpeg_frames,
            at: Timestamp::new(-(self.delay.cast_signed())),
            end: Timestamp::new(self.frames.cast_signed()),
        };
        let channels = match self.spec.channels {
            1 => layouts::CHANNEL_LAYOUT_MONO,
            _ => layouts::CHANNEL_LAYOUT_STEREO,
        };
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(CODEC_ID_MP3)
            .with_sample_rate(self.spec.sample_rate)
            .with_channels(channels);
        Ok(Box::new(Stream::new(
            Box::new(packets),
            &params,
            &self.spec,
        )?))
    }
}

struct MpegFrames {
    input: BufReader<File>,
    left: u64,
    /// The time of the next frame, negative within the encoder's delay.
    at: Timestamp,
    end: Timestamp,
}

impl Packets for MpegFrames {
    fn next_packet(&mut self) -> Result<Option<Packet>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut word = [0; 4];
        self.input.read_exact(&mut word).map_err(fault)?;
        let header = Header::parse(u32::from_be_bytes(word)).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "damaged: an MP3 frame has changed since it was checked",
            )
        })?;
        let mut bytes = vec![0; header.bytes as usize];
        bytes[..4].copy_from_slice(&word);
        self.input.read_exact(&mut bytes[4..]).map_err(fault)?;
        let duration = Duration::new(header.samples);
        let packet = PacketBuilder::new()
            .track_id(0)
            .pts(self.at)
            .trimmed_dur(duration, Some(self.end))
            .data(bytes)
            .build();
        self.at = self.at.saturating_add(duration);
        self.left -= 1;
        Ok(Some(packet))
    }
}
