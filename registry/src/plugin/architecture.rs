//! What the first bytes of a library say of the machine that it is for.

use std::env::consts::ARCH;
use std::fmt;

use auralis_core::Result;

use super::rejected;

/// Says what the system's loader does not: of a library for another machine it says that it does
/// not exist, and one that is cut off it may map and then crash on.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let Library {
        format,
        machines,
        end,
    } = read(bytes).map_err(rejected)?;
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

/// How libraries are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Elf,
    Pe,
    MachO,
}

impl Format {
    /// What this process opens.
    const HERE: Self = if cfg!(windows) {
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
struct Library {
    format: Format,
    /// In the words of [`std::env::consts::ARCH`].
    machines: Vec<&'static str>,
    /// How long the file is at least, by its own account; 0 where that is not read.
    end: u64,
}

const NO_LIBRARY: &str = "the file is no library: it is neither ELF nor PE nor Mach-O";
const TOO_SHORT: &str = "the file is no library: it ends within its own header";

fn read(bytes: &[u8]) -> std::result::Result<Library, &'static str> {
    match bytes {
        [0x7F, b'E', b'L', b'F', ..] => elf(bytes).ok_or(TOO_SHORT)?,
        [b'M', b'Z', ..] => pe(bytes).ok_or(TOO_SHORT)?,
        [0xCF | 0xCE, 0xFA, 0xED, 0xFE, ..] => mach_o(bytes).ok_or(TOO_SHORT),
        [0xCA, 0xFE, 0xBA, 0xBE, ..] => fat_mach_o(bytes).ok_or(TOO_SHORT),
        _ => Err(NO_LIBRARY),
    }
}

/// System V ABI, chapter 4, "ELF Header". The section headers mostly end the file.
fn elf(bytes: &[u8]) -> Option<std::result::Result<Library, &'static str>> {
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
fn pe(bytes: &[u8]) -> Option<std::result::Result<Library, &'static str>> {
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
