//! The log of a plugin, as `tracing` events of the host.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use auralis_core::Result;
use tracing::level_filters::LevelFilter;

use super::call::{call_at_length, offered};
use super::layout::find;
use crate::tables::{LogSink, LogV1};
use crate::wire::{LevelCode, PluginHeader, Text};

/// Sends what the plugin logs to the host's own subscriber, as far as that wants it now. Where the
/// plugin has no log, nothing happens.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) if the table is another one than the
/// host's; what the plugin answers.
///
/// # Safety
///
/// The header is that of a library that is never unloaded and keeps the rules of this crate.
pub(super) unsafe fn forward(header: &'static PluginHeader) -> Result<()> {
    // SAFETY: the caller's promise.
    let Some(table) = (unsafe { find::<LogV1>(header) })? else {
        return Ok(());
    };
    let install = offered(table.install, "install")?;
    let sink = LogSink {
        context: ptr::from_ref(header).cast(),
        level: LevelFilter::current().into(),
        write,
    };
    // SAFETY: the sink lives for ever, as the header does.
    unsafe { call_at_length("install", |message| install(sink, message)) }
}

/// Takes an event of a plugin. A panic of the host's subscriber goes no further.
///
/// # Safety
///
/// `context` points to the header of a plugin, the texts are what they claim to be.
unsafe extern "C" fn write(context: *const c_void, level: LevelCode, target: Text, text: Text) {
    let emitted = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller's promise: the header and its texts are static.
        let plugin = unsafe { (*context.cast::<PluginHeader>()).name.open() };
        // SAFETY: the caller's promise.
        let (target, text) = unsafe { (target.open(), text.open()) };
        let [plugin, target, text] =
            [plugin, target, text].map(|t| String::from_utf8_lossy(t.unwrap_or_default()));
        emit(level, &plugin, &target, &text);
    }));
    if let Err(payload) = emitted {
        std::mem::forget(payload);
    }
}

fn emit(level: LevelCode, plugin: &str, target: &str, text: &str) {
    match level.0 {
        ..=1 => tracing::error!(target: "auralis::plugin", plugin, target, "{text}"),
        2 => tracing::warn!(target: "auralis::plugin", plugin, target, "{text}"),
        3 => tracing::info!(target: "auralis::plugin", plugin, target, "{text}"),
        4 => tracing::debug!(target: "auralis::plugin", plugin, target, "{text}"),
        5.. => tracing::trace!(target: "auralis::plugin", plugin, target, "{text}"),
    }
}

impl From<LevelFilter> for LevelCode {
    fn from(filter: LevelFilter) -> Self {
        filter.into_level().as_ref().map_or(Self(0), Self::from)
    }
}
