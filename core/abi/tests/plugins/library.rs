//! Opening what a test has built.

use std::mem;
use std::path::{Path, PathBuf};

use auralis_abi::wire::Slice;
use auralis_abi::{Plugin, PluginHeader, ROOT_SYMBOL};
use auralis_core::Result;

/// A file or folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap().join(path)
}

/// Whether a library that the test has built serves an interface of this name.
pub fn serves(file: &Path, interface: &str) -> bool {
    // SAFETY: the header of a plugin of ours is static and keeps the rules.
    let get_interface = unsafe { (*header(file)).get_interface }.unwrap();
    // SAFETY: the text lives during the call.
    let found = unsafe { get_interface(Slice::of(interface.as_bytes())).as_ref() };
    // SAFETY: the id of an interface is static.
    found.is_some_and(|found| unsafe { found.id.open_str() }.unwrap() == interface)
}

/// Reads the plugin in a library that the test has built. It stays open for ever.
pub fn open(file: &Path) -> Result<Plugin> {
    // SAFETY: the library is never unloaded, and a plugin of ours keeps the rules.
    unsafe { Plugin::read(header(file)) }
}

fn header(file: &Path) -> *const PluginHeader {
    // SAFETY: the constructors are those of a plugin of ours, which do no harm.
    let library = unsafe { libloading::Library::new(file) }.unwrap();
    // SAFETY: a symbol of this name is the static header of a plugin; only its address is taken.
    let symbol = unsafe { library.get::<*const PluginHeader>(ROOT_SYMBOL.as_bytes()) };
    let header = *symbol.unwrap();
    mem::forget(library);
    header
}
