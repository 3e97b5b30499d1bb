//! The other verbs: `analyze`, `backends`, `explain`, `config`, `demo`.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::songs::song;
use crate::support::{Audio, Sandbox, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("verbs::analyze", analyze),
        trial("verbs::backends", backends),
        trial("verbs::explain", explain),
        trial("verbs::config_init_check_schema", config),
        trial("verbs::demo", demo),
        trial("verbs::help_and_version", help),
    ]
}

const KINDS: [&str; 5] = [
    "accelerator",
    "buffer_pool",
    "cache",
    "executor",
    "profiler",
];

fn analyze() {
    let sandbox = Sandbox::new();
    sandbox.write("songs/good.wav", &song(1, 1.5));
    sandbox.write("songs/bad.wav", b"no");
    let run = sandbox.run("analyze songs --json").exits(1);
    let good = run.object_with("input", "songs/good.wav");
    assert_eq!(good["schema"], "auralis.analysis/1");
    let audio = Audio::of(&sandbox.path("songs/good.wav"));
    let (loudness, peak) = audio.levels();
    let samples = audio.planes.concat();
    let largest = samples.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
    let squares: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
    for (key, expected, within) in [
        ("loudness_lufs", loudness, 0.02),
        ("true_peak_dbtp", peak, 0.1),
        ("peak_dbfs", 20.0 * f64::from(largest).log10(), 0.001),
        (
            "rms_dbfs",
            10.0 * (squares / samples.len() as f64).log10(),
            0.001,
        ),
        ("audio_seconds", 1.5, 0.0),
        ("frames", 66_150.0, 0.0),
    ] {
        let found = good[key].as_f64().unwrap();
        assert!(
            (found - expected).abs() <= within,
            "{key}: {found}, not {expected}"
        );
    }
    let bad = run.object_with("input", "songs/bad.wav");
    assert!(bad["error"].as_str().unwrap().contains("bad.wav"), "{bad}");
    let shown = format!("{:.2}", good["loudness_lufs"].as_f64().unwrap());
    sandbox
        .run("analyze songs/good.wav")
        .exits(0)
        .says(&["songs/good.wav", &shown]);
    assert_eq!(sandbox.files(), ["songs/bad.wav", "songs/good.wav"]);
}

fn backends() {
    let objects = Sandbox::new().run("backends --json").exits(0).objects();
    let kinds: BTreeSet<_> = objects
        .iter()
        .map(|o| o["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), KINDS);
    for object in &objects {
        assert_eq!(object["schema"], "auralis.backend/1");
        assert_eq!(object["source"], "linked");
        assert!(
            object["id"].is_string() && object["version"].is_string(),
            "{object}"
        );
        assert!(
            object["rank"].is_i64() && object["requires"].is_array(),
            "{object}"
        );
        let (available, selected) = (&object["available"], &object["selected"]);
        assert!(
            available.is_boolean() && (available == true || selected == false),
            "{object}"
        );
    }
    for kind in KINDS {
        let selected = objects
            .iter()
            .filter(|o| o["kind"] == kind && o["selected"] == true);
        assert_eq!(selected.count(), 1, "{kind}");
    }
    Sandbox::new()
        .run("backends")
        .exits(0)
        .says(&["scalar", "dashmap", "pinned"]);
}

fn explain() {
    let objects = Sandbox::new().run("explain --json").exits(0).objects();
    let kinds: Vec<_> = objects
        .iter()
        .map(|o| o["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, KINDS);
    for object in &objects {
        assert_eq!(object["schema"], "auralis.selection/1");
        assert_eq!(object["decided_by"], "rank");
        assert!(
            object["chosen"].is_string() && object["rejected"].is_array(),
            "{object}"
        );
    }
    assert!(objects[0]["kernels"].is_object());
    Sandbox::new()
        .run("explain")
        .exits(0)
        .says(&["cpu:", "decided by rank"]);
}

fn config() {
    let sandbox = Sandbox::new();
    sandbox
        .run("config init")
        .exits(1)
        .says(&["auralis.toml", "exists already", "--force"]);
    assert_eq!(sandbox.read("auralis.toml"), b"");
    sandbox.run("config init --force").exits(0);
    let text = String::from_utf8(sandbox.read("auralis.toml")).unwrap();
    assert!(text.contains("[[chain]]") && text.contains("# "), "{text}");
    sandbox.run("config check").exits(0);
    sandbox.run("config init new.toml").exits(0);
    assert_eq!(sandbox.read("new.toml"), text.as_bytes());
    // The written defaults are the built-in ones.
    let written = sandbox.run("config show").exits(0).stdout;
    sandbox.configure("");
    assert_eq!(sandbox.run("config show").exits(0).stdout, written);
    let schema: Value =
        serde_json::from_str(&sandbox.run("config schema").exits(0).stdout).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for kind in KINDS
        .into_iter()
        .chain(["chain", "cpu", "plugins", "process"])
    {
        assert!(properties.contains_key(kind), "{kind}");
    }
}

fn demo() {
    let sandbox = Sandbox::new();
    let run = sandbox.run("demo --json").exits(0);
    assert_eq!(run.objects().len(), 3, "{run}");
    for object in run.objects() {
        assert!(
            object["error"].is_null() && object["loudness_note"].is_null(),
            "{object}"
        );
        let output = Audio::of(&sandbox.path(object["output"].as_str().unwrap()));
        let (loudness, peak) = output.levels();
        assert!(
            (loudness + 14.0).abs() < 0.1 && peak <= -0.95,
            "{loudness}, {peak}: {object}"
        );
    }
    let report = String::from_utf8(sandbox.read("auralis-demo/report.html")).unwrap();
    for name in ["drums", "strings", "band"] {
        assert!(report.contains(name), "{name}");
        for folder in ["songs", "mastered"] {
            assert!(
                sandbox
                    .path(&format!("auralis-demo/{folder}/{name}.wav"))
                    .is_file()
            );
        }
    }
}

fn help() {
    let sandbox = Sandbox::new();
    sandbox
        .run("--version")
        .exits(0)
        .says(&[env!("CARGO_PKG_VERSION")]);
    let verbs = [
        "demo", "process", "analyze", "backends", "explain", "config", "tune", "bench",
    ];
    sandbox
        .run("--help")
        .exits(0)
        .says(&verbs)
        .says(&["Exit codes", "130"]);
    for verb in verbs {
        sandbox
            .run(&format!("{verb} --help"))
            .exits(0)
            .says(&["Usage"]);
    }
}
