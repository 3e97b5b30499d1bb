//! The tutorial of plugins, run as it stands: every `sh` block of docs/plugins.md, in an empty folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::support::{Audio, PROGRAM, Run, Sandbox, trial};

const TUTORIAL: &str = include_str!("../../docs/plugins.md");

pub fn trials() -> Vec<Trial> {
    let tutorial = trial("tutorial::from_nothing_to_a_mastered_song", tutorial);
    vec![if cfg!(target_os = "linux") {
        tutorial
    } else {
        let reason = "its commands name a library as Linux does";
        tutorial.with_kind(reason).with_ignored_flag(true)
    }]
}

/// The lines of the blocks in this language, in their order.
fn lines_of(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}");
    let mut inside = false;
    let mut lines = Vec::new();
    for line in TUTORIAL.lines() {
        match line {
            "```" => inside = false,
            _ if line == fence => inside = true,
            _ if inside => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// Whether a line is as it was promised; `...` in the promise stands for anything.
fn keeps(line: &str, promise: &str) -> bool {
    let mut parts = promise.split("...");
    let start = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(start) else {
        return false;
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || promise.ends_with("...")
}

/// That the lines stand in the output, in their order.
fn check_promises(run: &Run) {
    let mut output = run.stdout.lines();
    for promise in lines_of("text") {
        let kept = output.any(|line| keeps(line, promise));
        assert!(kept, "{promise:?} was not printed, or too early\n{run}");
    }
}

/// A folder of the user's own that the sandbox, which has another home, hides.
fn of_the_user(variable: &str, folder: &str) -> PathBuf {
    let home = || Path::new(&env::var_os("HOME").unwrap_or_default()).join(folder);
    env::var_os(variable).map_or_else(home, PathBuf::from)
}

fn tutorial() {
    let sandbox = Sandbox::new();
    let empty = sandbox.path("empty");
    fs::create_dir(&empty).unwrap();
    let mut shell = sandbox.command("bash");
    let programs = [
        Path::new(PROGRAM).parent(),
        Path::new(env!("CARGO")).parent(),
    ];
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = programs.into_iter().flatten().map(PathBuf::from);
    let path = env::join_paths(folders.chain(env::split_paths(&path))).unwrap();
    shell
        .current_dir(&empty)
        .args(["-euxo", "pipefail", "-c", &lines_of("sh").join("\n")])
        .env("PATH", path)
        .env("CARGO_HOME", of_the_user("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", of_the_user("RUSTUP_HOME", ".rustup"))
        .env("CARGO_NET_OFFLINE", "true")
        // What is built of the dependencies serves the next run; the library lies where the tutorial
        // says.
        .env(
            "CARGO_BUILD_BUILD_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/tutorial"),
        );
    let run = Run::of(&mut shell, "docs/plugins.md");
    assert_eq!(run.code, Some(0), "{run}");
    let crate_folder = empty.join("acme-gain");
    let pin = fs::read_to_string(crate_folder.join("auralis.toml")).unwrap();
    let library = crate_folder.join("target/release/libacme_gain.so");
    for text in [library.to_str().unwrap(), "sha256 = "] {
        assert!(pin.contains(text), "{text} is missing in {pin}");
    }
    let (before, after) = (
        Audio::of(&crate_folder.join("songs/songs/drums.wav")),
        Audio::of(&crate_folder.join("mastered.wav")),
    );
    assert_eq!(before.frames(), after.frames());
    check_promises(&run);
}
