//! Records of the work: what was made from which input, so that it need not be made again.

use std::fs::File;
use std::path::Path;

use auralis_core::{Bytes, Cache, Error, ErrorKind, Key, KeyBuilder, Result};

use super::{Delivery, Job, NonFinite};

/// The version of the mastering itself: raised whenever the same input and chain give other bytes.
const VERSION: u32 = 3;

/// Where a job's record is, and what its output is known by.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    key: Key,
    output: Key,
}

impl Record {
    /// The record of `job`: by the content of its input, its chain with the content of the files that
    /// the stages read, its format, and `engine`, which names the backends that decide the bits.
    ///
    /// # Errors
    ///
    /// If the input or a file of a stage can't be read.
    pub fn of(job: &Job<'_>, engine: &str) -> Result<Self> {
        let mut key = KeyBuilder::new("auralis.process", VERSION)
            .argument(&digest(job.input)?)
            .argument(&job.chain.to_json().to_string());
        for file in job.chain.stages().iter().filter_map(|stage| stage.file()) {
            key = key.argument(&digest(file)?);
        }
        let key = key
            .argument(&format!("{} {}", job.format, job.sample))
            .argument(&(job.non_finite == NonFinite::Zero))
            .argument(engine)
            .finish();
        let output = std::path::absolute(job.output).unwrap_or_else(|_| job.output.to_path_buf());
        let output = KeyBuilder::new("auralis.output", VERSION)
            .argument(output.as_os_str().as_encoded_bytes())
            .finish();
        Ok(Self { key, output })
    }

    /// What was delivered, if the record and the output itself are still there, byte for byte.
    pub fn verified(&self, cache: &dyn Cache, output: &Path) -> Option<Delivery> {
        let delivery: Delivery = serde_json::from_slice(&cache.get(&self.key)?).ok()?;
        let found = digest(output).ok()?;
        (Some(*found.as_bytes()) == delivery.digest).then_some(delivery)
    }

    /// Whether the output's path was written by an earlier job: it may be written again.
    pub fn is_ours(&self, cache: &dyn Cache) -> bool {
        cache.get(&self.output).is_some()
    }

    /// Keeps what was delivered by a job that took the digest of its output.
    pub fn keep(&self, cache: &dyn Cache, delivery: &Delivery) {
        if let (Ok(bytes), Some(digest)) = (serde_json::to_vec(delivery), delivery.digest) {
            cache.put(&self.key, Bytes::from(bytes));
            cache.put(&self.output, Bytes::copy_from_slice(&digest));
        }
    }
}

/// The BLAKE3 digest of a file.
fn digest(path: &Path) -> Result<Key> {
    let read = || -> std::io::Result<_> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok(hasher.finalize())
    };
    let digest = read().map_err(|e| {
        Error::new(ErrorKind::Io, "can't read the file")
            .with("file", path.display())
            .because(e)
    })?;
    Ok(Key::from_bytes(*digest.as_bytes()))
}
