//! `disk`: one checksummed file per entry, shared by processes, across restarts.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auralis_core::{
    Admission, Bytes, Cache, CacheSettings, CacheStats, CpuFeatures, Descriptor, Error, ErrorKind,
    Key, Result, register,
};
use serde::Deserialize;

use crate::counters::Counters;

const SCHEMA: &str = include_str!("../schemas/disk.schema.json");

register! {
    Descriptor::<dyn Cache> {
        id: "disk",
        summary: "Files named by digest, checksummed, across restarts and processes",
        version: env!("CARGO_PKG_VERSION"),
        rank: 5,
        requires: CpuFeatures::NONE,
        capabilities: &["stores", "recency", "persistent"],
        options_schema: SCHEMA,
        build: |context| {
            let options: DiskOptions = context.options.parse()?;
            let directory = match options.directory {
                Some(directory) => directory,
                None => default_directory(|name| std::env::var_os(name))?,
            };
            Ok(Arc::new(Disk::new(directory, context.settings)))
        },
    }
}

/// Options of the `disk` cache.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct DiskOptions {
    /// Where the files lie; without it, `auralis` in the user's cache directory.
    directory: Option<PathBuf>,
}

/// The user's cache directory by the habits of the platform, from the environment.
fn default_directory(environment: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    // The XDG base directory specification has relative paths ignored.
    let absolute = |name| {
        let path = PathBuf::from(environment(name)?);
        path.is_absolute().then_some(path)
    };
    let (user, needed) = if cfg!(windows) {
        (absolute("LOCALAPPDATA"), "LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        (
            absolute("HOME").map(|home| home.join("Library/Caches")),
            "HOME",
        )
    } else {
        let home = || Some(absolute("HOME")?.join(".cache"));
        (
            absolute("XDG_CACHE_HOME").or_else(home),
            "XDG_CACHE_HOME or HOME",
        )
    };
    user.map(|directory| directory.join("auralis"))
        .ok_or_else(|| {
            let message = "the disk cache has no directory: set its option `directory`";
            Error::new(ErrorKind::Config, message).with("environment lacks", needed)
        })
}

/// Entries are files `<digest>.entry`. Whoever writes or evicts holds the lock of the file `.lock`,
/// so the budget holds over all processes; readers need no lock, for an entry appears whole, by a
/// rename. The time of last use is the modification time. A put looks through the whole directory.
#[derive(Debug)]
struct Disk {
    directory: PathBuf,
    settings: CacheSettings,
    clock: Clock,
    counters: Counters,
}

const ENTRY: &str = "entry";
const UNFINISHED: &str = "unfinished";

impl Disk {
    fn new(directory: PathBuf, settings: &CacheSettings) -> Self {
        Self {
            directory,
            settings: settings.clone(),
            clock: Clock::new(),
            counters: Counters::default(),
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.directory.join(format!("{key}.{ENTRY}"))
    }

    fn store(&self, key: &Key, value: &[u8], cost: u64) -> io::Result<()> {
        create_private(&self.directory)?;
        let _lock = self.lock()?;
        let path = self.path(key);
        let mut others = self.files()?;
        others.retain(|file| file.path != path);
        self.make_room(others, cost)?;
        let unfinished = path.with_extension(UNFINISHED);
        let header = Header::of(key, value, self.clock.now());
        let written =
            write(&unfinished, &header, value).and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            // The error that matters is the first one.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    /// Evicts the least recently used of `files` until they leave room for `cost` bytes.
    fn make_room(&self, mut files: Vec<Found>, cost: u64) -> io::Result<()> {
        let mut bytes: u64 = files.iter().map(|file| file.bytes).sum();
        files.sort_unstable_by(|a, b| (b.used, &b.path).cmp(&(a.used, &a.path)));
        while bytes.saturating_add(cost) > self.settings.capacity_bytes
            && let Some(oldest) = files.pop()
        {
            remove_file(&oldest.path)?;
            bytes -= oldest.bytes;
            self.counters.evictions.count();
        }
        Ok(())
    }

    /// Keeps other writers out, in this process and in others, until the file is dropped.
    fn lock(&self) -> io::Result<File> {
        let path = self.directory.join(".lock");
        let file = File::options().create(true).append(true).open(path)?;
        match file.lock() {
            // A file system without locks: entries are still whole, the budget is not exact.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
            locked => locked.map(|()| file),
        }
    }

    /// The entries, under the lock: what a writer left unfinished was left by one that died.
    fn files(&self) -> io::Result<Vec<Found>> {
        let (entries, unfinished) = self.look()?;
        unfinished.iter().try_for_each(|path| remove_file(path))?;
        Ok(entries)
    }

    /// The entries and the unfinished files.
    fn look(&self) -> io::Result<(Vec<Found>, Vec<PathBuf>)> {
        let (mut entries, mut unfinished) = (Vec::new(), Vec::new());
        for file in fs::read_dir(&self.directory)? {
            let file = file?;
            let path = file.path();
            match own_extension(&path) {
                Some(ENTRY) => match file.metadata() {
                    Ok(metadata) => entries.push(Found {
                        path,
                        bytes: metadata.len(),
                        used: metadata.modified().unwrap_or(UNIX_EPOCH),
                    }),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                },
                Some(UNFINISHED) => unfinished.push(path),
                _ => {}
            }
        }
        Ok((entries, unfinished))
    }

    /// The file of an entry as it lies there; `None` if it can't be an entry.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let metadata = fs::symlink_metadata(path)?;
        let fits = (HEADER_BYTES..=self.settings.capacity_bytes).contains(&metadata.len());
        if !metadata.is_file() || !fits {
            return Ok(None);
        }
        let mut file = Vec::with_capacity(metadata.len() as usize);
        File::open(path)?
            .take(metadata.len() + 1)
            .read_to_end(&mut file)?;
        Ok(Some(file))
    }

    fn look_up(&self, key: &Key) -> Lookup {
        let path = self.path(key);
        let file = match self.read(&path) {
            Ok(Some(file)) => file,
            Ok(None) => return Lookup::Corrupt,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Lookup::Nothing,
            Err(error) => return Lookup::Trouble(error),
        };
        let Some(header) = Header::read(&file, key, file.len() as u64) else {
            return Lookup::Corrupt;
        };
        let value = Bytes::from(file).slice(HEADER_BYTES as usize..);
        if header.checksum != checksum(&header, &value) {
            Lookup::Corrupt
        } else if self.is_dead(header.created) {
            Lookup::Dead
        } else {
            Lookup::Live(value)
        }
    }

    fn is_dead(&self, created: Duration) -> bool {
        is_dead(created, self.clock.now(), self.settings.ttl)
    }

    fn discard(&self, key: &Key) {
        if let Err(error) = remove_file(&self.path(key)) {
            self.trouble("remove", &error);
        }
    }

    fn trouble(&self, action: &'static str, error: &io::Error) {
        self.counters.errors.count();
        let directory = self.directory.display();
        tracing::warn!(action, %directory, %error, "the disk cache is in trouble");
    }

    fn try_sweep(&self) -> io::Result<usize> {
        if !self.directory.exists() {
            return Ok(0);
        }
        let _lock = self.lock()?;
        let mut swept = 0;
        for file in self.files()? {
            let header = File::open(&file.path).and_then(|opened| {
                let mut head = Vec::with_capacity(HEADER_BYTES as usize);
                opened.take(HEADER_BYTES).read_to_end(&mut head)?;
                Ok(head)
            });
            let header = match header {
                // Another thread removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                header => header?,
            };
            let key = key_of(&file.path);
            match key.and_then(|key| Header::read(&header, &key, file.bytes)) {
                Some(header) if !self.is_dead(header.created) => continue,
                Some(_) => self.counters.expirations.count(),
                None => self.counters.errors.count(),
            }
            remove_file(&file.path)?;
            swept += 1;
        }
        Ok(swept)
    }
}

impl Cache for Disk {
    fn get(&self, key: &Key) -> Option<Bytes> {
        match self.look_up(key) {
            Lookup::Live(value) => {
                touch(&self.path(key));
                self.counters.hits.count();
                return Some(value);
            }
            Lookup::Dead => {
                self.counters.expirations.count();
                self.discard(key);
            }
            Lookup::Corrupt => {
                self.counters.errors.count();
                self.discard(key);
            }
            Lookup::Nothing => {}
            Lookup::Trouble(error) => self.trouble("read", &error),
        }
        self.counters.misses.count();
        None
    }

    fn put(&self, key: &Key, value: Bytes) -> Admission {
        let cost = HEADER_BYTES + value.len() as u64;
        if cost > self.settings.capacity_bytes {
            self.counters.too_large.count();
            return Admission::TooLarge;
        }
        match self.store(key, &value, cost) {
            Ok(()) => Admission::Stored,
            Err(error) => {
                self.trouble("write", &error);
                Admission::Refused
            }
        }
    }

    fn remove(&self, key: &Key) -> bool {
        let found = self.look_up(key);
        match &found {
            Lookup::Nothing => return false,
            Lookup::Trouble(error) => {
                self.trouble("read", error);
                return false;
            }
            Lookup::Dead => self.counters.expirations.count(),
            Lookup::Corrupt => self.counters.errors.count(),
            Lookup::Live(_) => {}
        }
        self.discard(key);
        matches!(found, Lookup::Live(_))
    }

    fn sweep(&self) -> usize {
        self.try_sweep().unwrap_or_else(|error| {
            self.trouble("sweep", &error);
            0
        })
    }

    fn stats(&self) -> CacheStats {
        let entries = match self.look() {
            Ok((entries, _)) => entries,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.trouble("look through", &error);
                }
                Vec::new()
            }
        };
        let bytes = entries.iter().map(|file| file.bytes).sum();
        self.counters
            .stats(self.settings.capacity_bytes, bytes, entries.len() as u64)
    }
}

/// A file of the directory.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// What lies under a key.
#[derive(Debug)]
enum Lookup {
    Live(Bytes),
    Dead,
    Corrupt,
    Nothing,
    Trouble(io::Error),
}

const MAGIC: [u8; 8] = *b"auralisC";
const VERSION: u32 = 1;
const CHECKSUM_AT: usize = 60;
const HEADER_BYTES: u64 = 92;

/// What stands before the value in a file, little-endian: magic (8 bytes), version (4), creation in
/// nanoseconds since 1970 (8), length of the value (8), key (32), checksum (32): the BLAKE3 digest
/// of all of these but itself, and of the value.
#[derive(Debug)]
struct Header {
    bytes: [u8; HEADER_BYTES as usize],
    created: Duration,
    checksum: blake3::Hash,
}

impl Header {
    fn of(key: &Key, value: &[u8], created: Duration) -> Self {
        let nanoseconds = u64::try_from(created.as_nanos()).unwrap_or(u64::MAX);
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..20].copy_from_slice(&nanoseconds.to_le_bytes());
        bytes[20..28].copy_from_slice(&(value.len() as u64).to_le_bytes());
        bytes[28..CHECKSUM_AT].copy_from_slice(key.as_bytes());
        let mut header = Self {
            bytes,
            created,
            checksum: blake3::Hash::from_bytes([0; 32]),
        };
        header.checksum = checksum(&header, value);
        header.bytes[CHECKSUM_AT..].copy_from_slice(header.checksum.as_bytes());
        header
    }

    /// The header at the start of a file of `len` bytes, if it is that of an entry under `key`.
    fn read(file: &[u8], key: &Key, len: u64) -> Option<Self> {
        let bytes: [u8; HEADER_BYTES as usize] = *file.first_chunk()?;
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let own = bytes[..8] == MAGIC
            && bytes[8..12] == VERSION.to_le_bytes()
            && bytes[28..CHECKSUM_AT] == *key.as_bytes()
            && word(20).checked_add(HEADER_BYTES) == Some(len);
        let mut checksum = [0; 32];
        checksum.copy_from_slice(&bytes[CHECKSUM_AT..]);
        own.then(|| Self {
            bytes,
            created: Duration::from_nanos(word(12)),
            checksum: blake3::Hash::from_bytes(checksum),
        })
    }
}

fn checksum(header: &Header, value: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header.bytes[..CHECKSUM_AT]);
    hasher.update(value);
    hasher.finalize()
}

/// The time since 1970: the wall clock, but within one process it never runs slower than the
/// monotonic one, so that a wall clock that is set back does not keep entries alive.
#[derive(Debug)]
struct Clock {
    since_1970: Duration,
    start: Instant,
}

impl Clock {
    fn new() -> Self {
        Self {
            since_1970: wall_clock(),
            start: Instant::now(),
        }
    }

    fn now(&self) -> Duration {
        wall_clock().max(self.since_1970 + self.start.elapsed())
    }
}

fn wall_clock() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// How far the clocks of two processes may lie apart.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// Whether an entry has lived for `ttl`, or comes from the future: then nobody knows its age.
fn is_dead(created: Duration, now: Duration, ttl: Duration) -> bool {
    if ttl.is_zero() {
        return false;
    }
    match now.checked_sub(created) {
        Some(age) => age >= ttl,
        None => created - now > CLOCK_TOLERANCE,
    }
}

/// The extension of a file that this cache may have written: its name is a digest.
fn own_extension(path: &Path) -> Option<&str> {
    key_of(path)?;
    path.extension()?.to_str()
}

/// The key in the name of a file.
fn key_of(path: &Path) -> Option<Key> {
    let name = path.file_stem()?.to_str()?.as_bytes();
    if name.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(name.chunks_exact(2)) {
        *byte = digit(digits[0])? << 4 | digit(digits[1])?;
    }
    Some(Key::from_bytes(bytes))
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

fn write(path: &Path, header: &Header, value: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&header.bytes)?;
    file.write_all(value)?;
    file.set_modified(SystemTime::now())
}

/// Marks an entry as used. Where that is not allowed, it goes a little earlier, no more.
fn touch(path: &Path) {
    if let Ok(file) = File::options().append(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}

/// Removes a file that may be gone already.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Creates a directory that only its owner reads, where the platform knows owners.
fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn disk(directory: &Path, ttl: u64) -> Disk {
        let settings = CacheSettings {
            capacity_bytes: 10_000,
            ttl: Duration::from_secs(ttl),
        };
        Disk::new(directory.to_path_buf(), &settings)
    }

    fn key(n: u8) -> Key {
        Key::from_bytes([n; 32])
    }

    #[test]
    fn the_schema_is_that_of_the_options() {
        let derived = schemars::schema_for!(DiskOptions).to_value();
        let written: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(written, derived, "the schema should be\n{derived:#}");
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn the_default_directory_follows_the_xdg_specification() {
        type Variables = &'static [(&'static str, &'static str)];
        let cases: [(Variables, Option<&str>); 5] = [
            (
                &[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")],
                Some("/x/auralis"),
            ),
            (
                &[("XDG_CACHE_HOME", "x"), ("HOME", "/h")],
                Some("/h/.cache/auralis"),
            ),
            (
                &[("XDG_CACHE_HOME", ""), ("HOME", "/h")],
                Some("/h/.cache/auralis"),
            ),
            (&[("HOME", "/h")], Some("/h/.cache/auralis")),
            (&[], None),
        ];
        for (environment, expected) in cases {
            let found = default_directory(|name| {
                let pair = environment.iter().find(|(n, _)| *n == name);
                pair.map(|(_, value)| value.into())
            });
            match expected {
                Some(path) => assert_eq!(found.unwrap(), Path::new(path)),
                None => assert_eq!(found.unwrap_err().kind(), ErrorKind::Config),
            }
        }
    }

    #[test]
    fn the_directory_is_created_by_the_first_put() {
        let outer = TempDir::new().unwrap();
        let directory = outer.path().join("a/b");
        let cache = disk(&directory, 0);
        assert_eq!((cache.get(&key(1)), cache.sweep()), (None, 0));
        assert_eq!(cache.stats().errors, 0);
        assert!(!directory.exists());
        cache.put(&key(1), Bytes::new());
        assert!(directory.join(format!("{}.entry", key(1))).exists());
    }

    #[test]
    fn dead_is_old_or_from_the_future() {
        let dead = |created, now, ttl| {
            let [created, now, ttl] = [created, now, ttl].map(Duration::from_millis);
            is_dead(created, now, ttl)
        };
        assert!(!dead(100_000, 100_000, 5_000));
        assert!(!dead(100_000, 104_999, 5_000));
        assert!(dead(100_000, 105_000, 5_000));
        assert!(!dead(101_000, 100_000, 5_000));
        assert!(dead(101_001, 100_000, 5_000));
        assert!(!dead(900_000, 100_000, 0));
    }

    #[test]
    fn an_entry_from_the_future_or_past_is_dead_and_removed() {
        for hours in [-2_i64, 2] {
            let directory = TempDir::new().unwrap();
            let cache = disk(directory.path(), 3600);
            let shift = Duration::from_secs(3600 * hours.unsigned_abs());
            let now = wall_clock();
            let created = if hours < 0 { now - shift } else { now + shift };
            let path = cache.path(&key(1));
            write(&path, &Header::of(&key(1), b"value", created), b"value").unwrap();
            assert_eq!(cache.get(&key(1)), None);
            assert!(!path.exists());
            let stats = cache.stats();
            assert_eq!((stats.expirations, stats.errors, stats.misses), (1, 0, 1));
        }
    }

    #[test]
    fn the_clock_does_not_run_slower_than_the_monotonic_one() {
        let ahead = Duration::from_secs(7200);
        let clock = Clock {
            since_1970: wall_clock() + ahead,
            start: Instant::now(),
        };
        assert!(clock.now() >= wall_clock() + ahead - CLOCK_TOLERANCE);
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let directory = TempDir::new().unwrap();
        let cache = disk(directory.path(), 0);
        let path = cache.path(&key(1));
        cache.put(&key(1), Bytes::from_static(b"some value"));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&path, broken).unwrap();
            assert_eq!(cache.get(&key(1)), None, "byte {at}");
            assert!(!path.exists(), "byte {at}");
        }
        assert_eq!(cache.stats().errors, whole.len() as u64);
        fs::write(&path, whole).unwrap();
        assert_eq!(cache.get(&key(1)).unwrap(), "some value");
    }

    #[test]
    fn what_a_dead_writer_left_is_removed_and_foreign_files_are_not() {
        let directory = TempDir::new().unwrap();
        let cache = disk(directory.path(), 0);
        cache.put(&key(1), Bytes::new());
        let left = cache.path(&key(2)).with_extension(UNFINISHED);
        let foreign = directory.path().join("notes.entry");
        fs::write(&left, b"half").unwrap();
        fs::write(&foreign, b"not ours").unwrap();
        cache.put(&key(3), Bytes::new());
        assert!(!left.exists());
        assert!(foreign.exists());
        assert_eq!(cache.stats().entries, 2);
    }

    #[test]
    fn sweep_removes_what_is_not_an_entry() {
        let directory = TempDir::new().unwrap();
        let cache = disk(directory.path(), 0);
        cache.put(&key(1), Bytes::from_static(b"good"));
        fs::write(cache.path(&key(2)), b"short").unwrap();
        fs::copy(cache.path(&key(1)), cache.path(&key(3))).unwrap();
        assert_eq!(cache.sweep(), 2);
        assert_eq!(cache.get(&key(1)).unwrap(), "good");
        assert_eq!(cache.stats().errors, 2);
    }
}
