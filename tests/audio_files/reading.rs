//! A reader, however it is asked.

use auralis::audio::Reader;

use crate::files::{Fmt, bits, decode, flac, kinds, read_all, save};

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
