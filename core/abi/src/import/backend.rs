//! A backend of a plugin: what it says of itself, and how to build it.

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use auralis_core::{Accelerator, BuildContext, CpuFeatures, Error, ErrorKind, Kind, Result};
use serde::Serialize;

use super::accelerator::RemoteAccelerator;
use super::call::{call_at_length, offered};
use super::{Tables, rejected, text};
use crate::tables::{BackendRecord, BackendsV1, BuiltBackend};
use crate::wire::{Slice, Text};

/// An accelerator that a plugin offers: a descriptor, and how to build it.
#[derive(Clone, Debug)]
pub struct PluginBackend {
    /// The name by which the configuration asks for it.
    pub id: String,
    /// What it is, in one line.
    pub summary: String,
    /// The version of the crate that brings it.
    pub version: String,
    /// Its rank, see [`Descriptor`](auralis_core::Descriptor).
    pub rank: i32,
    /// The CPU features that it needs, as far as this host knows them.
    pub requires: CpuFeatures,
    /// CPU features that it needs and that this host does not know: with any of them it can't be
    /// built.
    pub requires_unknown: Vec<String>,
    /// What it offers: the names of its kernels.
    pub capabilities: Vec<String>,
    /// The JSON Schema of its options.
    pub options_schema: String,
    index: usize,
    backends: &'static BackendsV1,
    tables: Tables,
}

impl PluginBackend {
    /// The accelerators of a plugin, by id.
    ///
    /// # Safety
    ///
    /// The tables are those of a library that is never unloaded and keeps the rules of the wire.
    pub(super) unsafe fn list(backends: &'static BackendsV1, tables: Tables) -> Result<Vec<Self>> {
        let count = offered(backends.count, "count").map_err(incomplete)?;
        let mut ids = BTreeSet::new();
        let mut list = Vec::new();
        // SAFETY: the function takes nothing.
        for index in 0..unsafe { count() } {
            // SAFETY: the caller's promise.
            let record = unsafe { describe(backends, index) }?;
            // SAFETY: the caller's promise: the texts of a record live for ever.
            if unsafe { text(record.kind) }? != <dyn Accelerator>::NAME {
                continue;
            }
            // SAFETY: as above.
            let backend = unsafe { Self::from_record(&record, index, backends, tables) }?;
            if !ids.insert(backend.id.clone()) {
                let message = format!("the plugin has two backends of the id `{}`", backend.id);
                return Err(rejected(message));
            }
            list.push(backend);
        }
        list.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(list)
    }

    /// # Safety
    ///
    /// The texts of the record live for ever.
    unsafe fn from_record(
        record: &BackendRecord,
        index: usize,
        backends: &'static BackendsV1,
        tables: Tables,
    ) -> Result<Self> {
        // SAFETY: the caller's promise.
        unsafe {
            let needed = texts(record.requires)?;
            let (known, unknown): (Vec<_>, Vec<_>) = needed
                .into_iter()
                .partition(|name| CpuFeatures::parse(name).is_some());
            Ok(Self {
                id: text(record.id)?.into(),
                summary: text(record.summary)?.into(),
                version: text(record.version)?.into(),
                rank: record.rank,
                requires: known
                    .iter()
                    .filter_map(|name| CpuFeatures::parse(name))
                    .fold(CpuFeatures::NONE, CpuFeatures::union),
                requires_unknown: unknown,
                capabilities: texts(record.capabilities)?,
                options_schema: text(record.options_schema)?.into(),
                index,
                backends,
                tables,
            })
        }
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// What the backend says, of the kind that it says. [`ErrorKind::Unavailable`] if it needs CPU
    /// features that it may not use, or that this host does not know.
    pub fn build(
        &self,
        context: &BuildContext<'_, dyn Accelerator>,
    ) -> Result<Arc<dyn Accelerator>> {
        if !self.requires_unknown.is_empty() {
            let message = "the backend needs CPU features that this host does not know";
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with("features", self.requires_unknown.join(", ")));
        }
        let build = offered(self.backends.build, "build").map_err(incomplete)?;
        let destroy = offered(self.backends.destroy, "destroy").map_err(incomplete)?;
        let options = json(context.options.as_json())?;
        let settings = json(context.settings)?;
        let cpu: Vec<Text> = context.cpu.names().map(Text::of_str).collect();
        let mut built = BuiltBackend {
            instance: ptr::null(),
            variant: Text::of_str(""),
        };
        // SAFETY: the slices and places outlive the call; the plugin keeps the rules of the wire.
        unsafe {
            call_at_length("build", |message| {
                build(
                    self.index,
                    Slice::of(&options),
                    Slice::of(&settings),
                    Slice::of(&cpu),
                    &raw mut built,
                    message,
                )
            })
        }?;
        let Some(instance) = NonNull::new(built.instance.cast_mut()) else {
            return Err(rejected(
                "the plugin built a backend and gave a null handle",
            ));
        };
        let accelerator = RemoteAccelerator {
            id: self.id.as_str().into(),
            // SAFETY: the rules of the wire: a variant lives for ever.
            variant: unsafe { text(built.variant) }.unwrap_or("not UTF-8"),
            instance,
            tables: self.tables,
            destroy,
        };
        Ok(Arc::new(accelerator))
    }
}

/// # Safety
///
/// As for [`PluginBackend::list`].
unsafe fn describe(backends: &BackendsV1, index: usize) -> Result<BackendRecord> {
    let describe = offered(backends.describe, "describe").map_err(incomplete)?;
    let mut record = MaybeUninit::uninit();
    // SAFETY: the record outlives the call; the plugin keeps the rules of the wire.
    unsafe {
        call_at_length("describe", |message| {
            describe(index, record.as_mut_ptr(), message)
        })
    }
    .map_err(|e| rejected("the plugin can't describe a backend").because(e))?;
    // SAFETY: the function answered that it has filled the record.
    Ok(unsafe { record.assume_init() })
}

/// # Safety
///
/// The list and its texts live for ever.
unsafe fn texts(list: Slice<Text>) -> Result<Vec<String>> {
    // SAFETY: the caller's promise.
    let texts = unsafe { list.open() }
        .map_err(|e| rejected("the plugin describes a backend wrongly").because(e))?;
    // SAFETY: the caller's promise.
    texts
        .iter()
        .map(|t| unsafe { text(*t) }.map(String::from))
        .collect()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| {
        Error::new(
            ErrorKind::Config,
            "the configuration can't be written as JSON",
        )
        .because(e)
    })
}

fn incomplete(error: Error) -> Error {
    rejected(format!(
        "the plugin's interface `backends/1` lacks `{}`",
        error.message()
    ))
}
