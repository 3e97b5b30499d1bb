//! The table through which a plugin's log reaches the host.

use std::ffi::c_void;

use abi_stable::StableAbi;

use super::Interface;
use crate::wire::{LevelCode, Message, Status, Text};

/// Where a plugin's events go.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct LogSink {
    /// What `write` takes first. It lives for ever.
    pub context: *const c_void,
    /// The most detailed level that the host wants; the plugin forwards no other.
    pub level: LevelCode,
    /// Takes one event: where in the plugin it comes from, and what it says. The texts live during
    /// the call. Any thread may call it; it always returns.
    pub write:
        unsafe extern "C" fn(context: *const c_void, level: LevelCode, target: Text, text: Text),
}

/// The log of a plugin. A plugin that has none leaves the table out.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct LogV1 {
    /// Sends events to `sink` from now on, in the place of an earlier one.
    pub install: Option<unsafe extern "C" fn(sink: LogSink, message: *mut Message) -> Status>,
}

impl Interface for LogV1 {
    const ID: &'static str = "log/1";
}
