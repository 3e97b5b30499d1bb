//! Third-party backends: dylibs that the configuration allows.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::songs::{Wav, music, song};
use crate::support::{Audio, PROGRAM, Run, Sandbox, pinned, plugin, sealed, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("plugins::an_allowed_plugin_masters_a_file", masters),
        trial("plugins::no_plugins_switches_all_off", switched_off),
        trial(
            "plugins::a_rejected_plugin_that_a_list_names_is_told_everywhere",
            falls_back_at_load,
        ),
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
        trial(
            "plugins::a_panic_in_a_plugin_named_alone_fails_the_file",
            panics,
        ),
        trial(
            "plugins::a_list_delivers_the_song_that_a_panic_interrupted",
            delivers,
        ),
        trial(
            "plugins::a_panic_amid_a_hundred_songs_costs_none",
            costs_none,
        ),
        trial("plugins::a_panic_does_not_end_an_analysis", analyzes),
        trial("plugins::records_are_kept_by_what_made_the_file", records),
    ]
}

/// Allows plugins of the tests, and asks for an accelerator if it is not empty.
fn allowing(crates: &[&str], backend: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.6));
    let files: Vec<_> = crates.iter().map(|name| pinned(&plugin(name))).collect();
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
    let why = "plugins are switched off by `--no-plugins`";
    let run = sandbox.run("process song.wav -o out.wav --no-plugins");
    run.exits(4).says(&["fixture", "scalar", why]);
    assert_eq!(sandbox.files(), ["song.wav"]);
    let explained = sandbox
        .run_with("explain --json --no-plugins", &["--set", &list("fixture")])
        .exits(0)
        .object_with("kind", "accelerator");
    assert_eq!(explained["chosen"], "scalar");
    let reason = reason_of(&explained, "fixture");
    assert!(reason.ends_with(why), "{reason}");
}

/// Why `explain --json` says that this backend was not taken.
fn reason_of(explained: &Value, id: &str) -> String {
    let rejected = explained["rejected"].as_array().unwrap();
    let found = rejected.iter().find(|r| r["id"] == id);
    let found = found.unwrap_or_else(|| panic!("{explained} rejects no {id}"));
    found["reason"].as_str().unwrap().to_owned()
}

/// A rejected plugin whose backend a list names: the next is taken, and every output says why.
fn falls_back_at_load() {
    let sandbox = allowing(&["plugin-other-layout"], "");
    let file = plugin("plugin-other-layout");
    let file = file.to_str().unwrap();
    let set = ["--set", &list("fixture")];
    // From the second run on the reason is that of quarantine.
    sandbox.run("explain").exits(0);
    let explained = sandbox
        .run_with("explain --json", &set)
        .exits(0)
        .object_with("kind", "accelerator");
    assert_eq!(explained["chosen"], "scalar");
    let reason = reason_of(&explained, "fixture");
    for part in [file, "accelerator.slices/1"] {
        assert_eq!(reason.matches(part).count(), 1, "{reason}");
    }
    // Nobody named it: it is told all the same.
    let explained = sandbox
        .run("explain --json")
        .object_with("kind", "accelerator");
    assert_eq!(reason_of(&explained, "fixture"), reason);

    let line = "process song.wav -o out.wav --force --report report.html";
    let run = sandbox.run_with(line, &set).exits(0);
    assert!(run.stdout.contains("plugins\n"), "{run}");
    assert!(run.stdout.contains("libplugin_other_layout"), "{run}");
    let report = String::from_utf8(sandbox.read("report.html")).unwrap();
    for text in ["Rejected plugins", "accelerator.slices/1"] {
        assert!(report.contains(text), "{text:?} is not in the report");
    }
    let object = sandbox
        .run_with("process song.wav -o json.wav --json -q", &set)
        .exits(0)
        .object();
    let rejected = &object["plugins_rejected"][0];
    assert_eq!(rejected["file"], file);
    let offers = rejected["offers"].as_array().unwrap();
    assert!(offers.contains(&"accelerator/fixture".into()), "{object}");
    assert!(
        reason.ends_with(rejected["reason"].as_str().unwrap()),
        "{object}"
    );

    // A slip of the finger stays one beside a plugin that has nothing to do with it.
    let typo = ["--set", "accelerator.backend=scaler"];
    sandbox
        .run_with("explain", &typo)
        .exits(3)
        .says(&["unknown backend `scaler`", "did you mean `scalar`?"]);
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
    sandbox.write(&format!("plugins/{name}"), &sealed("plugin-fixture"));
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
    let file = plugin("plugin-fixture");
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["backends", "--json"])
        .env("AURALIS_PLUGIN_PATH", &file);
    let run = Run::of(&mut command, "backends").exits(0);
    let entry = run.object_with("source", file.to_str().unwrap());
    let reason = entry["reason"].as_str().unwrap();
    assert!(
        reason.contains("AURALIS_PLUGIN_PATH takes folders"),
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
    run.says(&[
        "song.wav",
        "accelerator \"faulty\" panicked at run time: a panic in the plugin",
        "accelerator.backend = \"faulty\" names it alone, so nothing takes its place: the list",
    ]);
    assert_eq!(sandbox.files(), ["song.wav"]);
}

/// The list that lets `scalar` take over.
fn list(broken: &str) -> String {
    let options = match broken {
        "faulty" => ", options = { armed = true }",
        _ => "",
    };
    format!("accelerator={{ backend = [{broken:?}, \"scalar\"]{options} }}")
}

fn delivers() {
    let sandbox = allowing(&["plugin-fixture"], "");
    let alone = ["--set", "accelerator.backend=scalar"];
    sandbox
        .run_with("process song.wav -o alone.wav", &alone)
        .exits(0);
    let set = ["--set", &list("faulty")];
    let run = sandbox.run_with("process song.wav -o out.wav --report report.html", &set);
    assert_eq!(run.code, Some(0), "{run}");
    let why = "accelerator faulty was given up at song.wav, because it panicked at run time: a \
               panic in the plugin: this filter takes nothing; scalar took over";
    assert!(run.stderr.contains(why), "{run}");
    let run = run.says(&["backends", why]);
    assert_eq!(run.stdout.matches("was given up").count(), 1, "{run}");
    assert!(sandbox.read("out.wav") == sandbox.read("alone.wav"));
    let report = String::from_utf8(sandbox.read("report.html")).unwrap();
    for text in ["Given up", why, "<b>scalar</b>"] {
        assert!(report.contains(text), "{text:?} is not in the report");
    }
    assert_eq!(
        sandbox.files(),
        ["alone.wav", "out.wav", "report.html", "song.wav"]
    );

    let run = sandbox.run_with("process song.wav -o quiet.wav --json -q", &set);
    let object = run.object();
    assert_eq!(object["backends"]["accelerator"], "scalar");
    assert_eq!(object["given_up"][0]["id"], "faulty");
    assert_eq!(object["given_up"][0]["successor"], "scalar");
    assert!(!run.stderr.contains("given up"), "{run}");
}

fn costs_none() {
    const SONGS: u64 = 100;
    let sandbox = allowing(&["plugin-fixture"], "");
    for seed in 0..SONGS {
        let music = music(seed, 1, 22_050, 0.1 + 0.001 * (seed % 7) as f64);
        let song = Wav::of(1, 16, 1, 22_050, &music).bytes();
        sandbox.write(&format!("songs/{seed:03}.wav"), &song);
    }
    let set = list("panics-later");
    // Convolution tells backends apart by its rounding.
    let chain = r#"chain=[{ stage = "multiband", crossovers_hz = [500.0], gains_db = [1.0, -1.0],
                   taps = 65 }]"#;
    let master = |folder: &str, sets: &[&str]| {
        let sets: Vec<_> = [chain]
            .iter()
            .chain(sets)
            .flat_map(|set| ["--set", set])
            .collect();
        let line = format!("process songs --output-dir {folder} --bits 32f --jobs 2 --json");
        let run = sandbox.run_with(&line, &sets);
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(run.objects().len() as u64, SONGS);
        run
    };
    master("scalar", &["accelerator.backend=scalar"]);
    master("plugin", &[&set]);
    let run = master("out", &[&set, "accelerator.options.panic_at=600"]);

    let mut by = [0, 0];
    for object in run.objects() {
        assert_eq!(object["error"], Value::Null, "{object}");
        let input = object["input"].as_str().unwrap();
        let name = input.strip_prefix("songs/").unwrap();
        let (maker, folder) = match object["backends"]["accelerator"].as_str() {
            Some("panics-later") => (0, "plugin"),
            Some("scalar") => (1, "scalar"),
            other => panic!("{other:?} made {name}"),
        };
        by[maker] += 1;
        let (ours, alone) = (format!("out/{name}"), format!("{folder}/{name}"));
        assert!(sandbox.read(&ours) == sandbox.read(&alone), "{object}");
    }
    assert!(by.iter().all(|songs| *songs > 10), "{by:?}");
    assert_eq!(run.stderr.matches("was given up").count(), 1, "{run}");
    assert!(sandbox.read("plugin/000.wav") != sandbox.read("scalar/000.wav"));
}

fn analyzes() {
    let sandbox = allowing(&["plugin-fixture"], "");
    let analysis = |set: &str| {
        let run = sandbox.run_with("analyze song.wav --json", &["--set", set]);
        assert_eq!(run.code, Some(0), "{run}");
        run
    };
    let run = analysis(&list("faulty"));
    assert_eq!(
        run.object(),
        analysis("accelerator.backend=scalar").object()
    );
    run.says(&["accelerator faulty was given up at song.wav"]);
}

fn records() {
    let sandbox = allowing(&["plugin-fixture"], "");
    let master = |list: &str| {
        let sets = ["--set", list, "--set", "cache.backend=disk"];
        let run = sandbox.run_with("process song.wav -o out.wav --json", &sets);
        assert_eq!(run.code, Some(0), "{run}");
        let object = run.object();
        (
            object["cache"].clone(),
            object["backends"]["accelerator"].clone(),
        )
    };
    let (faulty, working) = (list("faulty"), list("panics-later"));
    for (list, cache, by) in [
        (&faulty, "miss", "scalar"),
        (&faulty, "hit", "scalar"),
        (&working, "miss", "panics-later"),
    ] {
        assert_eq!(master(list), (cache.into(), by.into()));
    }
}
