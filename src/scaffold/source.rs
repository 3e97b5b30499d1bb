//! Where a plugin's crate gets `auralis-abi` and `auralis-core` from.

use std::fs;
use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};

/// The crates that a plugin depends on, and where they lie in a checkout.
const CRATES: [(&str, &str); 2] = [("auralis-abi", "core/abi"), ("auralis-core", "core")];

/// A checkout of Auralis, or the published crates.
#[derive(Debug)]
pub enum Source {
    /// A checkout in this folder, an absolute path.
    Checkout(PathBuf),
    /// The crates of this program's version.
    Published,
}

impl Source {
    /// The checkout that was asked for; else the one that this program was built from, if it is
    /// there; else the published crates.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if a folder was asked for that is no checkout of Auralis.
    pub fn find(asked: Option<&Path>) -> Result<Self> {
        match asked {
            Some(folder) => checkout(folder).map(Self::Checkout),
            None => Ok(Self::built_from(Path::new(env!("CARGO_MANIFEST_DIR")))),
        }
    }

    fn built_from(folder: &Path) -> Self {
        checkout(folder).map_or(Self::Published, Self::Checkout)
    }

    /// What stands in the braces of a dependency on the crate in `folder` of a checkout.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the path can't be written down as UTF-8.
    pub fn dependency(&self, folder: &str) -> Result<String> {
        let Self::Checkout(checkout) = self else {
            return Ok(format!("version = \"{}\"", env!("CARGO_PKG_VERSION")));
        };
        let path = checkout.join(folder);
        let text = path.to_str().ok_or_else(|| {
            let message =
                "the path of the checkout can't be written into a Cargo.toml: it is no UTF-8";
            Error::new(ErrorKind::InvalidInput, message).with("path", path.display())
        })?;
        // A JSON string is a TOML string.
        Ok(format!("path = {}", serde_json::Value::from(text)))
    }

    /// The versions of third-party crates that the checkout was tested with, and that are likely to
    /// be on this machine: what a first build without a network needs.
    pub fn lock_file(&self) -> Option<String> {
        match self {
            Self::Checkout(folder) => fs::read_to_string(folder.join("Cargo.lock")).ok(),
            Self::Published => None,
        }
    }
}

fn checkout(folder: &Path) -> Result<PathBuf> {
    let refuse = |message: String| Error::new(ErrorKind::NotFound, message);
    let folder = std::path::absolute(folder).map_err(|e| {
        refuse("the checkout can't be found".into())
            .with("folder", folder.display())
            .because(e)
    })?;
    for (name, place) in CRATES {
        let manifest = folder.join(place).join("Cargo.toml");
        let line = format!("name = \"{name}\"");
        let text = fs::read_to_string(&manifest).unwrap_or_default();
        if !text.lines().any(|found| found.trim() == line) {
            let message = format!("this is no checkout of Auralis: {place} does not hold {name}");
            return Err(refuse(message).with("folder", folder.display()));
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_depended_on_by_path() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let asked = Source::find(Some(here)).unwrap();
        let dependency = asked.dependency("core/abi").unwrap();
        assert!(dependency.starts_with("path = \""), "{dependency}");
        assert!(asked.lock_file().is_some());
        // These tests run where the program was built.
        assert!(matches!(Source::find(None).unwrap(), Source::Checkout(_)));
    }

    #[test]
    fn a_relative_path_is_made_absolute() {
        let Source::Checkout(folder) = Source::find(Some(Path::new("."))).unwrap() else {
            panic!("tests run in the checkout");
        };
        assert!(folder.is_absolute());
    }

    #[test]
    fn without_a_checkout_the_published_crates_serve() {
        let elsewhere = tempfile::tempdir().unwrap();
        let source = Source::built_from(elsewhere.path());
        assert!(matches!(source, Source::Published));
        let dependency = source.dependency("core").unwrap();
        assert_eq!(
            dependency,
            format!("version = \"{}\"", env!("CARGO_PKG_VERSION"))
        );
        assert!(source.lock_file().is_none());
    }

    #[test]
    fn a_folder_that_is_no_checkout_is_an_error_that_says_what_is_missing() {
        let elsewhere = tempfile::tempdir().unwrap();
        let error = Source::find(Some(elsewhere.path())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error
                .report()
                .contains("core/abi does not hold auralis-abi"),
            "{error}"
        );
        let core = elsewhere.path().join("core/abi");
        fs::create_dir_all(&core).unwrap();
        fs::write(core.join("Cargo.toml"), "name = \"auralis-abi\"\n").unwrap();
        let error = Source::find(Some(elsewhere.path())).unwrap_err();
        assert!(
            error.report().contains("core does not hold auralis-core"),
            "{error}"
        );
    }
}
