//! Audio files are read exactly, written exactly, and refused when they are damaged.

use std::fs;
use std::path::{Path, PathBuf};

use auralis::audio::{Format, OutputFormat, OutputSpec, Reader, SampleFormat, Spec, Writer};
use auralis_core::{ErrorKind, Result};

const FIXTURE_FRAMES: u64 = 30_869;

/// Decodes a whole file in blocks of `block` frames.
fn decode(path: &Path, block: usize) -> Result<(Reader, Vec<Vec<f32>>)> {
    let mut reader = Reader::open(path)?;
    let planes = read_all(&mut reader, block)?;
    Ok((reader, planes))
}

fn read_all(reader: &mut Reader, block: usize) -> Result<Vec<Vec<f32>>> {
    let channels = reader.spec().channels;
    let mut buffer = vec![vec![0.0; block]; channels];
    let mut planes = vec![Vec::new(); channels];
    loop {
        let mut views: Vec<&mut [f32]> = buffer.iter_mut().map(Vec::as_mut_slice).collect();
        let frames = reader.read(&mut views)?;
        for (plane, part) in planes.iter_mut().zip(&buffer) {
            plane.extend_from_slice(&part[..frames]);
        }
        if frames == 0 {
            return Ok(planes);
        }
        assert!(planes[0].len() < 10_000_000, "the decoder does not end");
    }
}

fn bits(planes: &[Vec<f32>]) -> Vec<Vec<u32>> {
    let plane_bits = |plane: &Vec<f32>| plane.iter().map(|x| x.to_bits()).collect();
    planes.iter().map(plane_bits).collect()
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// The fields of a `fmt ` chunk, each free to be wrong.
#[derive(Clone, Copy)]
struct Fmt {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
    /// Valid bits, channel mask and format tag of a `WAVE_FORMAT_EXTENSIBLE`.
    extension: Option<(u16, u32, u16)>,
}

impl Fmt {
    const STEREO: Self = Self {
        tag: 1,
        channels: 2,
        rate: 44_100,
        bits: 16,
        extension: None,
    };

    fn chunk(&self) -> Vec<u8> {
        let align = self.channels.wrapping_mul(self.bits / 8);
        let mut fields = Vec::new();
        fields.extend(self.tag.to_le_bytes());
        fields.extend(self.channels.to_le_bytes());
        fields.extend(self.rate.to_le_bytes());
        fields.extend(self.rate.wrapping_mul(u32::from(align)).to_le_bytes());
        fields.extend(align.to_le_bytes());
        fields.extend(self.bits.to_le_bytes());
        if let Some((valid, mask, tag)) = self.extension {
            fields.extend(22_u16.to_le_bytes());
            fields.extend(valid.to_le_bytes());
            fields.extend(mask.to_le_bytes());
            fields.extend(tag.to_le_bytes());
            fields.extend(*b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
        }
        chunk(b"fmt ", &fields)
    }

    fn wav(&self, data: &[u8]) -> Vec<u8> {
        riff(&[self.chunk(), chunk(b"data", data)])
    }
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    chunk.extend(vec![0; body.len() % 2]);
    chunk
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    body.extend(chunks.concat());
    chunk(b"RIFF", &body)
}

/// `bytes` with a 32-bit little-endian number put at `at`.
fn patched(mut bytes: Vec<u8>, at: usize, number: u32) -> Vec<u8> {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn flac(folder: &Path, frames: usize) -> Vec<u8> {
    let spec = output(
        OutputFormat::Flac,
        SampleFormat::Int16,
        2,
        Some(frames as u64),
    );
    let path = folder.join("made.flac");
    let mut writer = Writer::create(&path, &spec).unwrap();
    let sine = |i: usize| ((i as f64 * 0.03).sin() * 20_000.0) as i16;
    let mut random = Random(3);
    let samples: Vec<i16> = (0..frames * 2)
        .map(|i| sine(i).wrapping_add(random.below(100) as i16))
        .collect();
    writer.write_i16(&samples).unwrap();
    writer.finish().unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    bytes
}

fn output(
    format: OutputFormat,
    sample: SampleFormat,
    channels: usize,
    frames: Option<u64>,
) -> OutputSpec {
    OutputSpec {
        sample_rate: 48_000,
        channels,
        channel_mask: None,
        format,
        sample,
        frames,
        digest: true,
    }
}

/// One file of every kind: name, bytes, and whether its length can be verified.
fn kinds(folder: &Path) -> Vec<(&'static str, Vec<u8>, bool)> {
    let mut random = Random(1);
    let ext = Fmt {
        tag: 0xfffe,
        bits: 24,
        extension: Some((24, 3, 1)),
        ..Fmt::STEREO
    };
    vec![
        ("plain.wav", Fmt::STEREO.wav(&random.bytes(8000)), true),
        ("extensible.wav", ext.wav(&random.bytes(6000)), true),
        (
            "list.wav",
            riff(&[
                Fmt::STEREO.chunk(),
                chunk(b"data", &random.bytes(4000)),
                chunk(b"LIST", b"INFOINAM\x06\0\0\0a song"),
            ]),
            true,
        ),
        ("made.flac", flac(folder, 20_000), true),
        ("xing.mp3", fixture("xing.mp3"), true),
        ("no-xing.mp3", fixture("no-xing.mp3"), false),
        ("tone.ogg", fixture("tone.ogg"), true),
    ]
}

#[test]
fn every_wav_kind_decodes_exactly() {
    type Convert = fn(&[u8]) -> f32;
    let int24 = |b: &[u8]| (i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8) as f32 / 8_388_608.0;
    let int32: Convert =
        |b| (f64::from(i32::from_le_bytes(b.try_into().unwrap())) / 2_147_483_648.0) as f32;
    let table: [(u16, u16, Convert); 6] = [
        (1, 8, |b| (f32::from(b[0]) - 128.0) / 128.0),
        (1, 16, |b| {
            f32::from(i16::from_le_bytes(b.try_into().unwrap())) / 32_768.0
        }),
        (1, 24, int24),
        (1, 32, int32),
        (3, 32, |b| f32::from_le_bytes(b.try_into().unwrap())),
        (3, 64, |b| f64::from_le_bytes(b.try_into().unwrap()) as f32),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(7);
    for (tag, bits_per_sample, convert) in table {
        for channels in [1, 2, 3, 6, 8, 64] {
            for (rate, extensible) in [
                (8_000, false),
                (44_100, true),
                (96_000, false),
                (192_000, true),
            ] {
                let fmt = Fmt {
                    tag: if extensible { 0xfffe } else { tag },
                    channels,
                    rate,
                    bits: bits_per_sample,
                    extension: extensible.then_some((bits_per_sample, 0x3f, tag)),
                };
                let frames = 1 + random.below(300);
                let width = usize::from(bits_per_sample) / 8;
                let data = random.bytes(frames * usize::from(channels) * width);
                let path = save(folder.path(), "kind.wav", &fmt.wav(&data));
                let (reader, planes) = decode(&path, 64).unwrap();
                assert_eq!(
                    *reader.spec(),
                    Spec {
                        sample_rate: rate,
                        channels: channels.into(),
                        channel_mask: extensible.then_some(0x3f),
                        frames: Some(frames as u64),
                        bits: Some(bits_per_sample.into()),
                        float: tag == 3,
                        format: Format::Wav,
                    }
                );
                assert!(reader.warnings().is_empty());
                for (i, sample) in data.chunks_exact(width).enumerate() {
                    let (frame, channel) = (i / usize::from(channels), i % usize::from(channels));
                    let (got, want) = (planes[channel][frame], convert(sample));
                    assert!(
                        got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()),
                        "{bits_per_sample} bits, {channels} channels: {got} for {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn valid_bits_are_told_and_the_container_scales() {
    let folder = tempfile::tempdir().unwrap();
    let fmt = Fmt {
        tag: 0xfffe,
        channels: 1,
        bits: 32,
        extension: Some((24, 4, 1)),
        ..Fmt::STEREO
    };
    let path = save(
        folder.path(),
        "a.wav",
        &fmt.wav(&0x4000_0000_u32.to_le_bytes()),
    );
    let (reader, planes) = decode(&path, 8).unwrap();
    assert_eq!((reader.spec().bits, &planes[0][..]), (Some(24), &[0.5][..]));
}

#[test]
fn block_sizes_and_passes_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, _) in kinds(folder.path()) {
        let path = save(folder.path(), name, &bytes);
        let (mut reader, whole) = decode(&path, 4096).unwrap();
        assert_eq!(reader.spec().frames, Some(whole[0].len() as u64), "{name}");
        let whole = bits(&whole);
        for block in [1, 7, 4096] {
            reader.rewind().unwrap();
            assert_eq!(
                bits(&read_all(&mut reader, block).unwrap()),
                whole,
                "{name}, {block}"
            );
        }
        reader.rewind().unwrap();
        let mut first = vec![vec![0.0; 10]; 2];
        let mut views: Vec<&mut [f32]> = first.iter_mut().map(Vec::as_mut_slice).collect();
        reader.read(&mut views).unwrap();
        reader.rewind().unwrap();
        assert_eq!(
            bits(&read_all(&mut reader, 333).unwrap()),
            whole,
            "{name}, after a part"
        );
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, verifiable) in kinds(folder.path()) {
        for percent in 0..100 {
            let cut = &bytes[..bytes.len() * percent / 100];
            let path = save(folder.path(), name, cut);
            match decode(&path, 4096) {
                Err(error) => {
                    assert_eq!(
                        error.kind(),
                        ErrorKind::Corrupt,
                        "{name}, {percent} %: {error}"
                    );
                    assert!(
                        ["truncated", "empty", "zero frames"]
                            .iter()
                            .any(|word| error.message().contains(word)),
                        "{name}, {percent} %: {error}"
                    );
                }
                Ok((reader, _)) => {
                    assert!(!verifiable, "{name} cut to {percent} % passed");
                    assert!(
                        reader
                            .warnings()
                            .iter()
                            .any(|w| w.contains("length can't be verified")),
                        "{name}, {percent} %: {:?}",
                        reader.warnings()
                    );
                }
            }
        }
    }
}

#[test]
fn one_missing_byte_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, _) in kinds(folder.path()).iter().filter(|kind| kind.2) {
        let path = save(folder.path(), name, &bytes[..bytes.len() - 1]);
        let error = decode(&path, 4096).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
    }
    let (name, bytes, _) = kinds(folder.path()).remove(5);
    let path = save(folder.path(), name, &bytes[..bytes.len() - 1]);
    let (reader, _) = decode(&path, 4096).unwrap();
    assert!(reader.warnings().iter().any(|w| w.contains("cut short")));
}

#[test]
fn bad_input_is_refused_with_its_cause() {
    use ErrorKind::{Corrupt, Unsupported};
    let folder = tempfile::tempdir().unwrap();
    let stereo = Fmt::STEREO;
    let data = [1; 400];
    let plain = stereo.wav(&data);
    let fmt_only = riff(&[stereo.chunk()]);
    let table: Vec<(&str, Vec<u8>, ErrorKind, &str)> = vec![
        ("empty", vec![], Corrupt, "the file is empty"),
        ("three bytes", b"RIF".to_vec(), Corrupt, "truncated"),
        (
            "text",
            b"hello world, this is no music".to_vec(),
            Unsupported,
            "starts with \"hell\"",
        ),
        (
            "a picture",
            b"\x89PNG\r\n\x1a\n0000000".to_vec(),
            Unsupported,
            "starts with \"\\x89PNG\"",
        ),
        (
            "another RIFF",
            chunk(b"RIFF", b"AVI LIST0000"),
            Unsupported,
            "type \"AVI \"",
        ),
        (
            "big-endian RIFF",
            patched(plain.clone(), 0, u32::from_le_bytes(*b"RIFX")),
            Unsupported,
            "RIFX",
        ),
        (
            "no channels",
            Fmt {
                channels: 0,
                ..stereo
            }
            .wav(&data),
            Corrupt,
            "zero channels",
        ),
        (
            "rate 0",
            Fmt { rate: 0, ..stereo }.wav(&data),
            Corrupt,
            "sample rate of 0 Hz",
        ),
        (
            "7 bits",
            Fmt { bits: 7, ..stereo }.wav(&data),
            Unsupported,
            "7 bits per sample",
        ),
        (
            "65 channels",
            Fmt {
                channels: 65,
                ..stereo
            }
            .wav(&[1; 1300]),
            Unsupported,
            "65 channels; up to 64",
        ),
        (
            "ADPCM",
            Fmt {
                tag: 0x11,
                ..stereo
            }
            .wav(&data),
            Unsupported,
            "IMA ADPCM",
        ),
        (
            "unknown codec",
            Fmt {
                tag: 0x1234,
                ..stereo
            }
            .wav(&data),
            Unsupported,
            "0x1234",
        ),
        (
            "half floats",
            Fmt { tag: 3, ..stereo }.wav(&data),
            Unsupported,
            "16 bits per float",
        ),
        (
            "wrong frame size",
            patched(plain.clone(), 32, 0x0010_0003),
            Corrupt,
            "frames of 3 bytes",
        ),
        ("no frames", stereo.wav(&[]), Corrupt, "zero frames"),
        (
            "less than a frame",
            stereo.wav(&[1; 3]),
            Corrupt,
            "zero frames",
        ),
        (
            "claims 4 GB",
            patched(patched(plain.clone(), 4, 0xffff_fff0), 40, 0xffff_ffcc),
            Corrupt,
            "the header promises 1073741811 frames, the data ends after 100",
        ),
        (
            "data past RIFF",
            patched(plain.clone(), 4, 40),
            Corrupt,
            "past the RIFF chunk's end",
        ),
        (
            "short fmt",
            riff(&[chunk(b"fmt ", &[0; 8]), chunk(b"data", &data)]),
            Corrupt,
            "at least 16",
        ),
        (
            "no fmt",
            riff(&[chunk(b"data", &data)]),
            Corrupt,
            "no \"fmt \" chunk",
        ),
        ("no data", fmt_only, Corrupt, "before its \"data\" chunk"),
        (
            "endless chunks",
            riff(&vec![chunk(b"junk", &[]); 5000]),
            Corrupt,
            "among the first 4096 chunks",
        ),
        (
            "Opus",
            ogg_page(b"OpusHead"),
            Unsupported,
            "Opus in an Ogg file",
        ),
        (
            "surround Vorbis",
            ogg_page(b"\x01vorbis\0\0\0\0\x06"),
            Unsupported,
            "Ogg Vorbis with 6 channels; mono and stereo are",
        ),
        (
            "Ogg without end",
            ogg_page(b"\x01vorbis"),
            Corrupt,
            "truncated",
        ),
        (
            "ID3 without audio",
            b"ID3\x04\0\0\0\0\x10\0....".to_vec(),
            Corrupt,
            "truncated",
        ),
        ("FLAC header only", b"fLaC".to_vec(), Corrupt, "truncated"),
    ];
    for (what, bytes, kind, fragment) in table {
        let path = save(folder.path(), "bad", &bytes);
        let error = decode(&path, 100).map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.message().contains(fragment), "{what}: {error}");
        assert!(
            error.context().any(|(key, _)| key == "file"),
            "{what}: {error}"
        );
    }
}

/// A single page that holds one packet.
fn ogg_page(packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\x02".to_vec();
    page.extend([0; 8 + 4 + 4 + 4]);
    page.extend([1, packet.len() as u8]);
    page.extend(packet);
    with_ogg_checksums(page)
}

/// `bytes` with the checksum of every whole page put right (RFC 3533, section 6).
fn with_ogg_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut rest = &mut bytes[..];
    while rest.len() > 27 && rest.starts_with(b"OggS") {
        let segments = rest[26].into();
        let body: usize = rest[27..]
            .iter()
            .take(segments)
            .map(|x| usize::from(*x))
            .sum();
        let Some((page, next)) = rest.split_at_mut_checked(27 + segments + body) else {
            break;
        };
        page[22..26].fill(0);
        let mut crc = 0_u32;
        for byte in page.iter() {
            crc ^= u32::from(*byte) << 24;
            for _ in 0..8 {
                crc = (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            }
        }
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        rest = next;
    }
    bytes
}

#[test]
fn hostile_vorbis_headers_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fixture("tone.ogg");
    let flip = |at: usize, bit: usize| {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << bit;
        let path = save(folder.path(), "a.ogg", &with_ogg_checksums(flipped));
        decode(&path, 4096).map(drop)
    };
    // These make symphonia 0.6.1 fail an assertion about a codebook's size.
    for (at, bit) in [(1430, 7), (1431, 1), (1431, 6)] {
        assert_eq!(flip(at, bit).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    let mut random = Random(42);
    let outcomes = (0..400).map(|_| flip(58 + random.below(3800), random.below(8)));
    let errors = outcomes.filter(Result::is_err).count();
    assert!(errors > 100, "the decoder was not reached: {errors}");
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Reader::open(&folder.path().join("none.wav")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains("none.wav"), "{missing}");
    let directory = Reader::open(folder.path()).unwrap_err();
    assert_eq!(directory.kind(), ErrorKind::InvalidInput);
    assert!(directory.message().contains("folder"), "{directory}");
}

#[test]
fn odd_but_whole_wav_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Fmt::STEREO.wav(&[1; 400]);
    let mono8 = Fmt {
        channels: 1,
        bits: 8,
        ..Fmt::STEREO
    }
    .wav(&[200; 11]);
    let piped = |riff, data| patched(patched(plain.clone(), 4, riff), 40, data);
    let surplus = [plain.clone(), b"appended".to_vec()].concat();
    let ragged = Fmt::STEREO.wav(&[1; 402]);
    let lead = riff(&[
        chunk(b"JUNK", &[9; 31]),
        Fmt::STEREO.chunk(),
        chunk(b"data", &[1; 400]),
    ]);
    let table = [
        ("pad byte", mono8.clone(), 11, ""),
        ("no pad byte", mono8[..mono8.len() - 1].to_vec(), 11, ""),
        (
            "pad byte not counted",
            patched(mono8.clone(), 4, 36 + 11),
            11,
            "",
        ),
        ("a chunk before", lead, 100, ""),
        ("piped, zeros", piped(0, 0), 100, "length can't be verified"),
        (
            "piped by ffmpeg",
            piped(u32::MAX, u32::MAX),
            100,
            "length can't be verified",
        ),
        (
            "piped by SoX",
            piped(0x7fff_f024, 0x7fff_f000),
            100,
            "length can't be verified",
        ),
        (
            "RIFF size 0",
            piped(0, 400),
            100,
            "RIFF header gives no length",
        ),
        (
            "more after the end",
            surplus,
            100,
            "8 bytes after the RIFF chunk",
        ),
        ("half a frame more", ragged, 100, "the last 2 bytes of data"),
    ];
    for (what, bytes, frames, warning) in table {
        let path = save(folder.path(), "odd.wav", &bytes);
        let (reader, planes) = decode(&path, 33).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(planes[0].len(), frames, "{what}");
        match warning {
            "" => assert!(
                reader.warnings().is_empty(),
                "{what}: {:?}",
                reader.warnings()
            ),
            _ => assert!(
                reader.warnings()[0].contains(warning),
                "{what}: {:?}",
                reader.warnings()
            ),
        }
    }
}

#[test]
fn nan_and_infinity_are_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let data: Vec<u8> = [f32::NAN, f32::INFINITY, -3.5, -0.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let fmt = Fmt {
        tag: 3,
        bits: 32,
        channels: 1,
        ..Fmt::STEREO
    };
    let path = save(folder.path(), "nan.wav", &fmt.wav(&data));
    let (_, planes) = decode(&path, 4).unwrap();
    assert!(planes[0][0].is_nan());
    assert_eq!(
        bits(&planes)[0][1..],
        [f32::INFINITY, -3.5, -0.0].map(f32::to_bits)
    );
}

#[test]
fn compressed_files_line_up_with_their_source() {
    let folder = tempfile::tempdir().unwrap();
    let tone = |frame: usize| (std::f64::consts::TAU * 440.0 * frame as f64 / 44_100.0).sin() * 0.4;
    for (name, format) in [("xing.mp3", Format::Mp3), ("tone.ogg", Format::Vorbis)] {
        let path = save(folder.path(), name, &fixture(name));
        let (reader, planes) = decode(&path, 1000).unwrap();
        let spec = reader.spec();
        assert_eq!((spec.format, spec.frames), (format, Some(FIXTURE_FRAMES)));
        assert_eq!(
            (spec.channels, spec.channel_mask, spec.bits),
            (2, Some(3), None)
        );
        assert!(reader.warnings().is_empty());
        let error = |shift: usize| -> f64 {
            let frames = 2000..28_000;
            frames
                .map(|i| (f64::from(planes[1][i]) - tone(i + shift - 3)).powi(2))
                .sum()
        };
        let best = (0..7).min_by(|a, b| error(*a).total_cmp(&error(*b)));
        assert_eq!(best, Some(3), "{name} is shifted");
        assert!((error(3) / 26_000.0).sqrt() < 0.02, "{name}: {}", error(3));
    }
}

#[test]
fn tags_and_junk_around_mp3_frames() {
    let folder = tempfile::tempdir().unwrap();
    let (xing, bare) = (fixture("xing.mp3"), fixture("no-xing.mp3"));
    let id3v1 = [&b"TAG"[..], &[b'x'; 125]].concat();
    let mut ape = vec![b'y'; 20];
    ape.extend(b"APETAGEX");
    ape.extend([0xd0, 7, 0, 0, 52, 0, 0, 0, 1, 0, 0, 0]);
    ape.extend([0; 12]);
    let damaged = [&bare[..3000], &bare[3001..]].concat();
    let lost = |bytes: &[u8]| [&bytes[..4000], &bytes[6000..]].concat();
    let table = [
        ("ID3v1", [&xing[..], &id3v1].concat(), Ok("")),
        (
            "APEv2 and ID3v1",
            [&xing[..], &ape, &id3v1].concat(),
            Ok(""),
        ),
        (
            "junk after",
            [&xing[..], &[0x55; 40]].concat(),
            Ok("40 bytes after the last MP3 frame"),
        ),
        (
            "junk before",
            [&[0; 77], &bare[..]].concat(),
            Ok("77 bytes before the first MP3 frame"),
        ),
        ("a byte lost", damaged, Err("no MP3 frame starts at byte")),
        (
            "a stretch lost",
            lost(&bare),
            Err("no MP3 frame starts at byte"),
        ),
        (
            "a stretch lost with Xing",
            lost(&xing),
            Err("no MP3 frame starts at byte"),
        ),
    ];
    for (what, bytes, outcome) in table {
        let path = save(folder.path(), "a.mp3", &bytes);
        match (decode(&path, 4096), outcome) {
            (Ok((reader, _)), Ok("")) => assert!(reader.warnings().is_empty(), "{what}"),
            (Ok((reader, _)), Ok(warning)) => {
                assert!(
                    reader.warnings().iter().any(|w| w.contains(warning)),
                    "{what}"
                );
            }
            (Err(error), Err(message)) => {
                assert!(error.message().contains(message), "{what}: {error}");
            }
            (got, _) => panic!("{what}: {:?}", got.map(|(reader, _)| reader)),
        }
    }
}

#[test]
fn flac_finds_its_tags_and_its_damage() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = flac(folder.path(), 20_000);
    let id3 = b"ID3\x03\0\0\0\0\0\x05.....".to_vec();
    let tagged = [id3, bytes.clone(), b"TAG".to_vec(), vec![0; 125]].concat();
    let path = save(folder.path(), "tagged.flac", &tagged);
    assert_eq!(decode(&path, 4096).unwrap().1[0].len(), 20_000);

    let mut wrong_sum = bytes.clone();
    wrong_sum[26] ^= 1;
    let path = save(folder.path(), "sum.flac", &wrong_sum);
    let error = decode(&path, 4096).map(drop).unwrap_err();
    assert!(error.message().contains("checksum"), "{error}");

    let mut damaged = bytes.clone();
    let middle = bytes.len() / 2;
    damaged[middle] ^= 0x10;
    let path = save(folder.path(), "damaged.flac", &damaged);
    let error = decode(&path, 4096).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[test]
fn flipped_bits_never_panic_and_never_pass_where_there_are_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(99);
    for (name, bytes, _) in kinds(folder.path()) {
        let path = save(folder.path(), name, &bytes);
        let whole = bits(&decode(&path, 4096).unwrap().1);
        for round in 0..250 {
            let mut flipped = bytes.clone();
            for _ in 0..=random.below(3) {
                // Headers are where the branches are.
                let bound = if round % 2 == 0 {
                    flipped.len().min(300)
                } else {
                    flipped.len()
                };
                flipped[random.below(bound)] ^= 1 << random.below(8);
            }
            let path = save(folder.path(), name, &flipped);
            let outcome = decode(&path, 4096);
            if flipped == bytes {
                continue;
            }
            match (name, outcome) {
                ("tone.ogg", Ok(_)) => panic!("{name}, round {round}: damage passed"),
                ("made.flac", Ok((_, planes))) => {
                    assert!(bits(&planes) == whole, "{name}, round {round}: other audio");
                }
                (_, Ok(_)) => {}
                (_, Err(error)) => assert!(!error.message().is_empty()),
            }
        }
    }
}

#[test]
fn written_files_read_back_exactly() {
    use OutputFormat::{Flac, Wav};
    use SampleFormat::{Float32, Int16, Int24};
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(5);
    let formats = [
        (Wav, Int16),
        (Wav, Int24),
        (Wav, Float32),
        (Flac, Int16),
        (Flac, Int24),
    ];
    for (format, sample) in formats {
        for channels in [1, 2, 3, 6, 8] {
            for frames in [1, 15, 4095, 4097, 9001] {
                let known = random.below(2) == 0;
                let spec = output(format, sample, channels, known.then_some(frames as u64));
                let path = folder.path().join("out");
                let mut writer = Writer::create(&path, &spec).unwrap();
                let mut expected = vec![Vec::new(); channels];
                let mut left = frames;
                while left > 0 {
                    let count = left.min(1 + random.below(3000));
                    left -= count;
                    let bytes = random.bytes(count * channels * 3);
                    let packed: Vec<[u8; 3]> = bytes.as_chunks().0.to_vec();
                    let ints: Vec<i32> = packed
                        .iter()
                        .map(|b| i32::from_le_bytes([0, b[0], b[1], b[2]]) >> 8)
                        .collect();
                    let mut push = |i: usize, x: f32| expected[i % channels].push(x);
                    match sample {
                        Int16 => {
                            let samples: Vec<i16> = ints.iter().map(|x| (x >> 8) as i16).collect();
                            writer.write_i16(&samples).unwrap();
                            for (i, x) in samples.iter().enumerate() {
                                push(i, f32::from(*x) / 32_768.0);
                            }
                        }
                        Int24 => {
                            writer.write_i24(&packed).unwrap();
                            for (i, x) in ints.iter().enumerate() {
                                push(i, *x as f32 / 8_388_608.0);
                            }
                        }
                        Float32 => {
                            let samples: Vec<f32> = ints.iter().map(|x| *x as f32 / 1e6).collect();
                            writer.write_f32(&samples).unwrap();
                            for (i, x) in samples.iter().enumerate() {
                                push(i, *x);
                            }
                        }
                    }
                }
                let finished = writer.finish().unwrap();
                let what = format!("{format:?} {sample:?} {channels} x {frames}, known: {known}");
                assert_eq!(finished.frames, frames as u64, "{what}");
                let digest = blake3::hash(&fs::read(&path).unwrap());
                assert_eq!(finished.digest, Some(*digest.as_bytes()), "{what}");
                let (reader, planes) = decode(&path, 777).unwrap();
                assert!(bits(&planes) == bits(&expected), "{what}");
                let read = reader.spec();
                assert_eq!(
                    (read.sample_rate, read.channels, read.frames, read.float),
                    (48_000, channels, Some(frames as u64), sample == Float32),
                    "{what}"
                );
                assert_eq!(read.bits, Some(sample.bytes() as u32 * 8), "{what}");
                assert!(
                    reader.warnings().is_empty(),
                    "{what}: {:?}",
                    reader.warnings()
                );
            }
        }
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "only the output is left"
    );
}

#[test]
fn wav_headers_are_as_simple_as_the_format_allows() {
    use SampleFormat::{Float32, Int16, Int24};
    let folder = tempfile::tempdir().unwrap();
    let table = [
        (Int16, 1, None, 1_u16, 44),
        (Int16, 2, Some(0x3), 1, 44),
        (Int16, 2, Some(0x30), 0xfffe, 68),
        (Int16, 6, Some(0x3f), 0xfffe, 68),
        (Int24, 2, None, 0xfffe, 68),
        (Float32, 2, None, 3, 58),
        (Float32, 4, None, 0xfffe, 80),
    ];
    for (sample, channels, mask, tag, header) in table {
        let mut spec = output(OutputFormat::Wav, sample, channels, None);
        spec.channel_mask = mask;
        let path = folder.path().join("a.wav");
        Writer::create(&path, &spec).unwrap().finish().unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), header, "{sample:?} {channels} {mask:?}");
        assert_eq!(
            bytes[20..22],
            tag.to_le_bytes(),
            "{sample:?} {channels} {mask:?}"
        );
    }
}

#[test]
fn channel_masks_survive() {
    let folder = tempfile::tempdir().unwrap();
    for (format, channels, mask) in [
        (OutputFormat::Wav, 1, 0x4),
        (OutputFormat::Wav, 6, 0x60f),
        (OutputFormat::Flac, 6, 0x3f),
        (OutputFormat::Flac, 2, 0x3),
    ] {
        let mut spec = output(format, SampleFormat::Int24, channels, None);
        spec.channel_mask = Some(mask);
        let path = folder.path().join("a");
        let mut writer = Writer::create(&path, &spec).unwrap();
        writer.write_i24(&vec![[1, 2, 3]; channels]).unwrap();
        writer.finish().unwrap();
        assert_eq!(Reader::open(&path).unwrap().spec().channel_mask, Some(mask));
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused_before_anything_is_written() {
    use OutputFormat::{Flac, Wav};
    use SampleFormat::{Float32, Int16};
    let folder = tempfile::tempdir().unwrap();
    let with = |spec: OutputSpec, change: fn(&mut OutputSpec)| {
        let mut spec = spec;
        change(&mut spec);
        spec
    };
    let stereo = output(Wav, Int16, 2, None);
    let table = [
        (output(Flac, Float32, 2, None), "FLAC can't hold floats"),
        (output(Flac, Int16, 9, None), "FLAC, which takes 1 to 8"),
        (output(Wav, Int16, 65, None), "WAV, which takes 1 to 64"),
        (output(Wav, Int16, 0, None), "0 channels"),
        (output(Wav, Int16, 2, Some(1 << 30)), "FLAC can hold it"),
        (output(Wav, Int16, 2, Some(u64::MAX)), "FLAC can hold it"),
        (
            output(Flac, Int16, 2, Some(1 << 40)),
            "FLAC can't hold this audio",
        ),
        (
            with(stereo.clone(), |s| s.sample_rate = 0),
            "sample rate of 0 Hz",
        ),
        (
            with(output(Flac, Int16, 2, None), |s| s.sample_rate = 1 << 20),
            "1048576 Hz",
        ),
        (
            with(stereo, |s| s.channel_mask = Some(7)),
            "names more speakers",
        ),
    ];
    for (spec, fragment) in table {
        let error = Writer::create(&folder.path().join("a"), &spec).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.message().contains(fragment), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let nowhere = folder.path().join("none/a.wav");
    let spec = output(Wav, Int16, 2, None);
    assert_eq!(
        Writer::create(&nowhere, &spec).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        Writer::create(folder.path(), &spec).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[test]
fn misuse_of_a_writer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for format in [OutputFormat::Wav, OutputFormat::Flac] {
        let spec = output(format, SampleFormat::Int16, 2, Some(3));
        let mut writer = Writer::create(&folder.path().join("a"), &spec).unwrap();
        assert!(writer.write_i16(&[1, 2, 3]).is_err(), "half a frame");
        assert!(
            writer.write_f32(&[0.0, 0.0]).is_err(),
            "another sample format"
        );
        assert!(
            writer.write_i24(&[[0; 3]; 2]).is_err(),
            "another sample format"
        );
        assert!(
            writer.write_i16(&[0; 8]).is_err(),
            "more frames than announced"
        );
        writer.write_i16(&[0; 4]).unwrap();
        let error = writer.finish().unwrap_err();
        assert!(
            error
                .message()
                .contains("2 frames were written, 3 were announced"),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn an_unfinished_file_leaves_nothing_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for format in [OutputFormat::Wav, OutputFormat::Flac] {
        let path = save(folder.path(), "song", b"what was there before");
        let spec = output(format, SampleFormat::Int16, 1, None);
        let mut writer = Writer::create(&path, &spec).unwrap();
        writer.write_i16(&[7; 50_000]).unwrap();
        let names: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "song")
            .collect();
        assert_eq!(names.len(), 1);
        assert!(
            names[0].starts_with("song.") && names[0].ends_with(".part"),
            "{names:?}"
        );
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(&path).unwrap(), b"what was there before");

        let mut writer = Writer::create(&path, &spec).unwrap();
        writer.write_i16(&[7; 10]).unwrap();
        writer.finish().unwrap();
        assert_eq!(decode(&path, 10).unwrap().1[0].len(), 10);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn planes_that_do_not_fit_are_refused_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), "a.wav", &Fmt::STEREO.wav(&[1; 40]));
    let mut reader = Reader::open(&path).unwrap();
    let (mut left, mut right) = ([0.0; 4], [0.0; 5]);
    assert!(reader.read(&mut [&mut left]).is_err());
    assert!(reader.read(&mut [&mut left, &mut right]).is_err());
    assert_eq!(read_all(&mut reader, 3).unwrap()[1].len(), 10);
}

#[test]
fn a_reader_stops_at_an_error_until_it_is_rewound() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = flac(folder.path(), 20_000);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    let path = save(folder.path(), "a.flac", &bytes);
    let mut reader = Reader::open(&path).unwrap();
    let first = read_all(&mut reader, 512).unwrap_err();
    assert!(
        read_all(&mut reader, 512)
            .unwrap_err()
            .message()
            .contains("stopped")
    );
    reader.rewind().unwrap();
    assert_eq!(
        read_all(&mut reader, 512).unwrap_err().to_string(),
        first.to_string()
    );
}
