//! What the system's loader would write when it opens a library, looked at in the file.
//!
//! A damaged table of relocations makes the loader write outside of the library: what lies there
//! differs from process to process, so that a test run may pass and the host die all the same.

use auralis_core::Result;
use object::elf::PF_W;
use object::{
    Object, ObjectSegment, ObjectSymbol, ObjectSymbolTable, RelocationFlags, RelocationTarget,
    SegmentFlags, SymbolKind,
};

use super::manifest::library;
use super::rejected;

/// The bytes that one relocation writes, at most: a pointer.
const WRITTEN: u64 = 8;

/// Checks that each dynamic relocation of an ELF library writes into the library's own writable
/// memory, that what is relative to the library leads into it, and that its symbols do.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that names the first that does not.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let library = library(bytes)?;
    let Some(relocations) = library.dynamic_relocations() else {
        return Ok(());
    };
    let memory = Memory::of(&library);
    for (address, relocation) in relocations {
        if !memory.is_writable(address, WRITTEN) {
            return Err(rejected(format!(
                "the file is damaged: a relocation writes to {address:#x}, which is none of the \
                 library's writable memory"
            )));
        }
        let target = relocation.addend() as u64;
        if relocation.target() == RelocationTarget::Absolute
            && is_relative(relocation.flags())
            && !memory.holds(target)
        {
            return Err(rejected(format!(
                "the file is damaged: the relocation at {address:#x} leads to {target:#x}, outside \
                 of the library"
            )));
        }
    }
    let symbols = library.dynamic_symbol_table();
    for symbol in symbols.iter().flat_map(ObjectSymbolTable::symbols) {
        let stands = matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data);
        if stands && symbol.is_definition() && !memory.holds(symbol.address()) {
            return Err(rejected(format!(
                "the file is damaged: a symbol of it stands at {:#x}, outside of the library",
                symbol.address()
            )));
        }
    }
    Ok(())
}

/// System V ABI, processor supplements: the relocation that adds the library's address.
fn is_relative(flags: RelocationFlags) -> bool {
    let relative = match std::env::consts::ARCH {
        "x86_64" => object::elf::R_X86_64_RELATIVE,
        "aarch64" => object::elf::R_AARCH64_RELATIVE,
        _ => return false,
    };
    matches!(flags, RelocationFlags::Elf { r_type } if r_type == relative)
}

/// Where the library will lie, relative to its own address.
struct Memory {
    /// From, to, and whether it may be written.
    segments: Vec<(u64, u64, bool)>,
}

impl Memory {
    fn of(library: &object::File<'_>) -> Self {
        let segments = library.segments().map(|segment| {
            let from = segment.address();
            let writable = match segment.flags() {
                SegmentFlags::Elf { p_flags, .. } => p_flags.contains(PF_W),
                _ => true,
            };
            (from, from.saturating_add(segment.size()), writable)
        });
        Self {
            segments: segments.collect(),
        }
    }

    fn is_writable(&self, address: u64, len: u64) -> bool {
        self.segments.iter().any(|&(from, to, writable)| {
            writable && from <= address && address.saturating_add(len) <= to
        })
    }

    /// The end counts: a pointer may stand behind the last byte.
    fn holds(&self, address: u64) -> bool {
        self.segments
            .iter()
            .any(|&(from, to, _)| from <= address && address <= to)
    }
}
