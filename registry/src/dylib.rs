//! Opening third-party dylibs: checks on the file first, then the library, then what it offers.
//!
//! A dylib is native code in this process. The checks stop accidents and files that were changed
//! after they were pinned; they do not contain a plugin that was trusted wrongly.

#![allow(unsafe_code, reason = "opening a library runs its code")]

use std::borrow::Cow;
use std::env::consts::ARCH;
use std::fmt::Write;
use std::fs;
use std::mem;
use std::path::{Path, PathBuf};

use auralis_abi::{FloatControl, Plugin, PluginBackend, PluginHeader, ROOT_SYMBOL};
use auralis_core::{Accelerator, Error, ErrorKind, Result};
use sha2::{Digest, Sha256};

use crate::{Candidate, Facts, Source};

use architecture::{Format, Library as LibraryFile};

/// A plugin that fits this host. Its library stays open for ever: unloading native code that may
/// have left threads and thread-locals behind is not sound.
#[derive(Debug)]
pub struct LoadedPlugin {
    file: PathBuf,
    sha256: String,
    plugin: Plugin,
}

impl LoadedPlugin {
    /// The file that it came from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The SHA-256 of that file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The name of the plugin's crate.
    pub fn name(&self) -> &str {
        self.plugin.name()
    }

    /// The version of the plugin's crate.
    pub fn version(&self) -> &str {
        self.plugin.version()
    }

    /// The accelerators that it offers, by id.
    pub fn accelerators(&self) -> Vec<Candidate<dyn Accelerator>> {
        let candidate = |backend: &PluginBackend| {
            let facts = Facts {
                id: backend.id.clone(),
                summary: backend.summary.clone(),
                version: backend.version.clone(),
                source: Source::Dylib(self.file.clone()),
                rank: backend.rank,
                requires: backend.requires,
                capabilities: backend.capabilities.clone(),
                options_schema: backend.options_schema.clone(),
            };
            let backend = backend.clone();
            Candidate::new(facts, move |context| backend.build(context))
        };
        self.plugin.backends().iter().map(candidate).collect()
    }
}

/// Opens the plugin in `path`, an absolute path. `pin` is the SHA-256 that the file must have, in
/// hexadecimal.
///
/// # Errors
///
/// [`ErrorKind::Plugin`] that names the file and says what does not fit.
///
/// # What it trusts
///
/// The file's code runs from here on: its constructors, and everything that it exports.
pub fn load(path: &Path, pin: Option<&str>) -> Result<LoadedPlugin> {
    read(path, pin).map_err(|e| e.with("file", path.display()))
}

fn read(path: &Path, pin: Option<&str>) -> Result<LoadedPlugin> {
    let bytes = contents(path)?;
    let sha256 = sha256(&bytes);
    if let Some(pin) = pin {
        check_pin(pin, &sha256)?;
    }
    check_library(&bytes)?;
    let header = open(path)?;
    // SAFETY: the library is open for ever, and exports what it calls a header of auralis; that it
    // keeps the rules of its ABI is what trusting a plugin means.
    let plugin = unsafe { Plugin::read(header) }?;
    Ok(LoadedPlugin {
        file: path.into(),
        sha256,
        plugin,
    })
}

fn contents(path: &Path) -> Result<Vec<u8>> {
    if !path.is_absolute() {
        return Err(rejected(
            "a plugin must be named by an absolute path, so that no other folder's file is opened",
        ));
    }
    let metadata =
        fs::metadata(path).map_err(|e| rejected("the file can't be found").because(e))?;
    if metadata.is_dir() {
        return Err(rejected("a plugin is a file, this is a directory"));
    }
    if !metadata.is_file() {
        return Err(rejected("a plugin is a regular file, this is none"));
    }
    fs::read(path).map_err(|e| rejected("the file can't be read").because(e))
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn check_pin(pin: &str, found: &str) -> Result<()> {
    if pin.len() != 64 || !pin.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = "the pin is no SHA-256, which has 64 hexadecimal digits";
        return Err(rejected(message).with("pinned", pin));
    }
    if !pin.eq_ignore_ascii_case(found) {
        let message = "the file is not the one that was pinned by its SHA-256";
        return Err(rejected(message).with("pinned", pin).with("found", found));
    }
    Ok(())
}

/// Says what the system's loader does not: of a library for another machine it says that it does
/// not exist, and one that is cut off it may map and then crash on.
fn check_library(bytes: &[u8]) -> Result<()> {
    let library = match architecture::read(bytes) {
        Ok(library) => library,
        Err(why) => return Err(rejected(why)),
    };
    let LibraryFile {
        format,
        machines,
        end,
    } = library;
    if format != Format::HERE || !machines.contains(&ARCH) {
        let message = format!(
            "the file is {format} for {}, this process needs {} for {ARCH}",
            machines.join(" and "),
            Format::HERE
        );
        return Err(rejected(message));
    }
    if end > bytes.len() as u64 {
        let message = format!(
            "the file is cut off: it ends at byte {} of {end}",
            bytes.len()
        );
        return Err(rejected(message));
    }
    Ok(())
}

fn open(path: &Path) -> Result<*const PluginHeader> {
    let floats = FloatControl::read();
    let library = open_library(path);
    floats.restore();
    let library = library.map_err(|e| rejected("the system can't open the library").because(e))?;
    // SAFETY: a symbol of this name is the static header of a plugin; only its address is taken.
    let symbol = unsafe { library.get::<*const PluginHeader>(ROOT_SYMBOL.as_bytes()) };
    let header = symbol.map(|symbol| *symbol).map_err(|_| {
        rejected(format!(
            "the library is no plugin of auralis: it does not export `{ROOT_SYMBOL}`"
        ))
    });
    // Its constructors have run, so that even a library that is no plugin stays.
    mem::forget(library);
    header
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<libloading::os::unix::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: the file is a library for this machine, named by an absolute path; that its
    // constructors do no harm is what trusting a plugin means.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
}

#[cfg(not(unix))]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: as on unix.
    unsafe { libloading::Library::new(path) }
}

fn rejected(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Plugin, message)
}

/// What the first bytes of a library say of the machine that it is for.
mod architecture {
    use std::fmt;

    /// How libraries are stored.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Format {
        Elf,
        Pe,
        MachO,
    }

    impl Format {
        /// What this process opens.
        pub(super) const HERE: Self = if cfg!(windows) {
            Self::Pe
        } else if cfg!(target_vendor = "apple") {
            Self::MachO
        } else {
            Self::Elf
        };
    }

    impl fmt::Display for Format {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                Self::Elf => "an ELF library",
                Self::Pe => "a PE library",
                Self::MachO => "a Mach-O library",
            })
        }
    }

    #[derive(Debug)]
    pub(super) struct Library {
        pub(super) format: Format,
        /// In the words of [`std::env::consts::ARCH`].
        pub(super) machines: Vec<&'static str>,
        /// How long the file is at least, by its own account; 0 where that is not read.
        pub(super) end: u64,
    }

    const NO_LIBRARY: &str = "the file is no library: it is neither ELF nor PE nor Mach-O";
    const TOO_SHORT: &str = "the file is no library: it ends within its own header";

    pub(super) fn read(bytes: &[u8]) -> Result<Library, &'static str> {
        match bytes {
            [0x7F, b'E', b'L', b'F', ..] => elf(bytes).ok_or(TOO_SHORT)?,
            [b'M', b'Z', ..] => pe(bytes).ok_or(TOO_SHORT)?,
            [0xCF | 0xCE, 0xFA, 0xED, 0xFE, ..] => mach_o(bytes).ok_or(TOO_SHORT),
            [0xCA, 0xFE, 0xBA, 0xBE, ..] => fat_mach_o(bytes).ok_or(TOO_SHORT),
            _ => Err(NO_LIBRARY),
        }
    }

    /// System V ABI, chapter 4, "ELF Header". The section headers mostly end the file.
    fn elf(bytes: &[u8]) -> Option<Result<Library, &'static str>> {
        const SHARED: u64 = 3;
        let wide = *bytes.get(4)? == 2;
        let little = *bytes.get(5)? == 1;
        let number = |at, len| number(bytes, at, len, little);
        if number(16, 2)? != SHARED {
            return Some(Err("the file is ELF, but no shared library"));
        }
        let machine = match (number(18, 2)?, wide) {
            (0x03, _) => "x86",
            (0x28, _) => "arm",
            (0x3E, true) => "x86_64",
            (0x3E, false) => "x32",
            (0xB7, _) => "aarch64",
            (0xF3, true) => "riscv64",
            (0xF3, false) => "riscv32",
            (0x15, _) => "powerpc64",
            (0x16, _) => "s390x",
            (0x102, _) => "loongarch64",
            _ => "an unknown machine",
        };
        let (start, size, count) = match wide {
            true => (number(40, 8)?, number(58, 2)?, number(60, 2)?),
            false => (number(32, 4)?, number(46, 2)?, number(48, 2)?),
        };
        Some(Ok(Library {
            format: Format::Elf,
            machines: vec![machine],
            end: start.saturating_add(size * count),
        }))
    }

    /// Microsoft PE/COFF, "COFF File Header".
    fn pe(bytes: &[u8]) -> Option<Result<Library, &'static str>> {
        const DLL: u64 = 0x2000;
        let at = usize::try_from(number(bytes, 0x3C, 4, true)?).ok()?;
        if bytes.get(at..at.checked_add(4)?)? != b"PE\0\0" {
            return Some(Err(NO_LIBRARY));
        }
        if number(bytes, at + 22, 2, true)? & DLL == 0 {
            return Some(Err("the file is PE, but no library"));
        }
        let machine = match number(bytes, at + 4, 2, true)? {
            0x8664 => "x86_64",
            0xAA64 => "aarch64",
            0x014C => "x86",
            _ => "an unknown machine",
        };
        Some(Ok(Library {
            format: Format::Pe,
            machines: vec![machine],
            end: 0,
        }))
    }

    /// Apple, <mach-o/loader.h>.
    fn mach_o(bytes: &[u8]) -> Option<Library> {
        Some(Library {
            format: Format::MachO,
            machines: vec![cpu_type(number(bytes, 4, 4, true)?)],
            end: 0,
        })
    }

    /// Apple, <mach-o/fat.h>: several libraries in one file, big-endian.
    fn fat_mach_o(bytes: &[u8]) -> Option<Library> {
        // More is no library, but a Java class file, which begins alike.
        const MOST: u64 = 32;
        let count = number(bytes, 4, 4, false)?.min(MOST) as usize;
        let machine = |i| number(bytes, 8 + 20 * i, 4, false).map(cpu_type);
        Some(Library {
            format: Format::MachO,
            machines: (0..count).map(machine).collect::<Option<_>>()?,
            end: 0,
        })
    }

    fn cpu_type(code: u64) -> &'static str {
        match code {
            0x0100_0007 => "x86_64",
            0x0100_000C => "aarch64",
            7 => "x86",
            12 => "arm",
            _ => "an unknown machine",
        }
    }

    fn number(bytes: &[u8], at: usize, len: usize, little: bool) -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(len)?)?;
        let shift = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match little {
            true => bytes.iter().rev().fold(0, shift),
            false => bytes.iter().fold(0, shift),
        })
    }
}
