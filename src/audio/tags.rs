//! Tags around the audio of MP3 and some FLAC files: ID3v2 before it, APEv2 and ID3v1 after it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use auralis_core::Result;

use super::decode::{cut_short, read_fault};

/// The bytes of a file of `length` bytes that are not tags.
///
/// Layouts: id3.org, "ID3 tag version 2.4.0", section 3.1; "APE Tags Header" of the APEv2
/// specification; an ID3v1 tag is the last 128 bytes.
pub(super) fn audio_range(file: &File, length: u64) -> Result<Range<u64>> {
    let mut start = 0;
    while let Some(tag) = id3v2_length(file, start, length)? {
        start += tag;
        if start >= length {
            return Err(cut_short("its ID3 tag"));
        }
    }
    let mut end = length;
    if starts_with(file, end.checked_sub(128), start, b"TAG")? {
        end -= 128;
    }
    if let Some(tag) = apev2_length(file, start, end)? {
        end -= tag;
    }
    Ok(start..end)
}

fn id3v2_length(file: &File, at: u64, length: u64) -> Result<Option<u64>> {
    if length - at < 10 {
        return Ok(None);
    }
    let header: [u8; 10] = read_at(file, at)?;
    let size = &header[6..10];
    if &header[..3] != b"ID3" || size.iter().any(|byte| byte & 0x80 != 0) {
        return Ok(None);
    }
    let body = size.iter().fold(0, |sum, byte| sum << 7 | u64::from(*byte));
    let footer = if header[5] & 0x10 != 0 { 10 } else { 0 };
    Ok(Some(10 + body + footer))
}

fn apev2_length(file: &File, start: u64, end: u64) -> Result<Option<u64>> {
    let footer_at = end.checked_sub(32);
    if !starts_with(file, footer_at, start, b"APETAGEX")? {
        return Ok(None);
    }
    let footer: [u8; 32] = read_at(file, end - 32)?;
    let word = |at: usize| {
        u32::from_le_bytes([footer[at], footer[at + 1], footer[at + 2], footer[at + 3]])
    };
    let header = if word(20) & 0x8000_0000 != 0 { 32 } else { 0 };
    let size = u64::from(word(12)) + header;
    Ok((size >= 32 && size <= end - start).then_some(size))
}

fn starts_with<const N: usize>(
    file: &File,
    at: Option<u64>,
    start: u64,
    magic: &[u8; N],
) -> Result<bool> {
    match at {
        Some(at) if at >= start => Ok(&read_at::<N>(file, at)? == magic),
        _ => Ok(false),
    }
}

fn read_at<const N: usize>(mut file: &File, at: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|e| read_fault(e, "its tags"))?;
    Ok(bytes)
}
