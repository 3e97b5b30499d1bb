//! A plugin that is newer than this host: its trait has one method more, in a table of its own.

use std::fs;
use std::path::{Path, PathBuf};

use auralis_core::{Accelerator, Kernel};
use auralis_testkit::accelerator;
use toml::{Table, Value};

use crate::conformance::{candidate, conforms};
use crate::host::{load, repository};
use crate::nested;

/// What a version to come adds: the file, a text in it, and what then stands before that text.
const ADDITIONS: [(&str, &str, &str); 5] = [
    (
        "core/src/accelerator/mod.rs",
        "    /// Multiplies every sample by `gain`. Exact.\n",
        "    /// Multiplies every other sample by `1 - depth`.
    fn shimmer(&self, data: &mut [f32], depth: f32) -> Result<()> {
        let _ = (data, depth);
        Err(Error::unsupported(\"shimmer\"))
    }

",
    ),
    (
        "core/abi/src/tables/accelerator.rs",
        "accelerator_f64_v1!(kernel_table);\n",
        "macro_rules! accelerator_shimmer_v1 {
    ($callback:ident) => {
        $callback! {
            /// Shimmer.
            ShimmerV1 \"accelerator.shimmer/1\" {
                shimmer(data: SliceMut<f32>, depth: f32);
            }
        }
    };
}
pub(crate) use accelerator_shimmer_v1;
accelerator_shimmer_v1!(kernel_table);
",
    ),
    (
        "core/abi/src/tables/mod.rs",
        "pub use backends::{",
        "pub use accelerator::ShimmerV1;
pub(crate) use accelerator::accelerator_shimmer_v1;
",
    ),
    (
        "core/abi/src/export/kernels.rs",
        "crate::accelerator_slices_v1!(serve_kernels);\n",
        "use crate::tables::{ShimmerV1, accelerator_shimmer_v1};
accelerator_shimmer_v1!(serve_kernels);
",
    ),
    (
        "core/abi/src/export/mod.rs",
        "    SlicesV1::HEADER,\n",
        "    crate::tables::ShimmerV1::HEADER,\n",
    ),
];

/// A copy of `core` and `core/abi` with these additions, and a plugin over it.
fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("newer");
    for path in ["core/Cargo.toml", "core/abi/Cargo.toml"] {
        write(&folder.join(path), &without_tests(&read(path)));
    }
    write(
        &folder.join("core/abi/build.rs"),
        &read("core/abi/build.rs"),
    );
    for path in ["core/src", "core/abi/src"] {
        sweep(&folder, path);
        copy(&folder, path);
    }
    for name in ["Cargo.toml", "src/lib.rs"] {
        let text = read(&format!("tests/plugins/newer/{name}"));
        write(&folder.join("plugin").join(name), &text);
    }
    write(&folder.join("Cargo.toml"), &root(&read("Cargo.toml")));
    // The versions that this machine holds.
    let lock = folder.join("Cargo.lock");
    if !lock.exists() {
        write(&lock, &read("Cargo.lock"));
    }
    folder
}

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Writes what has changed only, so that cargo builds nothing twice.
fn write(file: &Path, text: &str) {
    if fs::read_to_string(file).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// Removes what an earlier run has copied and the checkout no longer has.
fn sweep(folder: &Path, path: &str) {
    let Ok(entries) = fs::read_dir(folder.join(path)) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let inner = format!("{path}/{}", entry.file_name().to_str().unwrap());
        let directory = entry.file_type().unwrap().is_dir();
        match (repository(&inner).exists(), directory) {
            (true, true) => sweep(folder, &inner),
            (true, false) => {}
            (false, true) => fs::remove_dir_all(entry.path()).unwrap(),
            (false, false) => fs::remove_file(entry.path()).unwrap(),
        }
    }
}

fn copy(folder: &Path, path: &str) {
    for entry in fs::read_dir(repository(path)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => copy(folder, &path),
            false => write(&folder.join(&path), &with_additions(&path)),
        }
    }
}

fn with_additions(path: &str) -> String {
    let text = read(path);
    let additions = ADDITIONS.iter().filter(|(file, ..)| *file == path);
    additions.fold(text, |text, (_, place, addition)| {
        assert_eq!(
            text.matches(place).count(),
            1,
            "{path} has not just one {place:?}: ADDITIONS must follow it"
        );
        text.replace(place, &format!("{addition}{place}"))
    })
}

fn without_tests(manifest: &str) -> String {
    let mut manifest: Table = manifest.parse().unwrap();
    manifest.remove("dev-dependencies");
    manifest.remove("test");
    manifest.to_string()
}

/// The workspace of this checkout with other members.
fn root(manifest: &str) -> String {
    let mut manifest: Table = manifest.parse().unwrap();
    let mut workspace = manifest.remove("workspace").unwrap();
    let members = workspace.as_table_mut().unwrap();
    members.insert("members".into(), vec!["core", "core/abi", "plugin"].into());
    members.remove("exclude");
    let profile: Table = "dev.debug = false".parse().unwrap();
    Table::from_iter([
        ("workspace".to_owned(), workspace),
        ("profile".to_owned(), Value::Table(profile)),
    ])
    .to_string()
}

pub fn works() {
    let library = nested::build(&workspace(), "plugin-newer", &[]);
    let plugin = load(&library).unwrap();
    assert_eq!(
        Kernel::parse("shimmer"),
        None,
        "this host is not older any more"
    );
    let kernels = ["scale", "peak", "fir", "shimmer"];
    let facts = candidate::<dyn Accelerator>(&plugin, "newer").facts;
    assert_eq!(facts.capabilities, kernels);
    let bytes = fs::read(&library).unwrap();
    let interface = b"accelerator.shimmer/1";
    assert!(
        bytes
            .windows(interface.len())
            .any(|window| window == interface),
        "the plugin serves nothing that is new"
    );

    let trials = conforms::<dyn Accelerator>(&plugin, "newer", accelerator::trials());
    for kernel in &kernels[..3] {
        assert!(trials.contains(kernel), "{kernel} was not tried");
    }
}
