//! The plugin's side: tables of functions over the backends and kernels that inventory holds here.

mod backends;
mod buffer_pool;
mod cache;
mod executor;
mod guard;
mod kernels;
mod log;
mod plans;
mod profiler;
mod serve;
mod user_kernels;

use std::ptr;

use auralis_core::manifest::Plugin;
#[doc(hidden)]
pub use auralis_core::manifest::Record;
#[doc(hidden)]
pub use auralis_core::manifest_record;

use crate::tables::{
    BackendsV1, BiquadsV1, BufferPoolV1, CacheV1, ComplexFftV1, ConvolveV1, ConvolverV1,
    ExecutorV1, F64V1, FftF64V1, FirV1, Interface, LogV1, MathV1, ProfilerV1, RealFftV1, SlicesV1,
    UserKernelsV1,
};
use crate::wire::{InterfaceHeader, PluginHeader, Text};
use crate::{ABI_STABLE_LINE, ABI_VERSION, TARGET};

/// Makes a plugin of a crate of the type `cdylib`: exports the root symbol, and writes down in the
/// library's file what it is. With names of crates it serves what they register too, and may be the
/// whole source of the plugin:
///
/// ```no_run
/// //! The gain of Example Audio as a plugin.
/// auralis_abi::export_plugin!(auralis_core);
/// # fn main() {}
/// ```
///
/// A crate that registers its backends itself names none: `auralis_abi::export_plugin!();`.
#[macro_export]
macro_rules! export_plugin {
    ($($backends:ident),* $(,)?) => {
        $(use $backends as _;)*

        $crate::export::manifest_record! {
            $crate::export::record(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
                if cfg!(panic = "unwind") { "unwind" } else { "abort" },
            )
        }
        $crate::export::manifest_record! { $crate::export::Record::Seal }

        #[doc(hidden)]
        #[allow(non_upper_case_globals, reason = "the name is the exported symbol")]
        #[unsafe(no_mangle)]
        pub static auralis_plugin_v1: $crate::PluginHeader = $crate::export::header(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            if cfg!(panic = "unwind") {
                "unwind"
            } else {
                "abort"
            },
        );
    };
}

/// The header of a plugin: what [`export_plugin!`](crate::export_plugin) exports.
#[doc(hidden)]
pub const fn header(
    name: &'static str,
    version: &'static str,
    panic: &'static str,
) -> PluginHeader {
    PluginHeader {
        magic: PluginHeader::MAGIC,
        size: size_of::<PluginHeader>() as u32,
        abi: ABI_VERSION,
        abi_stable: ABI_STABLE_LINE,
        name: Text::of_str(name),
        version: Text::of_str(version),
        target: Text::of_str(TARGET),
        panic: Text::of_str(panic),
        get_interface: Some(get_interface),
    }
}

/// What the header says, as a record of the manifest.
#[doc(hidden)]
pub const fn record(name: &'static str, version: &'static str, panic: &'static str) -> Record {
    Record::Plugin(Plugin {
        abi: ABI_VERSION,
        name,
        version,
        target: TARGET,
        panic,
        abi_stable: ABI_STABLE,
    })
}

/// [`ABI_STABLE_LINE`] in words.
const ABI_STABLE: &str = "0.11";

/// A table that this crate serves.
trait Served: Interface {
    const TABLE: &'static Self;

    const HEADER: InterfaceHeader = InterfaceHeader {
        size: size_of::<InterfaceHeader>(),
        id: Text::of_str(Self::ID),
        layout: Some(Self::LAYOUT),
        table_size: size_of::<Self>(),
        table: ptr::from_ref(Self::TABLE).cast(),
    };
}

/// Every table of this crate.
#[doc(hidden)]
pub static INTERFACES: &[InterfaceHeader] = &[
    BackendsV1::HEADER,
    LogV1::HEADER,
    SlicesV1::HEADER,
    MathV1::HEADER,
    ConvolveV1::HEADER,
    F64V1::HEADER,
    ComplexFftV1::HEADER,
    RealFftV1::HEADER,
    FftF64V1::HEADER,
    ConvolverV1::HEADER,
    BiquadsV1::HEADER,
    FirV1::HEADER,
    BufferPoolV1::HEADER,
    CacheV1::HEADER,
    ExecutorV1::HEADER,
    ProfilerV1::HEADER,
    UserKernelsV1::HEADER,
];

/// The tables of this crate by name: what a plugin's own `get_interface` may fall back on.
///
/// # Safety
///
/// `name` is one that [`Text::open_str`] may be called on.
#[doc(hidden)]
pub unsafe extern "C" fn get_interface(name: Text) -> *const InterfaceHeader {
    // SAFETY: the caller's promise.
    let name = unsafe { name.open() }.unwrap_or_default();
    // SAFETY: the ids of our own headers are static strings.
    let named = |header: &&InterfaceHeader| unsafe { header.id.open() }.is_ok_and(|id| id == name);
    INTERFACES
        .iter()
        .find(named)
        .map_or(ptr::null(), ptr::from_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_abi_stable_is_the_same_in_words() {
        let (major, minor) = (ABI_STABLE_LINE >> 16, ABI_STABLE_LINE & 0xFFFF);
        assert_eq!(ABI_STABLE, format!("{major}.{minor}"));
    }
}
