//! A part of a file that looks like a whole file to a demuxer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::io::MediaSource;

/// The bytes `range` of a file.
pub(super) struct Window {
    file: File,
    range: Range<u64>,
    /// The position within the range.
    at: u64,
}

impl Window {
    /// A window on `range` of `file`, at its start.
    pub(super) fn new(mut file: File, range: Range<u64>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(range.start))?;
        Ok(Self { file, range, at: 0 })
    }

    fn length(&self) -> u64 {
        self.range.end - self.range.start
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length().saturating_sub(self.at);
        let wanted = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.file.read(&mut buffer[..wanted])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.length().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        let absolute = self
            .range
            .start
            .checked_add(at)
            .ok_or(io::ErrorKind::InvalidInput)?;
        self.file.seek(SeekFrom::Start(absolute))?;
        self.at = at;
        Ok(at)
    }
}

impl MediaSource for Window {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length())
    }
}
