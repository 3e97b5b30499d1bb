//! The example in C: built as its first lines say, it conforms.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;

use auralis_core::{Accelerator, BuildContext, CpuFeatures, ErrorKind, Options};
use auralis_testkit::accelerator;
use tempfile::TempDir;

use crate::conformance::{backend, conforms};
use crate::library::{open, repository};

const EXAMPLE: &str = "examples/plugin-c/gain.c";

/// Runs the line that the example gives, for another source or into another folder where need be.
/// None where there is no compiler.
fn compile(source: &str, folder: &TempDir) -> Option<PathBuf> {
    if Command::new("cc").arg("--version").output().is_err() {
        let _ = writeln!(io::stderr(), "skipped: there is no `cc` on this machine");
        return None;
    }
    let text = std::fs::read_to_string(repository(EXAMPLE)).unwrap();
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
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(library)
}

#[test]
fn the_example_in_c_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = compile(EXAMPLE, &folder) else {
        return;
    };
    let plugin = open(&library).unwrap();
    assert_eq!((plugin.name(), plugin.version()), ("gain", "0.1.0"));
    assert_eq!(
        conforms(&plugin, "gain", accelerator::trials()),
        ["scale", "mix", "unsupported"]
    );
}

#[test]
fn the_example_in_c_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = compile(EXAMPLE, &folder) else {
        return;
    };
    let backend = backend(&open(&library).unwrap(), "accelerator", "gain");
    let build = |options: serde_json::Value| {
        backend.build::<dyn Accelerator>(&BuildContext {
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

#[test]
fn a_library_of_abi_2_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("abi2.c");
    let text = format!(
        "#include \"auralis.h\"\n#undef AURALIS_ABI_VERSION\n#define AURALIS_ABI_VERSION 2\n\
         #include \"{}\"\n",
        repository(EXAMPLE).display()
    );
    std::fs::write(&source, text).unwrap();
    let Some(library) = compile(&source.display().to_string(), &folder) else {
        return;
    };
    let error = open(&library).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Plugin);
    assert_eq!(error.message(), "the plugin speaks ABI 2, this host ABI 1");
}
