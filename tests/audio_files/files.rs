//! Files to read: fixtures, made ones and damaged ones; and how they are read.

use std::fs;
use std::path::{Path, PathBuf};

use auralis::audio::{OutputFormat, OutputSpec, Reader, SampleFormat, Writer};
use auralis_core::Result;

pub const FIXTURE_FRAMES: u64 = 30_869;

/// Decodes a whole file in blocks of `block` frames.
pub fn decode(path: &Path, block: usize) -> Result<(Reader, Vec<Vec<f32>>)> {
    let mut reader = Reader::open(path)?;
    let planes = read_all(&mut reader, block)?;
    Ok((reader, planes))
}

pub fn read_all(reader: &mut Reader, block: usize) -> Result<Vec<Vec<f32>>> {
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

pub fn bits(planes: &[Vec<f32>]) -> Vec<Vec<u32>> {
    let plane_bits = |plane: &Vec<f32>| plane.iter().map(|x| x.to_bits()).collect();
    planes.iter().map(plane_bits).collect()
}

pub fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// The fields of a `fmt ` chunk, each free to be wrong.
#[derive(Clone, Copy)]
pub struct Fmt {
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    pub bits: u16,
    /// Valid bits, channel mask and format tag of a `WAVE_FORMAT_EXTENSIBLE`.
    pub extension: Option<(u16, u32, u16)>,
}

impl Fmt {
    pub const STEREO: Self = Self {
        tag: 1,
        channels: 2,
        rate: 44_100,
        bits: 16,
        extension: None,
    };

    pub fn chunk(&self) -> Vec<u8> {
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

    pub fn wav(&self, data: &[u8]) -> Vec<u8> {
        riff(&[self.chunk(), chunk(b"data", data)])
    }
}

pub fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    chunk.extend(vec![0; body.len() % 2]);
    chunk
}

pub fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    body.extend(chunks.concat());
    chunk(b"RIFF", &body)
}

/// `bytes` with a 32-bit little-endian number put at `at`.
pub fn patched(mut bytes: Vec<u8>, at: usize, number: u32) -> Vec<u8> {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    bytes
}

pub fn flac(folder: &Path, frames: usize) -> Vec<u8> {
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

pub fn output(
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
pub fn kinds(folder: &Path) -> Vec<(&'static str, Vec<u8>, bool)> {
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

/// A single page that holds one packet.
pub fn ogg_page(packet: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\x02".to_vec();
    page.extend([0; 8 + 4 + 4 + 4]);
    page.extend([1, packet.len() as u8]);
    page.extend(packet);
    with_ogg_checksums(page)
}

/// `bytes` with the checksum of every whole page put right (RFC 3533, section 6).
pub fn with_ogg_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
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
