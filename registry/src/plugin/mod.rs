//! Third-party dylibs: checks on the file first, then a test run in a child, then the library itself.
//!
//! A dylib is native code in this process. The checks stop accidents, planted files, and files that
//! were changed after they were pinned; they do not contain a plugin that was trusted wrongly.
//!
//! In this order, and the first that fails ends it: the path and who may write there ([`LibraryFile`]),
//! its pin, the machine that the file is for, its [`Manifest`], its quarantine ([`Store`]), a private
//! copy by its hash, the [`Probe`] if this hash is not known yet, and then the library in this
//! process ([`Loader`]). [`inspect`] goes as far as no code of the plugin runs.

mod architecture;
pub mod child;
mod file;
mod inspect;
mod load;
mod manifest;
mod moat;
mod platform;
mod probe;
mod relocations;
mod root;
mod seal;
mod store;

/// Child processes that may crash, hang or use too much.
pub mod process {
    pub use super::platform::{End, Limits, Stoppable, ended, kill_group, limit, own_group};
}

use std::borrow::Cow;

use auralis_core::{Error, ErrorKind};

pub use file::{Allowance, LibraryFile, Voucher};
pub use inspect::{Inspection, Verdict, inspect};
pub use load::{LoadedPlugin, Loader, PluginKind, open, open_as_described};
pub use manifest::{BackendRecord, KernelRecord, Manifest, PluginRecord, VariantRecord};
pub use platform::secure_execution;
pub use probe::{Failure, Probe};
pub use seal::seal;
pub use store::{Clear, Host, Record, Store};

/// Checks that a file, everything above it, and every link on the way belong to root or to the user,
/// and that nobody else may write there.
///
/// # Errors
///
/// [`ErrorKind::Plugin`] that names the place that others may change.
pub fn only_ours(path: &std::path::Path) -> auralis_core::Result<()> {
    platform::only_ours(path)
}

fn rejected(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Plugin, message)
}
