//! `auralis plugin`: each verb, and each way it may end.

use std::path::PathBuf;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::songs::song;
use crate::support::{PROGRAM, Run, Sandbox, pinned, plugin, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("plugin_verbs::inspect_accepts", inspect_accepts),
        trial("plugin_verbs::inspect_rejects", inspect_rejects),
        trial("plugin_verbs::inspect_obeys_a_pin", inspect_obeys_a_pin),
        trial("plugin_verbs::check_passes", check_passes),
        trial("plugin_verbs::check_names_what_is_wrong", check_names),
        trial("plugin_verbs::check_outlives_the_plugin", check_outlives),
        trial(
            "plugin_verbs::check_ignores_what_can_not_run",
            check_ignores,
        ),
        trial("plugin_verbs::check_of_what_is_rejected", check_rejected),
        trial("plugin_verbs::list", list),
        trial("plugin_verbs::list_names_clashes", list_names_clashes),
        trial("plugin_verbs::seal", seal),
        trial("plugin_verbs::pin", pin),
        trial("plugin_verbs::quarantine", quarantine),
        trial("plugin_verbs::wrong_usage", wrong_usage),
        trial("plugin_verbs::a_rejected_plugin_is_heard", heard),
    ]
}

/// The plugin that does as it is told by `MISBEHAVE`.
fn misbehaving() -> PathBuf {
    plugin("plugin-misbehaving")
}

fn run(sandbox: &Sandbox, misbehave: &str, line: &str, more: &[&str]) -> Run {
    let mut command = sandbox.command(PROGRAM);
    command.env("MISBEHAVE", misbehave);
    command.args(line.split_whitespace()).args(more);
    Run::of(&mut command, line)
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

fn sha256(file: &std::path::Path) -> String {
    let sandbox = Sandbox::new();
    let inspected = sandbox.run_with("plugin inspect --json", &[text(file)]);
    inspected.object()["sha256"].as_str().unwrap().to_owned()
}

fn inspect_accepts() {
    let file = misbehaving();
    let sandbox = Sandbox::new();
    let object = run(&sandbox, "", "plugin inspect --json", &[text(&file)])
        .exits(0)
        .object();
    for (key, expected) in [
        ("schema", json!("auralis.plugin/1")),
        ("file", json!(file)),
        ("name", json!("plugin-misbehaving")),
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("abi", json!(1)),
        ("panic", json!("unwind")),
        ("pinned", json!(false)),
        ("probed", json!(false)),
        ("notes", json!([])),
        ("verdict", json!("accepted")),
        ("reason", Value::Null),
    ] {
        assert_eq!(object[key], expected, "{key}: {object}");
    }
    assert_eq!(object["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        object["backends"],
        json!([{
            "kind": "accelerator",
            "id": "misbehaving",
            "summary": "Breaks as it is told",
            "version": env!("CARGO_PKG_VERSION"),
            "rank": 1000,
            "requires": [],
            "capabilities": ["scale", "mix"],
            "available": true,
        }])
    );
    run(&sandbox, "", "plugin inspect", &[text(&file)])
        .exits(0)
        .says(&[
            "plugin plugin-misbehaving",
            "backend accelerator/misbehaving",
            "rank 1000: Breaks as it is told",
            "offers scale, mix",
            "verdict accepted, not yet run, to be pinned or sealed before it is loaded",
        ]);
}

fn inspect_rejects() {
    let sandbox = Sandbox::new();
    sandbox.write("text.so", b"#!/bin/sh\n");
    for (file, reason) in [
        (
            "text.so",
            "the file is no library: it is neither ELF nor PE nor Mach-O",
        ),
        ("missing.so", "the file can't be found"),
        (".", "a plugin is a file, this is a directory"),
    ] {
        let run = sandbox.run_with("plugin inspect --json", &[file]).exits(5);
        let object = run.object();
        assert_eq!(object["verdict"], "rejected");
        assert_eq!(object["backends"], json!([]));
        let found = object["reason"].as_str().unwrap();
        assert!(found.starts_with(reason), "{found}");
        sandbox
            .run_with("plugin inspect", &[file])
            .exits(5)
            .says(&["verdict rejected", reason]);
    }
}

fn inspect_obeys_a_pin() {
    let file = misbehaving();
    let sandbox = Sandbox::new();
    let allow =
        |pin: &str| format!("[plugins]\nallow = [{{ file = {file:?}, sha256 = \"{pin}\" }}]\n");
    sandbox.configure(&allow(&"0".repeat(64)));
    let wrong = sandbox.run_with("plugin inspect --json", &[text(&file)]);
    let object = wrong.exits(5).object();
    assert_eq!(object["pinned"], true);
    let reason = object["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("the file is not the one that was pinned by its SHA-256"),
        "{reason}"
    );
    sandbox.configure(&allow(&sha256(&file)));
    let right = sandbox.run_with("plugin inspect", &[text(&file)]);
    right.exits(0).says(&["accepted, not yet run, pinned"]);
}

fn check_passes() {
    let file = misbehaving();
    let sandbox = Sandbox::new();
    let trials = |run: Run| -> Vec<(String, String)> {
        run.objects()
            .iter()
            .map(|object| {
                assert_eq!(object["schema"], "auralis.trial/1");
                assert_eq!(object["reason"], Value::Null, "{object}");
                let text = |key: &str| object[key].as_str().unwrap().to_owned();
                (text("trial"), text("outcome"))
            })
            .collect()
    };
    let expected: Vec<_> = [
        "plugin::serves_its_manifest",
        "accelerator::misbehaving::scale",
        "accelerator::misbehaving::mix",
        "accelerator::misbehaving::unsupported",
        "accelerator::misbehaving::wrong_options_are_refused",
    ]
    .map(|name| (name.to_owned(), "passed".to_owned()))
    .into();
    for line in ["plugin check --json", "plugin check --quick --json"] {
        let run = run(&sandbox, "", line, &[text(&file)]).exits(0);
        assert_eq!(trials(run), expected, "{line}");
    }
    run(&sandbox, "", "plugin check --trial ::mix", &[text(&file)])
        .exits(0)
        .says(&[
            "passed accelerator::misbehaving::mix",
            "2 passed, 0 failed, 0 ignored",
        ]);
}

fn check_names() {
    let file = misbehaving();
    let sandbox = Sandbox::new();
    let everywhere = |reason| [reason; 2];
    for (fault, trial, reasons) in [
        // Only a tail shows it: at the first one behind a whole vector, of all lengths and of few.
        (
            "off-by-one",
            "scale",
            ["length 17: sample 16 is ", "length 31: sample 30 is "],
        ),
        (
            "nan",
            "scale",
            everywhere("length 1: sample 0 is NaN, expected "),
        ),
        ("wrong", "scale", everywhere("length 1: sample 0 is ")),
        (
            "overrun",
            "scale",
            everywhere("length 1: wrote 0.5 over a guard outside the slice, at index 1"),
        ),
        ("panic-in-kernel", "scale", everywhere("length 1: failed: ")),
    ] {
        let lines = ["plugin check --json", "plugin check --quick --json"];
        for (line, reason) in lines.into_iter().zip(reasons) {
            let run = run(&sandbox, fault, line, &[text(&file)]).exits(1);
            let failed = run.object_with("trial", &format!("accelerator::misbehaving::{trial}"));
            assert_eq!(failed["outcome"], "failed");
            let found = failed["reason"].as_str().unwrap();
            assert!(found.starts_with(reason), "{fault}: {found}");
            let passed = run.object_with("trial", "accelerator::misbehaving::mix");
            assert_eq!(passed["outcome"], "passed", "{fault}");
        }
    }
}

/// A trial that ends the process, or never ends, is a failure of that trial alone.
fn check_outlives() {
    let file = misbehaving();
    let sandbox = Sandbox::new();
    for (fault, failing, reason) in [
        (
            "illegal-instruction",
            "scale",
            "ended the process by SIGILL",
        ),
        ("never-returns", "mix", "hangs: it was stopped after 3 s"),
    ] {
        let line = "plugin check --quick --limit 3 --json";
        let run = run(&sandbox, fault, line, &[text(&file)]).exits(1);
        assert_eq!(run.objects().len(), 5, "{run}");
        for object in run.objects() {
            let trial = object["trial"].as_str().unwrap();
            if trial == format!("accelerator::misbehaving::{failing}") {
                assert_eq!(object["outcome"], "failed", "{run}");
                assert_eq!(object["reason"], reason, "{run}");
            } else if trial != "accelerator::misbehaving::unsupported" {
                assert_eq!(object["outcome"], "passed", "{run}");
            }
        }
    }
    // A verdict of the test run neither keeps a plugin from being checked nor comes from a check.
    run(&sandbox, "", "plugin quarantine list", &[])
        .exits(0)
        .says(&["no plugin is in quarantine"]);
}

fn check_ignores() {
    let sandbox = Sandbox::new();
    let file = plugin("plugin-fixture");
    let run = sandbox.run_with("plugin check --json --trial unavailable", &[text(&file)]);
    let object = run
        .exits(0)
        .object_with("trial", "accelerator::unavailable::unsupported");
    assert_eq!(object["outcome"], "ignored");
    let reason = object["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("needs ") && reason.contains("sve2"),
        "{reason}"
    );
}

fn check_rejected() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("text.so", b"#!/bin/sh\n");
    let run = sandbox.run_with("plugin check", &[text(&file)]).exits(5);
    assert_eq!(
        run.stderr,
        format!(
            "error: the file is no library: it is neither ELF nor PE nor Mach-O (file: {})\n",
            text(&file)
        )
    );
    assert_eq!(run.stdout, "");
}

fn list() {
    let sandbox = Sandbox::new();
    let nothing = sandbox.run("plugin list --json").exits(0);
    assert_eq!(nothing.stdout, "");
    nothing.says(&["no plugin is named"]);
    let (file, missing) = (misbehaving(), sandbox.path("missing.so"));
    sandbox.configure(&format!(
        "[plugins]\nallow = [{{ file = {file:?}, sha256 = \"{}\" }}, {missing:?}]\n",
        sha256(&file)
    ));
    let mut command = sandbox.command(PROGRAM);
    command.args(["plugin", "list", "--json"]);
    command.env("AURALIS_PLUGIN_PATH", "relative");
    let run = Run::of(&mut command, "plugin list").exits(0);
    let facts: Vec<_> = run
        .objects()
        .iter()
        .map(|o| (o["file"].clone(), o["verdict"].clone(), o["pinned"].clone()))
        .collect();
    let fact = |file: &std::path::Path, verdict: &str, pinned: bool| {
        (json!(file), json!(verdict), json!(pinned))
    };
    assert_eq!(
        facts,
        [
            fact(&file, "accepted", true),
            fact(&missing, "rejected", false),
            fact("relative".as_ref(), "rejected", false),
        ]
    );
    run.says(&["can't be found", "absolute path"]);
    sandbox
        .run("plugin list")
        .exits(0)
        .says(&["accelerator/misbehaving", "accepted, not yet run, pinned"]);
}

fn seal() {
    let sandbox = Sandbox::new();
    let built = std::fs::read(misbehaving()).unwrap();
    let file = sandbox.write("plugin.so", &built);
    let inspected = |sealed: bool, code| {
        let inspected = sandbox.run_with("plugin inspect --json", &[text(&file)]);
        let object = inspected.exits(code).object();
        assert_eq!(object["sealed"], sealed, "{object}");
        object
    };
    inspected(false, 0);
    let object = sandbox.run_with("plugin seal --json", &[text(&file)]);
    let object = object.exits(0).object();
    assert_eq!(object["schema"], "auralis.seal/1");
    assert_eq!(object["sha256"], inspected(true, 0)["sha256"]);
    // Only the seal's digits are new, and a second time nothing is.
    let sealed = sandbox.read("plugin.so");
    let differs = sealed.iter().zip(&built).filter(|(a, b)| a != b).count();
    assert!(sealed.len() == built.len() && (1..=64).contains(&differs));
    sandbox
        .run_with("plugin seal", &[text(&file)])
        .exits(0)
        .says(&["sealed ", "plugin.so"]);
    assert_eq!(sandbox.read("plugin.so"), sealed);
    sandbox
        .run_with("plugin inspect", &[text(&file)])
        .exits(0)
        .says(&["panic = unwind, sealed"]);
    sandbox
        .run_with("plugin check", &[text(&file)])
        .exits(0)
        .says(&["accelerator::misbehaving::scale"]);

    // A bit of its code, where nothing but the seal would tell.
    let mut damaged = sealed.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 4;
    sandbox.write("plugin.so", &damaged);
    let object = inspected(false, 5);
    assert_eq!(
        object["reason"],
        "the file is damaged: it is not as it was when it was sealed"
    );
    sandbox
        .run_with("plugin seal", &[text(&file)])
        .exits(5)
        .says(&["not as it was when it was sealed"]);
    assert_eq!(sandbox.read("plugin.so"), damaged);

    // A plugin that was built before there were seals.
    let needle = b"auralis-seal ";
    let at = built.windows(needle.len()).position(|w| w == needle);
    let mut older = built;
    older[at.unwrap()..][..12].copy_from_slice(b"auralis-none");
    sandbox.write("plugin.so", &older);
    inspected(false, 0);
    sandbox
        .run_with("plugin seal", &[text(&file)])
        .exits(5)
        .says(&["no room for a seal", "auralis-seal"]);
    sandbox
        .run_with("plugin seal", &["missing.so"])
        .exits(5)
        .says(&["the file can't be read", "missing.so"]);
}

fn pin() {
    let file = misbehaving();
    let hash = sha256(&file);
    let entry = format!("{{ file = {file:?}, sha256 = \"{hash}\" }}");
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.3));
    // The configuration that is in force is changed, and what stands there stays.
    sandbox.configure("# mine\n[cache] # small\ncapacity_mb = 8\n");
    let run = sandbox.run_with("plugin pin", &[text(&file)]).exits(0);
    let config = sandbox.path("auralis.toml").canonicalize().unwrap();
    assert_eq!(
        run.stdout,
        format!("changed {}: [plugins] allow has {entry}\n", text(&config))
    );
    assert_eq!(
        String::from_utf8(sandbox.read("auralis.toml")).unwrap(),
        format!("# mine\n[cache] # small\ncapacity_mb = 8\n\n[plugins]\nallow = [{entry}]\n")
    );
    // It is what the next run uses.
    let explained = sandbox.run("explain --json").exits(0);
    let chosen = explained.object_with("kind", "accelerator");
    assert_eq!(chosen["chosen"], "misbehaving", "{explained}");
    // A named file is made if there is none.
    let object = sandbox
        .run_with("plugin pin --json --config other.toml", &[text(&file)])
        .exits(0)
        .object();
    assert_eq!(object["schema"], "auralis.pin/1");
    assert_eq!(
        (&object["file"], &object["sha256"]),
        (&json!(file), &json!(hash))
    );
    let other = sandbox.path("other.toml").canonicalize().unwrap();
    assert_eq!(object["config"], json!(other));
    assert_eq!(object["made"], true);
    let again = sandbox.run_with("plugin pin --json --config other.toml", &[text(&file)]);
    assert_eq!(again.exits(0).object()["made"], false);
    assert_eq!(
        String::from_utf8(sandbox.read("other.toml")).unwrap(),
        format!("[plugins]\nallow = [{entry}]\n")
    );
    let text_file = sandbox.write("text.so", b"#!/bin/sh\n");
    sandbox
        .run_with("plugin pin", &[text(&text_file)])
        .exits(5)
        .says(&["only what `plugin inspect` accepts can be pinned: the file is no library"]);
    sandbox.configure("[plugins]\nallow = 1\n");
    let run = sandbox.run_with("plugin pin", &[text(&file)]).exits(3);
    run.says(&["`plugins.allow` is no array"]);
    // What is no configuration stays as it is.
    let odd = "[cache]\ncapacity = 8\n";
    sandbox.configure(odd);
    let run = sandbox.run_with("plugin pin", &[text(&file)]).exits(3);
    run.says(&["unknown key `capacity`"]);
    assert_eq!(sandbox.read("auralis.toml"), odd.as_bytes());
}

/// Two files that bring the same backend are both told so, and neither is run for it.
fn list_names_clashes() {
    let sandbox = Sandbox::new();
    let bytes = std::fs::read(misbehaving()).unwrap();
    let files = ["a.so", "b.so"].map(|name| sandbox.write(name, &bytes));
    let linked = plugin("plugin-accelerators");
    let allow = [&files[0], &files[1], &linked].map(|file| pinned(file));
    sandbox.configure(&format!("[plugins]\nallow = [{}]\n", allow.join(", ")));
    let run = sandbox.run("plugin list --json").exits(0);
    for (file, other) in [(&files[0], &files[1]), (&files[1], &files[0])] {
        let object = run.object_with("file", text(file));
        let note = format!(
            "accelerator/misbehaving is brought by {} too: both plugins will be rejected",
            text(other)
        );
        assert_eq!(object["notes"], json!([note]), "{run}");
    }
    let notes = &run.object_with("file", text(&linked))["notes"];
    let scalar = "accelerator/scalar is linked into Auralis too: the plugin will be rejected";
    assert!(notes.as_array().unwrap().contains(&json!(scalar)), "{run}");
}

fn quarantine() {
    let file = misbehaving();
    let sandbox = Sandbox::new();
    let allow = format!("[plugins]\nallow = [{}]\n", pinned(&file));
    let fill = || {
        sandbox.configure(&allow);
        run(&sandbox, "illegal-instruction", "backends -q", &[]).exits(0);
        sandbox.configure("");
    };
    fill();
    let object = sandbox
        .run("plugin quarantine list --json")
        .exits(0)
        .object();
    assert_eq!(object["schema"], "auralis.quarantine/1");
    assert_eq!(object["file"], json!(file));
    assert_eq!(object["signal"], "SIGILL");
    let reason = object["reason"].as_str().unwrap();
    assert!(reason.starts_with("killed by SIGILL"), "{reason}");
    let hash = object["sha256"].as_str().unwrap().to_owned();
    let inspected = sandbox.run_with("plugin inspect --json", &[text(&file)]);
    let inspected = inspected.exits(5).object();
    assert_eq!(inspected["verdict"], "quarantined");
    assert!(
        inspected["reason"].as_str().unwrap().contains("SIGILL"),
        "{inspected}"
    );
    sandbox.run("plugin quarantine list").exits(0).says(&[
        &hash[..12],
        text(&file),
        "killed by SIGILL",
        "(ABI 1) at 20",
    ]);
    // A check contains it anyway, and a pin says only which file is meant.
    run(&sandbox, "", "plugin check --quick", &[text(&file)]).exits(0);
    sandbox.run_with("plugin pin", &[text(&file)]).exits(0);
    for which in [&hash[..8], text(&file), "--all"] {
        fill();
        sandbox
            .run_with("plugin quarantine clear", &[which])
            .exits(0)
            .says(&["lifted the quarantine of 1 plugin"]);
        sandbox
            .run("plugin quarantine list")
            .exits(0)
            .says(&["no plugin is in quarantine"]);
    }
    let unknown = sandbox.run("plugin quarantine clear abcd").exits(1);
    unknown.says(&["no plugin of this name or SHA-256 is in quarantine"]);
    let none = sandbox.run("plugin quarantine clear --all").exits(0);
    none.says(&["lifted the quarantine of 0 plugins"]);
}

fn wrong_usage() {
    let sandbox = Sandbox::new();
    let file = misbehaving();
    let unknown = sandbox.run_with("plugin check --trial nosuch", &[text(&file)]);
    unknown
        .exits(2)
        .says(&["no trial of this plugin has `nosuch` in its name"]);
    for line in [
        "plugin list --no-plugins",
        "--no-plugins plugin quarantine list",
    ] {
        sandbox
            .run(line)
            .exits(2)
            .says(&["`--no-plugins` has no meaning for `auralis plugin`, which is about plugins"]);
    }
    let hidden = sandbox.run("plugin trials").exits(2);
    hidden.says(&["`auralis plugin trials` is run by `auralis plugin check`"]);
    let help = sandbox.run("plugin --help").exits(0);
    assert!(!help.stdout.contains("trials"), "{help}");
    for line in ["plugin", "plugin quarantine clear", "plugin inspect"] {
        sandbox.run(line).exits(2);
    }
}

fn heard() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.3));
    let file = misbehaving();
    let pin = "0".repeat(64);
    sandbox.configure(&format!(
        "[plugins]\nallow = [{{ file = {file:?}, sha256 = \"{pin}\" }}]\n"
    ));
    let begin = format!(
        "warning: plugin {} rejected: the file is not the one that was pinned by its SHA-256",
        text(&file)
    );
    for line in [
        "process song.wav -o out.wav --force",
        "analyze song.wav",
        "demo",
    ] {
        let run = sandbox.run(line).exits(0);
        let warnings = run
            .stderr
            .lines()
            .filter(|line| line.starts_with("warning"));
        let warnings: Vec<_> = warnings.collect();
        assert_eq!(warnings.len(), 1, "{run}");
        assert!(warnings[0].starts_with(&begin), "{run}");
        assert!(!run.stdout.contains("warning"), "{run}");
        let quiet = sandbox.run_with(line, &["-q", "--json"]).exits(0);
        assert!(!quiet.stderr.contains("warning"), "{quiet}");
        quiet.objects();
    }
    // What lists it says it once, and what to do.
    let advice = "`auralis plugin pin FILE` pins it anew once you have checked it";
    let explained = sandbox.run("explain").exits(0);
    explained.says(&[&begin["warning: ".len()..], advice]);
    for line in ["explain", "backends"] {
        let run = sandbox.run(line).exits(0);
        assert!(run.stdout.contains("pinned by its SHA-256"), "{run}");
        assert!(!run.stderr.contains("warning"), "{run}");
    }
    let listed = sandbox.run("backends --json").exits(0);
    let listed = listed.object_with("source", text(&file));
    // Nothing is read of a file that is not the one that was pinned.
    assert!(listed["version"].is_null(), "{listed}");
    let switched_off = sandbox.run("backends --no-plugins").exits(0);
    assert!(!switched_off.stderr.contains("warning"), "{switched_off}");
}
