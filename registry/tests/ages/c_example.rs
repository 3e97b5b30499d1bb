//! The example in C: built as its first lines say, it conforms.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use auralis_core::{Accelerator, BuildContext, CpuFeatures, ErrorKind, Options};
use auralis_testkit::accelerator;
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::conformance::{candidate, conforms};
use crate::host::{load, manifest, repository};

const EXAMPLE: &str = "examples/plugin-c/gain.c";

/// Shown as ignored where there is no compiler.
pub fn trials() -> Vec<Trial> {
    let trials = [
        crate::trial("the_example_in_c_conforms", conforms_to_all),
        crate::trial("the_example_in_c_says_what_is_wrong", says_what_is_wrong),
        crate::trial("a_library_of_abi_2_is_refused", abi_2_is_refused),
    ];
    let missing = Command::new("cc").arg("--version").output().is_err();
    let trials = trials.into_iter().map(|trial| match missing {
        true => trial.with_kind("there is no cc").with_ignored_flag(true),
        false => trial,
    });
    trials.collect()
}

/// Runs the line that the example gives, for another source or into another folder where need be.
fn compile(source: &str, folder: &TempDir) -> PathBuf {
    let text = fs::read_to_string(repository(EXAMPLE)).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.trim_start_matches([' ', '*']).strip_prefix("cc "))
        .unwrap();
    let library = folder.path().join("libgain.so");
    let arguments = line.split_whitespace().map(|word| match word {
        EXAMPLE => source.to_owned(),
        "libgain.so" => library.display().to_string(),
        word => word.to_owned(),
    });
    let output = Command::new("cc")
        .current_dir(repository("."))
        .args(arguments)
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    library
}

fn conforms_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(EXAMPLE, &folder);
    let manifest = manifest(&library);
    assert_eq!(manifest.plugin.abi_stable, None);
    let plugin = load(&library).unwrap();
    assert_eq!((plugin.name(), plugin.version()), ("gain", "0.1.0"));
    let trials = conforms::<dyn Accelerator>(&plugin, "gain", accelerator::trials());
    for kernel in ["scale", "mix"] {
        assert!(trials.contains(&kernel), "{kernel} was not tried");
    }
}

fn says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = load(&compile(EXAMPLE, &folder)).unwrap();
    let candidate = candidate::<dyn Accelerator>(&plugin, "gain");
    let build = |options: serde_json::Value| {
        candidate.build(&BuildContext {
            options: &Options::new(options),
            settings: &Default::default(),
            cpu: CpuFeatures::NONE,
        })
    };
    let gain = build(serde_json::json!({})).unwrap();
    assert_eq!(gain.variant(), "c");
    let error = gain.mix(&mut [0.0; 2], &[0.0; 3], 1.0).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::InvalidInput, "lengths differ")
    );
    let error = build(serde_json::json!({ "gain": 2 })).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Config, "gain has no options")
    );
}

fn abi_2_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("abi2.c");
    let text = format!(
        "#include \"auralis.h\"\n#undef AURALIS_ABI_VERSION\n#define AURALIS_ABI_VERSION 2\n\
         #include \"{}\"\n",
        repository(EXAMPLE).display()
    );
    fs::write(&source, text).unwrap();
    let library = compile(&source.display().to_string(), &folder);
    let error = load(&library).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Plugin);
    assert_eq!(error.message(), "the plugin speaks ABI 2, this host ABI 1");
}
