//! What is cut off, flipped or never was an audio file.

use auralis::audio::Reader;
use auralis_core::ErrorKind;

use crate::files::{Fmt, Random, bits, chunk, decode, kinds, ogg_page, patched, riff, save};

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
