//! WAV files, and their forms for more than 4 GiB, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088): the
//! chunk headers are checked here against the file's true length.
//!
//! symphonia's demuxer takes zero channels for an unknown format, ends quietly where the data
//! does, and refuses the headers that programs write into pipes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use auralis_core::{Error, ErrorKind, Result};

use super::MAX_CHANNELS;
use super::decode::{Frames, no_audio, read_fault, truncated};
use super::pcm::{Sample, Samples};
use super::reader::{Container, Format, Spec};

/// No real file has as many; a hostile one shall not keep us busy.
const MAX_CHUNKS: usize = 4096;
/// A size that is not known, or that the `ds64` chunk of a wide file tells.
const UNKNOWN: u64 = u32::MAX as u64;
/// What SoX writes as the length of data that it pipes.
const UNKNOWN_SOX: u64 = 0x7fff_f000;

pub(super) const PCM: u16 = 1;
pub(super) const FLOAT: u16 = 3;
pub(super) const EXTENSIBLE: u16 = 0xfffe;
/// What follows the two bytes of the format tag in a `KSDATAFORMAT_SUBTYPE` (Windows SDK, mmreg.h).
pub(super) const SUBTYPE_TAIL: [u8; 14] = [
    0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71,
];

struct Wave {
    spec: Spec,
    sample: Sample,
    data: Range<u64>,
    frame_bytes: u64,
}

/// The audio format that a `fmt ` chunk describes.
struct Encoding {
    sample_rate: u32,
    channels: usize,
    channel_mask: Option<u32>,
    bits: u32,
    float: bool,
    sample: Sample,
    frame_bytes: u64,
}

struct Chunk {
    id: [u8; 4],
    size: u64,
    /// Where its contents start.
    at: u64,
}

/// The sizes that do not fit into the 32 bits of their headers: what a `ds64` chunk holds.
struct WideSizes {
    riff: u64,
    data: u64,
    others: Vec<([u8; 4], u64)>,
}

impl WideSizes {
    /// Of a chunk that says its size elsewhere.
    fn of(&self, id: [u8; 4]) -> u64 {
        let other = || self.others.iter().find(|(other, _)| *other == id);
        match &id {
            b"data" => self.data,
            _ => other().map_or(UNKNOWN, |(_, size)| *size),
        }
    }

    /// Reads the chunk, which comes first in a wide file.
    fn read(mut file: &File, at: u64) -> Result<Self> {
        const FIXED: u64 = 28;
        const ENTRY: u64 = 12;
        let chunk = read_chunk(file, at, None)?;
        if &chunk.id != b"ds64" || chunk.size < FIXED {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "damaged: \"{}\" with {} bytes is the first chunk; in a file for more than 4 GiB it \
                     is \"ds64\" with {FIXED} or more",
                    chunk.id.escape_ascii(),
                    chunk.size
                ),
            ));
        }
        let what = "its \"ds64\" chunk";
        let fixed: [u8; FIXED as usize] = read(&mut file, chunk.at, what)?;
        // The count of samples, at 16, follows from the data.
        let entries = u64::from(le32(&fixed, 24));
        if entries > MAX_CHUNKS as u64 || entries * ENTRY > chunk.size - FIXED {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "damaged: a \"ds64\" chunk of {} bytes with {entries} entries",
                    chunk.size
                ),
            ));
        }
        let mut others = Vec::new();
        for entry in 0..entries {
            let entry: [u8; ENTRY as usize] =
                read(&mut file, chunk.at + FIXED + entry * ENTRY, what)?;
            others.push(([entry[0], entry[1], entry[2], entry[3]], le64(&entry, 4)));
        }
        Ok(Self {
            riff: le64(&fixed, 0),
            data: le64(&fixed, 8),
            others,
        })
    }
}

/// Checks the chunks of a RIFF, RF64 or BW64 file of `length` bytes.
pub(super) fn survey(
    mut file: &File,
    length: u64,
    warnings: &mut Vec<String>,
) -> Result<Box<dyn Container>> {
    let header: [u8; 12] = read(&mut file, 0, "its RIFF header")?;
    if &header[8..] != b"WAVE" {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "a RIFF file of type \"{}\"; WAVE is",
                header[8..].escape_ascii()
            ),
        ));
    }
    let wide = match &header[..4] {
        b"RIFF" => None,
        _ => Some(WideSizes::read(file, 12)?),
    };
    let riff_size = match (u64::from(le32(&header, 4)), &wide) {
        (UNKNOWN, Some(wide)) => wide.riff,
        (size, _) => size,
    };
    let mut encoding = None;
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        if at == length {
            let absent = if encoding.is_none() { "fmt " } else { "data" };
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!("truncated: the file ends before its \"{absent}\" chunk"),
            ));
        }
        let chunk = read_chunk(file, at, wide.as_ref())?;
        match &chunk.id {
            b"fmt " if encoding.is_none() => encoding = Some(read_encoding(file, &chunk)?),
            b"data" => {
                let encoding = encoding.ok_or_else(|| {
                    Error::new(
                        ErrorKind::Corrupt,
                        "damaged: no \"fmt \" chunk before the data",
                    )
                })?;
                let wave = Wave::new(encoding, riff_size, &chunk, length, warnings)?;
                return Ok(Box::new(wave));
            }
            _ => {}
        }
        at = chunk.end_padded();
        if at > length {
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "truncated: the \"{}\" chunk promises {} bytes, the file ends after {}",
                    chunk.id.escape_ascii(),
                    chunk.size,
                    length - chunk.at
                ),
            ));
        }
    }
    Err(Error::new(
        ErrorKind::Corrupt,
        format!("damaged: no \"data\" chunk among the first {MAX_CHUNKS} chunks"),
    ))
}

impl Wave {
    fn new(
        encoding: Encoding,
        riff_size: u64,
        data: &Chunk,
        length: u64,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let there = length - data.at;
        let piped = is_piped(riff_size, data.size);
        let size = if piped { there } else { data.size };
        let whole = size - size % encoding.frame_bytes;
        let frames = whole / encoding.frame_bytes;
        if size > there {
            return Err(truncated(Some(frames), there / encoding.frame_bytes));
        }
        if frames == 0 {
            return Err(no_audio());
        }
        if piped {
            warnings.push(
                "the WAV header was written before the length was known: the length can't be \
                 verified"
                    .to_owned(),
            );
        } else {
            check_riff_size(riff_size, data, length, warnings)?;
        }
        if whole < size {
            warnings.push(format!(
                "the last {} bytes of data are no whole frame and are left out",
                size - whole
            ));
        }
        Ok(Self {
            spec: Spec {
                sample_rate: encoding.sample_rate,
                channels: encoding.channels,
                channel_mask: encoding.channel_mask,
                frames: (!piped).then_some(frames),
                bits: Some(encoding.bits),
                float: encoding.float,
                format: Format::Wav,
            },
            sample: encoding.sample,
            data: data.at..data.at + whole,
            frame_bytes: encoding.frame_bytes,
        })
    }
}

/// Whether the sizes are those that a program writes which can't go back to correct them.
fn is_piped(riff_size: u64, data_size: u64) -> bool {
    let unpatched = |size| size == 0 || size == UNKNOWN;
    (unpatched(riff_size) && unpatched(data_size)) || data_size == UNKNOWN_SOX
}

/// The data is whole; is all that the RIFF chunk promises after it?
fn check_riff_size(
    riff_size: u64,
    data: &Chunk,
    length: u64,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let data_end = data.at + data.size;
    let riff_end = riff_size.saturating_add(8);
    if riff_size == 0 || riff_size == UNKNOWN {
        warnings.push("the RIFF header gives no length; that of the data is right".to_owned());
        return Ok(());
    }
    if riff_end < data_end {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "damaged: the data reaches byte {data_end}, past the RIFF chunk's end at {riff_end}"
            ),
        ));
    }
    let pad_missing = data.size % 2 == 1 && length == data_end && riff_end == data_end + 1;
    if length < riff_end && !pad_missing {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "truncated: the RIFF header promises {riff_end} bytes, the file ends after {length}"
            ),
        ));
    }
    let surplus = length.saturating_sub(riff_end.max(data.end_padded()));
    if surplus > 0 {
        warnings.push(format!("{surplus} bytes after the RIFF chunk are left out"));
    }
    Ok(())
}

impl Container for Wave {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn start(&self, mut file: File) -> Result<Box<dyn Frames>> {
        file.seek(SeekFrom::Start(self.data.start))
            .map_err(|e| read_fault(e, "its data"))?;
        let frames = (self.data.end - self.data.start) / self.frame_bytes;
        Ok(Box::new(Samples::new(
            file,
            self.sample,
            self.spec.channels,
            frames,
        )))
    }
}

impl Chunk {
    /// Where the next one starts.
    fn end_padded(&self) -> u64 {
        self.at
            .saturating_add(self.size)
            .saturating_add(self.size % 2)
    }
}

fn read_chunk(mut file: &File, at: u64, wide: Option<&WideSizes>) -> Result<Chunk> {
    let header: [u8; 8] = read(&mut file, at, "a chunk header")?;
    let id = [header[0], header[1], header[2], header[3]];
    let size = match (u64::from(le32(&header, 4)), wide) {
        (UNKNOWN, Some(wide)) => wide.of(id),
        (size, _) => size,
    };
    Ok(Chunk {
        id,
        size,
        at: at + 8,
    })
}

fn read_encoding(mut file: &File, chunk: &Chunk) -> Result<Encoding> {
    if chunk.size < 16 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "damaged: a \"fmt \" chunk of {} bytes; it has at least 16",
                chunk.size
            ),
        ));
    }
    let fields: [u8; 16] = read(&mut file, chunk.at, "its \"fmt \" chunk")?;
    let (mut tag, mut channel_mask) = (le16(&fields, 0), None);
    let (channels, sample_rate) = (usize::from(le16(&fields, 2)), le32(&fields, 4));
    let (block_align, container_bits) = (le16(&fields, 12), le16(&fields, 14));
    let mut bits = container_bits;
    if tag == EXTENSIBLE && chunk.size >= 40 {
        let extension: [u8; 24] = read(&mut file, chunk.at + 16, "its \"fmt \" chunk")?;
        let valid_bits = le16(&extension, 2);
        if (1..=container_bits).contains(&valid_bits) {
            bits = valid_bits;
        }
        channel_mask = Some(le32(&extension, 4)).filter(|mask| *mask != 0);
        if extension[10..] == SUBTYPE_TAIL {
            tag = le16(&extension, 8);
        }
    }
    let sample = sample_format(tag, container_bits)?;
    check_counts(channels, sample_rate)?;
    let frame_bytes = u64::from(container_bits / 8) * channels as u64;
    if u64::from(block_align) != frame_bytes {
        return Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "damaged: frames of {block_align} bytes for {channels} channels of \
                 {container_bits} bits, which take {frame_bytes}"
            ),
        ));
    }
    Ok(Encoding {
        sample_rate,
        channels,
        channel_mask,
        bits: u32::from(bits),
        float: tag == FLOAT,
        sample,
        frame_bytes,
    })
}

fn sample_format(tag: u16, bits: u16) -> Result<Sample> {
    let unsupported = |what: String| Err(Error::new(ErrorKind::Unsupported, what));
    match (tag, bits) {
        (PCM, 8) => Ok(Sample::U8),
        (PCM, 16) => Ok(Sample::I16),
        (PCM, 24) => Ok(Sample::I24),
        (PCM, 32) => Ok(Sample::I32),
        (FLOAT, 32) => Ok(Sample::F32),
        (FLOAT, 64) => Ok(Sample::F64),
        (PCM, _) => unsupported(format!("{bits} bits per sample; 8, 16, 24 and 32 are")),
        (FLOAT, _) => unsupported(format!("{bits} bits per float sample; 32 and 64 are")),
        _ => unsupported(format!(
            "the codec {} in a WAV file; integer and float samples are",
            codec_name(tag)
        )),
    }
}

/// Names of format tags, from the Windows SDK's mmreg.h.
fn codec_name(tag: u16) -> String {
    match tag {
        0x0002 => "Microsoft ADPCM".to_owned(),
        0x0006 => "A-law".to_owned(),
        0x0007 => "mu-law".to_owned(),
        0x0011 => "IMA ADPCM".to_owned(),
        0x0050 => "MPEG layer 1 or 2".to_owned(),
        0x0055 => "MP3".to_owned(),
        0x00ff => "AAC".to_owned(),
        _ => format!("with the tag {tag:#06x}"),
    }
}

fn check_counts(channels: usize, sample_rate: u32) -> Result<()> {
    if channels == 0 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            "damaged: the header gives zero channels",
        ));
    }
    if channels > MAX_CHANNELS {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("{channels} channels; up to {MAX_CHANNELS} are"),
        ));
    }
    if sample_rate == 0 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            "damaged: the header gives a sample rate of 0 Hz",
        ));
    }
    Ok(())
}

fn read<const N: usize>(file: &mut (impl Read + Seek), at: u64, what: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|e| read_fault(e, what))?;
    Ok(bytes)
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    u64::from(le32(bytes, at)) | u64::from(le32(bytes, at + 4)) << 32
}
