//! `process`: single files and folders, what it writes, and what it refuses to overwrite.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::songs::{clicks, song};
use crate::support::{Audio, Run, Sandbox, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("process::json_has_the_contract's_keys", contract),
        trial("process::a_folder_is_mirrored", mirrored),
        trial("process::sample_formats_and_containers", formats),
        trial("process::documents_are_written", documents),
        trial(
            "process::an_existing_output_is_kept_without_force",
            overwriting,
        ),
        trial("process::usage", usage),
        trial("process::an_output_has_one_input", one_input),
        trial("process::an_output_is_never_an_input", never_an_input),
        trial("process::jobs_give_the_same_bytes", jobs),
        trial("process::an_unreachable_target_is_told", unreachable),
    ]
}

/// That the file at `output` is `run`'s delivery, by a meter that is not ours.
#[track_caller]
fn delivered(sandbox: &Sandbox, object: &Value, frames: usize) {
    assert_eq!(object["error"], Value::Null);
    let output = Audio::of(&sandbox.path(object["output"].as_str().unwrap()));
    assert_eq!(output.frames(), frames);
    let (loudness, peak) = output.levels();
    assert!((loudness + 14.0).abs() < 0.1, "{loudness} LUFS: {object}");
    assert!(peak <= -0.95, "{peak} dBTP: {object}");
    let claimed = |key: &str| object[key].as_f64().unwrap();
    assert!(
        (claimed("loudness_out_lufs") - loudness).abs() < 0.05,
        "{object}"
    );
    assert!(
        (claimed("true_peak_out_dbtp") - peak).abs() < 0.1,
        "{peak}: {object}"
    );
}

fn contract() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 3.0));
    let object = sandbox
        .run("process song.wav -o out.wav --json")
        .exits(0)
        .object();
    delivered(&sandbox, &object, 132_300);
    let exact = [
        ("schema", json!("auralis.process/1")),
        ("input", json!("song.wav")),
        ("output", json!("out.wav")),
        ("frames", json!(132_300)),
        ("channels", json!(2)),
        ("sample_rate", json!(44_100)),
        ("audio_seconds", json!(3.0)),
        ("latency_samples", json!(0)),
        ("cache", json!("miss")),
        ("loudness_note", Value::Null),
    ];
    for (key, value) in exact {
        assert_eq!(object[key], value, "{key}");
    }
    for key in ["wall_seconds", "realtime_factor"] {
        assert!(object[key].as_f64().unwrap() > 0.0, "{key}");
    }
    let (loudness_in, _) = Audio::of(&sandbox.path("song.wav")).levels();
    let claimed = object["loudness_in_lufs"].as_f64().unwrap();
    assert!((claimed - loudness_in).abs() < 0.05, "{claimed}");
    let kinds = [
        "accelerator",
        "buffer_pool",
        "cache",
        "executor",
        "profiler",
    ];
    let backends = object["backends"].as_object().unwrap();
    assert_eq!(backends.keys().collect::<Vec<_>>(), kinds);
    assert!(backends.values().all(Value::is_string));
    assert_eq!(sandbox.files(), ["out.wav", "song.wav"]);
}

fn mirrored() {
    let sandbox = Sandbox::new();
    for (seed, name) in ["a.wav", "sub/b.WAV", "sub/deep/c.wav"].iter().enumerate() {
        sandbox.write(&format!("songs/{name}"), &song(seed as u64, 1.0));
    }
    sandbox.write("songs/notes.txt", b"no song");
    let run = sandbox
        .run("process songs --output-dir out/put --json")
        .exits(0);
    assert_eq!(run.objects().len(), 3, "{run}");
    for name in ["a.wav", "sub/b.wav", "sub/deep/c.wav"] {
        let output = format!("out/put/{name}");
        delivered(&sandbox, &run.object_with("output", &output), 44_100);
    }
    assert_eq!(sandbox.files().len(), 7);
}

fn formats() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(2, 1.0));
    let magic = |wav: &[u8], text: &[u8]| assert_eq!(&wav[..4], text);
    for (arguments, output, text, bits) in [
        ("--bits 16", "a.wav", b"RIFF", 16),
        ("--bits 24", "b.wav", b"RIFF", 24),
        ("--bits 32f", "c.wav", b"RIFF", 32),
        ("--bits 16", "d.flac", b"fLaC", 16),
        ("", "e.FLAC", b"fLaC", 24),
        ("--format flac", "f.out", b"fLaC", 24),
    ] {
        let line = format!("process song.wav -o {output} {arguments} --json");
        let object = sandbox.run(&line).exits(0).object();
        delivered(&sandbox, &object, 44_100);
        magic(&sandbox.read(output), text);
        assert_eq!(Audio::of(&sandbox.path(output)).bits, Some(bits), "{line}");
    }
    sandbox
        .run("process song.wav -o g.flac --bits 32f")
        .exits(1)
        .says(&["song.wav", "FLAC can't hold floats"]);
    assert!(!sandbox.path("g.flac").exists());
}

fn documents() {
    let sandbox = Sandbox::new();
    sandbox.write("my <song>.wav", &song(3, 1.0));
    sandbox
        .run_with(
            "process -o out.wav --report r.html --trace t.json",
            &["my <song>.wav"],
        )
        .exits(0);
    let report = String::from_utf8(sandbox.read("r.html")).unwrap();
    assert!(report.starts_with("<!DOCTYPE html>") && report.trim_end().ends_with("</html>"));
    assert!(report.contains("my &lt;song&gt;.wav") && !report.contains("<song>"));
    let trace: Value = serde_json::from_slice(&sandbox.read("t.json")).unwrap();
    let events = trace["traceEvents"]
        .as_array()
        .or(trace.as_array())
        .unwrap();
    assert!(events.iter().any(|e| e["name"] == "decode"), "{trace}");
    sandbox
        .run_with(
            "process -o b.wav --report no/such/r.html",
            &["my <song>.wav"],
        )
        .exits(1)
        .says(&["can't write the file", "no/such/r.html"]);
}

fn overwriting() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(4, 1.0));
    sandbox.write("out.wav", b"mine");
    sandbox.run("process song.wav -o out.wav").exits(1).says(&[
        "song.wav",
        "exists already",
        "--force",
        "out.wav",
    ]);
    assert_eq!(sandbox.read("out.wav"), b"mine");
    let forced = sandbox
        .run("process song.wav -o out.wav --force --json")
        .exits(0);
    delivered(&sandbox, &forced.object(), 44_100);
    let before = sandbox.read("song.wav");
    sandbox.run("process song.wav -o song.wav --force").exits(1);
    assert_eq!(sandbox.read("song.wav"), before);
}

fn usage() {
    let sandbox = Sandbox::new();
    sandbox.write("a/a.wav", &song(5, 0.5));
    for (line, text) in [
        ("process a/a.wav a/a.wav -o out.wav", "--output-dir"),
        ("process a -o out.wav", "--output-dir"),
        ("process a/a.wav -o out.mp3", ".mp3"),
        ("process a/a.wav", "--output"),
        ("process -o out.wav", "<INPUT>"),
        (
            "process a/a.wav -o out.wav --output-dir out",
            "cannot be used with",
        ),
        ("process a/a.wav -o out.wav --bits 12", "16, 24, 32f"),
        ("process a/a.wav -o out.wav --jobs 0", "0"),
        ("process a/a.wav -o out.wav --nan maybe", "refuse, zero"),
        ("master a/a.wav", "unrecognized subcommand"),
        ("", "Usage"),
    ] {
        let run: Run = sandbox.run(line).exits(2).says(&[text]);
        assert_eq!(run.stdout, "", "{line}");
        assert_eq!(sandbox.files(), ["a/a.wav"], "{line}");
    }
}

fn one_input() {
    let sandbox = Sandbox::new();
    sandbox.write("a/song.wav", &song(6, 0.5));
    sandbox.write("b/song.wav", &song(7, 0.5));
    let run = sandbox
        .run("process a/song.wav b/song.wav --output-dir out --json")
        .exits(1);
    delivered(&sandbox, &run.object_with("input", "a/song.wav"), 22_050);
    let refused = run.object_with("input", "b/song.wav");
    let error = refused["error"].as_str().unwrap();
    assert!(
        error.contains("another input has the same output"),
        "{error}"
    );
    assert!(error.contains("a/song.wav"), "{error}");
}

/// Not even one input by the output of another, or by a document.
fn never_an_input() {
    let sandbox = Sandbox::new();
    let (flac, wav) = ("songs/song.flac", "songs/song.wav");
    sandbox.write("first.wav", &song(8, 0.5));
    sandbox.run("process first.wav -o songs/song.flac").exits(0);
    sandbox.write(wav, &song(9, 0.5));
    let before = (sandbox.read(flac), sandbox.read(wav));
    for line in [
        "process songs --output-dir songs --force",
        "process songs/song.flac songs/song.wav --output-dir songs --force",
        "process songs/song.wav -o out.wav --report songs/song.wav",
        "process songs/song.wav -o out.wav --trace songs/song.wav",
        "process songs/song.wav -o out.wav --report out.wav",
    ] {
        let run = sandbox.run(line);
        assert!(matches!(run.code, Some(1 | 2)), "{run}");
        assert!(before == (sandbox.read(flac), sandbox.read(wav)), "{run}");
    }
}

fn jobs() {
    let sandbox = Sandbox::new();
    for seed in 0..3 {
        sandbox.write(&format!("songs/{seed}.wav"), &song(seed, 1.0));
    }
    for jobs in ["1", "2"] {
        sandbox
            .run(&format!(
                "process songs --output-dir out{jobs} --jobs {jobs}"
            ))
            .exits(0);
        // One file: its inside on all threads.
        sandbox
            .run(&format!(
                "process songs/0.wav -o one{jobs}.wav --jobs {jobs}"
            ))
            .exits(0);
    }
    for name in ["0.wav", "1.wav", "2.wav"] {
        let (one, two) = (format!("out1/{name}"), format!("out2/{name}"));
        assert!(sandbox.read(&one) == sandbox.read(&two), "{name}");
    }
    assert!(sandbox.read("one1.wav") == sandbox.read("one2.wav"));
    assert!(sandbox.read("one1.wav") == sandbox.read("out1/0.wav"));
}

fn unreachable() {
    let sandbox = Sandbox::new();
    sandbox.write("clicks.wav", &clicks(2.0));
    let object = sandbox
        .run("process clicks.wav -o out.wav --json --set chain[1].target_lufs=-6")
        .exits(0)
        .object();
    let note = object["loudness_note"].as_str().unwrap();
    let reached = object["loudness_out_lufs"].as_f64().unwrap();
    for text in [
        "asked -6.0 LUFS",
        &format!("got {reached:.2} LUFS"),
        "limiting",
    ] {
        assert!(note.contains(text), "{text}: {note}");
    }
    let output = Audio::of(&sandbox.path("out.wav"));
    let (loudness, peak) = output.levels();
    assert!(
        (loudness - reached).abs() < 0.05 && peak <= -0.95,
        "{object}"
    );
    assert_eq!(output.frames(), 88_200);
}
