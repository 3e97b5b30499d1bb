//! The frozen wire form of the Auralis traits, for backends that ship as dylibs.
//!
//! A backend crate is an ordinary library that registers with [`auralis_core::register!`]. A crate
//! of the type `cdylib`, three lines long, turns it into a plugin with [`export_plugin!`]; the
//! host reads the plugin with [`Plugin::read`] and gets back objects that implement the traits of
//! `auralis-core`. Both directions live here, so that they can't drift apart.
//!
//! # The promise
//!
//! - **A released table never changes**: not its fields, their order, their types or their meaning.
//!   More methods are a new table under a new name (`accelerator.slices/2`); a plugin may serve
//!   both, and a host treats a plugin that lacks a table as lacking its kernels. So old plugins run
//!   in new hosts and new plugins in old hosts.
//! - A plugin exports one symbol, [`ROOT_SYMBOL`]: a [`PluginHeader`], data whose first fields never
//!   move. Its `get_interface` finds a table by name; an unknown name gives NULL.
//! - A NULL function in a table of accelerators means: not offered. They may leave out what they
//!   like, whole tables too. The other kinds have no optional method: a NULL there, like a table that
//!   is missing, rejects the backend.
//! - The host compares each table's layout with its own by abi_stable's descriptions, interface by
//!   interface. A plugin in another language leaves the description out (version 0) and is held to
//!   the table's size.
//!
//! # What crosses
//!
//! Only `#[repr(C)]` values: numbers, [`wire`] slices `{pointer, length}`, opaque handles. No Rust
//! object and no `String`. What one side allocates, that side frees: where the other keeps it, it
//! comes with a function that gives it back. What one side runs for the other, an executor's task and
//! the sink of the log, crosses as `{context, function}`. A slice of length 0 may have any pointer,
//! NULL included. What is called `Slice` is read, what is called `SliceMut` is read and written by
//! the callee alone until it returns. Enumerations are `u32` codes; a code that the callee does not
//! know is answered with [`Status::UNSUPPORTED`].
//!
//! # Who frees what
//!
//! | what | made by | lives |
//! |---|---|---|
//! | samples, plane lists, options, names of CPU features | host | during the call |
//! | message buffer, result | host; the plugin writes into it | during the call |
//! | instance | `build` of `backends/1` | until the host calls `destroy` of `backends/1` |
//! | plan | `create` of its table | until the host calls `destroy` of that table; it may outlive the instance |
//! | lent buffer | plugin | until the host calls its `release`; it may outlive the instance |
//! | value in a cache | either; [`wire::Owned`] | until the other side calls its `release` |
//! | report, events | plugin; [`wire::Owned`] | until the host calls its `release` |
//! | an executor's task | host | until `for_ranges` returns |
//! | sink of the log | host | for ever |
//! | tables, descriptions, texts of a backend's record, `variant` | plugin | for ever: a plugin is never unloaded |
//!
//! # Threads
//!
//! Every function is re-entrant. An instance may be used from any number of threads at once, a plan
//! from one thread at a time.
//!
//! # Panics and the floating-point environment
//!
//! A panic can't be caught across two copies of the standard library, so each function catches it
//! inside the plugin, answers [`Status::PANICKED`] and puts the instance, plan or kernel out of use: later
//! calls answer the same without running code, and it is not dropped but leaked, because dropping
//! would run code over a broken state. A panic in `destroy` or in a `release` is contained and goes
//! unsaid. The host keeps the panics of its own functions too: an executor's task and the sink of
//! the log always return. A plugin built with `panic = "abort"` is refused. The host
//! restores the floating-point control register if a call has changed it.

mod argument;
pub mod export;
mod import;
mod owned;
pub mod tables;
pub mod wire;

pub use auralis_core::FloatControl;
pub use import::{Plugin, PluginBackend, PluginKernel, Remote};
pub use wire::{InterfaceHeader, PluginHeader, Status};

/// The name of the one symbol that a plugin exports: a static [`PluginHeader`].
pub const ROOT_SYMBOL: &str = "auralis_plugin_v1";

/// The version of the root and of the rules of this crate. Tables have versions of their own.
pub const ABI_VERSION: u32 = 1;

/// The target triple that this crate was compiled for.
pub const TARGET: &str = env!("AURALIS_TARGET");

/// The line of abi_stable, `major * 65536 + minor`, whose layout descriptions are used: they can be
/// read by the same line only.
pub const ABI_STABLE_LINE: u32 = 11;

#[cfg(test)]
mod tests {
    #[test]
    fn the_line_of_abi_stable_is_the_one_in_use() {
        let version = abi_stable::ABI_STABLE_VERSION.parsed().unwrap();
        assert_eq!(
            version.major * 65536 + version.minor,
            super::ABI_STABLE_LINE
        );
    }
}
