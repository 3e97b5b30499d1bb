//! Every fault of a configuration is shown with its place and what exists instead.

mod config_support;

use auralis_registry::config::{ConfigError, Diagnostic, Sources, load, load_text};
use config_support::{catalog, open_catalog};
use std::path::{Path, PathBuf};

/// The faults of a text, which must have some.
fn faults(text: &str) -> ConfigError {
    load_text(Path::new("auralis.toml"), text, &catalog()).expect_err("the text has faults")
}

/// Name, text. The snapshot of each shows what the user sees.
const ALONE: &[(&str, &str)] = &[
    ("unknown_key", "[cache]\nbackend = \"lru\"\nttl_secs = 5\n"),
    ("unknown_key_far_from_all", "[cache]\nxyzzy = 5\n"),
    ("unknown_section", "[cahce]\nbackend = \"lru\"\n"),
    ("unknown_key_that_needs_quotes", "[cache]\n\"a b\" = 1\n"),
    ("wrong_type", "[executor]\nthreads = \"many\"\n"),
    ("float_for_integer", "[cache]\ncapacity_mb = 64.0\n"),
    ("table_for_integer", "[cache.capacity_mb]\nx = 1\n"),
    ("integer_for_section", "cache = 5\n"),
    ("date_for_boolean", "[process]\nprefetch = 2020-01-01\n"),
    ("too_small", "[cache]\ncapacity_mb = 0\n"),
    ("too_large", "[executor]\nhelpers = 65\n"),
    ("negative", "[cache]\nttl_seconds = -1\n"),
    (
        "beyond_64_bits",
        "[cache]\nttl_seconds = 99999999999999999999\n",
    ),
    (
        "beyond_every_integer",
        "[cache]\nttl_seconds = 0xfffffffffffffffffffffffffffffffffffff\n",
    ),
    (
        "not_a_number",
        "[[chain]]\nstage = \"gain\"\ngain_db = nan\n",
    ),
    ("infinite", "[[chain]]\nstage = \"gain\"\ngain_db = -inf\n"),
    (
        "overflowing_float",
        "[[chain]]\nstage = \"gain\"\ngain_db = 1e999\n",
    ),
    (
        "threshold_word",
        "[accelerator]\nvectorization_threshold = \"atuo\"\n",
    ),
    (
        "threshold_type",
        "[accelerator]\nvectorization_threshold = 1.5\n",
    ),
    ("unknown_backend", "[cache]\nbackend = \"lur\"\n"),
    (
        "unknown_backend_in_list",
        "[accelerator]\nbackend = [\"avx2\", \"avx3\"]\n",
    ),
    ("backend_type", "[accelerator]\nbackend = 2\n"),
    ("empty_list", "[accelerator]\nbackend = []\n"),
    (
        "auto_in_list",
        "[accelerator]\nbackend = [\"avx2\", \"auto\"]\n",
    ),
    ("unknown_kernel", "[accelerator.kernels]\ndott = \"avx2\"\n"),
    (
        "unknown_backend_of_kernel",
        "[accelerator.kernels]\ndot = \"avx\"\n",
    ),
    (
        "unknown_cpu_feature",
        "[cpu]\ndisable = [\"avx2\", \"avx512\"]\n",
    ),
    (
        "unknown_stage",
        "[[chain]]\nstage = \"equaliser\"\nbands = []\n",
    ),
    ("stage_type", "[[chain]]\nstage = 3\n"),
    ("missing_stage", "[[chain]]\nstge = \"gain\"\ngain_db = 1\n"),
    ("missing_stage_in_empty_entry", "[[chain]]\n"),
    ("missing_key_of_stage", "[[chain]]\nstage = \"gain\"\n"),
    (
        "unknown_key_of_stage",
        "[[chain]]\nstage = \"gain\"\ngain_db = 1\ngian = 2\n",
    ),
    (
        "range_in_stage",
        "[[chain]]\nstage = \"gain\"\ngain_db = 1000\n",
    ),
    (
        "deep_in_stage",
        "[[chain]]\nstage = \"equalizer\"\nbands = [{ hz = 60.0, gain_db = 1.5 }, { hz = 0, gian_db = 1 }]\n",
    ),
    ("chain_of_strings", "chain = [\"gain\"]\n"),
    (
        "unknown_enumerated_value",
        "[[chain]]\nstage = \"limiter\"\nmode = \"fats\"\n",
    ),
    (
        "unknown_option",
        "[cache]\nbackend = \"disk\"\n[cache.options]\ndirectory = \"/c\"\nshard = 4\n",
    ),
    (
        "option_of_another_backend",
        "[cache]\nbackend = \"lru\"\n[cache.options]\ndirectory = \"/c\"\n",
    ),
    ("option_type", "[cache.options]\nshards = \"four\"\n"),
    ("missing_option", "[cache]\nbackend = [\"disk\", \"lru\"]\n"),
    (
        "option_of_backend_without_any",
        "[profiler.options]\nfoo = 1\n",
    ),
    (
        "relative_directory",
        "[plugins]\ndirectories = [\"plugins\"]\n",
    ),
    (
        "relative_plugin",
        "[plugins]\nallow = [\"a.so\", { file = \"b.so\" }]\n",
    ),
    (
        "plugin_without_file",
        "[plugins]\nallow = [{ sha256 = \"00\" }]\n",
    ),
    (
        "malformed_pin",
        "[plugins]\nallow = [{ file = \"/a.so\", sha256 = \"12ab\" }]\n",
    ),
    (
        "duplicate_key",
        "[cache]\nttl_seconds = 1\nttl_seconds = 2\n",
    ),
    (
        "duplicate_section",
        "[cache]\nttl_seconds = 1\n[cpu]\n[cache]\n",
    ),
    (
        "syntax_several",
        "[cache\nbackend = \"lru\"\n[executor]\nthreads = 1 2\n[process]\nprefetch = yes\n",
    ),
    ("unquoted_string", "[cache]\nbackend = lru\n"),
    (
        "unclosed_array",
        "[cpu]\ndisable = [\"avx2\",\n[cache]\nttl_seconds = 1\nbackend = \"lru\"\n",
    ),
    (
        "unclosed_string",
        "[cache]\nbackend = \"lru\nttl_seconds = 1\n",
    ),
    ("windows_lines_and_tabs", "[cache]\r\n\tttl_secs = 5\r\n"),
    (
        "wide_characters",
        "[cache]\nbackend = \"läufer 日本\" # ü\n\"größe\" = 1\n",
    ),
];

#[test]
fn each_fault_alone() {
    for (name, text) in ALONE {
        let error = faults(text);
        insta::assert_snapshot!(*name, format!("{text}----\n{error}"));
    }
}

const TEN: &str = r#"# ten faults
[cache]
backed = "lru"
capacity_mb = "big"
ttl_seconds = -5

[executor]
backend = "raiyon"
threads = 5000
threads = 2

[accelerator.kernels]
dto = "avx2"

[[chain]]
stage = "equalizer"
bands = [{ hz = 60.0, gain_db = "loud" }]

[[chain]]
stage = "lodness"

[[chain]]
stage = "gain"
gain_db = 1 dB

[[chain]]
stage = "limiter"
ceiling_dbtp = 1.0
release = 5
"#;

#[test]
fn ten_faults_are_all_shown_in_order() {
    let error = faults(TEN);
    let lines: Vec<Option<usize>> = error.diagnostics().iter().map(|fault| fault.line).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    assert!(lines.len() >= 10, "{lines:?}");
    insta::assert_snapshot!("ten_faults", error.to_string());
    insta::assert_snapshot!("ten_faults_json", to_json_lines(error.diagnostics()));
}

fn to_json_lines(diagnostics: &[Diagnostic]) -> String {
    let line = |diagnostic| serde_json::to_string(diagnostic).expect("a diagnostic is JSON");
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn colours_only_on_demand() {
    let error = faults("[cache]\nttl_secs = 5\n");
    assert!(!error.render(false).contains('\x1b'));
    assert!(error.render(true).contains('\x1b'));
}

#[test]
fn an_error_converts_to_the_common_one() {
    let error = faults("[cache]\nttl_secs = 5\n");
    let text = error.render(false);
    let common = auralis_core::Error::from(error);
    assert_eq!(common.kind(), auralis_core::ErrorKind::Config);
    assert_eq!(common.message(), text);
}

/// Name, environment, flags.
type Overrides = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

const OVERRIDES: &[Overrides] = &[
    ("env_unknown_key", &[("AURALIS_CACHE__BACKED", "lru")], &[]),
    (
        "env_unknown_section",
        &[("AURALIS__CACHE__BACKEND", "lru")],
        &[],
    ),
    (
        "env_empty_part",
        &[("AURALIS_CACHE____BACKEND", "lru")],
        &[],
    ),
    ("env_type", &[("AURALIS_CACHE__CAPACITY_MB", "lots")], &[]),
    ("env_range", &[("AURALIS_EXECUTOR__THREADS", " 5000")], &[]),
    (
        "env_unknown_backend",
        &[("AURALIS_ACCELERATOR__BACKEND", "[\"avx2\", \"avx9\"]")],
        &[],
    ),
    (
        "env_through_a_value",
        &[("AURALIS_CACHE__CAPACITY_MB__X", "1")],
        &[],
    ),
    (
        "env_no_such_entry",
        &[("AURALIS_CHAIN__7__GAIN_DB", "1")],
        &[],
    ),
    ("flag_unknown_key", &[], &["cache.backed=lru"]),
    ("flag_type", &[], &["process.prefetch=maybe"]),
    ("flag_range", &[], &["cache.capacity_mb = 0"]),
    ("flag_without_equals", &[], &["cache.capacity_mb"]),
    ("flag_without_key", &[], &["=5"]),
    ("flag_empty_part", &[], &["cache..backend=lru"]),
    ("flag_no_such_entry", &[], &["chain[3].target_lufs=-10"]),
    ("flag_unknown_stage", &[], &["chain=[{ stage = \"gian\" }]"]),
    (
        "flag_key_of_default_stage",
        &[],
        &["chain[1].target_luf=-10"],
    ),
    (
        "flag_hidden_by_another",
        &[],
        &["cache.capacity_mb=lots", "cache.capacity_mb=5"],
    ),
    (
        "several_layers",
        &[
            ("AURALIS_PROFILER__HISTORY", "0"),
            ("AURALIS_CACHE__TTL_SECONDS", "soon"),
        ],
        &["executor.threads=-1", "cpu.disable=[\"mmx9\"]"],
    ),
];

#[test]
fn faults_of_variables_and_flags() {
    for (name, environment, sets) in OVERRIDES {
        let sources = Sources {
            environment: environment
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
            sets: sets.iter().map(|set| (*set).into()).collect(),
            ..Sources::default()
        };
        let error = load(&sources, &catalog()).expect_err(name);
        insta::assert_snapshot!(*name, error.to_string());
    }
}

/// The faults of a file of these bytes, its folder's name taken out.
fn faults_of_file(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("auralis.toml");
    std::fs::write(&path, bytes).expect("the file can be written");
    let error = load_explicit(path).expect_err("the file has faults");
    error
        .to_string()
        .replace(&*folder.path().to_string_lossy(), "FOLDER")
}

fn load_explicit(path: PathBuf) -> Result<auralis_registry::config::Loaded, ConfigError> {
    load(
        &Sources {
            explicit: Some(path),
            ..Sources::default()
        },
        &catalog(),
    )
}

#[test]
fn files_that_are_no_text() {
    let latin1 = b"[cache]\nbackend = \"lru\"\n# caf\xe9\nttl_seconds = 1\n";
    insta::assert_snapshot!("not_utf8", faults_of_file(latin1));
    insta::assert_snapshot!("too_large_file", faults_of_file(&vec![b'#'; 10_000_000]));
    insta::assert_snapshot!("nul_bytes", faults_of_file(b"a\0b = 1\n"));
}

#[test]
fn a_file_of_just_the_limit_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("auralis.toml");
    for (length, fits) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        std::fs::write(&path, vec![b'#'; length]).expect("the file can be written");
        assert_eq!(load_explicit(path.clone()).is_ok(), fits, "{length} bytes");
    }
}

#[test]
fn a_missing_file_and_a_directory_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, said) in [
        (
            folder.path().join("absent.toml"),
            "can't read the configuration file",
        ),
        (folder.path().to_owned(), "is a directory"),
    ] {
        let error = load_explicit(path.clone()).expect_err("no file there");
        let text = error.to_string();
        assert!(
            text.contains(said) && text.contains(&*path.to_string_lossy()),
            "{text}"
        );
    }
}

#[test]
fn an_unreadable_file_does_not_hide_other_faults() {
    let sources = Sources {
        explicit: Some("/nowhere/auralis.toml".into()),
        sets: vec!["cache.backed=1".into()],
        ..Sources::default()
    };
    let error = load(&sources, &catalog()).expect_err("two faults");
    assert_eq!(error.diagnostics().len(), 2, "{error}");
}

#[test]
fn a_value_that_a_flag_hides_is_still_checked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("auralis.toml");
    std::fs::write(&path, "[cache]\ncapacity_mb = \"big\"\n").expect("the file can be written");
    let sources = Sources {
        explicit: Some(path),
        sets: vec!["cache.capacity_mb=5".into()],
        ..Sources::default()
    };
    let error = load(&sources, &catalog()).expect_err("the file has a fault");
    assert_eq!(error.diagnostics()[0].line, Some(2), "{error}");
}

#[test]
fn plugins_may_bring_what_the_catalog_lacks() {
    let text = "[plugins]\ndirectories = [\"/opt/plugins\"]\n\
                [cache]\nbackend = \"vendor\"\n[cache.options]\nanything = 1\n\
                [accelerator.kernels]\nvendor_kernel = \"vendor\"\n";
    let path = Path::new("auralis.toml");
    assert!(load_text(path, text, &open_catalog()).is_ok());
    let error = load_text(path, text, &catalog()).expect_err("a complete catalog knows better");
    assert_eq!(error.diagnostics().len(), 2, "{error}");
    let text = "[cache]\nbackend = \"vendor\"\n";
    assert!(
        load_text(path, text, &open_catalog()).is_err(),
        "no plugin is configured"
    );
    let sources = Sources {
        environment: vec![
            ("AURALIS_PLUGIN_PATH".into(), "/opt/plugins".into()),
            ("AURALIS_CACHE__BACKEND".into(), "vendor".into()),
        ],
        ..Sources::default()
    };
    assert!(load(&sources, &open_catalog()).is_ok());
}

#[test]
fn a_flood_of_faults_is_cut_and_counted() {
    let text: String = (0..250).map(|index| format!("k{index} = 1\n")).collect();
    let error = faults(&text);
    assert_eq!(error.diagnostics().len(), 250);
    assert!(
        error.to_string().ends_with("150 more faults are not shown"),
        "{error}"
    );
}

#[test]
fn a_hostile_line_is_shown_in_part() {
    let text = format!("[cache]\nbackend = \"{}\"\n", "x".repeat(1_000_000));
    assert!(faults(&text).to_string().len() < 4_000);
    let text = format!("{} = 1\n", "x".repeat(1_000_000));
    assert!(faults(&text).to_string().len() < 4_000);
}
