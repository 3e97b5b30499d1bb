//! The crates that `plugin new` makes: each compiles, depends on nothing else of Auralis and passes its
//! own tests.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use auralis::scaffold::{Kind, Scaffold, create};

const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");

/// One target folder for all crates and for the next run, so that dependencies are built once.
const TARGET: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/scaffold");

/// Runs cargo in a crate as if it stood alone: without the variables of the run of cargo that this
/// test is a part of, and with what is on this machine.
fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_the_user = ["CARGO_HOME", "CARGO_BUILD_JOBS"].contains(&&*text);
        if text.starts_with("CARGO") && !of_the_user || text.starts_with("RUSTFLAGS") {
            command.env_remove(&name);
        }
    }
    command
        .args(arguments)
        .arg("--offline")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", TARGET)
        .output()
        .unwrap()
}

#[test]
fn every_kind_compiles_alone_and_passes_its_tests() {
    let folder = tempfile::tempdir().unwrap();
    // A workspace above must not claim the crate.
    fs::write(
        folder.path().join("Cargo.toml"),
        "[workspace]\nmembers = []\n",
    )
    .unwrap();
    for kind in Kind::ALL {
        let name = format!("acme-{}", kind.name());
        let files = create(&Scaffold {
            name: &name,
            kind,
            folder: folder.path(),
            source: Some(Path::new(CHECKOUT)),
        });
        files.unwrap();
        let output = cargo(&folder.path().join(&name), &["test", "--lib"]);
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}{errors}");
        assert!(
            said.contains("test result: ok") && !said.contains(" 0 passed"),
            "{said}"
        );
        assert!(!errors.contains("warning"), "{errors}");
    }
}

#[test]
fn a_crate_depends_on_the_traits_and_the_abi_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = create(&Scaffold {
        name: "acme-gain",
        kind: Kind::Accelerator,
        folder: folder.path(),
        source: Some(Path::new(CHECKOUT)),
    });
    files.unwrap();
    let tree = ["tree", "--depth", "1", "--prefix", "none"];
    let output = cargo(&folder.path().join("acme-gain"), &tree);
    let said = String::from_utf8(output.stdout).unwrap();
    let mut crates: Vec<_> = said
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    crates.sort();
    assert_eq!(
        crates,
        ["acme-gain", "auralis-abi", "auralis-core"],
        "{said}"
    );
}

/// The lines of `old` that `new` does not have, indentation aside.
fn missing<'a>(old: &'a str, new: &str) -> Vec<&'a str> {
    let kept: Vec<_> = new.lines().map(str::trim).collect();
    let lines = old.lines().map(str::trim);
    lines.filter(|line| !kept.contains(line)).collect()
}

#[test]
fn the_example_is_what_is_made_but_for_what_its_author_did() {
    let folder = tempfile::tempdir().unwrap();
    create(&Scaffold {
        name: "plugin-gain",
        kind: Kind::Accelerator,
        folder: folder.path(),
        source: Some(Path::new(CHECKOUT)),
    })
    .unwrap();
    let left = |file: &str| {
        let read = |folder: &Path| fs::read_to_string(folder.join(file)).unwrap();
        let made = read(&folder.path().join("plugin-gain"));
        let lines = missing(
            &made,
            &read(&Path::new(CHECKOUT).join("examples/plugin-gain")),
        )
        .into_iter()
        .map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(
        left("src/lib.rs"),
        [
            "use auralis_core::{",
            "Accelerator, CpuFeatures, Descriptor, Error, ErrorKind, NoOptions, Result, register,",
            "};",
            "options_schema: NoOptions::SCHEMA,",
            "let NoOptions {} = context.options.parse()?;",
            "Ok(Arc::new(Gains))",
            "struct Gains;",
            "for sample in data {",
            "Gains.channel_gains(&mut stereo, &[0.5, -1.0]).unwrap();",
            "Gains.channel_gains(&mut data, &[0.5, 0.5]),",
            "Gains.channel_gains(&mut data, &[]),",
            "Gains.mix(&mut data, &[1.0; 4], 0.5),",
        ]
    );
    // The workspace brings what stands here: the paths, the profiles and itself.
    let of_the_workspace = left("Cargo.toml");
    let own = |line: &&String| {
        let shared = ["auralis-", "[profile.", "panic = ", "# ", "[workspace]"];
        !shared.iter().any(|start| line.starts_with(start))
    };
    assert_eq!(of_the_workspace.iter().find(own), None);
    // The name of the library is that of this platform.
    let unlike = left("README.md");
    assert!(
        unlike.iter().all(|line| line.contains("target/release/")),
        "{unlike:?}"
    );
}
