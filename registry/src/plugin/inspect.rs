//! Everything that can be said of a plugin without running any code of it.

use std::path::{Path, PathBuf};

use auralis_core::{CpuFeatures, Error, Result};
use serde::{Deserialize, Serialize};

use super::store::Record;
use super::{
    Allowance, LibraryFile, Manifest, Store, Voucher, architecture, rejected, relocations, root,
    seal,
};

/// What is to be thought of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing speaks against it.
    Accepted,
    /// The file alone shows that it can't be used.
    Rejected,
    /// It failed its test run here.
    Quarantined,
}

/// What a file says of itself, and what is to be thought of it.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The file.
    pub file: PathBuf,
    /// Its SHA-256 in hexadecimal, if it could be read.
    pub sha256: Option<String>,
    /// Its manifest, if there is one.
    pub manifest: Option<Manifest>,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// Why it is not accepted.
    pub reason: Option<String>,
    /// What its test run showed, if it passed one: such as that it changes the floating-point control.
    pub notes: Vec<String>,
    /// Whether it is sealed, and as it was when that was done.
    pub sealed: bool,
    /// Whether it passed a test run in this host, on this CPU.
    pub probed: bool,
}

/// Inspects a file. It is read, never run. With a store, what is known of its hash counts too.
pub fn inspect(path: &Path, allowance: &Allowance, store: Option<&Store>) -> Inspection {
    let examined = Examined::of(path, allowance, store);
    let quarantined = examined
        .record
        .as_ref()
        .is_some_and(|record| record.verdict == Verdict::Quarantined);
    let verdict = match &examined.outcome {
        Ok(()) => Verdict::Accepted,
        Err(_) if examined.fits && quarantined => Verdict::Quarantined,
        Err(_) => Verdict::Rejected,
    };
    Inspection {
        file: path.into(),
        sha256: examined.file.map(|file| file.sha256),
        manifest: examined.manifest,
        verdict,
        reason: examined.outcome.err().map(|error| error.report()),
        sealed: examined.sealed,
        probed: examined.record.is_some() && !quarantined,
        notes: examined
            .record
            .map(|record| record.notes)
            .unwrap_or_default(),
    }
}

/// A file with all that is known of it.
pub(super) struct Examined {
    pub(super) file: Option<LibraryFile>,
    pub(super) manifest: Option<Manifest>,
    /// What the store knows of its hash.
    pub(super) record: Option<Record>,
    /// Whether the file alone is in order.
    fits: bool,
    sealed: bool,
    /// The first reason why it can't be used.
    pub(super) outcome: Result<()>,
}

impl Examined {
    pub(super) fn of(path: &Path, allowance: &Allowance, store: Option<&Store>) -> Self {
        let refused = |file, error| Self {
            file,
            manifest: None,
            record: None,
            fits: false,
            sealed: false,
            outcome: Err(error),
        };
        let (within, pin) = (allowance.within.as_deref(), allowance.voucher.pin());
        let look = |bytes: &[u8]| looked_at(bytes, allowance);
        // Nothing is parsed of a file that is not the one that was meant.
        let read = match pin {
            None => {
                LibraryFile::read_and(path, within, look).map(|(file, seen)| (file, Some(seen)))
            }
            Some(_) => LibraryFile::read(path, within).map(|file| (file, None)),
        };
        let (file, seen) = match read {
            Ok(read) => read,
            Err(error) => return refused(None, error),
        };
        if let Some(Err(error)) = pin.map(|pin| file.check_pin(pin)) {
            return refused(Some(file), error);
        }
        let (manifest, checked) = seen.unwrap_or_else(|| look(&file.bytes));
        let record = store.and_then(|store| store.known(&file.sha256));
        Self {
            fits: checked.is_ok(),
            sealed: matches!(checked, Ok(true)),
            outcome: checked.and_then(|_| record.as_ref().map_or(Ok(()), not_in_quarantine)),
            manifest: manifest.ok(),
            file: Some(file),
            record,
        }
    }
}

/// The manifest, and whether the file is sealed, if nothing in it speaks against it. Even of a file that
/// can't be used it is good to know what it would have brought.
fn looked_at(bytes: &[u8], allowance: &Allowance) -> (Result<Manifest>, Result<bool>) {
    let manifest = Manifest::read(bytes);
    let checked = check(bytes, manifest.as_ref(), allowance);
    (manifest, checked)
}

fn check(bytes: &[u8], manifest: Result<&Manifest, &Error>, allowance: &Allowance) -> Result<bool> {
    architecture::check(bytes)?;
    match manifest {
        Ok(manifest) => manifest.fits(CpuFeatures::detect(), allowance.abort)?,
        // An error can't be cloned: it is found again.
        Err(_) => return Manifest::read(bytes).map(|_| false),
    }
    let sealed = seal::check(bytes)?;
    root::check(bytes)?;
    relocations::check(bytes)?;
    if !sealed && allowance.voucher == Voucher::Seal {
        return Err(rejected(
            "the file is neither pinned nor sealed, so nothing tells it from a damaged one: \
             `auralis plugin pin FILE` pins it, `auralis plugin seal FILE` seals what you built",
        ));
    }
    Ok(sealed)
}

fn not_in_quarantine(record: &Record) -> Result<()> {
    if record.verdict != Verdict::Quarantined {
        return Ok(());
    }
    let reason = record.reason.as_deref().unwrap_or("no reason is known");
    Err(rejected(format!(
        "in quarantine until the file changes or `auralis plugin quarantine clear` lifts it: {reason}"
    )))
}
