//! Ogg Vorbis files: a walk over every page shows damage and cuts before anything is decoded.
//!
//! symphonia skips a page whose checksum is wrong, and undoes the coupling of channel pairs in the
//! wrong order (Vorbis I, section 4.3.5, asks for the last first), which is right for stereo but
//! garbles more channels; those are refused. Page layout: RFC 3533, section 6.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use auralis_core::{Error, ErrorKind, Result};
use symphonia::core::checksum::Crc32;
use symphonia::core::formats::{FormatReader, Track};
use symphonia::core::io::{MediaSourceStream, Monitor};
use symphonia::default::formats::OggReader;

use super::decode::{Demuxed, Frames, Stream, demux_fault, read_fault};
use super::flac::{audio_track, channel_mask};
use super::reader::{Container, Format, Spec};

const PAGE_HEADER: usize = 27;
const FIRST_PAGE: u8 = 2;
const LAST_PAGE: u8 = 4;

struct Vorbis {
    spec: Spec,
}

/// Checks the pages of an Ogg file of `length` bytes.
pub(super) fn survey(
    file: &File,
    length: u64,
    warnings: &mut Vec<String>,
) -> Result<Box<dyn Container>> {
    let surplus = check_pages(file, length)?;
    if surplus > 0 {
        warnings.push(format!(
            "{surplus} bytes after the last Ogg page are left out"
        ));
    }
    let mut file = file.try_clone().map_err(|e| read_fault(e, "itself"))?;
    file.rewind().map_err(|e| read_fault(e, "itself"))?;
    let demuxer = demuxer(file)?;
    let (track, params) = audio_track(demuxer.as_ref())?;
    let channels = params.channels.as_ref();
    let spec = Spec {
        sample_rate: params.sample_rate.unwrap_or(0),
        channels: channels.map_or(0, |channels| channels.count()),
        channel_mask: channels.and_then(channel_mask),
        frames: track.num_frames.filter(|_| starts_at_zero(track)),
        bits: None,
        float: true,
        format: Format::Vorbis,
    };
    if spec.sample_rate == 0 || spec.channels == 0 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "damaged: the Vorbis header gives {} channels at {} Hz",
                spec.channels, spec.sample_rate
            ),
        ));
    }
    if spec.frames.is_none() {
        warnings
            .push("the stream does not start at its first frame: its length is unknown".to_owned());
    }
    Ok(Box::new(Vorbis { spec }))
}

impl Container for Vorbis {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn start(&self, file: File) -> Result<Box<dyn Frames>> {
        let demuxer = demuxer(file)?;
        let (_, params) = audio_track(demuxer.as_ref())?;
        let params = params.clone();
        let packets = Demuxed {
            demuxer,
            declared: self.spec.frames,
            contiguous: false,
            demuxed: 0,
        };
        Ok(Box::new(Stream::new(
            Box::new(packets),
            &params,
            &self.spec,
        )?))
    }
}

/// Whether the first frame after the decoder's delay has the time 0. It has not where the stream
/// was cut out of a longer one, and then the time of the last frame is no length.
fn starts_at_zero(track: &Track) -> bool {
    track.start_ts.get() == -i64::from(track.delay.unwrap_or(0))
}

fn demuxer(file: File) -> Result<Box<dyn FormatReader>> {
    let source = MediaSourceStream::new(Box::new(file), Default::default());
    let reader = OggReader::try_new(source, Default::default()).map_err(demux_fault)?;
    Ok(Box::new(reader))
}

/// Checks each page's checksum, that none is missing, and that the last is marked as such.
/// Returns how many bytes follow that.
fn check_pages(file: &File, length: u64) -> Result<u64> {
    let mut input = BufReader::new(file);
    input.rewind().map_err(|e| read_fault(e, "itself"))?;
    let (mut at, mut serial, mut pages) = (0, 0, 0_u32);
    while at < length {
        let page = Page::read(&mut input, at)?;
        if pages == 0 {
            check_codec(&page.body)?;
            serial = page.serial;
        } else if page.serial != serial || page.flags & FIRST_PAGE != 0 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "an Ogg file with several streams",
            ));
        }
        if page.sequence != pages {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "damaged: Ogg page {} follows page {}",
                    page.sequence,
                    i64::from(pages) - 1
                ),
            ));
        }
        pages = pages.saturating_add(1);
        at += page.bytes;
        if page.flags & LAST_PAGE != 0 {
            return after_last_page(&mut input, length - at);
        }
    }
    Err(Error::new(
        ErrorKind::Corrupt,
        format!("truncated: the file ends after Ogg page {pages}, which is not marked as the last"),
    ))
}

fn after_last_page(input: &mut impl Read, left: u64) -> Result<u64> {
    let mut magic = Vec::new();
    input
        .take(4)
        .read_to_end(&mut magic)
        .map_err(|e| read_fault(e, "an Ogg page"))?;
    if magic == b"OggS" {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "an Ogg file with several streams one after the other",
        ));
    }
    Ok(left)
}

fn check_codec(first_page: &[u8]) -> Result<()> {
    const VORBIS: &[u8] = b"\x01vorbis";
    if let Some(header) = first_page.strip_prefix(VORBIS) {
        // A version of four bytes, then the number of channels (Vorbis I, section 4.2.2).
        return match header.get(4) {
            Some(channels @ 3..) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("Ogg Vorbis with {channels} channels; mono and stereo are"),
            )),
            _ => Ok(()),
        };
    }
    let codec = match first_page {
        [b'O', b'p', b'u', b's', ..] => "Opus",
        [0x7f, b'F', b'L', b'A', b'C', ..] => "FLAC",
        [b'S', b'p', b'e', b'e', b'x', ..] => "Speex",
        [0x80, b't', b'h', b'e', b'o', b'r', b'a', ..] => "Theora",
        _ => "an unknown codec",
    };
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("{codec} in an Ogg file; Vorbis is"),
    ))
}

struct Page {
    flags: u8,
    serial: u32,
    sequence: u32,
    body: Vec<u8>,
    /// Bytes with the header.
    bytes: u64,
}

impl Page {
    fn read(input: &mut impl Read, at: u64) -> Result<Self> {
        let mut header = [0; PAGE_HEADER];
        fill(input, &mut header)?;
        if &header[..4] != b"OggS" || header[4] != 0 {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("damaged: no Ogg page starts at byte {at}"),
            ));
        }
        let word = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (serial, sequence, checksum) = (word(14), word(18), word(22));
        let mut segments = vec![0; usize::from(header[26])];
        fill(input, &mut segments)?;
        let mut body = vec![0; segments.iter().map(|length| usize::from(*length)).sum()];
        fill(input, &mut body)?;

        // The checksum covers the page with zeros in its own place.
        header[22..26].fill(0);
        let mut crc = Crc32::new(0);
        crc.process_buf_bytes(&header);
        crc.process_buf_bytes(&segments);
        crc.process_buf_bytes(&body);
        if crc.crc() != checksum {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("damaged: the checksum of the Ogg page at byte {at} is wrong"),
            ));
        }
        Ok(Self {
            flags: header[5],
            serial,
            sequence,
            bytes: (PAGE_HEADER + segments.len() + body.len()) as u64,
            body,
        })
    }
}

fn fill(input: &mut impl Read, bytes: &mut [u8]) -> Result<()> {
    input
        .read_exact(bytes)
        .map_err(|e| read_fault(e, "an Ogg page"))
}
