//! The table of backends: what inventory holds in this library.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use auralis_core::{
    Accelerator, BuildContext, CpuFeatures, Descriptor, Error, ErrorKind, Kind, Linked, Options,
    Result,
};
use serde::de::DeserializeOwned;

use super::Served;
use super::guard::{self, Guarded, contain, store};
use crate::tables::{BackendRecord, BackendsV1, BuiltBackend};
use crate::wire::{Instance, Message, Slice, Status, Text};

impl Served for BackendsV1 {
    const TABLE: &'static Self = &Self {
        count: Some(count),
        describe: Some(describe),
        build: Some(build),
        destroy: Some(destroy),
    };
}

/// A descriptor with the texts that its record points to.
struct Entry {
    descriptor: &'static Descriptor<dyn Accelerator>,
    requires: Vec<Text>,
    capabilities: Vec<Text>,
}

/// The backends by id: inventory has no order, and an index must mean the same at every call.
fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let mut linked = <dyn Accelerator>::linked();
        linked.sort_by_key(|descriptor| descriptor.id);
        linked.into_iter().map(Entry::new).collect()
    })
}

fn entry(index: usize) -> Result<&'static Entry> {
    let all = entries();
    all.get(index).ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "the plugin has no backend of this index",
        )
        .with("index", index)
        .with("backends", all.len())
    })
}

impl Entry {
    fn new(descriptor: &'static Descriptor<dyn Accelerator>) -> Self {
        Self {
            descriptor,
            requires: descriptor.requires.names().map(Text::of_str).collect(),
            capabilities: descriptor
                .capabilities
                .iter()
                .copied()
                .map(Text::of_str)
                .collect(),
        }
    }

    fn record(&'static self) -> BackendRecord {
        BackendRecord {
            kind: Text::of_str(<dyn Accelerator>::NAME),
            id: Text::of_str(self.descriptor.id),
            summary: Text::of_str(self.descriptor.summary),
            version: Text::of_str(self.descriptor.version),
            rank: self.descriptor.rank,
            requires: Slice::of(&self.requires),
            capabilities: Slice::of(&self.capabilities),
            options_schema: Text::of_str(self.descriptor.options_schema),
        }
    }

    fn build(&self, options: &[u8], settings: &[u8], cpu: CpuFeatures) -> Result<BuiltBackend> {
        let missing = self.descriptor.requires.missing_from(cpu);
        if !missing.is_empty() {
            let message = "the backend needs CPU features that it is not allowed to use";
            return Err(Error::new(ErrorKind::Unavailable, message).with("missing", missing));
        }
        let context = BuildContext {
            options: &Options::new(json("options", options)?),
            settings: &json("settings", settings)?,
            cpu,
        };
        let accelerator = (self.descriptor.build)(&context)?;
        let variant = Text::of_str(accelerator.variant());
        let instance = Box::into_raw(Guarded::new(accelerator)).cast_const().cast();
        Ok(BuiltBackend { instance, variant })
    }
}

fn json<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| {
        Error::new(
            ErrorKind::Config,
            format!("the {what} of a backend can't be read"),
        )
        .because(e)
    })
}

/// The features of these names that this side knows.
///
/// # Safety
///
/// `names` and each of its texts are what they claim to be.
unsafe fn features(names: Slice<Text>) -> Result<CpuFeatures> {
    let mut set = CpuFeatures::NONE;
    // SAFETY: the caller's promise.
    for name in unsafe { names.open() }? {
        // SAFETY: the caller's promise.
        let known = CpuFeatures::parse(unsafe { name.open_str() }?);
        set = set.union(known.unwrap_or(CpuFeatures::NONE));
    }
    Ok(set)
}

unsafe extern "C" fn count() -> usize {
    let mut count = 0;
    // SAFETY: a null message is passed over.
    let _ = unsafe {
        contain(&AtomicBool::new(false), std::ptr::null_mut(), || {
            count = entries().len();
            Ok(())
        })
    };
    count
}

unsafe extern "C" fn describe(
    index: usize,
    backend: *mut BackendRecord,
    message: *mut Message,
) -> Status {
    // SAFETY: the host keeps the rules of the wire: the places are null or may be written.
    unsafe {
        contain(&AtomicBool::new(false), message, || {
            store(backend, entry(index)?.record())
        })
    }
}

unsafe extern "C" fn build(
    index: usize,
    options: Slice<u8>,
    settings: Slice<u8>,
    cpu: Slice<Text>,
    built: *mut BuiltBackend,
    message: *mut Message,
) -> Status {
    // SAFETY: the host keeps the rules of the wire: slices are what they claim to be, the places
    // are null or may be written.
    unsafe {
        contain(&AtomicBool::new(false), message, || {
            let (options, settings) = (options.open()?, settings.open()?);
            store(
                built,
                entry(index)?.build(options, settings, features(cpu)?)?,
            )
        })
    }
}

unsafe extern "C" fn destroy(instance: *const Instance) {
    // SAFETY: the host keeps the rules of the wire: the instance is null or was made by `build`, and
    // nobody uses it any more.
    unsafe { guard::destroy(instance.cast_mut().cast::<guard::Served>()) }
}
