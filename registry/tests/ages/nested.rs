//! Plugins that are built by a cargo of their own: they must not share the crates of this checkout.

use std::env;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of these builds within the target folder. Cargo locks it, so that tests may run side
/// by side.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins-of-tests")
}

/// Builds a package of the workspace in `workspace`, and returns its library. The registry is asked
/// only for what this machine does not hold.
pub fn build(workspace: &Path, package: &str, arguments: &[&str]) -> PathBuf {
    let attempts = [["--offline"].as_slice(), &[]];
    let outputs =
        attempts.map(|attempt| move || cargo(workspace, package, &[arguments, attempt].concat()));
    let failed: Vec<_> = outputs
        .iter()
        .map(|run| run())
        .take_while(|output| !output.status.success())
        .collect();
    if failed.len() == attempts.len() {
        let errors = failed
            .iter()
            .map(|output| String::from_utf8_lossy(&output.stderr));
        panic!(
            "{package} can't be built in {}:\n{}",
            workspace.display(),
            errors.collect::<Vec<_>>().join("\n")
        );
    }
    let name = package.replace('-', "_");
    let folder = folder().join(auralis_abi::TARGET).join("debug");
    folder.join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
}

fn cargo(workspace: &Path, package: &str, arguments: &[&str]) -> Output {
    Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .current_dir(workspace)
        .args(["build", "--quiet", "--package", package])
        .args(["--target", auralis_abi::TARGET, "--target-dir"])
        .arg(folder())
        .args(arguments)
        .output()
        .unwrap()
}
