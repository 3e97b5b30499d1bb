//! The three songs: one dynamic, one too quiet, one too hot.

use super::instruments::{bass, bell, hat, kick, pluck, snare, strings, tom};
use super::signal::{OnePole, Random, SAMPLE_RATE, frames, soft};

/// The playing time of each song, in seconds.
const SECONDS: f64 = 20.0;

/// A song as samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Song {
    /// A name that is fit for a file.
    pub name: &'static str,
    /// Frames per second.
    pub sample_rate: u32,
    /// One row of samples per channel: left and right.
    pub planes: Vec<Vec<f32>>,
}

/// The songs, always the same to the bit: `drums` has peaks far above its loudness, `strings` is
/// much too quiet, and `band` is louder than a streaming service takes.
pub fn songs() -> Vec<Song> {
    vec![
        drums().finish("drums", 0.9),
        quiet_strings().finish("strings", 0.07),
        band().finish("band", 0.995),
    ]
}

/// What the instruments play into: a dry stereo signal and what goes to the room.
struct Mix {
    dry: [Vec<f64>; 2],
    room: [Vec<f64>; 2],
}

/// Where and how a note sounds.
#[derive(Clone, Copy)]
struct Place {
    /// From -1, left, to 1, right.
    pan: f64,
    gain: f64,
    /// The share that goes to the room.
    room: f64,
}

impl Mix {
    fn new() -> Self {
        let silence = || [(); 2].map(|()| vec![0.0; frames(SECONDS)]);
        Self {
            dry: silence(),
            room: silence(),
        }
    }

    /// Adds a note that begins at this time, in seconds.
    fn add(&mut self, at: f64, place: Place, note: &[f64]) {
        let Place { pan, gain, room } = place;
        // Equal power, by a square root: the sum of the squares is constant.
        let gains = [
            gain * (0.5 - 0.5 * pan).sqrt(),
            gain * (0.5 + 0.5 * pan).sqrt(),
        ];
        for (side, gain) in gains.into_iter().enumerate() {
            let dry = self.dry[side].iter_mut().skip(frames(at));
            let wet = self.room[side].iter_mut().skip(frames(at));
            for ((dry, wet), x) in dry.zip(wet).zip(note) {
                *dry += gain * x;
                *wet += gain * room * x;
            }
        }
    }

    /// Adds the room, drives the sum into the soft limit, and fades the end out.
    fn driven(mut self, drive: f64) -> Self {
        for (side, (dry, wet)) in self.dry.iter_mut().zip(&self.room).enumerate() {
            let reverberation = room(wet, side);
            for (x, wet) in dry.iter_mut().zip(reverberation) {
                *x = soft(drive * (*x + wet));
            }
        }
        self
    }

    /// The song at this peak.
    fn finish(self, name: &'static str, peak: f64) -> Song {
        let largest = self
            .dry
            .iter()
            .flatten()
            .fold(0.0, |m: f64, x| m.max(x.abs()));
        let (end, fade) = (frames(SECONDS), frames(0.6));
        let planes = self.dry.iter().map(|plane| {
            let samples = plane.iter().enumerate().map(|(i, x)| {
                let fading = ((end - i) as f64 / fade as f64).min(1.0);
                (x * peak / largest * fading) as f32
            });
            samples.collect()
        });
        Song {
            name,
            sample_rate: SAMPLE_RATE,
            planes: planes.collect(),
        }
    }
}

/// A small room: parallel combs that darken, then all-passes (Schroeder, "Natural sounding
/// artificial reverberation", 1962; the lengths are those of Freeverb, a little longer at the right).
fn room(input: &[f64], side: usize) -> Vec<f64> {
    const COMBS: [usize; 6] = [1116, 1188, 1277, 1356, 1422, 1557];
    const ALL_PASSES: [usize; 3] = [556, 441, 341];
    let mut output = vec![0.0; input.len()];
    for length in COMBS.map(|length| length + 23 * side) {
        let mut line = vec![0.0; length];
        let mut dark = OnePole::default();
        let stretches = input.chunks(length).zip(output.chunks_mut(length));
        for (xs, ys) in stretches {
            for ((x, y), kept) in xs.iter().zip(ys).zip(&mut line) {
                let echo = *kept;
                *y += echo;
                *kept = 0.16 * x + 0.84 * dark.low_by(echo, 0.75);
            }
        }
    }
    for length in ALL_PASSES.map(|length| length + 23 * side) {
        let mut line = vec![0.0; length];
        for ys in output.chunks_mut(length) {
            for (y, kept) in ys.iter_mut().zip(&mut line) {
                let (x, echo) = (*y, *kept);
                *y = echo - 0.5 * x;
                *kept = x + 0.5 * echo;
            }
        }
    }
    output
}

/// A drum kit at 96 beats a minute with a swing: eight bars, a crescendo, and a fill.
fn drums() -> Mix {
    const SIXTEENTH: f64 = 60.0 / 96.0 / 4.0;
    // A digit is a velocity, a dot a rest; a row is one bar of sixteenths.
    const KICK: [&str; 2] = ["9.....7.8..5....", "9.....7.8.6...4."];
    const SNARE: [&str; 2] = ["....9..2.2..9..3", "....9..2.3..9.2."];
    const HAT: [&str; 2] = ["8.5.7.5.8.5.7.53", "8.527.5.8.5.7..."];
    const OPEN: [&str; 2] = ["................", "..............6."];
    const FILL: [&str; 4] = [
        "9...............",
        "....9.57........",
        "........9.78....",
        "............9.98",
    ];
    let mut random = Random(0x6472_756d);
    let mut mix = Mix::new();
    for bar in 0..8 {
        let loudness = 0.35 + 0.65 * f64::from(bar) / 7.0;
        let (even, fill) = (bar as usize % 2, bar == 7);
        let mut play = |row: &str, place: Place, stroke: &mut dyn FnMut() -> Vec<f64>| {
            for (step, velocity) in row.chars().enumerate() {
                let Some(velocity) = velocity.to_digit(10) else {
                    continue;
                };
                let late = if step % 2 == 1 { 0.2 * SIXTEENTH } else { 0.0 };
                let at = f64::from(bar * 16) * SIXTEENTH + step as f64 * SIXTEENTH + late;
                let strength = f64::from(velocity * velocity) / 81.0;
                let gain = place.gain * strength * loudness;
                mix.add(at, Place { gain, ..place }, &stroke());
            }
        };
        let at = |pan, gain, room| Place { pan, gain, room };
        if fill {
            play(FILL[0], at(0.0, 1.0, 0.05), &mut || kick(&mut random));
            play(FILL[1], at(-0.1, 0.9, 0.3), &mut || snare(&mut random));
            play(FILL[2], at(-0.5, 0.9, 0.3), &mut || tom(&mut random, 148.0));
            play(FILL[3], at(0.5, 1.0, 0.3), &mut || tom(&mut random, 98.0));
            continue;
        }
        play(KICK[even], at(0.0, 1.0, 0.05), &mut || kick(&mut random));
        play(SNARE[even], at(-0.1, 0.8, 0.25), &mut || snare(&mut random));
        play(HAT[even], at(0.35, 0.35, 0.08), &mut || {
            hat(&mut random, 0.014)
        });
        play(OPEN[even], at(0.35, 0.35, 0.12), &mut || {
            hat(&mut random, 0.09)
        });
    }
    mix.driven(0.8)
}

/// Strings in D major with a bell above, on the bass line of Pachelbel's canon: eight chords.
fn quiet_strings() -> Mix {
    const CHORD: f64 = SECONDS / 8.0;
    const CHORDS: [[f64; 4]; 8] = [
        [38.0, 57.0, 62.0, 66.0],
        [45.0, 57.0, 61.0, 64.0],
        [47.0, 59.0, 62.0, 66.0],
        [42.0, 57.0, 61.0, 66.0],
        [43.0, 59.0, 62.0, 67.0],
        [38.0, 57.0, 62.0, 66.0],
        [43.0, 59.0, 62.0, 67.0],
        [45.0, 57.0, 61.0, 64.0],
    ];
    const MELODY: [[f64; 2]; 8] = [
        [78.0, 81.0],
        [76.0, 81.0],
        [74.0, 78.0],
        [73.0, 78.0],
        [71.0, 74.0],
        [69.0, 74.0],
        [71.0, 74.0],
        [73.0, 76.0],
    ];
    let mut random = Random(0x7374_7267);
    let mut mix = Mix::new();
    for (index, (chord, melody)) in CHORDS.iter().zip(MELODY).enumerate() {
        let at = index as f64 * CHORD;
        for (note, pan) in chord.iter().zip([0.0, -0.6, 0.2, 0.65]) {
            let gain = if *note < 48.0 { 0.3 } else { 0.2 };
            let tone = strings(&mut random, *note, CHORD + 0.3);
            mix.add(
                at,
                Place {
                    pan,
                    gain,
                    room: 0.5,
                },
                &tone,
            );
        }
        for (half, note) in melody.into_iter().enumerate() {
            let at = at + half as f64 * CHORD / 2.0;
            let place = Place {
                pan: -0.15,
                gain: 0.16,
                room: 0.8,
            };
            mix.add(at, place, &bell(note, 1.4 * CHORD));
        }
    }
    mix.driven(0.8)
}

/// A band at 120 beats a minute: bass, a plucked arpeggio and drums on four chords, then an end.
fn band() -> Mix {
    const BEAT: f64 = 0.5;
    const BAR: f64 = 4.0 * BEAT;
    const C: [f64; 4] = [36.0, 60.0, 64.0, 67.0];
    const G: [f64; 4] = [31.0, 59.0, 62.0, 67.0];
    const A_MINOR: [f64; 4] = [33.0, 57.0, 60.0, 64.0];
    const F: [f64; 4] = [29.0, 57.0, 60.0, 65.0];
    const BARS: [[f64; 4]; 9] = [C, G, A_MINOR, F, C, G, A_MINOR, F, G];
    // Which note of the chord, an octave up from 3 on.
    const ARPEGGIO: [usize; 8] = [0, 1, 2, 3, 5, 3, 2, 1];
    const BASS: [(f64, f64, f64); 5] = [
        (0.0, 0.7, 0.0),
        (0.75, 0.2, 0.0),
        (1.5, 0.45, 12.0),
        (2.0, 0.7, 0.0),
        (3.0, 0.45, 7.0),
    ];
    let mut random = Random(0x6261_6e64);
    let mut mix = Mix::new();
    let at = |pan, gain, room| Place { pan, gain, room };
    for (index, [root, chord @ ..]) in BARS.iter().enumerate() {
        let start = index as f64 * BAR;
        for (step, note) in ARPEGGIO.into_iter().enumerate() {
            let note = chord[note % 3] + 12.0 * (note / 3) as f64;
            let time = start + step as f64 * BEAT / 2.0;
            let pan = if step % 2 == 0 { -0.45 } else { 0.45 };
            mix.add(time, at(pan, 0.55, 0.3), &pluck(&mut random, note, 1.4));
        }
        for (beat, beats, above) in BASS {
            let tone = bass(root + above, beats * BEAT + 0.05);
            mix.add(start + beat * BEAT, at(0.0, 0.6, 0.0), &tone);
        }
        // The drums come in with the second bar.
        for beat in (0..4).filter(|_| index > 0) {
            let time = start + f64::from(beat) * BEAT;
            if beat % 2 == 0 {
                mix.add(time, at(0.0, 0.9, 0.03), &kick(&mut random));
            } else {
                mix.add(time, at(0.05, 0.65, 0.2), &snare(&mut random));
            }
            mix.add(time, at(-0.3, 0.2, 0.05), &hat(&mut random, 0.015));
            let open = hat(&mut random, 0.05);
            mix.add(time + BEAT / 2.0, at(-0.3, 0.24, 0.05), &open);
        }
    }
    let end = BARS.len() as f64 * BAR;
    for (index, note) in [48.0, 60.0, 64.0, 67.0, 72.0].into_iter().enumerate() {
        let strum = 0.025 * index as f64;
        let tone = pluck(&mut random, note, SECONDS - end);
        mix.add(end + strum, at(0.2 * index as f64 - 0.4, 0.5, 0.4), &tone);
    }
    mix.add(end, at(0.0, 0.7, 0.0), &bass(36.0, SECONDS - end));
    mix.add(end, at(0.0, 0.9, 0.1), &kick(&mut random));
    mix.driven(1.6)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use ebur128::{EbuR128, Mode};

    use super::*;

    static SONGS: LazyLock<Vec<Song>> = LazyLock::new(songs);

    fn loudness(song: &Song) -> f64 {
        let mut meter = EbuR128::new(2, song.sample_rate, Mode::I).unwrap();
        let planes: Vec<_> = song.planes.iter().map(Vec::as_slice).collect();
        meter.add_frames_planar_f32(&planes).unwrap();
        meter.loudness_global().unwrap()
    }

    fn peak(song: &Song) -> f32 {
        let samples = song.planes.iter().flatten();
        samples.fold(0.0, |peak, x| peak.max(x.abs()))
    }

    /// The digest of the samples in 16 bits.
    fn digest(song: &Song) -> String {
        let mut hasher = blake3::Hasher::new();
        for x in song.planes.iter().flatten() {
            hasher.update(&((x * 32_767.0).round() as i16).to_le_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    #[test]
    fn the_songs_are_what_they_were() {
        let digests: Vec<_> = SONGS.iter().map(|s| (s.name, digest(s))).collect();
        let golden = [
            ("drums", "c518c0a4f051ea7c"),
            ("strings", "1ffc2975280f8584"),
            ("band", "e1751728cecaf0db"),
        ];
        assert_eq!(
            digests,
            golden.map(|(name, digest)| (name, digest.to_owned()))
        );
    }

    #[test]
    fn the_songs_give_a_mastering_three_kinds_of_work() {
        for song in &*SONGS {
            assert_eq!(song.sample_rate, 44_100);
            assert_eq!(
                song.planes.iter().map(Vec::len).collect::<Vec<_>>(),
                [882_000; 2]
            );
            assert!(
                song.planes.iter().flatten().all(|x| x.is_finite()),
                "{}",
                song.name
            );
            assert!(peak(song) < 1.0, "{}", song.name);
            assert_ne!(
                song.planes[0], song.planes[1],
                "{} is not stereo",
                song.name
            );
        }
        let [drums, strings, band] = [0, 1, 2].map(|i| (loudness(&SONGS[i]), peak(&SONGS[i])));
        assert!(
            (-26.0..-16.0).contains(&drums.0) && drums.1 > 0.8,
            "drums: {drums:?}"
        );
        assert!((-45.0..-30.0).contains(&strings.0), "strings: {strings:?}");
        assert!(
            (-12.0..-6.0).contains(&band.0) && band.1 > 0.9,
            "band: {band:?}"
        );
    }
}
