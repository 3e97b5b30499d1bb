//! Layers override each other in order, and each value knows its layer.

mod config_support;

use std::path::{Path, PathBuf};

use auralis_registry::BackendRequest;
use auralis_registry::config::{
    AllowedPlugin, Catalog, Config, ConfigError, Loaded, Origin, Sources, Threshold, load,
    load_text, schema, unchecked_keywords,
};
use config_support::{catalog, open_catalog};
use proptest::prelude::*;
use serde_json::json;

fn text(content: &str) -> Loaded {
    load_text(Path::new("auralis.toml"), content, &catalog()).expect("no fault")
}

fn pairs(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

#[test]
fn an_empty_file_is_the_default() {
    for content in [
        "",
        "\n\n",
        "# nothing\n",
        "\u{feff}",
        "[cache]\n[accelerator.kernels]\n",
    ] {
        assert_eq!(text(content).config, Config::default(), "{content:?}");
    }
    let loaded = load(&Sources::default(), &catalog()).expect("no fault");
    assert_eq!((loaded.config, loaded.file), (Config::default(), None));
}

#[test]
fn the_starting_points_of_the_mutations_have_no_fault() {
    assert_eq!(text(RICH).config.chain.len(), 2);
    assert_eq!(text(&Config::commented_default()).config, Config::default());
}

#[test]
fn every_value_arrives() {
    let config = text(
        r#"
        chain = [{ stage = "gain", gain_db = 1 }, { stage = "gain", gain_db = 0.1 }]
        cpu.disable = ["avx2"]
        accelerator = { backend = ["avx2", "scalar"], vectorization_threshold = 64, kernels.dot = "scalar" }
        buffer_pool.capacity_mb = 1_024
        process.prefetch = false
        [cache]
        backend = "disk"
        options = { directory = "/c", verify = false }
        [plugins]
        allow = ["/a.so", { file = "/b.so" }]
        "#,
    )
    .config;
    assert_eq!(config.chain[0], json!({ "stage": "gain", "gain_db": 1 }));
    assert_eq!(config.chain[1]["gain_db"].as_f64(), Some(0.1));
    assert_eq!(config.chain.len(), 2);
    assert_eq!(config.cpu.disable, ["avx2"]);
    assert_eq!(
        config.accelerator.backend,
        BackendRequest::List(vec!["avx2".into(), "scalar".into()])
    );
    assert_eq!(
        config.accelerator.vectorization_threshold,
        Threshold::Samples(64)
    );
    assert_eq!(config.accelerator.kernels["dot"], "scalar");
    assert_eq!(config.buffer_pool.capacity_mb, 1024);
    assert!(!config.process.prefetch);
    assert_eq!(
        config.backend("cache"),
        Some(&BackendRequest::One("disk".into()))
    );
    assert_eq!(
        config.options("cache"),
        Some(&json!({ "directory": "/c", "verify": false }))
    );
    let allowed = |file: &str| AllowedPlugin {
        file: file.into(),
        sha256: None,
        allow_abort: false,
    };
    assert_eq!(config.plugins.allow, [allowed("/a.so"), allowed("/b.so")]);
}

#[test]
fn an_empty_chain_is_not_the_default_one() {
    assert!(text("chain = []\n").config.chain.is_empty());
}

#[test]
fn each_layer_overrides_the_one_below() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("auralis.toml");
    let content = "[cache]\ncapacity_mb = 1\nttl_seconds = 1\nsweep_interval = 1\n";
    std::fs::write(&path, content).expect("the file can be written");
    let sources = Sources {
        working_directory: folder.path().to_owned(),
        environment: pairs(&[
            ("AURALIS_CACHE__TTL_SECONDS", "2"),
            ("AURALIS_CACHE__SWEEP_INTERVAL", "2"),
            ("AURALIS_CACHE__OPTIONS__SHARDS", "8"),
            ("AURALIS_ACCELERATOR__BACKEND", "scalar"),
            ("AURALIS_EXECUTOR__BACKEND", "[\"rayon\", \"sequential\"]"),
            ("AURALIS_CHAIN__1__TARGET_LUFS", "-16"),
            // One underscore: not a key of the configuration.
            ("AURALIS_PLUGIN_PATH", "/p"),
            ("AURALIS_NONSENSE", "x"),
            ("OTHER__CACHE", "x"),
        ]),
        sets: vec![
            "cache.sweep_interval=3".into(),
            "chain[1].target_lufs = -10.5".into(),
            "cache.sweep_interval=4".into(),
            "cpu.disable=[\"fma\"]".into(),
            "cache.options={ verify = true }".into(),
        ],
        ..Sources::default()
    };
    let loaded = load(&sources, &catalog()).expect("no fault");
    let (config, origins) = (loaded.config, loaded.origins);
    assert_eq!(loaded.file.as_deref(), Some(path.as_path()));
    let cache = &config.cache;
    assert_eq!(
        (cache.capacity_mb, cache.ttl_seconds, cache.sweep_interval),
        (1, 2, 4)
    );
    assert_eq!(cache.options, json!({ "shards": 8, "verify": true }));
    assert_eq!(
        config.accelerator.backend,
        BackendRequest::One("scalar".into())
    );
    assert_eq!(config.executor.backend.ids(), ["rayon", "sequential"]);
    assert_eq!(
        config.chain[1],
        json!({ "stage": "loudness", "target_lufs": -10.5 })
    );
    assert_eq!(config.cpu.disable, ["fma"]);

    let variable = |name: &str| Origin::Environment {
        variable: name.into(),
    };
    let flag = |set: &str| Origin::Flag {
        text: format!("--set {set}"),
    };
    for (key, origin) in [
        ("profiler.history", Origin::Default),
        (
            "cache.capacity_mb",
            Origin::File {
                path: path.clone(),
                line: 2,
            },
        ),
        ("cache.ttl_seconds", variable("AURALIS_CACHE__TTL_SECONDS")),
        (
            "cache.options.shards",
            variable("AURALIS_CACHE__OPTIONS__SHARDS"),
        ),
        ("cache.sweep_interval", flag("cache.sweep_interval=4")),
        ("chain[1].target_lufs", flag("chain[1].target_lufs = -10.5")),
        ("chain[1].stage", Origin::Default),
    ] {
        assert_eq!(origins.get(key), Some(&origin), "{key}");
    }
    assert_eq!(origins.get("cache"), None, "a section is no value");
}

#[test]
fn origins_list_every_value_as_toml() {
    let loaded = text(
        "[cache]\nttl_seconds = 0x10\n[[chain]]\nstage = \"equalizer\"\n\
         bands = [\n  { hz = 60.0, gain_db = 1e-3 },\n  { hz = 1 },\n]\n[[chain]]\nstage = \"limiter\"\n",
    );
    let lines = loaded
        .origins
        .iter()
        .map(|(key, value, origin)| format!("{key} = {value}  # {origin}"));
    insta::assert_snapshot!("origins", lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_nearest_file_upwards_wins_over_the_user_s() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let write = |path: &str| -> PathBuf {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(&path, "").expect("the file can be written");
        path
    };
    let deep = root.join("work/a/b");
    std::fs::create_dir_all(&deep).expect("folders");
    // A folder of that name is not the file.
    std::fs::create_dir_all(deep.join("auralis.toml")).expect("folders");
    let user = if cfg!(windows) {
        vec![(
            "APPDATA".to_owned(),
            root.join("xdg").to_string_lossy().into_owned(),
        )]
    } else {
        vec![
            (
                "HOME".to_owned(),
                root.join("home").to_string_lossy().into_owned(),
            ),
            (
                "XDG_CONFIG_HOME".to_owned(),
                root.join("xdg").to_string_lossy().into_owned(),
            ),
        ]
    };
    let mut sources = Sources {
        working_directory: deep,
        environment: user,
        ..Sources::default()
    };
    assert_eq!(sources.file(), None);
    // From the last choice to the first.
    let in_user = write("xdg/auralis/config.toml");
    assert_eq!(sources.file(), Some(in_user));
    let upwards = write("work/auralis.toml");
    assert_eq!(sources.file(), Some(upwards));
    let nearer = write("work/a/auralis.toml");
    assert_eq!(sources.file(), Some(nearer));
    sources.explicit = Some("/elsewhere.toml".into());
    assert_eq!(sources.file(), Some("/elsewhere.toml".into()));
}

#[cfg(unix)]
#[test]
fn the_user_s_directory_is_in_the_environment_given() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(".config/auralis/config.toml");
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
    std::fs::write(&path, "").expect("the file can be written");
    let home = folder.path().to_string_lossy().into_owned();
    for (environment, found) in [
        (pairs(&[("HOME", &home)]), true),
        (pairs(&[("HOME", &home), ("XDG_CONFIG_HOME", "")]), true),
        (
            pairs(&[("HOME", &home), ("XDG_CONFIG_HOME", "relative")]),
            true,
        ),
        (
            pairs(&[("HOME", &home), ("XDG_CONFIG_HOME", "/nowhere")]),
            false,
        ),
        (pairs(&[("HOME", "relative")]), false),
        (pairs(&[]), false),
    ] {
        let sources = Sources {
            environment,
            ..Sources::default()
        };
        assert_eq!(sources.file().is_some(), found, "{:?}", sources.environment);
    }
}

#[test]
fn options_reach_only_the_backend_that_knows_them() {
    let catalog = catalog();
    let config = text("[cache.options]\nshards = 4\ndirectory = \"/c\"\n").config;
    for (id, options) in [
        ("dashmap", json!({ "shards": 4 })),
        ("disk", json!({ "directory": "/c" })),
        ("lru", json!({})),
        ("a plugin's", json!({ "shards": 4, "directory": "/c" })),
    ] {
        assert_eq!(catalog.options_for("cache", id, &config), options, "{id}");
    }
    assert_eq!(
        catalog.options_for("profiler", "histogram", &config),
        json!({})
    );
}

#[test]
fn a_flag_may_ask_for_another_backend_than_the_options_are_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("auralis.toml");
    let content = "[cache]\nbackend = \"disk\"\noptions = { directory = \"/c\" }\n";
    std::fs::write(&path, content).expect("the file can be written");
    let sources = Sources {
        explicit: Some(path),
        sets: vec!["cache.backend=lru".into()],
        ..Sources::default()
    };
    let config = load(&sources, &catalog()).expect("no fault").config;
    assert_eq!(catalog().options_for("cache", "lru", &config), json!({}));
}

#[test]
fn a_later_layer_may_bring_what_is_missing() {
    let sources = Sources {
        environment: pairs(&[("AURALIS_CACHE__BACKEND", "disk")]),
        sets: vec!["cache.options.directory=/c".into()],
        ..Sources::default()
    };
    let config = load(&sources, &catalog()).expect("no fault").config;
    assert_eq!(config.cache.options, json!({ "directory": "/c" }));
}

#[test]
fn the_whole_schema_holds_stages_and_options() {
    let whole = schema(&catalog());
    assert_eq!(unchecked_keywords(&whole), Vec::<String>::new());
    let sections = &whole["properties"];
    assert_eq!(
        sections["cache"]["properties"]["options"]["properties"]["shards"],
        json!({ "type": "integer", "minimum": 1 })
    );
    let stages = sections["chain"]["items"]["oneOf"]
        .as_array()
        .expect("stages");
    let names: Vec<_> = stages
        .iter()
        .map(|stage| &stage["properties"]["stage"]["const"])
        .collect();
    assert_eq!(names, ["equalizer", "gain", "limiter", "loudness"]);
    let backend = &sections["executor"]["properties"]["backend"]["anyOf"][0]["enum"];
    assert_eq!(*backend, json!(["auto", "rayon", "sequential"]));
    let open = schema(&open_catalog());
    let backend = &open["properties"]["executor"]["properties"]["backend"]["anyOf"][0];
    assert_eq!(backend["type"], "string", "a plugin may bring another");
}

#[test]
fn the_process_has_sources() {
    let sources = Sources::from_process(None, vec!["a=b".into()]).expect("UTF-8 variables");
    assert_eq!(
        Some(sources.working_directory),
        std::env::current_dir().ok()
    );
    assert!(
        sources
            .environment
            .iter()
            .any(|(name, _)| name == "PATH" || name == "Path")
    );
    assert_eq!(sources.sets, ["a=b"]);
}

#[test]
fn a_schema_that_is_not_checked_in_full_is_refused() {
    for (schema, said) in [
        ("", "not JSON"),
        ("true", "of type object"),
        (r#"{ "type": "string" }"#, "of type object"),
        (
            r#"{ "properties": { "a": { "pattern": "x" } } }"#,
            "pattern",
        ),
        (
            r#"{ "properties": { "a": { "items": [{}] } } }"#,
            "a schema that is",
        ),
        (r#"{ "properties": { "a": { "not": {} } } }"#, "not"),
        (
            r#"{ "properties": { "a": { "minimum": "1" } } }"#,
            "minimum",
        ),
        (
            r##"{ "properties": { "a": { "$ref": "#/$defs/b" } } }"##,
            "no schema at",
        ),
        (
            r##"{ "properties": { "a": { "$ref": "#/$defs/b" } },
                 "$defs": { "b": { "items": { "$ref": "#/$defs/b" } } } }"##,
            "refers to itself",
        ),
    ] {
        for error in [
            Catalog::new().stage("s", schema).expect_err(schema),
            Catalog::new()
                .backend("cache", "b", schema)
                .expect_err(schema),
        ] {
            assert!(
                error.report().contains(said),
                "{schema}: {}",
                error.report()
            );
        }
    }
    let error = Catalog::new()
        .backend("cachet", "b", "{}")
        .expect_err("no such kind");
    assert!(error.message().contains("buffer_pool"), "{error}");
}

#[test]
fn deep_and_hostile_texts_are_refused_without_harm() {
    for content in [
        format!("{}a = 1\n", "a.".repeat(100_000)),
        format!("[{}a]\n", "a.".repeat(100_000)),
        format!("a = {}\n", "[".repeat(100_000)),
        format!("a = {}\n", "{a=".repeat(100_000)),
        format!("{}\n", "[[chain]]\n".repeat(20_000)),
        "\"\\u0000\\u001b[31m\" = 1\n".to_owned(),
    ] {
        let error = load_text(Path::new("auralis.toml"), &content, &catalog());
        let error: ConfigError = error.expect_err("there are faults");
        let rendered = error.render(false);
        assert!(!rendered.is_empty() && !rendered.contains('\x1b'));
    }
    let sources = Sources {
        sets: vec!["a.".repeat(100_000) + "a=1"],
        ..Sources::default()
    };
    assert!(load(&sources, &catalog()).is_err());
}

/// A faultless file that has something of everything, for mutation.
const RICH: &str = r#"
chain = [{ stage = "gain", gain_db = 1 }, { stage = "equalizer", bands = [{ hz = 6e1 }] }]
[accelerator]
backend = ["avx2", 'scalar']
kernels.dot = "avx2"
[cache]
backend = "disk"
options = { directory = """/c""", verify = true } # größe
[plugins]
[[plugins.allow]]
file = "/a.so"
[[plugins.allow]]
file = '/b.so'
[executor]
threads = 0x1_0
"#;

const PIECES: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "\n",
    "\r",
    "#",
    ".",
    ",",
    "\"\"\"",
    "[[",
    "nan",
    "-inf",
    "9e999",
    "0x",
    "é",
    "\u{0}",
    "[[chain]]\n",
    "stage = \"gain\"\n",
    "[cache]\n",
    "cache.",
    "1979-",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_file_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, 0..PIECES.len()), 1..12),
        default in any::<bool>(),
    ) {
        let mut content: Vec<char> =
            if default { Config::commented_default() } else { RICH.to_owned() }.chars().collect();
        for (at, cut, piece) in edits {
            let at = at.index(content.len() + 1);
            let end = (at + cut).min(content.len());
            content.splice(at..end, PIECES[piece].chars());
        }
        let content: String = content.into_iter().collect();
        match load_text(Path::new("auralis.toml"), &content, &catalog()) {
            Ok(loaded) => prop_assert!(loaded.origins.iter().count() > 0),
            Err(error) => {
                prop_assert!(!error.diagnostics().is_empty());
                prop_assert!(!error.render(true).is_empty());
            }
        }
    }

    #[test]
    fn no_flag_or_variable_panics(text in "\\PC{0,40}", key in "[a-z0-9_.\\[\\]]{0,24}") {
        let sources = Sources {
            environment: vec![
                (format!("AURALIS_{text}__"), text.clone()),
                (format!("AURALIS_{}", key.to_uppercase().replace('.', "__")), text.clone()),
            ],
            sets: vec![text.clone(), format!("{key}={text}"), format!("chain[{text}={key}")],
            ..Sources::default()
        };
        if let Err(error) = load(&sources, &catalog()) {
            prop_assert!(!error.render(false).is_empty());
        }
    }

    #[test]
    fn floats_keep_their_bits(gain in -120.0..60.0f64) {
        let content = format!("[[chain]]\nstage = \"gain\"\ngain_db = {gain:?}\n");
        let config = text(&content).config;
        prop_assert_eq!(config.chain[0]["gain_db"].as_f64().map(f64::to_bits), Some(gain.to_bits()));
    }
}
