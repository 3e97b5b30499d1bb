//! What is read from WAV files of every kind.

use auralis::audio::{Format, Spec};

use crate::files::{Fmt, Random, bits, chunk, decode, patched, riff, save};

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
