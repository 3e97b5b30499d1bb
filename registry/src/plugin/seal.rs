//! The seal of a library: the hash of the finished file, written into the file itself.
//!
//! A test run finds damage by what it does, so it may miss what does something only later. Of a
//! sealed file, every changed bit is found before any code of it runs.

use auralis_core::Result;
use auralis_core::manifest::{SEAL, SECTION};
use object::{Object, ObjectSection};
use sha2::{Digest, Sha256};
use std::ops::Range;

use super::file::hexadecimal;
use super::manifest::{damaged, library, malformed};
use super::rejected;

/// The digits of a seal.
const DIGITS: usize = 64;

/// What stands there until the file is sealed.
const OPEN: [u8; DIGITS] = [b'0'; DIGITS];

/// Whether the library is sealed, and still is what was sealed.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin): it was changed afterwards, or its record of
/// the seal is none.
pub(super) fn check(bytes: &[u8]) -> Result<bool> {
    let Some(place) = place(bytes)? else {
        return Ok(false);
    };
    if bytes[place.clone()] == OPEN {
        return Ok(false);
    }
    if bytes[place.clone()] == *hash(bytes, &place).as_bytes() {
        return Ok(true);
    }
    Err(rejected(
        "the file is damaged: it is not as it was when it was sealed",
    ))
}

/// The bytes of the same library, sealed: the last thing that is done to a file before it is shipped,
/// since whatever changes it afterwards, `strip` included, breaks the seal.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin): it is no plugin, it has no room for a
/// seal, or it was sealed and then changed.
pub fn seal(bytes: &[u8]) -> Result<Vec<u8>> {
    check(bytes)?;
    let Some(place) = place(bytes)? else {
        return Err(rejected(format!(
            "the library has no room for a seal: it lacks the record `{SEAL}`, which \
             `export_plugin!` of today's auralis-abi writes"
        )));
    };
    let mut sealed = bytes.to_vec();
    sealed[place.clone()].copy_from_slice(hash(bytes, &place).as_bytes());
    Ok(sealed)
}

/// The SHA-256 of all but the seal, in hexadecimal.
fn hash(bytes: &[u8], place: &Range<usize>) -> String {
    let digest = Sha256::new()
        .chain_update(&bytes[..place.start])
        .chain_update(OPEN)
        .chain_update(&bytes[place.end..]);
    hexadecimal(&digest.finalize())
}

/// Where the digits stand in the file.
fn place(bytes: &[u8]) -> Result<Option<Range<usize>>> {
    let library = library(bytes)?;
    let Some(section) = library.section_by_name(SECTION) else {
        return Ok(None);
    };
    let section = section.data().map_err(|e| damaged(&e))?;
    let mut found = section
        .split(|byte| *byte == 0)
        .filter_map(|record| record.strip_prefix(SEAL.as_bytes())?.strip_prefix(b" "));
    let (digits, second) = (found.next(), found.next());
    let Some(digits) = digits else {
        return Ok(None);
    };
    if second.is_some() || digits.len() != DIGITS {
        return Err(malformed(format!("has a wrong record `{SEAL}`")));
    }
    // Both are parts of the same slice.
    let start = digits.as_ptr().addr() - bytes.as_ptr().addr();
    Ok(Some(start..start + DIGITS))
}
