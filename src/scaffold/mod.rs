//! The crate of a plugin, written for its author: what `auralis plugin new` makes.
//!
//! The templates are real files of this program, and what they make compiles, passes the conformance
//! suite and depends on `auralis-abi` and `auralis-core` alone.

mod name;
mod source;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};

pub use template::Kind;

use source::Source;

/// What is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Scaffold<'a> {
    /// The name of the crate, of its folder and of its backend.
    pub name: &'a str,
    /// The kind of its backend.
    pub kind: Kind,
    /// The folder in which the crate's own folder is made.
    pub folder: &'a Path,
    /// A checkout of Auralis that the crate depends on by path. Without one it is the checkout that
    /// this program was built from, if that still exists; else the published crates.
    pub source: Option<&'a Path>,
}

/// Makes the crate of a plugin, and says which files it consists of. A crate is made whole or not at
/// all.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the name can't be that of a crate and of a backend, or if its
/// folder exists and is not empty; [`ErrorKind::NotFound`] if `source` holds no checkout of Auralis;
/// [`ErrorKind::Io`] if the files can't be written.
pub fn create(scaffold: &Scaffold<'_>) -> Result<Vec<PathBuf>> {
    let Scaffold {
        name, kind, folder, ..
    } = *scaffold;
    name::check(name, kind)?;
    let source = Source::find(scaffold.source)?;
    let target = folder.join(name);
    check_vacant(&target)?;
    let files = template::files(name, kind, &source)?;
    write(folder, &target, &files).map_err(|e| {
        Error::new(ErrorKind::Io, "can't write the crate")
            .with("folder", target.display())
            .because(e)
    })?;
    Ok(files.iter().map(|file| target.join(file.path)).collect())
}

fn check_vacant(target: &Path) -> Result<()> {
    let vacant = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    };
    if vacant {
        return Ok(());
    }
    let message = "there is something of that name already, and it is not an empty folder";
    Err(Error::new(ErrorKind::InvalidInput, message).with("folder", target.display()))
}

/// Writes into a folder beside `target`, which then takes its name.
fn write(folder: &Path, target: &Path, files: &[template::File]) -> std::io::Result<()> {
    let draft = tempfile::Builder::new()
        .prefix(".auralis-new-")
        .tempdir_in(Path::new(".").join(folder))?;
    let crate_folder = draft.path().join("crate");
    for file in files {
        let path = crate_folder.join(file.path);
        fs::create_dir_all(path.parent().unwrap_or(&crate_folder))?;
        fs::write(path, &file.text)?;
    }
    // An empty folder of that name is in the way on some systems, and nobody's loss.
    let _ = fs::remove_dir(target);
    fs::rename(&crate_folder, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaffold<'a>(name: &'a str, folder: &'a Path) -> Scaffold<'a> {
        Scaffold {
            name,
            kind: Kind::Accelerator,
            folder,
            source: Some(Path::new(env!("CARGO_MANIFEST_DIR"))),
        }
    }

    fn listed(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_crate_is_made_whole_even_in_an_empty_folder_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for exists in [false, true] {
            let target = folder.path().join("acme-gain");
            if exists {
                fs::remove_dir_all(&target).unwrap();
                fs::create_dir(&target).unwrap();
            }
            let files = create(&scaffold("acme-gain", folder.path())).unwrap();
            assert!(files.iter().all(|file| file.is_file()), "{files:?}");
            assert_eq!(listed(folder.path()), ["acme-gain"]);
            let found = listed(&target);
            let expected = [".gitignore", "Cargo.lock", "Cargo.toml", "README.md", "src"];
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("acme-gain");
        fs::create_dir(&mine).unwrap();
        fs::write(mine.join("notes"), "mine").unwrap();
        fs::write(folder.path().join("file"), "mine").unwrap();
        for name in ["acme-gain", "file"] {
            let error = create(&scaffold(name, folder.path())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.report().contains(name), "{error}");
        }
        assert_eq!(listed(&mine), ["notes"]);
        assert_eq!(listed(folder.path()), ["acme-gain", "file"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere");
        let error = create(&scaffold("acme-gain", &nowhere)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.report().contains("nowhere"), "{error}");
    }
}
