//! The plugins that cargo built beside this test, and folders to put them in.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use auralis_registry::plugin::{Allowance, Loader, Probe, Store, Voucher};
use libtest_mimic::Trial;
use tempfile::TempDir;

/// A trial that passes unless it panics.
pub fn trial(name: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// The library that cargo built of a plugin crate that this crate names in its dev-dependencies.
pub fn library(crate_name: &str) -> PathBuf {
    let name = crate_name.replace('-', "_");
    let file = format!(
        "{}{name}{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    let beside = env::current_exe().unwrap().with_file_name(file);
    assert!(beside.is_file(), "cargo has not built {}", beside.display());
    beside
}

/// This program tests its plugins itself.
pub fn probe() -> Probe {
    Probe::new(env::current_exe().unwrap())
}

/// What these tests say of a file, unless a test is about who vouches for it.
pub fn allowed() -> Allowance {
    Allowance {
        voucher: Voucher::Caller,
        ..Allowance::default()
    }
}

/// A folder with a store of its own.
pub struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The fixture under this name.
    pub fn fixture(&self, name: &str) -> PathBuf {
        self.write(name, &fs::read(library("plugin-fixture")).unwrap())
    }

    pub fn store(&self) -> Store {
        Store::at(self.path("store")).unwrap()
    }

    pub fn loader(&self) -> Loader {
        Loader::new(self.store(), Some(probe()))
    }
}

/// A text with FILE in the place of a path.
pub fn without(text: &str, path: &Path) -> String {
    text.replace(&path.display().to_string(), "FILE")
}
