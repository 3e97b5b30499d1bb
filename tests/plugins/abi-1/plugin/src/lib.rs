//! A plugin of ABI 1, written by hand against its tables: an accelerator and a cache.

mod accelerator;
mod backends;
mod cache;
mod call;
mod convolver;
mod manifest;

use std::ptr;

use abi_stable::StableAbi;
use auralis_abi::{InterfaceHeader, PluginHeader, TARGET, Text, text};

/// The line of abi_stable that describes the layouts: 0.11.
const ABI_STABLE: u32 = 11;

#[allow(non_upper_case_globals, reason = "the name is the exported symbol")]
#[unsafe(no_mangle)]
pub static auralis_plugin_v1: PluginHeader = PluginHeader {
    magic: *b"auralis\0",
    size: size_of::<PluginHeader>() as u32,
    abi: 1,
    abi_stable: ABI_STABLE,
    name: text("plugin-abi-1"),
    version: text("1.0.0"),
    target: text(TARGET),
    panic: text("unwind"),
    get_interface: Some(get_interface),
};

static INTERFACES: [InterfaceHeader; 4] = [
    header("backends/1", &backends::TABLE),
    header("accelerator.slices/1", &accelerator::TABLE),
    header("accelerator.convolver/1", &convolver::TABLE),
    header("cache/1", &cache::TABLE),
];

const fn header<T: StableAbi>(id: &'static str, table: &'static T) -> InterfaceHeader {
    InterfaceHeader {
        size: size_of::<InterfaceHeader>(),
        id: text(id),
        layout: Some(T::LAYOUT),
        table_size: size_of::<T>(),
        table: ptr::from_ref(table).cast(),
    }
}

unsafe extern "C" fn get_interface(name: Text) -> *const InterfaceHeader {
    // SAFETY: the host gives a text, and the ids are static.
    let asked = |header: &&InterfaceHeader| unsafe { call::read(header.id) == call::read(name) };
    INTERFACES
        .iter()
        .find(asked)
        .map_or(ptr::null(), ptr::from_ref)
}
