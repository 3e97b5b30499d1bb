//! The files of a plugin's crate, one source per kind.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::str::FromStr;

use auralis_core::{Accelerator, BufferPool, Cache, Error, ErrorKind, Executor, Profiler, Result};

use super::source::Source;

/// The kind of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Kernels on samples.
    Accelerator,
    /// Sample memory.
    BufferPool,
    /// Results by content digest.
    Cache,
    /// Work over ranges.
    Executor,
    /// Durations of operations.
    Profiler,
}

impl Kind {
    /// Every kind, in the order of their names.
    pub const ALL: [Self; 5] = [
        Self::Accelerator,
        Self::BufferPool,
        Self::Cache,
        Self::Executor,
        Self::Profiler,
    ];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        use auralis_core::Kind;
        match self {
            Self::Accelerator => <dyn Accelerator>::NAME,
            Self::BufferPool => <dyn BufferPool>::NAME,
            Self::Cache => <dyn Cache>::NAME,
            Self::Executor => <dyn Executor>::NAME,
            Self::Profiler => <dyn Profiler>::NAME,
        }
    }

    /// Its name in a sentence.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::BufferPool => "buffer pool",
            other => other.name(),
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::Accelerator => include_str!("templates/accelerator/lib.rs"),
            Self::BufferPool => include_str!("templates/buffer_pool/lib.rs"),
            Self::Cache => include_str!("templates/cache/lib.rs"),
            Self::Executor => include_str!("templates/executor/lib.rs"),
            Self::Profiler => include_str!("templates/profiler/lib.rs"),
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            let message = format!("there is no kind of backend called {name:?}; there are {names}");
            Error::new(ErrorKind::InvalidInput, message)
        })
    }
}

/// One file of a crate.
#[derive(Debug)]
pub struct File {
    /// Its place in the crate's folder.
    pub path: &'static str,
    /// Its contents.
    pub text: String,
}

/// The files of the crate `name` with a backend of this kind.
///
/// # Errors
///
/// Those of [`Source::dependency`].
pub fn files(name: &str, kind: Kind, source: &Source) -> Result<Vec<File>> {
    let library = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", name.replace('-', "_"));
    // The name goes first: what the others stand for may hold it, no name can hold them.
    let marks = [
        ("plugin-name", name),
        ("<kind>", kind.name()),
        ("<library>", &library),
        ("<abi>", &source.dependency("core/abi")?),
        ("<core>", &source.dependency("core")?),
    ];
    let filled = |text: &str| {
        let fill = |text: String, (mark, value): &(&str, &str)| text.replace(mark, value);
        marks.iter().fold(text.to_owned(), fill)
    };
    let file = |path, text| File {
        path,
        text: filled(text),
    };
    let mut files = vec![
        file("Cargo.toml", include_str!("templates/manifest.toml")),
        file("src/lib.rs", kind.source()),
        file("README.md", include_str!("templates/readme.md")),
        file(".gitignore", include_str!("templates/gitignore")),
    ];
    files.extend(source.lock_file().map(|text| File {
        path: "Cargo.lock",
        text,
    }));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse::<Kind>().unwrap(), kind);
        }
        let error = "synth".parse::<Kind>().unwrap_err();
        assert!(
            error.report().contains("accelerator, buffer_pool, cache"),
            "{error}"
        );
    }

    #[test]
    fn no_mark_is_left() {
        for kind in Kind::ALL {
            for file in files("acme-gain", kind, &Source::Published).unwrap() {
                let left = ["plugin-name", "<kind>", "<library>", "<abi>", "<core>"];
                let found = left.iter().find(|mark| file.text.contains(*mark));
                assert_eq!(found, None, "{}: {}", file.path, file.text);
            }
        }
    }

    #[test]
    fn a_crate_names_what_it_depends_on_and_its_library() {
        let files = files("acme-gain", Kind::Cache, &Source::Published).unwrap();
        let text = |path| &files.iter().find(|file| file.path == path).unwrap().text;
        let manifest: Vec<&str> = text("Cargo.toml").lines().collect();
        assert!(manifest.contains(&"name = \"acme-gain\""));
        assert!(manifest.contains(&"crate-type = [\"cdylib\"]"));
        assert!(text("README.md").contains("acme_gain"));
        assert!(text("src/lib.rs").contains("id: \"acme-gain\""));
    }
}
