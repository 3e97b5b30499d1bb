//! Today's host: reads a manifest, tests a library in a child, loads it.

use std::env;
use std::path::{Path, PathBuf};

use auralis_core::Result;
use auralis_registry::plugin::{Allowance, LoadedPlugin, Loader, Manifest, Probe, Store, Voucher};

/// A file or folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap().join(path)
}

/// Loads a library as a host does that has never met it.
pub fn load(library: &Path) -> Result<LoadedPlugin> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("store"))?;
    let probe = Probe::new(env::current_exe().unwrap());
    let allowance = Allowance {
        voucher: Voucher::Caller,
        ..Allowance::default()
    };
    Loader::new(store, Some(probe)).load(library, &allowance)
}

/// What the library says of itself in its own file.
pub fn manifest(library: &Path) -> Manifest {
    Manifest::read(&std::fs::read(library).unwrap()).unwrap()
}
