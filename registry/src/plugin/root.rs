//! The plugin's root symbol, looked at in the file before any code of it runs.

use auralis_abi::{ABI_VERSION, PluginHeader, ROOT_SYMBOL};
use auralis_core::Result;
use object::read::{ExportTarget, NameOrOrdinal};
use object::{Object, ObjectSection};

use super::manifest::{damaged, library};
use super::rejected;

/// Magic, size and ABI: the fields that never move and that no relocation changes.
const FIXED_BYTES: u64 = 16;

/// Checks that the library exports a header, and that it begins like one of this ABI.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that says what it begins with.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let library = library(bytes)?;
    let Some(header) = header(&library)? else {
        return Err(rejected(format!(
            "the library is no plugin of auralis: it does not export `{ROOT_SYMBOL}`"
        )));
    };
    let (magic, rest) = header.split_at(PluginHeader::MAGIC.len());
    if magic != PluginHeader::MAGIC {
        return Err(rejected(
            "the plugin's header does not begin with the magic of auralis",
        ));
    }
    let abi = rest[4..8].try_into().map(u32::from_ne_bytes);
    if let Ok(abi) = abi
        && abi != ABI_VERSION
    {
        let message = format!("the plugin speaks ABI {abi}, this host ABI {ABI_VERSION}");
        return Err(rejected(message));
    }
    Ok(())
}

/// The first bytes of the header, if the library exports one.
fn header<'a>(library: &object::File<'a>) -> Result<Option<&'a [u8]>> {
    let Some(address) = address(library)? else {
        return Ok(None);
    };
    for section in library.sections() {
        if let Ok(Some(bytes)) = section.data_range(address, FIXED_BYTES) {
            return Ok(Some(bytes));
        }
    }
    Err(rejected(format!(
        "the library's symbol `{ROOT_SYMBOL}` is no header: no bytes of the file stand there"
    )))
}

/// Where the symbol stands when the library is loaded.
fn address(library: &object::File<'_>) -> Result<Option<u64>> {
    for export in library.exports().map_err(|e| damaged(&e))? {
        let export = export.map_err(|e| damaged(&e))?;
        let (NameOrOrdinal::Name(name), ExportTarget::Address { address }) =
            (export.name(), export.target())
        else {
            continue;
        };
        // Mach-O puts an underscore before every name.
        if name.strip_prefix(b"_").unwrap_or(name) == ROOT_SYMBOL.as_bytes() {
            return Ok(Some(address));
        }
    }
    Ok(None)
}
