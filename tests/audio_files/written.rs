//! What a writer makes, and what it refuses.

use std::fs;

use auralis::audio::{OutputFormat, OutputSpec, Reader, SampleFormat, Writer};
use auralis_core::ErrorKind;

use crate::files::{Random, bits, decode, output, save};

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
