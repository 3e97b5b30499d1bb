//! WAV files in the forms for more than 4 GiB: RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088).

use std::fs::{self, OpenOptions};
use std::path::Path;

use auralis::audio::Reader;
use auralis_core::{ErrorKind, Result};

/// In a 32-bit size: the `ds64` chunk tells it.
const ELSEWHERE: u32 = u32::MAX;

fn chunk(id: &[u8; 4], size: u32, body: &[u8]) -> Vec<u8> {
    [&id[..], &size.to_le_bytes(), body].concat()
}

/// Stereo with 16 bits.
fn format() -> Vec<u8> {
    let mut fields = Vec::new();
    for field in [1_u16, 2] {
        fields.extend(field.to_le_bytes());
    }
    for field in [48_000_u32, 192_000] {
        fields.extend(field.to_le_bytes());
    }
    for field in [4_u16, 16] {
        fields.extend(field.to_le_bytes());
    }
    chunk(b"fmt ", 16, &fields)
}

fn ds64(riff: u64, data: u64, others: &[([u8; 4], u64)]) -> Vec<u8> {
    let mut body = [riff, data, data / 4].map(u64::to_le_bytes).concat();
    body.extend((others.len() as u32).to_le_bytes());
    for (id, size) in others {
        body.extend(id);
        body.extend(size.to_le_bytes());
    }
    chunk(b"ds64", body.len() as u32, &body)
}

/// A file of `id` with these chunks.
fn file(id: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [b"WAVE".to_vec(), chunks.concat()].concat();
    chunk(id, ELSEWHERE, &body)
}

/// A hundred frames.
fn samples() -> Vec<u8> {
    (0..200_i16).flat_map(|i| (i * 100).to_le_bytes()).collect()
}

/// The form as programs write it, with a further chunk whose size is elsewhere.
fn wide(id: &[u8; 4]) -> Vec<u8> {
    let data = samples();
    let junk = chunk(b"junk", ELSEWHERE, &[7; 6]);
    let form = |riff: u64| {
        let sizes = ds64(riff, data.len() as u64, &[(*b"junk", 6)]);
        let data = chunk(b"data", ELSEWHERE, &data);
        file(id, &[sizes, junk.clone(), format(), data])
    };
    form(form(0).len() as u64 - 8)
}

fn decoded(folder: &Path, bytes: &[u8]) -> Result<(Reader, Vec<Vec<f32>>)> {
    let path = folder.join("wide.wav");
    fs::write(&path, bytes).unwrap();
    let mut reader = Reader::open(&path)?;
    let mut planes = vec![vec![0.0; 1000]; reader.spec().channels];
    let mut rows: Vec<_> = planes.iter_mut().map(Vec::as_mut_slice).collect();
    let frames = reader.read(&mut rows)?;
    planes.iter_mut().for_each(|plane| plane.truncate(frames));
    Ok((reader, planes))
}

#[test]
fn both_forms_hold_what_the_plain_one_holds() {
    let folder = tempfile::tempdir().unwrap();
    let data = samples();
    let data = chunk(b"data", data.len() as u32, &data);
    let mut plain = file(b"RIFF", &[format(), data]);
    let size = plain.len() as u32 - 8;
    plain[4..8].copy_from_slice(&size.to_le_bytes());
    let (_, expected) = decoded(folder.path(), &plain).unwrap();
    assert_eq!(expected[1][99], 19_900.0 / 32_768.0);
    for id in [b"RF64", b"BW64"] {
        let (reader, planes) = decoded(folder.path(), &wide(id)).unwrap();
        assert_eq!(planes, expected);
        assert_eq!(reader.spec().frames, Some(100));
        assert!(reader.warnings().is_empty(), "{:?}", reader.warnings());
    }
}

#[test]
fn five_gigabytes_are_as_many_frames() {
    const FRAMES: u64 = 5 << 28;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let head = |riff: u64| {
        let data = chunk(b"data", ELSEWHERE, &[]);
        file(b"RF64", &[ds64(riff, 4 * FRAMES, &[]), format(), data])
    };
    let length = head(0).len() as u64 + 4 * FRAMES;
    fs::write(&path, head(length - 8)).unwrap();
    // Silence that takes no room.
    let long = OpenOptions::new().write(true).open(&path).unwrap();
    long.set_len(length).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.spec().frames, Some(FRAMES));
    let mut planes = [[1.0; 64]; 2];
    let mut rows: Vec<_> = planes.iter_mut().map(<[f32; 64]>::as_mut_slice).collect();
    assert_eq!(reader.read(&mut rows).unwrap(), 64);
    assert_eq!(planes, [[0.0; 64]; 2]);

    long.set_len(length - 4000).unwrap();
    let error = Reader::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.report().contains("truncated"), "{}", error.report());
}

#[test]
fn sizes_that_can_t_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = wide(b"RF64");
    let data = || chunk(b"data", ELSEWHERE, &samples());
    let with = |sizes: Vec<u8>| file(b"RF64", &[sizes, format(), data()]);
    let mut too_many = ds64(0, 400, &[]);
    too_many[32..36].copy_from_slice(&5000_u32.to_le_bytes());
    let cases: [(&str, Vec<u8>, &str); 6] = [
        (
            "no sizes",
            file(b"RF64", &[format(), data()]),
            "\"fmt \" with 16 bytes is the first chunk",
        ),
        (
            "short sizes",
            with(chunk(b"ds64", 20, &[0; 20])),
            "\"ds64\" with 20 bytes",
        ),
        (
            "a table beyond the chunk",
            with(too_many),
            "28 bytes with 5000 entries",
        ),
        (
            "more data than there is",
            with(ds64(1 << 40, 1 << 40, &[])),
            "truncated",
        ),
        (
            "a size beyond all numbers",
            with(ds64(u64::MAX, u64::MAX - 1, &[])),
            "truncated",
        ),
        ("cut off within the sizes", whole[..30].to_vec(), "ds64"),
    ];
    for (what, bytes, says) in cases {
        let error = decoded(folder.path(), &bytes).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
        let report = error.report();
        assert!(report.contains(says), "{what}: {report}");
    }
}
