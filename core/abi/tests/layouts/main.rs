//! What is frozen, in writing: the layouts of all tables, and the header for C that follows them.

mod c;
mod codes;
mod description;
mod docs;
mod golden;
mod text;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use description::Abi;

/// A file of this crate.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[cfg(target_pointer_width = "64")]
#[test]
fn the_layouts_are_the_golden_ones() {
    golden::compare(
        "layouts.txt",
        &text::write(&Abi::read()),
        "A released interface never changes, and neither does anything that it is made of: what is \
         new gets a new table under a new name.",
    );
}

#[test]
fn the_header_for_c_follows_the_tables() {
    golden::compare(
        "include/auralis.h",
        &c::write(&Abi::read()),
        "It is made from the tables and their documentation.",
    );
}

/// The header in a source file, with the sizes and offsets that they have in Rust.
#[test]
fn the_header_compiles_as_c_and_as_cpp_with_the_layouts_of_rust() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("cc", "c99", "header.c", "_Static_assert"),
        ("c++", "c++17", "header.cpp", "static_assert"),
    ];
    for (compiler, standard, name, assertion) in cases {
        if Command::new(compiler).arg("--version").output().is_err() {
            // Past the capture of the test harness.
            let _ = writeln!(
                io::stderr(),
                "skipped: there is no `{compiler}` on this machine"
            );
            continue;
        }
        let source = folder.path().join(name);
        fs::write(&source, c::assertions(&Abi::read(), assertion)).unwrap();
        let output = Command::new(compiler)
            .arg(format!("-std={standard}"))
            .args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-c", "-I"])
            .arg(file("include"))
            .arg("-o")
            .arg(folder.path().join(name).with_extension("o"))
            .arg(&source)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{compiler} -std={standard}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
