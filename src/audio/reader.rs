//! The file that is read: opened, checked, decoded, and decoded again.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use auralis_core::{Error, ErrorKind, Result};

use super::decode::{Frames, cut_short, read_fault};
use super::{flac, mpeg, ogg, riff, tags};

/// A file format that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// RIFF WAVE with integer or float samples.
    Wav,
    /// FLAC in its own container.
    Flac,
    /// MPEG 1, 2 or 2.5 layer III.
    Mp3,
    /// Vorbis in an Ogg container.
    Vorbis,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wav => "WAV",
            Self::Flac => "FLAC",
            Self::Mp3 => "MP3",
            Self::Vorbis => "Ogg Vorbis",
        })
    }
}

/// What an open file says about its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame, 1 to [`MAX_CHANNELS`](super::MAX_CHANNELS).
    pub channels: usize,
    /// The speaker of each channel as the bits of a `WAVEFORMATEXTENSIBLE` channel mask, where
    /// the file says so.
    pub channel_mask: Option<u32>,
    /// The length, where the file gives one; reading the file to its end checks it.
    pub frames: Option<u64>,
    /// Bits per sample; `None` for MP3 and Vorbis, which have none.
    pub bits: Option<u32>,
    /// Whether the samples are floating point in the file.
    pub float: bool,
    /// The format that the file's first bytes show, whatever its name.
    pub format: Format,
}

/// A file whose structure was checked: what it holds, and how to decode it from its start.
pub(super) trait Container: Send {
    /// What the file says about its audio.
    fn spec(&self) -> &Spec;

    /// Starts decoding at the first frame.
    fn start(&self, file: File) -> Result<Box<dyn Frames>>;
}

/// Decodes a file block by block into planes of `f32`, full scale being 1.0.
///
/// Integers convert exactly: 16-bit samples are divided by 2^15, 24-bit by 2^23, 32-bit by 2^31;
/// 8-bit WAV is `(x - 128) / 128`. Floats, NaN and infinity included, are passed on. The encoder's
/// delay and padding are trimmed where MP3 and Vorbis files give them.
///
/// ```no_run
/// use auralis::audio::Reader;
///
/// let mut reader = Reader::open("song.flac".as_ref())?;
/// let mut planes = vec![vec![0.0; 4096]; reader.spec().channels];
/// loop {
///     let mut block: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
///     let frames = reader.read(&mut block)?;
///     if frames == 0 {
///         break;
///     }
/// }
/// # Ok::<(), auralis_core::Error>(())
/// ```
pub struct Reader {
    file: File,
    container: Box<dyn Container>,
    warnings: Vec<String>,
    /// `None` after an error, until the next rewind.
    stream: Option<Box<dyn Frames>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("spec", self.spec())
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a file, finds out its format from its contents, and checks its structure.
    ///
    /// # Errors
    ///
    /// `NotFound` where nothing has that name, `Io` where it can't be read, `InvalidInput` where
    /// it is no regular file, `Unsupported` for another format or codec, `Corrupt` where it is
    /// empty, damaged or cut short. The error's context names the file.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_file(path).map_err(|error| error.with("file", path.display()))
    }

    fn open_file(path: &Path) -> Result<Self> {
        let (file, length) = open_regular(path)?;
        let mut warnings = Vec::new();
        let container = contained(|| survey(&file, length, &mut warnings))?;
        let mut reader = Self {
            file,
            container,
            warnings,
            stream: None,
        };
        reader.rewind()?;
        Ok(reader)
    }

    /// What the file says about its audio.
    pub fn spec(&self) -> &Spec {
        self.container.spec()
    }

    /// What could not be verified, or was left out because it is not audio.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Decodes the next frames into `planes`: one per channel, all of one length, which is filled
    /// completely except at the end of the file. Returns the number of frames, 0 at the end.
    ///
    /// A file is proven whole only when `read` has returned 0.
    ///
    /// # Errors
    ///
    /// `InvalidInput` where `planes` don't fit the file; `Corrupt` where the file is damaged or
    /// ends early, at the latest when its end is reached; `Io` where it can't be read. After an
    /// error only [`rewind`](Self::rewind) helps.
    pub fn read(&mut self, planes: &mut [&mut [f32]]) -> Result<usize> {
        let channels = self.spec().channels;
        let length = planes.first().map_or(0, |plane| plane.len());
        if planes.len() != channels || planes.iter().any(|plane| plane.len() != length) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("a read needs {channels} planes of one length"),
            ));
        }
        let mut stream = self.stream.take().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidInput,
                "reading stopped at an error before",
            )
        })?;
        let frames = contained(|| stream.read(planes))?;
        self.stream = Some(stream);
        Ok(frames)
    }

    /// Goes back to the first frame. The second pass decodes exactly the frames of the first.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), where the file has changed since.
    pub fn rewind(&mut self) -> Result<()> {
        self.stream = None;
        let mut file = self.file.try_clone().map_err(|e| read_fault(e, "itself"))?;
        file.rewind().map_err(|e| read_fault(e, "itself"))?;
        self.stream = Some(contained(|| self.container.start(file))?);
        Ok(())
    }
}

fn open_regular(path: &Path) -> Result<(File, u64)> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, "no such file"),
        _ => Error::new(ErrorKind::Io, "can't open the file").because(error),
    })?;
    let metadata = file.metadata().map_err(|e| read_fault(e, "itself"))?;
    if metadata.is_dir() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "this is a folder, not an audio file",
        ));
    }
    if !metadata.is_file() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "this is not a regular file",
        ));
    }
    Ok((file, metadata.len()))
}

/// Finds out what a file is and checks its structure.
fn survey(file: &File, length: u64, warnings: &mut Vec<String>) -> Result<Box<dyn Container>> {
    if length == 0 {
        return Err(Error::new(ErrorKind::Corrupt, "the file is empty"));
    }
    if length < 4 {
        return Err(cut_short("its first four bytes"));
    }
    match &magic(file, 0)? {
        b"RIFF" | b"RF64" | b"BW64" => return riff::survey(file, length, warnings),
        b"OggS" => return ogg::survey(file, length, warnings),
        b"RIFX" => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "RIFX files; WAV, FLAC, MP3 and Ogg Vorbis are",
            ));
        }
        _ => {}
    }
    let audio = tags::audio_range(file, length)?;
    if &magic(file, audio.start)? == b"fLaC" {
        return flac::survey(file, audio, warnings);
    }
    match mpeg::survey(file, audio, warnings)? {
        Some(container) => Ok(container),
        None => Err(unrecognised(file)),
    }
}

fn magic(mut file: &File, at: u64) -> Result<[u8; 4]> {
    let mut bytes = [0; 4];
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|e| read_fault(e, "its first bytes"))?;
    Ok(bytes)
}

fn unrecognised(file: &File) -> Error {
    let starts = magic(file, 0).unwrap_or_default();
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "a file that starts with \"{}\"; WAV, FLAC, MP3 and Ogg Vorbis are",
            starts.escape_ascii()
        ),
    )
}

/// Runs code that parses outside input, and turns a panic in it into an error: symphonia 0.6.1
/// fails assertions on some hostile Vorbis headers.
fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Corrupt,
            "damaged: the decoder gave up on the file",
        ))
    })
}
