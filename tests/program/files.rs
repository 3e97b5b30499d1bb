//! Which files are read, and that nothing happens to them where nothing was asked.

use std::path::Path;

use libtest_mimic::Trial;

use crate::songs::{Wav, music, song};
use crate::support::{Audio, Sandbox, trial};

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![trial("files::an_empty_chain_is_bit_exact", bit_exact)];
    for (tag, bits) in [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)] {
        let name = format!(
            "files::wav_{}{bits}",
            if tag == 1 { "int" } else { "float" }
        );
        trials.push(trial(name, move || wav_kind(tag, bits)));
    }
    for (name, frames) in [
        ("no-xing.mp3", None),
        ("tone.ogg", Some(30_869)),
        ("xing.mp3", Some(30_869)),
    ] {
        trials.push(trial(format!("files::{name}"), move || {
            fixture(name, frames)
        }));
    }
    trials.push(trial("files::flac", flac));
    trials
}

fn bit_exact() {
    let sandbox = Sandbox::configured("chain = []\n");
    sandbox.write("song.wav", &song(1, 1.0));
    for output in ["out.wav", "out.flac"] {
        let line = format!("process song.wav -o {output} --bits 16 --json");
        let object = sandbox.run(&line).exits(0).object();
        assert_eq!(object["loudness_target_lufs"], serde_json::Value::Null);
        let (input, output) = (
            Audio::of(&sandbox.path("song.wav")),
            Audio::of(&sandbox.path(output)),
        );
        assert!(input.planes == output.planes, "{line}");
    }
    let (input, output) = (sandbox.read("song.wav"), sandbox.read("out.wav"));
    let samples = |file: &[u8]| file[file.len() - 44_100 * 4..].to_vec();
    assert!(samples(&input) == samples(&output));
}

/// Each number of channels once, over the rates; plain and extensible.
fn wav_kind(tag: u16, bits: u16) {
    let sandbox = Sandbox::new();
    let cases = [
        (1, 8_000),
        (2, 44_100),
        (2, 192_000),
        (6, 48_000),
        (8, 22_050),
    ];
    for (index, (channels, rate)) in cases.into_iter().enumerate() {
        let samples = music(index as u64, channels.into(), rate, 0.6);
        let mut wav = Wav::of(tag, bits, channels, rate, &samples);
        wav.extensible = channels > 2 || index % 2 == 1;
        sandbox.write(&format!("songs/{channels}-{rate}.wav"), &wav.bytes());
    }
    let run = sandbox
        .run("process songs --output-dir out --json")
        .exits(0);
    assert_eq!(run.objects().len(), cases.len(), "{run}");
    for (channels, rate) in cases {
        let name = format!("{channels}-{rate}.wav");
        let object = run.object_with("input", &format!("songs/{name}"));
        let output = Audio::of(&sandbox.path(&format!("out/{name}")));
        assert_eq!(output.planes.len(), usize::from(channels), "{object}");
        assert_eq!(output.sample_rate, rate, "{object}");
        assert_eq!(
            output.frames(),
            (0.6 * f64::from(rate)) as usize,
            "{object}"
        );
        let reached = object["loudness_out_lufs"].as_f64().unwrap();
        assert!((reached + 14.0).abs() < 0.1, "{object}");
        // The other meter wants the speakers of more channels told.
        if channels <= 2 {
            let (loudness, peak) = output.levels();
            assert!((loudness + 14.0).abs() < 0.1, "{loudness}: {object}");
            assert!(peak <= -0.95, "{peak}: {object}");
        }
    }
}

fn fixture(name: &str, frames: Option<usize>) {
    let sandbox = Sandbox::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    sandbox.write(name, &std::fs::read(fixtures.join(name)).unwrap());
    let object = sandbox
        .run(&format!("process {name} -o out.wav --json"))
        .exits(0)
        .object();
    let output = Audio::of(&sandbox.path("out.wav"));
    let input = Audio::of(&sandbox.path(name));
    assert_eq!(output.frames(), input.frames());
    assert_eq!(output.frames(), frames.unwrap_or(output.frames()));
    let (loudness, _) = output.levels();
    assert!((loudness + 14.0).abs() < 0.1, "{loudness}: {object}");
}

fn flac() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(2, 1.0));
    sandbox
        .run("process song.wav -o song.flac --bits 16 --set chain=[]")
        .exits(0);
    sandbox.run("process song.wav -o of-wav.wav").exits(0);
    sandbox.run("process song.flac -o of-flac.wav").exits(0);
    assert!(sandbox.read("of-wav.wav") == sandbox.read("of-flac.wav"));
}
