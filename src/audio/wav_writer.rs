//! Writing WAV: a header that fits the samples, and sizes that are right at the end.
//!
//! Which header: "Multiple Channel Audio Data and WAVE Files" (Microsoft) asks for
//! `WAVE_FORMAT_EXTENSIBLE` for more than two channels and more than 16 bits; other than PCM
//! needs a `fact` chunk ("New Multimedia Data Types and Data Techniques", 1994).

use std::fs::File;
use std::io::{BufWriter, Seek, Write};

use auralis_core::{Error, ErrorKind, Result};
use blake3::Hasher;

use super::part_file::write_fault;
use super::riff::{EXTENSIBLE, FLOAT, PCM, SUBTYPE_TAIL};
use super::writer::{OutputSpec, SampleFormat};

/// A WAV file being written.
pub(super) struct WavWriter {
    file: BufWriter<File>,
    spec: OutputSpec,
    data_bytes: u64,
    /// Hashes what is written, if asked to and where the header is right from the start.
    hasher: Option<Hasher>,
}

impl WavWriter {
    /// Starts a WAV file with its header.
    pub(super) fn new(file: File, spec: &OutputSpec) -> Result<Self> {
        let frame_bytes = spec.frame_bytes() as u64;
        let known = match spec.frames {
            Some(frames) => Some(frames.checked_mul(frame_bytes).ok_or_else(too_long)?),
            None => None,
        };
        let header = header(spec, known.unwrap_or(0))?;
        let mut writer = Self {
            file: BufWriter::with_capacity(1 << 16, file),
            spec: spec.clone(),
            data_bytes: 0,
            hasher: known.filter(|_| spec.digest).map(|_| Hasher::new()),
        };
        writer.put(&header)?;
        Ok(writer)
    }

    /// Appends interleaved little-endian samples.
    pub(super) fn write(&mut self, samples: &[u8]) -> Result<()> {
        self.data_bytes += samples.len() as u64;
        if self.spec.frames.is_none() {
            header(&self.spec, self.data_bytes)?;
        }
        self.put(samples)
    }

    /// Completes the file. Returns its digest, where it was hashed on the way.
    pub(super) fn finish(mut self) -> Result<Option<[u8; 32]>> {
        if self.data_bytes % 2 == 1 {
            self.put(&[0])?;
        }
        if self.spec.frames.is_none() {
            let header = header(&self.spec, self.data_bytes)?;
            self.file.rewind().map_err(write_fault)?;
            self.put(&header)?;
        }
        self.file.flush().map_err(write_fault)?;
        Ok(self.hasher.map(|hasher| hasher.finalize().into()))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.file.write_all(bytes).map_err(write_fault)
    }
}

/// The bytes before the samples, for `data_bytes` of them.
fn header(spec: &OutputSpec, data_bytes: u64) -> Result<Vec<u8>> {
    let mut chunks = format_chunk(spec);
    let frame_bytes = spec.frame_bytes() as u64;
    // A size of 2^32 - 1 says that the length is unknown.
    let data_size = u32::try_from(data_bytes)
        .ok()
        .filter(|size| *size < u32::MAX)
        .ok_or_else(too_long)?;
    if spec.sample == SampleFormat::Float32 {
        chunks.extend(b"fact");
        chunks.extend(4_u32.to_le_bytes());
        chunks.extend(((data_bytes / frame_bytes) as u32).to_le_bytes());
    }
    chunks.extend(b"data");
    chunks.extend(data_size.to_le_bytes());
    let riff_size = u32::try_from(4 + chunks.len() as u64 + data_bytes + data_bytes % 2)
        .ok()
        .filter(|size| *size < u32::MAX)
        .ok_or_else(too_long)?;
    let mut header = Vec::with_capacity(12 + chunks.len());
    header.extend(b"RIFF");
    header.extend(riff_size.to_le_bytes());
    header.extend(b"WAVE");
    header.append(&mut chunks);
    Ok(header)
}

fn format_chunk(spec: &OutputSpec) -> Vec<u8> {
    let (bits, tag) = match spec.sample {
        SampleFormat::Int16 => (16_u16, PCM),
        SampleFormat::Int24 => (24, PCM),
        SampleFormat::Float32 => (32, FLOAT),
    };
    let usual_mask = match spec.channels {
        1 => 0x4,
        2 => 0x3,
        _ => 0,
    };
    let mask = spec.channel_mask.unwrap_or(usual_mask);
    let extensible = mask != usual_mask || spec.channels > 2 || spec.sample == SampleFormat::Int24;
    let size: u32 = match (extensible, tag) {
        (true, _) => 40,
        (false, PCM) => 16,
        (false, _) => 18,
    };
    // The counts are checked when the writer is created.
    let (channels, frame_bytes) = (spec.channels as u16, spec.frame_bytes() as u16);
    let mut chunk = Vec::with_capacity(8 + 40);
    chunk.extend(b"fmt ");
    chunk.extend(size.to_le_bytes());
    chunk.extend(if extensible { EXTENSIBLE } else { tag }.to_le_bytes());
    chunk.extend(channels.to_le_bytes());
    chunk.extend(spec.sample_rate.to_le_bytes());
    chunk.extend(
        spec.sample_rate
            .saturating_mul(u32::from(frame_bytes))
            .to_le_bytes(),
    );
    chunk.extend(frame_bytes.to_le_bytes());
    chunk.extend(bits.to_le_bytes());
    if size > 16 {
        chunk.extend((size as u16 - 18).to_le_bytes());
    }
    if extensible {
        chunk.extend(bits.to_le_bytes());
        chunk.extend(mask.to_le_bytes());
        chunk.extend(tag.to_le_bytes());
        chunk.extend(SUBTYPE_TAIL);
    }
    chunk
}

fn too_long() -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "the audio is too long for WAV, which ends at 4 GiB; FLAC can hold it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::OutputFormat;

    #[test]
    fn a_wav_ends_below_4_gib() {
        for (sample, header_bytes) in [(SampleFormat::Int16, 44), (SampleFormat::Float32, 58)] {
            let spec = OutputSpec {
                sample_rate: 48_000,
                channels: 1,
                channel_mask: None,
                format: OutputFormat::Wav,
                sample,
                frames: None,
                digest: false,
            };
            // The RIFF size counts all but its own eight bytes,
            // and all ones means unknown.
            let most = u64::from(u32::MAX) - 1 - (header_bytes - 8);
            assert_eq!(header(&spec, most).unwrap().len() as u64, header_bytes);
            let error = header(&spec, most + 1).unwrap_err();
            assert!(error.message().contains("FLAC can hold it"), "{error}");
            assert!(header(&spec, u64::from(u32::MAX) + 10).is_err());
        }
    }
}
