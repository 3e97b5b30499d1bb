//! The file that is written: WAV or FLAC, under its name only when it is whole.

use std::fmt;
use std::path::Path;

use auralis_core::{Error, ErrorKind, Result};

use super::MAX_CHANNELS;
use super::flac_writer::FlacWriter;
use super::part_file::PartFile;
use super::wav_writer::WavWriter;

/// A file format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// RIFF WAVE: every sample format, up to 4 GiB.
    Wav,
    /// FLAC: integer samples, up to 8 channels.
    Flac,
}

impl OutputFormat {
    /// The usual extension of such a file.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
        }
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wav => "WAV",
            Self::Flac => "FLAC",
        })
    }
}

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleFormat {
    /// 16-bit integers.
    Int16,
    /// 24-bit integers.
    Int24,
    /// 32-bit floats.
    Float32,
}

impl SampleFormat {
    /// Bytes per sample in the file.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Int16 => 2,
            Self::Int24 => 3,
            Self::Float32 => 4,
        }
    }
}

impl fmt::Display for SampleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int16 => "16-bit integer",
            Self::Int24 => "24-bit integer",
            Self::Float32 => "32-bit float",
        })
    }
}

/// What a [`Writer`] shall make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples per frame: 1 to [`MAX_CHANNELS`], for FLAC 1 to 8.
    pub channels: usize,
    /// The speaker of each channel as the bits of a `WAVEFORMATEXTENSIBLE` channel mask; `None`
    /// for the usual ones of mono and stereo, and for no statement about more channels in WAV.
    pub channel_mask: Option<u32>,
    /// The file format.
    pub format: OutputFormat,
    /// How samples are written.
    pub sample: SampleFormat,
    /// The length, where it is known: too long a WAV is refused before anything is written, and
    /// a digest needs no reading back.
    pub frames: Option<u64>,
    /// Whether to take the digest of the file.
    pub digest: bool,
}

impl OutputSpec {
    /// Bytes per frame, uncompressed.
    pub(super) fn frame_bytes(&self) -> usize {
        self.channels * self.sample.bytes()
    }

    fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::new(ErrorKind::InvalidInput, message));
        let (name, most_channels) = match self.format {
            OutputFormat::Wav => ("WAV", MAX_CHANNELS),
            OutputFormat::Flac => ("FLAC", 8),
        };
        if !(1..=most_channels).contains(&self.channels) {
            return refuse(format!(
                "{} channels can't be written to {name}, which takes 1 to {most_channels}",
                self.channels
            ));
        }
        if self.format == OutputFormat::Flac && self.sample == SampleFormat::Float32 {
            return refuse(
                "FLAC can't hold floats; it holds 16-bit and 24-bit integers, WAV holds floats"
                    .to_owned(),
            );
        }
        let most_hertz = match self.format {
            OutputFormat::Wav => u32::MAX,
            OutputFormat::Flac => (1 << 20) - 1,
        };
        if !(1..=most_hertz).contains(&self.sample_rate) {
            return refuse(format!(
                "a sample rate of {} Hz can't be written to {name}, which takes 1 to {most_hertz}",
                self.sample_rate
            ));
        }
        match self.channel_mask {
            Some(mask) if mask.count_ones() as usize > self.channels => refuse(format!(
                "the channel mask {mask:#x} names more speakers than there are channels: {}",
                self.channels
            )),
            _ => Ok(()),
        }
    }
}

/// What a [`Writer`] has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The length of the file.
    pub frames: u64,
    /// The BLAKE3 digest of the file's bytes, if the spec asked for it.
    pub digest: Option<[u8; 32]>,
}

/// Writes quantised samples block by block to a file that appears under its name only when
/// [`finish`](Self::finish) has succeeded. Until then it is `<name>.<random>.part` beside it, which
/// goes away with the writer, and a file that had the name before stays untouched.
///
/// After an error nothing but dropping the writer makes sense.
///
/// ```no_run
/// use auralis::audio::{OutputFormat, OutputSpec, SampleFormat, Writer};
///
/// let spec = OutputSpec {
///     sample_rate: 48_000,
///     channels: 2,
///     channel_mask: None,
///     format: OutputFormat::Flac,
///     sample: SampleFormat::Int16,
///     frames: None,
///     digest: false,
/// };
/// let mut writer = Writer::create("song.flac".as_ref(), &spec)?;
/// writer.write_i16(&[0, 0, 1, -1])?;
/// assert_eq!(writer.finish()?.frames, 2);
/// # Ok::<(), auralis_core::Error>(())
/// ```
pub struct Writer {
    // Before the file, so that all handles are closed when it is removed.
    encoder: Encoder,
    part: PartFile,
    spec: OutputSpec,
    frames: u64,
    failed: bool,
    bytes: Vec<u8>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("spec", &self.spec)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

enum Encoder {
    Wav(Box<WavWriter>),
    Flac(Box<FlacWriter>),
}

impl Writer {
    /// Starts a file.
    ///
    /// # Errors
    ///
    /// `InvalidInput` where the format can't hold what `spec` says, or `path` is a folder;
    /// `NotFound` where the folder of `path` does not exist; `Io` where it can't be written.
    pub fn create(path: &Path, spec: &OutputSpec) -> Result<Self> {
        Self::start(path, spec).map_err(|error| error.with("file", path.display()))
    }

    fn start(path: &Path, spec: &OutputSpec) -> Result<Self> {
        spec.check()?;
        let part = PartFile::create(path)?;
        let file = part.handle()?;
        let encoder = match spec.format {
            OutputFormat::Wav => Encoder::Wav(Box::new(WavWriter::new(file, spec)?)),
            OutputFormat::Flac => Encoder::Flac(Box::new(FlacWriter::new(file, spec)?)),
        };
        Ok(Self {
            encoder,
            part,
            spec: spec.clone(),
            frames: 0,
            failed: false,
            bytes: Vec::new(),
        })
    }

    /// Appends interleaved 16-bit samples, whole frames.
    ///
    /// # Errors
    ///
    /// `InvalidInput` where the file has another sample format, `interleaved` is not whole frames,
    /// or the file would become longer than its format or its spec allows; `Io` where the disk
    /// refuses.
    pub fn write_i16(&mut self, interleaved: &[i16]) -> Result<()> {
        self.write_converted(SampleFormat::Int16, interleaved, |x| x.to_le_bytes())
    }

    /// Appends interleaved 24-bit samples, each as three bytes, lowest first; whole frames.
    ///
    /// # Errors
    ///
    /// As [`write_i16`](Self::write_i16).
    pub fn write_i24(&mut self, interleaved: &[[u8; 3]]) -> Result<()> {
        self.count(SampleFormat::Int24, interleaved.len())?;
        let outcome = self.encoder.write(interleaved.as_flattened());
        self.settle(outcome)
    }

    /// Appends interleaved 32-bit floats, whole frames.
    ///
    /// # Errors
    ///
    /// As [`write_i16`](Self::write_i16).
    pub fn write_f32(&mut self, interleaved: &[f32]) -> Result<()> {
        self.write_converted(SampleFormat::Float32, interleaved, |x| x.to_le_bytes())
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    ///
    /// `InvalidInput` where fewer frames were written than the spec says, or a write failed before;
    /// `Io` where the disk refuses. The temporary file is gone then.
    pub fn finish(self) -> Result<Finished> {
        if self.failed {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "a write to this file failed before",
            ));
        }
        if let Some(promised) = self.spec.frames.filter(|promised| *promised != self.frames) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "{} frames were written, {promised} were announced",
                    self.frames
                ),
            ));
        }
        let mut part = self.part;
        let digest = match self.encoder {
            Encoder::Wav(wav) => wav.finish()?,
            Encoder::Flac(flac) => flac.finish().map(|()| None)?,
        };
        let digest = match digest {
            None if self.spec.digest => Some(part.digest()?),
            taken => taken,
        };
        part.keep()?;
        Ok(Finished {
            frames: self.frames,
            digest,
        })
    }

    fn write_converted<S: Copy, const N: usize>(
        &mut self,
        sample: SampleFormat,
        interleaved: &[S],
        convert: impl Fn(S) -> [u8; N],
    ) -> Result<()> {
        self.count(sample, interleaved.len())?;
        self.bytes.clear();
        self.bytes
            .extend(interleaved.iter().flat_map(|x| convert(*x)));
        let outcome = self.encoder.write(&self.bytes);
        self.settle(outcome)
    }

    /// Checks that `samples` samples of a format may be appended, and counts them.
    fn count(&mut self, sample: SampleFormat, samples: usize) -> Result<()> {
        let refuse = |message: String| Err(Error::new(ErrorKind::InvalidInput, message));
        if sample != self.spec.sample {
            return refuse(format!(
                "{sample} samples for a file of {} samples",
                self.spec.sample
            ));
        }
        if !samples.is_multiple_of(self.spec.channels) {
            return refuse(format!(
                "{samples} samples are no whole frames of {} channels",
                self.spec.channels
            ));
        }
        let frames = self.frames + (samples / self.spec.channels) as u64;
        if let Some(promised) = self.spec.frames.filter(|promised| frames > *promised) {
            return refuse(format!(
                "frame {frames} of a file announced with {promised} frames"
            ));
        }
        self.frames = frames;
        Ok(())
    }

    fn settle(&mut self, outcome: Result<()>) -> Result<()> {
        self.failed |= outcome.is_err();
        outcome
    }
}

impl Encoder {
    fn write(&mut self, samples: &[u8]) -> Result<()> {
        match self {
            Self::Wav(wav) => wav.write(samples),
            Self::Flac(flac) => flac.write(samples),
        }
    }
}
