//! `auralis tune` and `auralis bench`: what is measured, written, used, ignored and never chosen.

use std::collections::BTreeSet;
use std::fs;

use auralis_core::Kernel;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{PROGRAM, Run, Sandbox, pinned, plugin, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("tuning::what_is_measured_is_used_and_explained", measured),
        trial("tuning::a_foreign_file_is_ignored_and_told", foreign),
        trial("tuning::a_wrong_kernel_is_never_chosen", wrong),
        trial("tuning::a_kernel_of_ones_own_is_measured", own_kernel),
        trial("tuning::wrong_usage", wrong_usage),
        trial("bench::backends_stand_side_by_side", bench),
        trial("bench::what_is_not_there_is_refused", bench_refuses),
    ]
}

const FILE: &str = "home/cache/auralis/tuning.json";

/// What `explain --json` says of the accelerator.
fn accelerator(sandbox: &Sandbox, more: &[&str]) -> Value {
    let run = sandbox.run_with("explain --json", more).exits(0);
    run.object_with("kind", "accelerator")
}

fn measured() {
    let sandbox = Sandbox::new();
    assert!(accelerator(&sandbox, &[])["tuning"].is_null());
    let run = sandbox.run("tune --json --time 1").exits(0);
    let objects = run.objects();
    let kernels: BTreeSet<_> = objects.iter().map(|o| o["kernel"].as_str()).collect();
    for kernel in Kernel::NAMES {
        assert!(kernels.contains(&Some(*kernel)), "{kernel}\n{run}");
    }
    let has_one_length = |object: &&Value| {
        let kernel = Kernel::parse(object["kernel"].as_str().unwrap());
        kernel.is_some_and(Kernel::has_one_length)
    };
    let of_slices = objects.iter().filter(has_one_length);
    let of_slices: BTreeSet<_> = of_slices.map(|o| o["winner"].as_str()).collect();
    for object in &objects {
        assert_eq!(object["schema"], "auralis.tune/1");
        assert!(
            object["size"].is_array() && object["wrong"] == json!({}),
            "{object}"
        );
        let winner = object["winner"].as_str().unwrap();
        let times = object["times"].as_object().unwrap();
        assert!(times.contains_key("scalar"), "{object}");
        // What is within the tolerance goes to the backend that is fastest altogether; where a table
        // does not pay, so do all slices.
        let best = times
            .values()
            .map(|t| t.as_f64().unwrap())
            .fold(f64::MAX, f64::min);
        let near = times[winner].as_f64().unwrap() <= (best * 1.031).max(best + 0.51);
        let left = has_one_length(&object) && of_slices.len() == 1;
        assert!(near || left, "{object}");
    }
    assert!(run.stderr.contains("tuning.json"), "{run}");

    let selected = accelerator(&sandbox, &[]);
    assert_eq!(selected["decided_by"], "measured", "{selected}");
    assert_eq!(selected["tuning"]["used"], true, "{selected}");
    let told = selected["measured"].as_object().unwrap();
    assert_eq!(told.len(), Kernel::ALL.len());
    for (kernel, shares) in told {
        let first = &shares[0]["from"];
        assert!(
            first.as_array().unwrap().iter().all(|from| *from == 0),
            "{kernel}: {shares}"
        );
        // The share that a size of one dimension lies in names its winner.
        for object in objects.iter().filter(|o| o["kernel"] == **kernel) {
            if let [size] = object["size"].as_array().unwrap().as_slice() {
                let mut shares = shares.as_array().unwrap().iter();
                let begun = |share: &&Value| share["from"][0].as_u64() <= size.as_u64();
                let share = shares.rfind(begun).unwrap();
                assert_eq!(share["backend"], object["winner"], "{kernel} at {size}");
            }
        }
    }
    sandbox
        .run("explain")
        .exits(0)
        .says(&["(measured)", "goes by the tuning file"]);

    // Whoever asks by name has more say.
    let named = accelerator(&sandbox, &["--set", "accelerator.backend=scalar"]);
    assert_eq!(
        (&named["chosen"], &named["decided_by"]),
        (&json!("scalar"), &json!("flag"))
    );
    assert!(
        named["measured"].is_null() && named["kernels"] == json!({}),
        "{named}"
    );

    // The program works with what it has measured.
    sandbox.write("song.wav", &crate::songs::song(1, 0.4));
    sandbox.run("process song.wav -o out.wav").exits(0);

    // A flag, and under it a variable, name another file.
    let elsewhere = sandbox.path("elsewhere.json");
    fs::copy(sandbox.path(FILE), &elsewhere).unwrap();
    fs::remove_file(sandbox.path(FILE)).unwrap();
    assert!(accelerator(&sandbox, &[])["tuning"].is_null());
    let flag = ["--tuning", elsewhere.to_str().unwrap()];
    assert_eq!(accelerator(&sandbox, &flag)["tuning"]["used"], true);
    let mut command = sandbox.command(PROGRAM);
    command
        .env("AURALIS_TUNING", &elsewhere)
        .args(["explain", "--json"]);
    let run = Run::of(&mut command, "explain --json").exits(0);
    let selected = run.object_with("kind", "accelerator");
    assert_eq!(selected["tuning"]["file"], flag[1], "{selected}");
    assert_eq!(selected["decided_by"], "measured", "{selected}");
}

fn foreign() {
    let sandbox = Sandbox::new();
    sandbox.run("tune --json --time 1").exits(0);
    let own = sandbox.read(FILE);
    let file: Value = serde_json::from_slice(&own).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut changed = file.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string().into_bytes()
    };
    let mut with_acme = file.clone();
    with_acme["fingerprint"]["backends"]["acme"] = json!("1");
    let rows: [(Vec<u8>, &str); 6] = [
        (
            with("/fingerprint/cpu", json!("Another CPU")),
            "the CPU was \"Another CPU\"",
        ),
        (with("/fingerprint/features", json!([])), "is used now"),
        (
            with("/fingerprint/backends/scalar", json!("0.0.1")),
            "the accelerator \"scalar\" was 0.0.1",
        ),
        (
            with_acme.to_string().into(),
            "the accelerator \"acme\" is missing",
        ),
        (own[..own.len() / 2].to_vec(), "it is damaged"),
        (b"\x7fELF not at all".to_vec(), "it is damaged"),
    ];
    for (bytes, expected) in rows {
        sandbox.write(FILE, &bytes);
        let selected = accelerator(&sandbox, &[]);
        assert_eq!(selected["decided_by"], "rank", "{selected}");
        assert_eq!(selected["tuning"]["used"], false, "{selected}");
        let reason = selected["tuning"]["reason"].as_str().unwrap();
        assert!(
            reason.contains(expected),
            "{expected:?} is not in {reason:?}"
        );
        sandbox
            .run("explain")
            .exits(0)
            .says(&["ignores the tuning file", expected]);
    }
    sandbox.write(FILE, &own);
    assert_eq!(accelerator(&sandbox, &[])["tuning"]["used"], true);
    // What the configuration hides is another machine.
    let hide = if cfg!(target_arch = "aarch64") {
        "neon"
    } else {
        "sse4.2"
    };
    sandbox.configure(&format!("[cpu]\ndisable = [{hide:?}]\n"));
    let selected = accelerator(&sandbox, &[]);
    let reason = selected["tuning"]["reason"].as_str().unwrap_or_default();
    assert!(
        reason.contains(hide) && reason.contains("no longer used"),
        "{selected}"
    );
}

fn wrong() {
    let sandbox = Sandbox::new();
    let file = plugin("plugin-misbehaving");
    sandbox.configure(&format!("[plugins]\nallow = [{}]\n", pinned(&file)));
    // It passes its test run; the accelerator of the highest rank is selected.
    assert_eq!(accelerator(&sandbox, &[])["chosen"], "misbehaving");
    let mut command = sandbox.command(PROGRAM);
    command
        .env("MISBEHAVE", "wrong")
        .args(["tune", "--json", "--time", "1"]);
    let run = Run::of(&mut command, "tune").exits(0);
    assert!(
        run.stderr.contains("scale of misbehaving is wrong"),
        "{run}"
    );
    for object in run.objects() {
        let times = object["times"].as_object().unwrap();
        if object["kernel"] == "scale" {
            assert_ne!(object["winner"], "misbehaving", "{object}");
            assert!(!times.contains_key("misbehaving"), "{object}");
            let found = object["wrong"]["misbehaving"].as_str().unwrap();
            assert!(found.contains("length"), "{object}");
        }
        assert_eq!(
            times.contains_key("misbehaving"),
            object["kernel"] == "mix",
            "{object}"
        );
    }
    // The plugin's hash is in the fingerprint: the same file, the same verdict.
    let selected = accelerator(&sandbox, &[]);
    assert_eq!(selected["tuning"]["used"], true, "{selected}");
    assert_eq!(selected["decided_by"], "measured", "{selected}");
    assert_ne!(selected["chosen"], "misbehaving", "{selected}");
    assert!(
        !selected["measured"]["scale"]
            .to_string()
            .contains("misbehaving"),
        "{selected}"
    );
    let rejected = selected["rejected"].as_array().unwrap();
    let misbehaving = rejected.iter().find(|r| r["id"] == "misbehaving").unwrap();
    let reason = misbehaving["reason"].as_str().unwrap();
    assert!(reason.contains("its scale is wrong"), "{reason}");
    // Without the plugin it is another fingerprint.
    let without = accelerator(&sandbox, &["--no-plugins"]);
    let reason = without["tuning"]["reason"].as_str().unwrap();
    assert!(reason.contains("\"misbehaving\" is missing"), "{reason}");
}

fn own_kernel() {
    let sandbox = Sandbox::new();
    let file = plugin("plugin-own-kernel");
    sandbox.configure(&format!("[plugins]\nallow = [{}]\n", pinned(&file)));
    let run = sandbox.run("tune --json --time 1").exits(0);
    let cells: Vec<_> = run
        .objects()
        .into_iter()
        .filter(|o| o["kernel"] == "acme.soft-clip")
        .collect();
    assert!(!cells.is_empty(), "{run}");
    let explained = sandbox.run("explain --json").exits(0);
    let kernel = explained.object_with("kind", "kernel/acme.soft-clip");
    assert_eq!(kernel["decided_by"], "measured", "{kernel}");
    for cell in cells {
        assert!(cell["times"]["reference"].is_f64(), "{cell}");
        assert_eq!(cell["winner"], kernel["chosen"], "{cell}");
    }
    let rows = sandbox
        .run("bench --json --kernel acme.soft-clip --size 64 --time 2")
        .exits(0);
    let row = rows.object_with("backend", "reference");
    assert_eq!(row["kernel"], "acme.soft-clip");
}

fn wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.run("tune --quick --time 3").exits(2);
    sandbox.run("tune --time 0").exits(2);
    let help = sandbox.run("tune --help").exits(0);
    help.says(&["30 seconds", "--quick", "10 seconds", "AURALIS_TUNING"]);
    sandbox.write("folder/in/the/way", b"");
    let run = sandbox.run("tune --time 1 --tuning folder/in").exits(1);
    run.says(&["can't write the tuning file", "folder/in"]);
}

fn bench() {
    let sandbox = Sandbox::new();
    let line = "bench --kernel dot --kernel convolver --size 64 --size 64x512 --time 2";
    let run = sandbox.run(&format!("{line} --json")).exits(0);
    let (limits, rows): (Vec<_>, Vec<_>) = run
        .objects()
        .into_iter()
        .partition(|o| o["schema"] == "auralis.limit/1");
    let names: Vec<_> = limits
        .iter()
        .map(|l| l["limit"].as_str().unwrap())
        .collect();
    for name in ["multiply-add", "L1 load", "L2 store", "memory load + store"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let (standing, rows): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|o| o["schema"] == "auralis.bench-standing/1");
    assert_eq!(standing.len(), 1, "{run}");
    assert_eq!(standing[0]["cells"], 2, "{run}");
    for row in &rows {
        assert_eq!(row["schema"], "auralis.bench/1");
        let size = if row["kernel"] == "dot" {
            json!([64])
        } else {
            json!([64, 512])
        };
        assert_eq!(row["size"], size);
        for figure in [
            "nanoseconds",
            "gigabytes_per_second",
            "percent_of_limit",
            "control",
        ] {
            assert!(row[figure].as_f64().unwrap() > 0.0, "{figure}: {row}");
        }
    }
    for kernel in ["dot", "convolver"] {
        let of_kernel = rows.iter().filter(|r| r["kernel"] == kernel);
        let ids: BTreeSet<_> = of_kernel.map(|r| r["backend"].as_str().unwrap()).collect();
        assert!(
            ["scalar", "multiversion", "selected"]
                .iter()
                .all(|id| ids.contains(id)),
            "{ids:?}"
        );
    }
    let only = sandbox
        .run(&format!("{line} --json --backend scalar"))
        .exits(0);
    let rows = only
        .objects()
        .into_iter()
        .filter(|o| o["backend"].is_string());
    assert!(rows.map(|r| r["backend"].clone()).all(|id| id == "scalar"));
    sandbox
        .run(line)
        .exits(0)
        .says(&["GFLOP/s", "L1", "dot", "scalar", "control", "%"]);
    assert!(sandbox.files().is_empty());
}

fn bench_refuses() {
    let sandbox = Sandbox::new();
    for (line, code, says) in [
        ("bench --kernel dott", 2, "no kernel is called \"dott\""),
        (
            "bench --backend nobody",
            4,
            "no accelerator is called \"nobody\"",
        ),
        ("bench --size 0", 2, "is no size"),
        ("bench --size 1x2x3", 2, "one or two dimensions"),
        ("bench --size 99999999999999999999", 2, "is no size"),
    ] {
        sandbox.run(line).exits(code).says(&[says]);
    }
}
