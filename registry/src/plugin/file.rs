//! A plugin's file: where it lies, who may write there, its bytes and their hash.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, ScopedJoinHandle};

use auralis_core::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

use super::{platform, rejected};

/// More is no library of kernels; the file is read into memory.
const MOST_BYTES: u64 = 1 << 30;

/// A longer file is hashed while it is read, in pieces of this length.
const PIECE: usize = 1 << 20;

/// What the configuration says of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Who vouches for its bytes.
    pub voucher: Voucher,
    /// Whether its panics may end the process.
    pub abort: bool,
    /// The folder that the file must lie in when all links are resolved; `None`: any.
    pub within: Option<PathBuf>,
}

/// Who vouches that a file holds what its author made. Without a voucher, damage that the checks of the
/// file and the test run do not meet would be found by running it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Voucher {
    /// The file itself, by its seal.
    #[default]
    Seal,
    /// The user, by the SHA-256 that it must have, in hexadecimal.
    Pin(String),
    /// Whoever calls: for looking at a file, and for a program that knows it by other means. No
    /// configuration can say this.
    Caller,
}

impl Voucher {
    /// The pin, if it is one.
    pub fn pin(&self) -> Option<&str> {
        match self {
            Self::Pin(pin) => Some(pin),
            Self::Seal | Self::Caller => None,
        }
    }
}

/// A library as it was read, once: what is checked is what is loaded.
#[derive(Debug)]
pub struct LibraryFile {
    /// Its path as it was named.
    pub path: PathBuf,
    /// Its path without links.
    pub canonical: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// The SHA-256 of that, in hexadecimal.
    pub sha256: String,
}

impl LibraryFile {
    /// Reads the file if its path is absolute, leads to nowhere but `within`, and nobody but the user
    /// and root may write to it or to a folder above it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`] that says what does not fit.
    pub fn read(path: &Path, within: Option<&Path>) -> Result<Self> {
        let (canonical, bytes, hash) = found(path, within)?;
        Ok(Self {
            path: path.into(),
            sha256: hash.finish(&bytes),
            canonical,
            bytes,
        })
    }

    /// The same, and what `look` makes of the bytes: it has a thread of its own, since hashing takes the
    /// longest of all that is done with a library that is known.
    pub(super) fn read_and<T: Send>(
        path: &Path,
        within: Option<&Path>,
        look: impl FnOnce(&[u8]) -> T + Send,
    ) -> Result<(Self, T)> {
        let (canonical, bytes, hash) = found(path, within)?;
        let (sha256, seen) = thread::scope(|scope| {
            let seen = scope.spawn(|| look(&bytes));
            (hash.finish(&bytes), joined(seen))
        });
        let file = Self {
            path: path.into(),
            sha256,
            canonical,
            bytes,
        };
        Ok((file, seen))
    }

    /// Whether the file is the one that was pinned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`] with both hashes, or that the pin is none.
    pub fn check_pin(&self, pin: &str) -> Result<()> {
        if pin.len() != 64 || !pin.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = "the pin is no SHA-256, which has 64 hexadecimal digits";
            return Err(rejected(message).with("pinned", pin));
        }
        if !pin.eq_ignore_ascii_case(&self.sha256) {
            let message = "the file is not the one that was pinned by its SHA-256";
            return Err(rejected(message)
                .with("pinned", pin)
                .with("found", &self.sha256));
        }
        Ok(())
    }
}

/// The path without links, the bytes and the hash that was begun, if the file may be read, see
/// [`LibraryFile::read`].
fn found(path: &Path, within: Option<&Path>) -> Result<(PathBuf, Vec<u8>, Hash)> {
    if !path.is_absolute() {
        return Err(rejected(
            "a plugin must be named by an absolute path, so that no other folder's file is \
             opened",
        ));
    }
    let not_found = |e| rejected("the file can't be found").because(e);
    let metadata = fs::metadata(path).map_err(not_found)?;
    if metadata.is_dir() {
        return Err(rejected("a plugin is a file, this is a directory"));
    }
    if !metadata.is_file() {
        return Err(rejected("a plugin is a regular file, this is none"));
    }
    let canonical = fs::canonicalize(path).map_err(not_found)?;
    if let Some(folder) = within {
        stays_in(folder, &canonical)?;
    }
    platform::only_ours(path)?;
    platform::only_ours(&canonical)?;
    let (bytes, hash) = hashed_contents(&canonical)?;
    Ok((canonical, bytes, hash))
}

fn stays_in(folder: &Path, canonical: &Path) -> Result<()> {
    let resolved = fs::canonicalize(folder)
        .map_err(|e| Error::new(ErrorKind::Plugin, "the folder can't be found").because(e))?;
    if canonical.starts_with(resolved) {
        return Ok(());
    }
    let message = "the file is a link that leads out of the folder that is allowed";
    Err(rejected(message)
        .with("leads to", canonical.display())
        .with("allowed", folder.display()))
}

pub(super) fn contents(path: &Path) -> Result<Vec<u8>> {
    let (file, len) = opened(path)?;
    let mut bytes = Vec::with_capacity(len);
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

/// The file, and how many bytes it has.
fn opened(path: &Path) -> Result<(File, usize)> {
    let file = File::open(path).map_err(unreadable)?;
    let len = file.metadata().map_err(unreadable)?.len();
    if len > MOST_BYTES {
        let message = format!("the file has {len} bytes, a plugin has {MOST_BYTES} at most");
        return Err(rejected(message));
    }
    Ok((file, len as usize))
}

fn unreadable(error: io::Error) -> Error {
    rejected("the file can't be read").because(error)
}

/// What the file holds, and the hash of as much of it as was hashed while it was read.
fn hashed_contents(path: &Path) -> Result<(Vec<u8>, Hash)> {
    let (mut file, len) = opened(path)?;
    let mut bytes = vec![0; len];
    if len <= PIECE {
        file.read_exact(&mut bytes).map_err(unreadable)?;
        return Ok((bytes, Hash::default()));
    }
    let all_read = &AtomicBool::new(false);
    let hash = thread::scope(|scope| {
        let (read, pieces) = channel();
        let places = bytes.chunks_mut(PIECE);
        let reading = scope.spawn(move || {
            for place in places {
                file.read_exact(place)?;
                let piece: &[u8] = place;
                // Only a panic could have ended the hashing.
                let _ = read.send(piece);
            }
            all_read.store(true, Ordering::Relaxed);
            Ok(())
        });
        let hash = Hash::default().follow(pieces, all_read);
        joined(reading).map(|()| hash)
    });
    Ok((bytes, hash.map_err(unreadable)?))
}

/// The hash of the beginning of a file.
#[derive(Default)]
struct Hash {
    state: Sha256,
    len: usize,
}

impl Hash {
    /// Hashes pieces as they are read. Those that are left over when that ends wait for
    /// [`finish`](Self::finish).
    fn follow(mut self, pieces: Receiver<&[u8]>, all_read: &AtomicBool) -> Self {
        while !all_read.load(Ordering::Relaxed)
            && let Ok(piece) = pieces.recv()
        {
            self.state.update(piece);
            self.len += piece.len();
        }
        self
    }

    /// The SHA-256 of `bytes`, which begin with what was hashed, in hexadecimal.
    fn finish(self, bytes: &[u8]) -> String {
        hexadecimal(&self.state.chain_update(&bytes[self.len..]).finalize())
    }
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(super) fn hexadecimal(digest: &[u8]) -> String {
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
