//! What this machine keeps of plugins by their hash: private copies, and what their test runs showed.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use auralis_abi::ABI_VERSION;
use auralis_core::{CpuFeatures, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::file::sha256;
use super::inspect::Verdict;
use super::{LibraryFile, platform, rejected};

/// What a verdict holds for: another host or another CPU may see another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The version of the host.
    pub version: String,
    /// The CPU features that it has found.
    pub cpu: Vec<String>,
}

impl Host {
    /// This program on this CPU.
    pub fn here() -> Self {
        Self {
            version: format!("auralis {} (ABI {ABI_VERSION})", env!("CARGO_PKG_VERSION")),
            cpu: CpuFeatures::detect().names().map(str::to_owned).collect(),
        }
    }
}

/// What the test run of one file showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`Verdict::Accepted`] or [`Verdict::Quarantined`].
    pub verdict: Verdict,
    /// Why it is in quarantine.
    pub reason: Option<String>,
    /// The signal that ended the test run, such as `SIGSEGV`.
    pub signal: Option<String>,
    /// What else it showed.
    pub notes: Vec<String>,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The host that has seen it.
    pub host: Host,
    /// The file by its name at that time.
    pub file: PathBuf,
    /// When that was, in seconds since 1970.
    pub time: u64,
}

/// Which quarantine records are to be lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clear {
    /// All of them.
    All,
    /// Those whose SHA-256 begins so.
    Sha256(String),
    /// Those of the file of this name, and of what it holds, whatever its name was.
    File(PathBuf),
}

/// Too few digits would mean too many files.
const FEWEST_DIGITS: usize = 4;

impl Clear {
    /// Those of what is meant by `text`: a file that exists, the beginning of a SHA-256, or else a file
    /// that is gone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`]: hexadecimal digits, but too few.
    pub fn named(text: &Path) -> Result<Self> {
        let digits = text.to_str().filter(|digits| {
            !text.exists() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())
        });
        match digits {
            Some(digits) if digits.len() < FEWEST_DIGITS => {
                let message =
                    format!("the beginning of a SHA-256 needs {FEWEST_DIGITS} digits at least");
                Err(Error::new(ErrorKind::InvalidInput, message).with("found", digits))
            }
            Some(digits) if digits.len() <= 64 => Ok(Self::Sha256(digits.to_owned())),
            _ => Ok(Self::File(text.to_owned())),
        }
    }

    fn chosen(&self, records: Vec<Record>) -> Vec<Record> {
        let lower = |prefix: &str| prefix.to_ascii_lowercase();
        let is_meant: Box<dyn Fn(&Record) -> bool> = match self {
            Self::All => Box::new(|_| true),
            Self::Sha256(prefix) => {
                let prefix = lower(prefix);
                Box::new(move |record| record.sha256.starts_with(&prefix))
            }
            Self::File(file) => {
                let held = fs::read(file).ok().map(|bytes| sha256(&bytes));
                let file = resolved(file);
                Box::new(move |record| {
                    held.as_ref() == Some(&record.sha256) || resolved(&record.file) == file
                })
            }
        };
        records.into_iter().filter(|r| is_meant(r)).collect()
    }
}

/// A folder of the user's own: `<sha256>.so` and `<sha256>.json` for each file that was seen.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    host: Host,
}

impl Store {
    /// The user's store: `auralis/plugins` in the folder for caches.
    ///
    /// # Errors
    ///
    /// Those of [`at`](Self::at); [`ErrorKind::Io`] if no variable of the environment says where
    /// that is.
    pub fn for_user() -> Result<Self> {
        match platform::cache_folder() {
            Some(folder) => Self::at(folder.join("auralis").join("plugins")),
            None => Err(Error::new(
                ErrorKind::Io,
                "no folder for caches is known: neither XDG_CACHE_HOME nor HOME is set to an \
                 absolute path",
            )),
        }
    }

    /// The store in a folder, which is made if need be, for the user alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it can't be made, [`ErrorKind::Plugin`] if others may write to it.
    pub fn at(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        let named = |error: Error| error.with("folder", folder.display());
        platform::create_private_folder(&folder).map_err(|e| {
            named(Error::new(ErrorKind::Io, "can't make the folder of plugin copies").because(e))
        })?;
        platform::only_ours(&folder).map_err(|e| {
            let message = "the folder where copies of plugins are kept is not safe";
            named(Error::new(ErrorKind::Plugin, message).because(e))
        })?;
        Ok(Self {
            folder,
            host: Host::here(),
        })
    }

    /// The same store as another host sees it.
    #[must_use]
    pub fn for_host(self, host: Host) -> Self {
        Self { host, ..self }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What this host has found out about the file of this hash. A record that can't be read, or that
    /// was made by another host or on another CPU, counts for nothing.
    pub fn known(&self, sha256: &str) -> Option<Record> {
        let record = read(&self.record_file(sha256))?;
        (record.sha256 == sha256 && record.host == self.host).then_some(record)
    }

    /// Keeps what a test run has shown. `failure`: why it failed, and the signal that ended it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it can't be written.
    pub fn keep(
        &self,
        file: &LibraryFile,
        failure: Option<(&str, Option<&str>)>,
        notes: Vec<String>,
    ) -> Result<()> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let record = Record {
            verdict: match failure {
                None => Verdict::Accepted,
                Some(_) => Verdict::Quarantined,
            },
            reason: failure.map(|(reason, _)| reason.to_owned()),
            signal: failure.and_then(|(_, signal)| signal).map(str::to_owned),
            notes,
            sha256: file.sha256.clone(),
            host: self.host.clone(),
            file: file.path.clone(),
            time: since.map_or(0, |since| since.as_secs()),
        };
        let path = self.record_file(&file.sha256);
        serde_json::to_vec_pretty(&record)
            .map_err(io::Error::other)
            .and_then(|text| self.write(&path, &text))
            .map_err(|e| {
                Error::new(
                    ErrorKind::Io,
                    "can't keep what a plugin's test run has shown",
                )
                .with("file", path.display())
                .because(e)
            })
    }

    /// The private copy of a library: what is opened, so that nothing that happens to the file later
    /// changes what runs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`] if it can't be written.
    pub fn copy(&self, file: &LibraryFile) -> Result<PathBuf> {
        let name = format!("{}{}", file.sha256, std::env::consts::DLL_SUFFIX);
        let copy = self.folder.join(name);
        // Read and compared each time: what bears the right name need not be it.
        if holds(&copy, &file.bytes).is_ok_and(|same| same) {
            return Ok(copy);
        }
        self.write(&copy, &file.bytes).map_err(|e| {
            rejected("can't make a private copy of the plugin")
                .with("copy", copy.display())
                .because(e)
        })?;
        Ok(copy)
    }

    /// What is in quarantine, by file. Records of another host or CPU stand here too, though they keep
    /// nobody from trying again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if the store can't be listed.
    pub fn quarantined(&self) -> Result<Vec<Record>> {
        let unlisted = |e| {
            Error::new(ErrorKind::Io, "can't list what is known of plugins")
                .with("folder", self.folder.display())
                .because(e)
        };
        let mut records = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unlisted)? {
            let path = entry.map_err(unlisted)?.path();
            if path.extension().is_some_and(|e| e == "json") {
                let ours = |r: &Record| {
                    r.verdict == Verdict::Quarantined && self.record_file(&r.sha256) == path
                };
                records.extend(read(&path).filter(ours));
            }
        }
        records.sort_by(|a, b| (&a.file, &a.sha256).cmp(&(&b.file, &b.sha256)));
        Ok(records)
    }

    /// Lifts quarantine: the next load tries the file again. Gives what was lifted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if the store can't be listed or a record can't be removed.
    pub fn clear(&self, which: &Clear) -> Result<Vec<Record>> {
        let meant = which.chosen(self.quarantined()?);
        for record in &meant {
            let path = self.record_file(&record.sha256);
            fs::remove_file(&path).map_err(|e| {
                Error::new(ErrorKind::Io, "can't lift a quarantine")
                    .with("file", path.display())
                    .because(e)
            })?;
        }
        Ok(meant)
    }

    fn record_file(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}.json"))
    }

    /// Writes beside the place and renames: nobody ever sees half of it.
    fn write(&self, place: &Path, bytes: &[u8]) -> io::Result<()> {
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        // Another process may bear the same number, in another container or after this one.
        let random = RandomState::new().hash_one(number);
        let beside = format!("{}-{number}-{random:016x}.part", std::process::id());
        let beside = self.folder.join(beside);
        let mut file = platform::create_private_file(&beside)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| fs::rename(&beside, place));
        if written.is_err() {
            // What can't be removed is in nobody's way.
            let _ = fs::remove_file(&beside);
        }
        written
    }
}

/// Whether the file holds just these bytes: compared piece by piece, which needs no memory for a second
/// library.
fn holds(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    const PIECE: usize = 1 << 16;
    let mut file = fs::File::open(path)?;
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    let mut piece = [0; PIECE];
    for expected in bytes.chunks(PIECE) {
        let found = &mut piece[..expected.len()];
        file.read_exact(found)?;
        if found != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The path without links; of a file that is gone, as absolute as it can be.
fn resolved(file: &Path) -> PathBuf {
    fs::canonicalize(file)
        .or_else(|_| std::path::absolute(file))
        .unwrap_or_else(|_| file.into())
}

/// A record that can't be read is as good as none.
fn read(path: &Path) -> Option<Record> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
