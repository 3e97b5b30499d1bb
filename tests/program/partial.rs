//! A plugin with nothing but a convolver: what it lacks comes from the next candidate, kernel by
//! kernel.

use auralis_core::Kernel;
use libtest_mimic::Trial;
use serde_json::json;

use crate::songs::song;
use crate::support::{Audio, Sandbox, pinned, plugin, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("partial::the_song_is_delivered", delivers),
        trial("partial::explain_names_who_runs_each_kernel", explains),
        trial("partial::its_trials_pass", conforms),
    ]
}

/// The plugin is allowed and comes first, and the chain convolves.
fn sandbox() -> Sandbox {
    Sandbox::configured(&format!(
        "[plugins]\nallow = [{}]\n\
         [accelerator]\nbackend = [\"convolver\", \"scalar\"]\n\
         [[chain]]\nstage = \"multiband\"\ncrossovers_hz = [300.0]\ngains_db = [1.0, -1.0]\n\
         taps = 129\n\
         [[chain]]\nstage = \"loudness\"\n",
        pinned(&plugin("plugin-convolver"))
    ))
}

fn delivers() {
    let sandbox = sandbox();
    sandbox.write("song.wav", &song(1, 0.6));
    let run = sandbox.run("process song.wav -o out.wav --bits 32f --json");
    let object = run.exits(0).object();
    assert_eq!(object["backends"]["accelerator"], "convolver");
    assert_eq!(object["given_up"], json!([]));
    let scalar = ["--set", "accelerator.backend=scalar"];
    sandbox
        .run_with("process song.wav -o scalar.wav --bits 32f", &scalar)
        .exits(0);
    let (alone, found) = (
        Audio::of(&sandbox.path("scalar.wav")),
        Audio::of(&sandbox.path("out.wav")),
    );
    assert_eq!(found.frames(), alone.frames());
    let distance = alone.distance(&found);
    assert!(distance <= 1e-5, "{distance}");
    // It was the plugin that convolved: its rounding is another one.
    assert!(sandbox.read("out.wav") != sandbox.read("scalar.wav"));
}

fn explains() {
    let sandbox = sandbox();
    let run = sandbox.run("explain --json").exits(0);
    let explained = run.object_with("kind", "accelerator");
    assert_eq!(explained["chosen"], "convolver");
    let others = Kernel::NAMES.iter().filter(|name| **name != "convolver");
    let expected: serde_json::Map<_, _> = others
        .map(|name| ((*name).to_owned(), json!("scalar")))
        .collect();
    assert_eq!(explained["kernels"], json!(expected), "{explained}");
    let mut lines: Vec<_> = expected
        .keys()
        .map(|name| format!("{name}: scalar"))
        .collect();
    lines.push("accelerator = convolver (decided by config)".to_owned());
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    sandbox.run("explain").exits(0).says(&lines);
}

fn conforms() {
    let sandbox = sandbox();
    let file = plugin("plugin-convolver");
    let file = file.to_str().unwrap();
    for line in ["plugin check --json", "plugin check --quick --json"] {
        let run = sandbox.run_with(line, &[file]).exits(0);
        let trials = run.objects();
        let passed = trials.iter().filter(|trial| trial["outcome"] == "passed");
        assert_eq!(passed.count(), trials.len(), "{run}");
        run.object_with("trial", "accelerator::convolver::convolver");
    }
}
