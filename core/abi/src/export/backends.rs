//! The table of backends: what inventory holds in this library.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use auralis_core::{
    Accelerator, BufferPool, BuildContext, Cache, CpuFeatures, Descriptor, Error, ErrorKind,
    Executor, Linked, Options, Profiler, Result,
};
use serde::de::DeserializeOwned;

use super::Served;
use super::guard::{self, Built, Guarded, Shared, contain, store};
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

/// A kind whose backends this library serves.
trait Exported: Linked {
    /// What the instance calls itself, where its kind has a word for that.
    fn variant_of(&self) -> &'static str {
        ""
    }
}

impl Exported for dyn Accelerator {
    fn variant_of(&self) -> &'static str {
        self.variant()
    }
}

impl Exported for dyn BufferPool {}
impl Exported for dyn Cache {}
impl Exported for dyn Executor {}
impl Exported for dyn Profiler {}

/// What inventory says of one backend, with its kind forgotten.
struct Entry {
    kind: &'static str,
    id: &'static str,
    summary: &'static str,
    version: &'static str,
    rank: i32,
    requires: Vec<Text>,
    capabilities: Vec<Text>,
    options_schema: &'static str,
    build: Box<Build>,
    destroy: unsafe fn(instance: *const Instance),
}

/// Builds an instance from its options, its kind's settings and the features that it may use.
type Build = dyn Fn(&[u8], &[u8], CpuFeatures) -> Result<BuiltBackend> + Send + Sync;

/// The backends by kind and id: inventory has no order, and an index must mean the same at every
/// call.
fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let mut all = Vec::new();
        all.extend(entries_of::<dyn Accelerator>());
        all.extend(entries_of::<dyn BufferPool>());
        all.extend(entries_of::<dyn Cache>());
        all.extend(entries_of::<dyn Executor>());
        all.extend(entries_of::<dyn Profiler>());
        all.sort_by_key(|entry| (entry.kind, entry.id));
        all
    })
}

fn entries_of<K: Exported + ?Sized>() -> impl Iterator<Item = Entry> {
    K::linked().into_iter().map(Entry::of)
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
    fn of<K: Exported + ?Sized>(descriptor: &'static Descriptor<K>) -> Self {
        let capabilities = descriptor.capabilities.iter();
        Self {
            kind: K::NAME,
            id: descriptor.id,
            summary: descriptor.summary,
            version: descriptor.version,
            rank: descriptor.rank,
            requires: descriptor.requires.names().map(Text::of_str).collect(),
            capabilities: capabilities.map(|&name| Text::of_str(name)).collect(),
            options_schema: descriptor.options_schema,
            build: Box::new(|options, settings, cpu| built(descriptor, options, settings, cpu)),
            destroy: destroy_instance::<K>,
        }
    }

    fn record(&'static self) -> BackendRecord {
        BackendRecord {
            kind: Text::of_str(self.kind),
            id: Text::of_str(self.id),
            summary: Text::of_str(self.summary),
            version: Text::of_str(self.version),
            rank: self.rank,
            requires: Slice::of(&self.requires),
            capabilities: Slice::of(&self.capabilities),
            options_schema: Text::of_str(self.options_schema),
        }
    }
}

fn built<K: Exported + ?Sized>(
    descriptor: &Descriptor<K>,
    options: &[u8],
    settings: &[u8],
    cpu: CpuFeatures,
) -> Result<BuiltBackend> {
    let missing = descriptor.requires.missing_from(cpu);
    if !missing.is_empty() {
        let message = "the backend needs CPU features that it is not allowed to use";
        return Err(Error::new(ErrorKind::Unavailable, message).with("missing", missing));
    }
    let context = BuildContext {
        options: &Options::new(json("options", options)?),
        settings: &json("settings", settings)?,
        cpu,
    };
    let backend = (descriptor.build)(&context)?;
    let variant = Text::of_str(backend.variant_of());
    let instance: Box<Built<K>> = Guarded::new(Shared::new(backend));
    Ok(BuiltBackend {
        instance: Box::into_raw(instance).cast_const().cast(),
        variant,
    })
}

/// # Safety
///
/// `instance` is null or was built for the same `K`, and nobody uses it any more.
unsafe fn destroy_instance<K: Exported + ?Sized>(instance: *const Instance) {
    // SAFETY: the caller's promise.
    unsafe { guard::destroy(instance.cast_mut().cast::<Built<K>>()) }
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
    backend: *mut BuiltBackend,
    message: *mut Message,
) -> Status {
    // SAFETY: the host keeps the rules of the wire: slices are what they claim to be, the places
    // are null or may be written.
    unsafe {
        contain(&AtomicBool::new(false), message, || {
            let (options, settings) = (options.open()?, settings.open()?);
            let built = (entry(index)?.build)(options, settings, features(cpu)?)?;
            store(backend, built)
        })
    }
}

unsafe extern "C" fn destroy(index: usize, instance: *const Instance) {
    let body = || {
        let destroy = entry(index)?.destroy;
        // SAFETY: the host keeps the rules of the wire: the instance is null or was made by `build`
        // of this index, and nobody uses it any more.
        unsafe { destroy(instance) };
        Ok(())
    };
    // SAFETY: a null message is passed over.
    let _ = unsafe { contain(&AtomicBool::new(false), std::ptr::null_mut(), body) };
}
