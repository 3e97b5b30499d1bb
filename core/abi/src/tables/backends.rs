//! The table of backends: what a plugin offers, of all kinds.

use abi_stable::StableAbi;

use super::Interface;
use crate::wire::{Instance, Message, Slice, Status, Text};

/// What a plugin says of one backend: [`auralis_core::Descriptor`] in wire form.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct BackendRecord {
    /// The name of its kind: `accelerator`, `buffer_pool`, `cache`, `executor` or `profiler`. A host
    /// passes over kinds that it does not know.
    pub kind: Text,
    /// Its id, unique within its kind.
    pub id: Text,
    /// What it is, in one line.
    pub summary: Text,
    /// The version of the crate that brings it.
    pub version: Text,
    /// Its rank.
    pub rank: i32,
    /// The names of the CPU features that it needs.
    pub requires: Slice<Text>,
    /// What it offers: for an accelerator, the names of its kernels.
    pub capabilities: Slice<Text>,
    /// The JSON Schema of its options.
    pub options_schema: Text,
}

/// A backend that was built.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct BuiltBackend {
    /// The instance.
    pub instance: *const Instance,
    /// [`auralis_core::Accelerator::variant`]; empty for the other kinds.
    pub variant: Text,
}

/// The backends of a plugin.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct BackendsV1 {
    /// How many there are.
    pub count: Option<unsafe extern "C" fn() -> usize>,
    /// Fills `backend` with what is to be said of the one at `index`.
    pub describe: Option<
        unsafe extern "C" fn(
            index: usize,
            backend: *mut BackendRecord,
            message: *mut Message,
        ) -> Status,
    >,
    /// Builds the one at `index` from its options and its kind's settings, both a JSON object, for
    /// the CPU features of these names: the plugin uses no other. Names that it does not know are
    /// features that it does not use.
    pub build: Option<
        unsafe extern "C" fn(
            index: usize,
            options: Slice<u8>,
            settings: Slice<u8>,
            cpu: Slice<Text>,
            built: *mut BuiltBackend,
            message: *mut Message,
        ) -> Status,
    >,
    /// Destroys an instance of the one at `index`; NULL is passed over.
    pub destroy: Option<unsafe extern "C" fn(index: usize, instance: *const Instance)>,
}

impl Interface for BackendsV1 {
    const ID: &'static str = "backends/1";
}
