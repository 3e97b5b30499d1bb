//! `auralis plugin seal`: writes the hash of a finished plugin into it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};
use auralis_registry::plugin::{Allowance, Verdict, inspect, seal};
use clap::Args;
use serde::Serialize;

use crate::cli::{Global, Outcome, output};

/// Writes the hash of a finished plugin into it, so that any damage on its way is found.
///
/// The last step before a plugin is shipped, after `strip` if there is one: whatever changes the file
/// afterwards breaks the seal, and no host loads it.
#[derive(Debug, Args)]
pub struct Seal {
    /// The plugin
    file: PathBuf,
}

/// One object of `plugin seal --json`.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.seal/1")]
struct Sealed<'a> {
    file: &'a Path,
    sha256: Option<&'a str>,
}

impl Seal {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let file = super::named(&self.file)?;
        // A plugin may be sealed for machines that are not this one, and whatever its panics do.
        write_seal(&file).map_err(|e| e.with("file", file.display()))?;
        let allowance = Allowance {
            abort: true,
            ..super::unvouched()
        };
        let sealed = inspect(&file, &allowance, None);
        if let (Verdict::Rejected, Some(reason)) = (sealed.verdict, &sealed.reason) {
            output::remark(global, &format!("this host would not load it: {reason}"));
        }
        let sha256 = sealed.sha256.as_deref();
        if global.json {
            let file = &file;
            return output::json(&Sealed { file, sha256 });
        }
        output::line(format_args!("sealed {}", file.display()))
    }
}

/// Writes the sealed file beside its name and renames it, with the permissions that it has: a program
/// that has the old one open keeps it.
fn write_seal(file: &Path) -> Result<()> {
    let unreadable = |e| Error::new(ErrorKind::Plugin, "the file can't be read").because(e);
    let before = fs::read(file).map_err(unreadable)?;
    let after = seal(&before)?;
    let write = || -> std::io::Result<()> {
        let mut draft = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
        draft.write_all(&after)?;
        draft
            .as_file()
            .set_permissions(fs::metadata(file)?.permissions())?;
        draft.as_file().sync_all()?;
        draft.persist(file)?;
        Ok(())
    };
    write().map_err(|e| Error::new(ErrorKind::Io, "can't write the sealed file").because(e))
}
