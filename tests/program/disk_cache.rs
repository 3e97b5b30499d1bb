//! The disk cache: an unchanged folder is verified, what changed is done again, and only that.

use std::fs;
use std::time::SystemTime;

use libtest_mimic::Trial;

use crate::songs::{late_song, song};
use crate::support::{Sandbox, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("disk_cache::only_what_changed_is_done_again", changes),
        trial("disk_cache::a_response_counts_by_what_is_in_it", response),
        trial("disk_cache::a_foreign_output_is_still_refused", foreign),
    ]
}

const CONFIG: &str = "[cache]\nbackend = \"disk\"\n[[chain]]\nstage = \"loudness\"\n";
const NAMES: [&str; 3] = ["0.wav", "1.wav", "2.wav"];

fn changes() {
    let sandbox = Sandbox::configured(CONFIG);
    for (seed, name) in NAMES.iter().enumerate() {
        sandbox.write(&format!("songs/{name}"), &song(seed as u64, 0.6));
    }
    // The momentary loudness of silence is infinitely low: the record must survive that.
    sandbox.write("songs/0.wav", &late_song(0, 0.6));
    let run = |expected: [&str; 3], what: &str| {
        let before = modified(&sandbox);
        let run = sandbox
            .run("process songs --output-dir out --json")
            .exits(0);
        let after = modified(&sandbox);
        for (index, name) in NAMES.iter().enumerate() {
            let object = run.object_with("input", &format!("songs/{name}"));
            assert_eq!(object["cache"], expected[index], "{what}: {object}");
            let untouched = before[index] == after[index];
            assert_eq!(untouched, expected[index] == "hit", "{what}: {name}");
        }
    };
    run(["miss"; 3], "the first run");
    run(["hit"; 3], "nothing changed");
    sandbox.write("songs/1.wav", &song(9, 0.6));
    run(["hit", "miss", "hit"], "an input changed");
    let mut output = sandbox.read("out/2.wav");
    let last = output.len() - 1;
    output[last] ^= 1;
    sandbox.write("out/2.wav", &output);
    run(["hit", "hit", "miss"], "an output changed");
    fs::remove_file(sandbox.path("out/0.wav")).unwrap();
    run(["miss", "hit", "hit"], "an output was removed");
    sandbox.configure(&format!("{CONFIG}target_lufs = -15.0\n"));
    run(["miss"; 3], "the chain changed");
    run(["hit"; 3], "nothing changed after all");
    sandbox.configure(CONFIG);
    run(["miss"; 3], "the outputs are those of another chain");
}

/// What a stage reads from a file is part of what the output is made from.
fn response() {
    let chain = |file: &str| {
        format!(
            "[cache]\nbackend = \"disk\"\n[[chain]]\nstage = \"convolve\"\nfile = \"{file}\"\n\
             gain_db = -30.0\n"
        )
    };
    let sandbox = Sandbox::configured(&chain("room.wav"));
    sandbox.write("song.wav", &song(1, 0.6));
    sandbox.write("room.wav", &song(2, 0.1));
    let run = |expected: &str, what: &str| {
        let object = sandbox
            .run("process song.wav -o out.wav --json")
            .exits(0)
            .object();
        assert_eq!(object["cache"], expected, "{what}: {object}");
        sandbox.read("out.wav")
    };
    let first = run("miss", "the first run");
    assert_eq!(run("hit", "nothing changed"), first);
    let written = fs::metadata(sandbox.path("room.wav")).unwrap();
    sandbox.write("room.wav", &song(3, 0.1));
    let room = fs::File::options()
        .write(true)
        .open(sandbox.path("room.wav"))
        .unwrap();
    room.set_modified(written.modified().unwrap()).unwrap();
    assert_eq!(room.metadata().unwrap().len(), written.len());
    let second = run("miss", "another response of the same name, length and time");
    assert_ne!(second, first);
    assert_eq!(run("hit", "nothing changed again"), second);
    sandbox.write("room.wav", &song(2, 0.1));
    assert_eq!(
        run("miss", "the first response again, but not its output"),
        first
    );
    sandbox.write("copy.wav", &song(2, 0.1));
    sandbox.configure(&chain("copy.wav"));
    assert_eq!(run("miss", "the chain names another file"), first);
}

fn modified(sandbox: &Sandbox) -> [Option<SystemTime>; 3] {
    NAMES.map(|name| {
        let path = sandbox.path(&format!("out/{name}"));
        fs::metadata(path).ok()?.modified().ok()
    })
}

fn foreign() {
    let sandbox = Sandbox::configured(CONFIG);
    sandbox.write("song.wav", &song(1, 0.6));
    sandbox.write("theirs.wav", b"not made here");
    sandbox.run("process song.wav -o ours.wav").exits(0);
    sandbox
        .run("process song.wav -o theirs.wav")
        .exits(1)
        .says(&["exists already"]);
    assert_eq!(sandbox.read("theirs.wav"), b"not made here");
}
