//! Wrong configurations: exit code 3 with file, line and what would be right, and nothing runs.

use libtest_mimic::Trial;

use crate::songs::{Wav, music, song};
use crate::support::{Sandbox, trial};

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = CASES
        .iter()
        .map(|case| {
            trial(format!("config_errors::{}", case.0), || {
                refused(case.1.as_bytes(), case.2)
            })
        })
        .collect();
    trials.extend([
        trial("config_errors::not_utf8", || {
            refused(b"[cache]\n# caf\xe9\n", &["UTF-8", ":2:6"])
        }),
        trial("config_errors::ten_megabytes", || {
            refused(&vec![b'#'; 10_000_000], &["too large", "1 MiB"])
        }),
        trial("config_errors::an_empty_file_is_fine", empty),
        trial("config_errors::a_missing_file", missing),
        trial("config_errors::variables_and_flags", other_layers),
        trial("config_errors::a_band_above_this_file's_nyquist", nyquist),
    ]);
    trials
}

/// Name, configuration, what is said beside the file's name.
type Case = (&'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "unknown_key",
        "[cache]\nttl_secs = 5\n",
        &[
            "auralis.toml:2:1",
            "ttl_secs = 5",
            "did you mean `ttl_seconds`?",
        ],
    ),
    (
        "unknown_section",
        "[cash]\n",
        &["auralis.toml:1:2", "did you mean `cache`?"],
    ),
    (
        "wrong_type",
        "[executor]\nthreads = \"two\"\n",
        &["auralis.toml:2:11", "expected an integer"],
    ),
    (
        "out_of_range",
        "[executor]\n\nhelpers = 65\n",
        &["auralis.toml:3:11", "from 0 to 64, found 65"],
    ),
    (
        "unknown_stage",
        "[[chain]]\nstage = \"lodness\"\n",
        &["auralis.toml:2:9", "did you mean `loudness`?", "multiband"],
    ),
    (
        "unknown_backend",
        "[accelerator]\nbackend = \"avx9\"\n",
        &["auralis.toml:2:11", "scalar", "multiversion"],
    ),
    (
        "unknown_option",
        "[cache]\nbackend = \"disk\"\n[cache.options]\ndirektory = \"/x\"\n",
        &["auralis.toml:4:1", "directory"],
    ),
    ("not_toml", "[cache\n", &["auralis.toml:1"]),
    (
        "several_at_once",
        "[cache]\nttl_secs = 5\n[executor]\nthreads = -1\n[[chain]]\nstage = \"equalizer\"\n\
         bands = [{ hz = 60.0, gain_bd = 1.0 }]\n[[chain]]\nstage = \"limiter\"\nceiling_dbtp = 1\n",
        &[
            "auralis.toml:2:1",
            "auralis.toml:4:11",
            "auralis.toml:7:",
            "auralis.toml:10:16",
            "did you mean `gain_db`?",
        ],
    ),
    (
        "a_stage_after_the_limiter",
        "[[chain]]\nstage = \"limiter\"\n[[chain]]\nstage = \"loudness\"\n",
        &["follows the limiter"],
    ),
    (
        "two_loudness_stages",
        "[[chain]]\nstage = \"loudness\"\n[[chain]]\nstage = \"loudness\"\n",
        &["one loudness stage"],
    ),
    (
        "even_taps",
        "[[chain]]\nstage = \"multiband\"\ncrossovers_hz = [200.0]\ngains_db = [0.0, 1.0]\ntaps = 512\n",
        &["taps", "odd"],
    ),
    (
        "one_gain_too_few",
        "[[chain]]\nstage = \"multiband\"\ncrossovers_hz = [200.0]\ngains_db = [0.0]\n",
        &["gain"],
    ),
    (
        "relative_plugin",
        "[plugins]\nallow = [{ file = \"gain.so\" }]\n",
        &["auralis.toml:2:", "absolute path", "gain.so"],
    ),
    (
        "relative_plugin_folder",
        "[plugins]\ndirectories = [\"plugins\"]\n",
        &["auralis.toml:2:", "absolute path"],
    ),
];

fn refused(config: &[u8], says: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.2));
    sandbox.write("auralis.toml", config);
    for line in [
        "process song.wav --output-dir out --json",
        "config check",
        "explain",
    ] {
        let run = sandbox.run(line).exits(3).says(says);
        assert_eq!(run.stdout, "", "{run}");
        assert_eq!(sandbox.files(), ["song.wav"], "{run}");
    }
}

fn empty() {
    let sandbox = Sandbox::new();
    sandbox
        .run("config check")
        .exits(0)
        .says(&["auralis.toml", "nothing wrong"]);
    let object = sandbox.run("config check --json").exits(0).object();
    assert_eq!(object["valid"], true);
}

fn missing() {
    let sandbox = Sandbox::new();
    sandbox
        .run("explain --config nowhere.toml")
        .exits(3)
        .says(&["nowhere.toml"]);
}

fn other_layers() {
    let sandbox = Sandbox::new();
    sandbox
        .run("explain --set cache.ttl_secs=1 --set executor.threads=9999")
        .exits(3)
        .says(&["--set", "ttl_seconds", "from 0 to 1024"]);
    let mut command = sandbox.command(crate::support::PROGRAM);
    command.arg("explain").env("AURALIS_CACHE__TTL_SECS", "1");
    crate::support::Run::of(&mut command, "explain")
        .exits(3)
        .says(&["AURALIS_CACHE__TTL_SECS", "ttl_seconds"]);
}

/// What depends on the sample rate is wrong for a file, not for the configuration.
fn nyquist() {
    let sandbox = Sandbox::configured(
        "[[chain]]\nstage = \"equalizer\"\nbands = [{ hz = 6000.0, gain_db = 1.0 }]\n",
    );
    sandbox.write("songs/good.wav", &song(1, 0.3));
    let low = Wav::of(1, 16, 1, 8_000, &music(1, 1, 8_000, 0.5));
    sandbox.write("songs/low.wav", &low.bytes());
    let run = sandbox
        .run("process songs --output-dir out --json")
        .exits(1);
    let low = run.object_with("input", "songs/low.wav");
    let error = low["error"].as_str().unwrap();
    assert!(
        error.contains("6000") && error.contains("4000") && error.contains("low.wav"),
        "{error}"
    );
    assert!(run.object_with("input", "songs/good.wav")["error"].is_null());
    assert_eq!(
        sandbox.files(),
        ["out/good.wav", "songs/good.wav", "songs/low.wav"]
    );
}
