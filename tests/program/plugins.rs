//! Third-party backends: dylibs that the configuration allows.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::songs::song;
use crate::support::{Audio, PROGRAM, Run, Sandbox, plugin, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("plugins::an_allowed_plugin_masters_a_file", masters),
        trial("plugins::no_plugins_switches_all_off", switched_off),
        trial(
            "plugins::another_layout_is_refused_by_its_interface",
            other_layout,
        ),
        trial("plugins::a_pin_is_enforced", pins),
        trial(
            "plugins::an_id_that_is_taken_is_refused_with_its_file",
            taken,
        ),
        trial("plugins::folders_of_the_environment", folders),
        trial(
            "plugins::what_is_no_plugin_is_listed_with_the_reason",
            no_plugin,
        ),
        trial("plugins::a_panic_in_a_plugin_is_an_error", panics),
    ]
}

/// Allows plugins of the tests, and asks for an accelerator if it is not empty.
fn allowing(crates: &[&str], backend: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.6));
    let files: Vec<_> = crates
        .iter()
        .map(|name| format!("{{ file = {:?} }}", plugin(name)))
        .collect();
    let mut config = format!("[plugins]\nallow = [{}]\n", files.join(", "));
    if !backend.is_empty() {
        config += &format!("[accelerator]\nbackend = \"{backend}\"\n");
    }
    sandbox.configure(&config);
    sandbox
}

/// The listed entry whose source is the plugin's file, and that names `id`.
fn listed(run: &Run, crate_name: &str, id: Value) -> Value {
    let source = plugin(crate_name);
    let source = source.to_str().unwrap();
    let found = run
        .objects()
        .into_iter()
        .find(|o| o["source"] == source && o["id"] == id);
    found.unwrap_or_else(|| panic!("{source} lists no {id}\n{run}"))
}

fn masters() {
    let sandbox = allowing(&["plugin-fixture"], "fixture");
    let object = sandbox
        .run("process song.wav -o out.wav --bits 32f --json")
        .exits(0)
        .object();
    assert_eq!(object["backends"]["accelerator"], "fixture");
    let linked = ["--set", "accelerator.backend=scalar"];
    sandbox
        .run_with("process song.wav -o linked.wav --bits 32f", &linked)
        .exits(0);
    let (ours, theirs) = (
        Audio::of(&sandbox.path("linked.wav")),
        Audio::of(&sandbox.path("out.wav")),
    );
    let distance = ours.distance(&theirs);
    assert!(distance <= 1e-5, "{distance}");
    let explained = sandbox
        .run("explain --json")
        .exits(0)
        .object_with("kind", "accelerator");
    assert_eq!(explained["chosen"], "fixture");
    assert_eq!(explained["decided_by"], "config");
    // What the plugin lacks comes from another backend.
    assert!(explained["kernels"]["peak"].is_string(), "{explained}");
    assert!(explained["kernels"]["dot"].is_null(), "{explained}");
    let entry = listed(
        &sandbox.run("backends --json").exits(0),
        "plugin-fixture",
        "fixture".into(),
    );
    assert_eq!(
        (&entry["selected"], &entry["available"]),
        (&true.into(), &true.into())
    );
}

fn switched_off() {
    let sandbox = allowing(&["plugin-fixture"], "");
    let run = sandbox.run("backends --json --no-plugins").exits(0);
    assert!(
        run.objects().iter().all(|o| o["source"] == "linked"),
        "{run}"
    );
    let sandbox = allowing(&["plugin-fixture"], "fixture");
    let run = sandbox.run("process song.wav -o out.wav --no-plugins");
    assert!(matches!(run.code, Some(3 | 4)), "{run}");
    run.says(&["fixture", "scalar"]);
    assert_eq!(sandbox.files(), ["song.wav"]);
}

fn other_layout() {
    let sandbox = allowing(&["plugin-other-layout"], "fixture");
    for line in ["process song.wav -o out.wav", "explain"] {
        sandbox
            .run(line)
            .exits(5)
            .says(&["accelerator.slices/1", "libplugin_other_layout"]);
    }
    assert_eq!(sandbox.files(), ["song.wav"]);
    // Nobody asked for it: the others work, and it is listed.
    let sandbox = allowing(&["plugin-other-layout"], "");
    sandbox.run("process song.wav -o out.wav").exits(0);
    let run = sandbox.run("backends --json").exits(0);
    let entry = listed(&run, "plugin-other-layout", "fixture".into());
    assert_eq!(entry["available"], false);
    let reason = entry["reason"].as_str().unwrap();
    assert!(reason.contains("accelerator.slices/1"), "{reason}");
}

fn pins() {
    let sandbox = Sandbox::new();
    let pin = "0".repeat(64);
    sandbox.configure(&format!(
        "[plugins]\nallow = [{{ file = {:?}, sha256 = \"{pin}\" }}]\n[accelerator]\nbackend = \"fixture\"\n",
        plugin("plugin-fixture")
    ));
    sandbox.run("explain").exits(5).says(&["SHA-256", &pin]);
}

fn taken() {
    let sandbox = allowing(&["plugin-accelerators"], "");
    sandbox.run("process song.wav -o out.wav").exits(0);
    let run = sandbox.run("backends --json").exits(0);
    let entry = listed(&run, "plugin-accelerators", "scalar".into());
    assert_eq!(entry["available"], false);
    assert!(
        entry["reason"].as_str().unwrap().contains("linked"),
        "{entry}"
    );
}

fn folders() {
    let sandbox = Sandbox::new();
    let name = plugin("plugin-fixture");
    let name = name.file_name().unwrap().to_str().unwrap();
    let bytes = std::fs::read(plugin("plugin-fixture")).unwrap();
    sandbox.write(&format!("plugins/{name}"), &bytes);
    let mut command = sandbox.command(PROGRAM);
    command.args(["explain", "--json", "--set", "accelerator.backend=fixture"]);
    command.env("AURALIS_PLUGIN_PATH", sandbox.path("plugins"));
    let run = Run::of(&mut command, "explain").exits(0);
    assert_eq!(run.object_with("kind", "accelerator")["chosen"], "fixture");
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["backends", "--json"])
        .env("AURALIS_PLUGIN_PATH", "plugins");
    let run = Run::of(&mut command, "backends").exits(0);
    let entry = run.object_with("source", "plugins");
    assert!(
        entry["reason"].as_str().unwrap().contains("absolute"),
        "{entry}"
    );
}

fn no_plugin() {
    let sandbox = Sandbox::new();
    let text = sandbox.write("plugins/text.so", b"#!/bin/sh\n");
    let missing = sandbox.path("plugins/missing.so");
    sandbox.configure(&format!(
        "[plugins]\nallow = [{{ file = {text:?} }}, {{ file = {missing:?} }}]\n"
    ));
    let run = sandbox.run("backends --json").exits(0);
    for (file, reason) in [(text, "no library"), (missing, "can't be found")] {
        let entry = run.object_with("source", file.to_str().unwrap());
        assert!(
            entry["reason"].as_str().unwrap().contains(reason),
            "{entry}"
        );
    }
}

fn panics() {
    let sandbox = allowing(&["plugin-fixture"], "faulty");
    let armed = ["--set", "accelerator.options.armed=true"];
    let run = sandbox.run_with("process song.wav -o out.wav", &armed);
    // The plugin's own panic hook prints too.
    assert_eq!(run.code, Some(1), "{run}");
    run.says(&["song.wav", "a panic in the plugin"]);
    assert_eq!(sandbox.files(), ["song.wav"]);
}
