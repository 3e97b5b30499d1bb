//! Both directions in one process: the backends of the fixture, exported and read back.

mod answers;
mod faults;
mod headers;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use auralis_abi::{Plugin, PluginBackend, Remote};
use auralis_core::{Accelerator, BuildContext, CpuFeatures, Key, Kind, Linked, Options, Result};

auralis_abi::export_plugin!(fixture_backend);

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Without these options the backend `faulty` is not built.
const ARMED: &str = r#"{"armed": true}"#;

/// A key of the cache `faulty`, and one that it panics at.
const GOOD: Key = Key::from_bytes([1; 32]);
const BAD: Key = Key::from_bytes([13; 32]);

fn plugin() -> Plugin {
    // SAFETY: the header is our own, and a static.
    unsafe { Plugin::read(&auralis_plugin_v1) }.unwrap()
}

fn backend<K: Kind + ?Sized>(id: &str) -> PluginBackend {
    plugin()
        .backends()
        .iter()
        .find(|b| (b.kind.as_str(), b.id.as_str()) == (K::NAME, id))
        .unwrap()
        .clone()
}

fn with<K: Kind + ?Sized, T>(options: &str, run: impl FnOnce(&BuildContext<'_, K>) -> T) -> T {
    run(&BuildContext {
        options: &Options::new(serde_json::from_str(options).unwrap()),
        settings: &K::Settings::default(),
        cpu: CpuFeatures::detect(),
    })
}

fn remote_of<K: Remote + ?Sized>(id: &str, options: &str) -> Result<Arc<K>> {
    with(options, |context| backend::<K>(id).build(context))
}

fn linked_of<K: Linked + ?Sized>(id: &str, options: &str) -> Result<Arc<K>> {
    let all = K::linked();
    let descriptor = all.into_iter().find(|d| d.id == id).unwrap();
    with(options, |context| (descriptor.build)(context))
}

fn faulty<K: Remote + ?Sized>() -> Arc<K> {
    remote_of("faulty", ARMED).unwrap()
}

fn remote(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    remote_of(id, options)
}

fn linked(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    linked_of(id, options)
}
