//! The file under way: written beside its final name and renamed when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};
use tempfile::{Builder, TempPath};

/// A temporary file `<name>.<random>.part`, removed when it is dropped before [`PartFile::keep`].
pub(super) struct PartFile {
    // Before the path, so that the file is closed when it is removed.
    file: File,
    path: TempPath,
    target: PathBuf,
}

impl PartFile {
    /// Creates the temporary file for `target`.
    pub(super) fn create(target: &Path) -> Result<Self> {
        let name = target
            .file_name()
            .filter(|_| !target.is_dir())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidInput,
                    "the output is a folder, not a file",
                )
            })?;
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut prefix = name.to_owned();
        prefix.push(".");
        let (file, path) = Builder::new()
            .prefix(&prefix)
            .suffix(".part")
            .make_in(folder, |path| {
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create_new(true)
                    .open(path)
            })
            .map_err(|error| create_fault(error, folder))?
            .into_parts();
        Ok(Self {
            file,
            path,
            target: target.to_owned(),
        })
    }

    /// Another handle to the file; both share one position.
    pub(super) fn handle(&self) -> Result<File> {
        self.file.try_clone().map_err(write_fault)
    }

    /// The BLAKE3 digest of the file, read back.
    pub(super) fn digest(&mut self) -> Result<[u8; 32]> {
        let mut hasher = blake3::Hasher::new();
        self.file
            .rewind()
            .and_then(|()| hasher.update_reader(&self.file).map(drop))
            .map_err(|e| Error::new(ErrorKind::Io, "can't read the output back").because(e))?;
        Ok(hasher.finalize().into())
    }

    /// Waits until the disk has the file and gives it its final name.
    pub(super) fn keep(self) -> Result<()> {
        self.file.sync_all().map_err(write_fault)?;
        drop(self.file);
        self.path.persist(&self.target).map_err(|error| {
            Error::new(ErrorKind::Io, "can't give the output its name").because(error.error)
        })
    }
}

fn create_fault(error: io::Error, folder: &Path) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(
            ErrorKind::NotFound,
            format!("the output's folder {} does not exist", folder.display()),
        ),
        _ => Error::new(ErrorKind::Io, "can't create the output").because(error),
    }
}

/// What a failed write means.
pub(super) fn write_fault(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "can't write the output").because(error)
}
