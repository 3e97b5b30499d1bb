//! The tuning file: what was measured, with what it holds for, as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use auralis_core::{Error, ErrorKind, Kernel, Result};
use serde::{Deserialize, Serialize};

use super::winners::{altogether, overall};
use super::{Fingerprint, Grid, KernelTimes, OWN_KERNEL, SizeTimes};
use crate::Measured;

/// The form of the file.
const SCHEMA: &str = "auralis.tuning/1";

/// The largest file that is read, in bytes: ten times what a file of many backends takes.
const LARGEST_FILE: u64 = 4 << 20;

/// What was measured on a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    schema: String,
    /// The machine and the backends that it holds for.
    pub fingerprint: Fingerprint,
    /// The times, a cell for each kernel and size.
    pub cells: Vec<Cell>,
    /// What gave wrong answers, and so was not timed.
    pub wrong: Vec<Wrong>,
}

/// The times of one kernel at one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The kernel's name.
    pub kernel: String,
    /// The size: one number for each dimension of the kernel's [`Grid`].
    pub size: Vec<usize>,
    /// The least time of one call in nanoseconds: of each backend by id, or of each variant of a
    /// kernel of an author's own.
    pub times: SizeTimes,
}

/// A backend whose kernel, or a variant of a kernel, is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// The kernel's name.
    pub kernel: String,
    /// The id of the backend, or of the variant of a kernel of an author's own.
    pub id: String,
    /// What the check of its answers found.
    pub reason: String,
}

impl Tuning {
    /// What was measured of what has this fingerprint.
    pub fn new(fingerprint: Fingerprint, cells: Vec<Cell>, wrong: Vec<Wrong>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            fingerprint,
            cells,
            wrong,
        }
    }

    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it can't be read; [`ErrorKind::Corrupt`] if it is no tuning file of this
    /// version, or what it says can't be.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let unreadable = |error| Error::new(ErrorKind::Io, "it can't be read").because(error);
        let corrupt = |message: String| Error::new(ErrorKind::Corrupt, message);
        let about = match fs::metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        // Reading a pipe or a device might never end.
        if !about.is_file() {
            return Err(corrupt("it is not a plain file".to_owned()));
        }
        let file = File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        let read = file.take(LARGEST_FILE + 1).read_to_string(&mut text);
        read.map_err(unreadable)?;
        if text.len() as u64 > LARGEST_FILE {
            return Err(corrupt(format!("it has more than {LARGEST_FILE} bytes")));
        }
        Self::parse(&text).map(Some).map_err(corrupt)
    }

    /// A file from its text.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a clause.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let tuning: Self = serde_json::from_str(text).map_err(|e| format!("it is damaged: {e}"))?;
        match tuning.fault() {
            None => Ok(tuning),
            Some(fault) => Err(format!("it is damaged: {fault}")),
        }
    }

    /// What can't be.
    fn fault(&self) -> Option<String> {
        let Self {
            schema,
            fingerprint,
            cells,
            wrong,
        } = self;
        if schema != SCHEMA {
            return Some(format!("its schema is {schema:?}, not {SCHEMA:?}"));
        }
        let grid_of = |kernel: &str| match Kernel::parse(kernel) {
            Some(known) => Some(Grid::of(known)),
            None => fingerprint
                .kernels
                .contains_key(kernel)
                .then_some(OWN_KERNEL),
        };
        // What is known of the variants of kernels of authors' own is their number only.
        let is_known = |kernel: &str, id: &str| {
            Kernel::parse(kernel).is_none() || fingerprint.backends.contains_key(id)
        };
        let mut seen = BTreeSet::new();
        for Cell {
            kernel,
            size,
            times,
        } in cells
        {
            let what = format!("{kernel} at {size:?}");
            let Some(grid) = grid_of(kernel) else {
                return Some(format!("there is no kernel {kernel:?}"));
            };
            if grid.index(size).is_none() {
                return Some(format!("{what} is not a size that is measured"));
            }
            if !seen.insert((kernel, size)) {
                return Some(format!("{what} stands there twice"));
            }
            for (id, time) in times {
                if !is_known(kernel, id) {
                    return Some(format!("{what} was measured of an unknown backend {id:?}"));
                }
                if !(time.is_finite() && *time > 0.0) {
                    return Some(format!("{what} took {time} ns with {id}"));
                }
            }
        }
        let stray = wrong.iter().find(|w| grid_of(&w.kernel).is_none());
        stray.map(|w| format!("there is no kernel {:?}", w.kernel))
    }

    /// Writes the file whole or not at all, and the folders above it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let written = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.part", std::process::id()));
            let beside = path.with_file_name(name);
            let written = File::create(&beside)
                .and_then(|mut file| file.write_all(self.text().as_bytes()))
                .and_then(|()| fs::rename(&beside, path));
            if written.is_err() {
                // What could not be written may not be there to be removed either.
                let _ = fs::remove_file(&beside);
            }
            written
        };
        written().map_err(|error| {
            Error::new(ErrorKind::Io, "can't write the tuning file")
                .with("file", path.display())
                .because(error)
        })
    }

    fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("times are plain data");
        text.push('\n');
        text
    }

    /// What was measured of one kernel.
    pub fn kernel(&self, name: &str) -> KernelTimes {
        let grid = Kernel::parse(name).map_or(OWN_KERNEL, Grid::of);
        let mut times = KernelTimes {
            sizes: vec![SizeTimes::new(); grid.len()],
            wrong: BTreeMap::new(),
        };
        for cell in self.cells.iter().filter(|cell| cell.kernel == name) {
            if let Some(index) = grid.index(&cell.size) {
                times.sizes[index] = cell.times.clone();
            }
        }
        let wrong = self.wrong.iter().filter(|wrong| wrong.kernel == name);
        times.wrong = wrong.map(|w| (w.id.clone(), w.reason.clone())).collect();
        times
    }

    /// What selection goes by.
    pub fn measured(&self) -> Measured {
        let of = |name: &String| Some((Kernel::parse(name)?, self.kernel(name)));
        let names: BTreeSet<_> = self.cells.iter().map(|cell| &cell.kernel).collect();
        let wrong = self.wrong.iter().map(|wrong| &wrong.kernel);
        let kernels = names.into_iter().chain(wrong).filter_map(of).collect();
        Measured {
            times: overall(&kernels),
            kernels,
        }
    }

    /// The time of each variant of a kernel of an author's own, as [`Measured::times`] are.
    pub fn variants(&self, name: &str) -> SizeTimes {
        altogether(&self.kernel(name))
    }
}
