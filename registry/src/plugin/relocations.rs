//! What the system's loader would read and write when it opens a library, looked at in the file.
//!
//! A damaged table makes the loader read or write outside of the library: what lies there differs
//! from process to process, so that a test run may pass and the host die all the same. So the
//! tables are found as the loader finds them, by the program headers, and not by the sections.

use std::collections::HashMap;
use std::fmt::Display;

use auralis_core::{Error, Result};
use object::Endianness;
use object::elf::{self, ProgramHeader64};
use object::read::elf::ProgramHeader;

use super::manifest::library;
use super::rejected;

/// Linkers make about ten.
const MOST_SEGMENTS: usize = 64;

/// The bytes of a word, of an entry of the dynamic table, of a relocation and of a symbol.
const WORD: u64 = 8;
const DYNAMIC: u64 = 16;
const RELOCATION: u64 = 24;
const SYMBOL: u64 = 24;

/// Checks the segments, the dynamic table, the symbols and the relocations of an ELF library: that
/// the loader reads nothing but the file, and writes nothing but the library's own writable memory.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that names the first that does not fit.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let object::File::Elf64(library) = library(bytes)? else {
        return Ok(());
    };
    let memory = Memory::of(bytes, library.elf_program_headers(), library.endian())?;
    let dynamic = Dynamic::of(&memory)?;
    let symbols = symbols(&memory, &dynamic)?;
    entry_points(&memory, &dynamic)?;
    relative_table(&memory, &dynamic)?;
    let types = Types::here();
    let relative = dynamic.get(elf::DT_RELACOUNT.0).unwrap_or(0);
    for (start, size, relative) in [
        (elf::DT_RELA.0, elf::DT_RELASZ.0, relative),
        (elf::DT_JMPREL.0, elf::DT_PLTRELSZ.0, 0),
    ] {
        let table = dynamic.table(&memory, start, size)?;
        if !(table.len() as u64).is_multiple_of(RELOCATION) {
            return Err(damaged("a table of relocations ends within one"));
        }
        for (i, relocation) in table.chunks_exact(RELOCATION as usize).enumerate() {
            let relocation = Relocation {
                address: word(relocation, 0),
                kind: word(relocation, 1) & 0xFFFF_FFFF,
                symbol: word(relocation, 1) >> 32,
                addend: word(relocation, 2),
            };
            // The loader does not look at the type of these.
            if (i as u64) < relative && relocation.kind != types.relative {
                return Err(damaged(format!(
                    "the relocation at {:#x} is counted as a relative one, but is none",
                    relocation.address
                )));
            }
            relocation.check(&memory, &types, symbols)?;
        }
    }
    Ok(())
}

fn damaged(what: impl Display) -> Error {
    rejected(format!("the file is damaged: {what}"))
}

/// The number at this place of a table of words. The library is for this machine: so is the order
/// of its bytes.
fn word(table: &[u8], at: usize) -> u64 {
    let bytes = table
        .get(8 * at..8 * at + 8)
        .and_then(|b| b.try_into().ok());
    bytes.map_or(0, u64::from_ne_bytes)
}

fn half(table: &[u8], at: usize) -> u32 {
    let bytes = table
        .get(4 * at..4 * at + 4)
        .and_then(|b| b.try_into().ok());
    bytes.map_or(0, u32::from_ne_bytes)
}

/// System V ABI, processor supplements: the types that a loader knows in a shared library.
struct Types {
    known: &'static [u64],
    none: u64,
    relative: u64,
    indirect: u64,
    /// Writes two words.
    descriptor: u64,
}

impl Types {
    fn here() -> Self {
        // NONE, 64, GLOB_DAT, JUMP_SLOT, RELATIVE, DTPMOD64, DTPOFF64, TPOFF64, TLSDESC, IRELATIVE.
        let (known, relative, indirect, descriptor): (&[u64], _, _, _) =
            match cfg!(target_arch = "aarch64") {
                true => (
                    &[0, 257, 1025, 1026, 1027, 1028, 1029, 1030, 1031, 1032],
                    1027,
                    1032,
                    1031,
                ),
                false => (&[0, 1, 6, 7, 8, 16, 17, 18, 36, 37], 8, 37, 36),
            };
        Self {
            known,
            none: 0,
            relative,
            indirect,
            descriptor,
        }
    }
}

struct Relocation {
    address: u64,
    kind: u64,
    symbol: u64,
    addend: u64,
}

impl Relocation {
    /// `symbols`: how many there are.
    fn check(&self, memory: &Memory<'_>, types: &Types, symbols: u64) -> Result<()> {
        let Self {
            address,
            kind,
            symbol,
            addend,
        } = *self;
        let known = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
        if known && !types.known.contains(&kind) {
            return Err(damaged(format!(
                "the relocation at {address:#x} is of the type {kind}, which no shared library has"
            )));
        }
        if known && kind == types.none {
            return Ok(());
        }
        let written = if kind == types.descriptor {
            2 * WORD
        } else {
            WORD
        };
        if !memory.is_writable(address, written) {
            return Err(damaged(format!(
                "a relocation writes to {address:#x}, which is none of the library's writable memory"
            )));
        }
        if symbol >= symbols {
            return Err(damaged(format!(
                "the relocation at {address:#x} names the symbol {symbol} of {symbols}"
            )));
        }
        let leads_out = known
            && (kind == types.relative && !memory.holds(addend)
                || kind == types.indirect && !memory.is_code(addend));
        if leads_out {
            return Err(damaged(format!(
                "the relocation at {address:#x} leads to {addend:#x}, outside of the library"
            )));
        }
        Ok(())
    }
}

/// Checks the symbols and what they are found by. Gives their number.
fn symbols(memory: &Memory<'_>, dynamic: &Dynamic) -> Result<u64> {
    let count = match dynamic.get(elf::DT_GNU_HASH.0) {
        Some(address) => hashed(memory.file_from(address)?)?,
        None => match dynamic.get(elf::DT_HASH.0) {
            Some(address) => u64::from(half(memory.file(address, WORD)?, 1)),
            None => return Err(damaged("its symbols can't be looked up")),
        },
    };
    let names = dynamic.table(memory, elf::DT_STRTAB.0, elf::DT_STRSZ.0)?;
    if names.last() != Some(&0) {
        return Err(damaged("the names of its symbols do not end"));
    }
    if let Some(&offset) = dynamic.names.iter().find(|n| **n >= names.len() as u64) {
        return Err(damaged(format!(
            "the name at {offset:#x} is none of its names"
        )));
    }
    if let Some(address) = dynamic.get(elf::DT_VERSYM.0) {
        memory.file(address, 2 * count)?;
    }
    let table = dynamic.get(elf::DT_SYMTAB.0).unwrap_or(0);
    let table = memory.file(table, count.saturating_mul(SYMBOL))?;
    for symbol in table.chunks_exact(SYMBOL as usize) {
        if half(symbol, 0) as usize >= names.len() {
            return Err(damaged("the name of a symbol is none of its names"));
        }
        let (kind, section) = (symbol[4] & 15, u16::from_ne_bytes([symbol[6], symbol[7]]));
        let stands = [elf::STT_OBJECT.0, elf::STT_FUNC.0, elf::STT_GNU_IFUNC.0].contains(&kind);
        let address = word(symbol, 1);
        if stands && section != 0 && !memory.holds(address) {
            return Err(damaged(format!(
                "a symbol of it stands at {address:#x}, outside of the library"
            )));
        }
    }
    Ok(count)
}

/// The number of symbols, from a table as the GNU tools make it: a Bloom filter, the first symbol of
/// each bucket, and chains whose last word is odd. A chain that ends lets all before it end.
fn hashed(table: &[u8]) -> Result<u64> {
    let wrong = || damaged("the table by which its symbols are looked up is wrong");
    let [buckets, first, filter] = [0, 1, 2].map(|at| half(table, at) as usize);
    if buckets == 0 || !filter.is_power_of_two() {
        return Err(wrong());
    }
    let start = 16 + 8 * filter;
    let chains = start + 4 * buckets;
    let heads = table.get(start..chains).ok_or_else(wrong)?;
    let mut last = 0;
    for at in 0..buckets {
        let head = half(heads, at) as usize;
        if head != 0 && head < first {
            return Err(wrong());
        }
        last = last.max(head);
    }
    if last == 0 {
        return Ok(first as u64);
    }
    let words = table[chains..].chunks_exact(4).skip(last - first);
    let rest = words.take_while(|word| word[0] & 1 == 0).count();
    let count = last + rest + 1;
    match chains + 4 * (count - first) <= table.len() {
        true => Ok(count as u64),
        false => Err(wrong()),
    }
}

/// What runs when the library is opened and closed.
fn entry_points(memory: &Memory<'_>, dynamic: &Dynamic) -> Result<()> {
    for address in [elf::DT_INIT.0, elf::DT_FINI.0] {
        if let Some(address) = dynamic.get(address)
            && !memory.is_code(address)
        {
            return Err(damaged(format!(
                "it begins at {address:#x}, where no code stands"
            )));
        }
    }
    for (start, size) in [
        (elf::DT_INIT_ARRAY.0, elf::DT_INIT_ARRAYSZ.0),
        (elf::DT_FINI_ARRAY.0, elf::DT_FINI_ARRAYSZ.0),
    ] {
        dynamic.table(memory, start, size)?;
    }
    Ok(())
}

/// The compact form of relative relocations: an even word is an address, an odd one says which of
/// the 63 words after the last are meant.
fn relative_table(memory: &Memory<'_>, dynamic: &Dynamic) -> Result<()> {
    let table = dynamic.table(memory, elf::DT_RELR.0, elf::DT_RELRSZ.0)?;
    let mut next = 0u64;
    for entry in table
        .chunks_exact(WORD as usize)
        .map(|entry| word(entry, 0))
    {
        let (from, words) = match entry & 1 {
            0 => (entry, 1),
            _ => (next, 63 - u64::from(entry.leading_zeros().min(63))),
        };
        if words > 0 && !memory.is_writable(from, words * WORD) {
            return Err(damaged(format!(
                "a relocation writes to {from:#x}, which is none of the library's writable memory"
            )));
        }
        next = from.saturating_add(if entry & 1 == 0 { WORD } else { 63 * WORD });
    }
    Ok(())
}

/// The dynamic table. Of what stands there twice, the loader takes the last.
struct Dynamic {
    values: HashMap<i64, u64>,
    /// Where the names stand that it needs.
    names: Vec<u64>,
}

impl Dynamic {
    fn of(memory: &Memory<'_>) -> Result<Self> {
        let mut dynamic = Self {
            values: HashMap::new(),
            names: Vec::new(),
        };
        let (address, len) = memory.dynamic.ok_or_else(|| damaged("it is not dynamic"))?;
        for entry in memory.file(address, len)?.chunks_exact(DYNAMIC as usize) {
            let (tag, value) = (word(entry, 0).cast_signed(), word(entry, 1));
            if tag == elf::DT_NULL.0 {
                dynamic.sizes()?;
                return Ok(dynamic);
            }
            if [
                elf::DT_NEEDED.0,
                elf::DT_SONAME.0,
                elf::DT_RPATH.0,
                elf::DT_RUNPATH.0,
            ]
            .contains(&tag)
            {
                dynamic.names.push(value);
            }
            dynamic.values.insert(tag, value);
        }
        Err(damaged("its dynamic table does not end"))
    }

    /// The loader takes these for granted.
    fn sizes(&self) -> Result<()> {
        for (tag, must) in [
            (elf::DT_RELAENT.0, RELOCATION),
            (elf::DT_SYMENT.0, SYMBOL),
            (elf::DT_RELRENT.0, WORD),
            (elf::DT_PLTREL.0, elf::DT_RELA.0 as u64),
            (elf::DT_RELSZ.0, 0),
        ] {
            if let Some(found) = self.get(tag).filter(|found| *found != must) {
                return Err(damaged(format!(
                    "its dynamic table has {found} under {tag} instead of {must}"
                )));
            }
        }
        Ok(())
    }

    fn get(&self, tag: i64) -> Option<u64> {
        self.values.get(&tag).copied()
    }

    /// The bytes of a table by the tags of its address and its size; none if neither is given.
    fn table<'a>(&self, memory: &Memory<'a>, start: i64, size: i64) -> Result<&'a [u8]> {
        match (self.get(start), self.get(size)) {
            (_, None | Some(0)) => Ok(&[]),
            (Some(address), Some(len)) => memory.file(address, len),
            (None, Some(_)) => Err(damaged(format!(
                "its dynamic table gives the size {size}, but no address {start}"
            ))),
        }
    }
}

/// Where a part of the library will lie, relative to the library's own address.
struct Segment<'a> {
    from: u64,
    to: u64,
    writable: bool,
    code: bool,
    /// What the file holds of it; the rest is zero.
    file: &'a [u8],
}

/// Where the library will lie.
struct Memory<'a> {
    /// By address, none within another.
    segments: Vec<Segment<'a>>,
    /// Address and length of the dynamic table.
    dynamic: Option<(u64, u64)>,
}

impl<'a> Memory<'a> {
    fn of(
        bytes: &'a [u8],
        headers: &[ProgramHeader64<Endianness>],
        endian: Endianness,
    ) -> Result<Self> {
        if headers.len() > MOST_SEGMENTS {
            return Err(rejected(format!(
                "the file has {} segments, a plugin has {MOST_SEGMENTS} at most",
                headers.len()
            )));
        }
        let mut memory = Self {
            segments: Vec::new(),
            dynamic: None,
        };
        for header in headers.iter().filter(|h| h.p_type(endian) == elf::PT_LOAD) {
            let from = header.p_vaddr(endian);
            let (len, flags) = (header.p_memsz(endian), header.p_flags(endian));
            let file = header.data(endian, bytes);
            let file = file.map_err(|()| damaged("a segment leads out of the file"))?;
            let to = from.checked_add(len);
            let after = memory.segments.last().is_none_or(|last| last.to <= from);
            let Some(to) = to.filter(|_| after && file.len() as u64 <= len) else {
                return Err(damaged(format!("its segment at {from:#x} can't lie there")));
            };
            memory.segments.push(Segment {
                from,
                to,
                writable: flags.contains(elf::PF_W),
                code: flags.contains(elf::PF_X),
                file,
            });
        }
        memory.special(headers, endian)?;
        Ok(memory)
    }

    /// The segments that lie within others.
    fn special(
        &mut self,
        headers: &[ProgramHeader64<Endianness>],
        endian: Endianness,
    ) -> Result<()> {
        for header in headers {
            let (from, len) = (header.p_vaddr(endian), header.p_memsz(endian));
            match header.p_type(endian) {
                elf::PT_DYNAMIC => self.dynamic = Some((from, header.p_filesz(endian))),
                elf::PT_TLS => drop(self.file(from, header.p_filesz(endian))?),
                elf::PT_GNU_RELRO if !self.is_writable(from, len) => {
                    return Err(damaged(format!(
                        "{from:#x} is to be protected, which is none of the library's writable \
                         memory"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The segment that an address lies in, if any.
    fn at(&self, address: u64) -> Option<&Segment<'a>> {
        let after = self.segments.partition_point(|s| s.from <= address);
        self.segments.get(after.checked_sub(1)?)
    }

    fn is_writable(&self, address: u64, len: u64) -> bool {
        let ends = |s: &Segment<'_>| address.checked_add(len).is_some_and(|end| end <= s.to);
        self.at(address).is_some_and(|s| s.writable && ends(s))
    }

    fn is_code(&self, address: u64) -> bool {
        self.at(address).is_some_and(|s| s.code && address < s.to)
    }

    /// The end counts: a pointer may stand behind the last byte.
    fn holds(&self, address: u64) -> bool {
        self.at(address).is_some_and(|s| address <= s.to)
    }

    /// What the file has for these addresses.
    fn file(&self, address: u64, len: u64) -> Result<&'a [u8]> {
        let rest = self.file_from(address)?;
        let bytes = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        bytes.ok_or_else(|| {
            damaged(format!(
                "a table of {len} bytes at {address:#x} leads out of the library"
            ))
        })
    }

    /// What the file has from this address to the end of the segment.
    fn file_from(&self, address: u64) -> Result<&'a [u8]> {
        let rest = self.at(address).and_then(|segment| {
            let start = usize::try_from(address - segment.from).ok()?;
            segment.file.get(start..)
        });
        rest.ok_or_else(|| {
            damaged(format!(
                "a table stands at {address:#x}, outside of the library"
            ))
        })
    }
}
