//! What is read from MP3, FLAC and Vorbis files.

use auralis::audio::Format;
use auralis_core::{ErrorKind, Result};

use crate::files::{FIXTURE_FRAMES, Random, decode, fixture, flac, save, with_ogg_checksums};

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
