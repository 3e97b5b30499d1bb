//! A backend of a plugin: what it says of itself, and how to build it.

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use auralis_core::{BuildContext, CpuFeatures, Error, ErrorKind, Result};
use serde::Serialize;

use super::call::{call_at_length, fault, offered};
use super::instance::RemoteInstance;
use super::{Remote, Tables, rejected, text, unserved};
use crate::tables::{BackendRecord, BackendsV1, BuiltBackend};
use crate::wire::{Slice, Text};

/// A backend that a plugin offers: a descriptor, and how to build it.
#[derive(Clone, Debug)]
pub struct PluginBackend {
    /// The name of its kind: `accelerator`, `cache`, ...
    pub kind: String,
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
    /// The backends of a plugin that are of a kind that this host knows, by kind and id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`] if a backend is described wrongly or twice, or if the plugin does not
    /// serve the interface of its kind.
    ///
    /// # Safety
    ///
    /// The tables are those of a library that is never unloaded and keeps the rules of the wire.
    pub(super) unsafe fn list(backends: &'static BackendsV1, tables: Tables) -> Result<Vec<Self>> {
        let count = offered(backends.count, "count").map_err(incomplete)?;
        let mut names = BTreeSet::new();
        let mut list = Vec::new();
        // SAFETY: the function takes nothing.
        for index in 0..unsafe { count() } {
            // SAFETY: the caller's promise.
            let record = unsafe { describe(backends, index) }?;
            // SAFETY: the caller's promise: the texts of a record live for ever.
            let kind = unsafe { text(record.kind) }?;
            let Some(interface) = tables.lacking(kind) else {
                continue;
            };
            // SAFETY: as above.
            let backend = unsafe { Self::from_record(&record, index, backends, tables) }?;
            let name = backend.name();
            if let Some(interface) = interface {
                return Err(fault(unserved(interface), &name));
            }
            if !names.insert(name.clone()) {
                let message = format!("the plugin has two backends `{name}`");
                return Err(rejected(message));
            }
            list.push(backend);
        }
        list.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
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
            let (requires, requires_unknown) = parsed(texts(record.requires)?);
            Ok(Self {
                kind: text(record.kind)?.into(),
                id: text(record.id)?.into(),
                summary: text(record.summary)?.into(),
                version: text(record.version)?.into(),
                rank: record.rank,
                requires,
                requires_unknown,
                capabilities: texts(record.capabilities)?,
                options_schema: text(record.options_schema)?.into(),
                index,
                backends,
                tables,
            })
        }
    }

    /// Its kind and id, which a fault carries as `backend`: `cache/acme`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }

    /// Builds it. `K` is its kind: `dyn Cache` for a `cache`.
    ///
    /// # Errors
    ///
    /// What the backend says, of the kind that it says. [`ErrorKind::Unavailable`] if it needs CPU
    /// features that it may not use, or that this host does not know. [`ErrorKind::InvalidInput`] if
    /// it is of another kind than `K`.
    pub fn build<K: Remote + ?Sized>(&self, context: &BuildContext<'_, K>) -> Result<Arc<K>> {
        if K::NAME != self.kind {
            let message = format!(
                "the backend is of the kind `{}`, not `{}`",
                self.kind,
                K::NAME
            );
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if !self.requires_unknown.is_empty() {
            let message = "the backend needs CPU features that this host does not know";
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with("features", self.requires_unknown.join(", ")));
        }
        let options = json(context.options.as_json())?;
        let settings = json(context.settings)?;
        let instance = self.instance(&options, &settings, context.cpu);
        let instance = instance.map_err(|error| fault(error, &self.name()))?;
        K::connect(instance, &self.tables)
    }

    fn instance(
        &self,
        options: &[u8],
        settings: &[u8],
        cpu: CpuFeatures,
    ) -> Result<RemoteInstance> {
        let build = offered(self.backends.build, "build").map_err(incomplete)?;
        let destroy = offered(self.backends.destroy, "destroy").map_err(incomplete)?;
        let cpu: Vec<Text> = cpu.names().map(Text::of_str).collect();
        let mut built = BuiltBackend {
            instance: ptr::null(),
            variant: Text::of_str(""),
        };
        let place = &raw mut built;
        // SAFETY: the slices and places outlive the call; the plugin keeps the rules of the wire.
        unsafe {
            call_at_length("build", |message| {
                build(
                    self.index,
                    Slice::of(options),
                    Slice::of(settings),
                    Slice::of(&cpu),
                    place,
                    message,
                )
            })
        }?;
        let Some(handle) = NonNull::new(built.instance.cast_mut()) else {
            return Err(rejected(
                "the plugin built a backend and gave a null handle",
            ));
        };
        Ok(RemoteInstance {
            backend: self.name().into(),
            // SAFETY: the rules of the wire: a variant lives for ever.
            variant: unsafe { text(built.variant) }.unwrap_or("not UTF-8"),
            handle,
            index: self.index,
            destroy,
            faults: AtomicU64::new(0),
            said: AtomicBool::new(false),
        })
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
pub(super) unsafe fn texts(list: Slice<Text>) -> Result<Vec<String>> {
    // SAFETY: the caller's promise.
    let texts = unsafe { list.open() }
        .map_err(|e| rejected("the plugin describes a backend wrongly").because(e))?;
    // SAFETY: the caller's promise.
    texts
        .iter()
        .map(|t| unsafe { text(*t) }.map(String::from))
        .collect()
}

/// The features that this host knows, and the names of the others.
pub(super) fn parsed(names: Vec<String>) -> (CpuFeatures, Vec<String>) {
    let mut known = CpuFeatures::NONE;
    let mut unknown = names;
    unknown.retain(|name| match CpuFeatures::parse(name) {
        Some(feature) => {
            known = known.union(feature);
            false
        }
        None => true,
    });
    (known, unknown)
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
