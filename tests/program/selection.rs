//! Which backends run: by file, environment and flags, and that the choice does not change a file.

use auralis_core::CpuFeatures;
use libtest_mimic::Trial;

use crate::songs::song;
use crate::support::{Audio, PROGRAM, Run, Sandbox, trial};

pub fn trials() -> Vec<Trial> {
    let backends = [
        (
            "accelerator",
            &["scalar", "multiversion", "avx2", "avx512"][..],
        ),
        ("buffer_pool", &["heap", "queue", "debug"]),
        ("cache", &["none", "lru", "dashmap", "disk"]),
        ("executor", &["sequential", "rayon", "pinned"]),
        ("profiler", &["histogram", "trace", "none"]),
    ];
    let mut trials = Vec::new();
    for (kind, ids) in backends {
        for &id in ids {
            let name = format!("selection::{kind}::{id}");
            trials.push(match missing(id) {
                None => trial(name, move || named(kind, id)),
                Some(lacks) => trial(name, || ())
                    .with_kind(format!("needs {lacks}"))
                    .with_ignored_flag(true),
            });
        }
    }
    trials.extend([
        trial("selection::flags_override_variables_override_files", layers),
        trial("selection::config_show_names_the_origin", origins),
        trial("selection::a_list_takes_the_first_that_is_there", list),
        trial("selection::hidden_features", hidden),
        trial("selection::one_kernel_of_another_backend", kernel),
    ]);
    trials
}

/// The CPU feature that a backend lacks here.
fn missing(id: &str) -> Option<&'static str> {
    let feature = match id {
        "avx2" => "avx2",
        "avx512" => "avx512f",
        _ => return None,
    };
    let has = CpuFeatures::detect().names().any(|name| name == feature);
    (!has).then_some(feature)
}

fn chosen(run: &Run, kind: &str) -> serde_json::Value {
    let object = run.object_with("kind", kind);
    assert_eq!(object["schema"], "auralis.selection/1");
    object
}

/// A backend named in the file is explained, reported, and makes the file of the default ones.
fn named(kind: &str, id: &str) {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.8));
    sandbox
        .run("process song.wav -o usual.wav --bits 32f")
        .exits(0);
    sandbox.configure(&format!("[{kind}]\nbackend = \"{id}\"\n"));
    let explained = chosen(&sandbox.run("explain --json").exits(0), kind);
    assert_eq!(
        (&explained["chosen"], &explained["decided_by"]),
        (&id.into(), &"config".into())
    );
    for rejected in explained["rejected"].as_array().unwrap() {
        let reason = rejected["reason"].as_str().unwrap();
        assert!(!reason.is_empty() && rejected["id"] != id, "{explained}");
    }
    let object = sandbox
        .run("process song.wav -o out.wav --bits 32f --json")
        .exits(0)
        .object();
    assert_eq!(object["backends"][kind], id);
    if kind == "cache" {
        let expected = if id == "none" { "off" } else { "miss" };
        assert_eq!(object["cache"], expected);
    }
    if kind == "accelerator" {
        let (usual, other) = (
            Audio::of(&sandbox.path("usual.wav")),
            Audio::of(&sandbox.path("out.wav")),
        );
        let distance = usual.distance(&other);
        assert!(distance <= 1e-5, "{distance}");
    } else {
        assert!(sandbox.read("usual.wav") == sandbox.read("out.wav"));
    }
}

fn layers() {
    let sandbox = Sandbox::configured("[executor]\nbackend = \"pinned\"\n");
    let explain = |variable: Option<&str>, flags: &[&str]| {
        let mut command = sandbox.command(PROGRAM);
        command.args(["explain", "--json"]).args(flags);
        if let Some(value) = variable {
            command.env("AURALIS_EXECUTOR__BACKEND", value);
        }
        let object = chosen(
            &Run::of(&mut command, "explain --json").exits(0),
            "executor",
        );
        let text = |key: &str| object[key].as_str().unwrap().to_owned();
        (text("chosen"), text("decided_by"))
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let flags = ["--set", "executor.backend=rayon"];
    assert_eq!(explain(None, &[]), pair("pinned", "config"));
    assert_eq!(
        explain(Some("sequential"), &[]),
        pair("sequential", "environment")
    );
    assert_eq!(explain(Some("sequential"), &flags), pair("rayon", "flag"));
    sandbox.write("other.toml", b"[executor]\nbackend = \"sequential\"\n");
    let other = ["--config", "other.toml"];
    assert_eq!(explain(None, &other), pair("sequential", "config"));
    sandbox.configure("");
    assert_eq!(explain(None, &[]), pair("rayon", "rank"));
}

fn origins() {
    let sandbox = Sandbox::configured("[cache]\nttl_seconds = 7\ncapacity_mb = 5\n");
    let mut command = sandbox.command(PROGRAM);
    command.env("AURALIS_EXECUTOR__THREADS", "3");
    command.args(["config", "show", "--origin", "--set", "cache.capacity_mb=6"]);
    let run = Run::of(&mut command, "config show --origin").exits(0);
    let line = |key: &str| {
        let found = run.stdout.lines().find(|line| line.starts_with(key));
        found.unwrap_or_else(|| panic!("{key}\n{run}")).to_owned()
    };
    for (key, texts) in [
        ("cache.ttl_seconds = 7", &["auralis.toml:2"][..]),
        ("cache.capacity_mb = 6", &["--set"]),
        ("executor.threads = 3", &["AURALIS_EXECUTOR__THREADS"]),
        ("executor.helpers = 2", &["default"]),
    ] {
        for text in texts {
            assert!(line(key).contains(text), "{text}: {}", line(key));
        }
    }
    let objects = sandbox.run("config show --origin --json").exits(0);
    let ttl = objects.object_with("key", "cache.ttl_seconds");
    assert!(ttl["origin"].to_string().contains("auralis.toml"), "{ttl}");
}

fn list() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let sandbox = Sandbox::configured(
        "[cpu]\ndisable = [\"avx512f\"]\n[accelerator]\nbackend = [\"avx512\", \"scalar\"]\n",
    );
    let object = chosen(&sandbox.run("explain --json").exits(0), "accelerator");
    assert_eq!(object["chosen"], "scalar", "{object}");
}

fn hidden() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let disable = "[cpu]\ndisable = [\"avx512f\"]\n";
    let sandbox = Sandbox::configured(disable);
    let object = chosen(&sandbox.run("explain --json").exits(0), "accelerator");
    assert_ne!(object["chosen"], "avx512");
    let rejected = object["rejected"].as_array().unwrap();
    let avx512 = rejected.iter().find(|r| r["id"] == "avx512").unwrap();
    assert!(
        avx512["reason"].as_str().unwrap().contains("avx512f"),
        "{avx512}"
    );
    let backend = sandbox
        .run("backends --json")
        .exits(0)
        .object_with("id", "avx512");
    assert_eq!(backend["available"], false);
    sandbox.configure(&format!("{disable}[accelerator]\nbackend = \"avx512\"\n"));
    sandbox.write("song.wav", &song(1, 0.2));
    for line in ["explain", "process song.wav -o out.wav"] {
        sandbox
            .run(line)
            .exits(4)
            .says(&["avx512", "avx512f", "scalar"]);
    }
    assert_eq!(sandbox.files(), ["song.wav"]);
}

fn kernel() {
    let sandbox = Sandbox::configured(
        "[accelerator]\nbackend = \"multiversion\"\n[accelerator.kernels]\ndot = \"scalar\"\n",
    );
    let object = chosen(&sandbox.run("explain --json").exits(0), "accelerator");
    assert_eq!(object["kernels"]["dot"], "scalar", "{object}");
}
