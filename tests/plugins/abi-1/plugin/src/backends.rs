//! What the plugin offers, and how it is built.

use std::ptr;

use auralis_abi::{
    BackendRecord, BackendsV1, BuiltBackend, Instance, Message, Slice, Status, Text, text,
};

use crate::cache::Cache;
use crate::call::{Failure, Result, contain, read};

pub static TABLE: BackendsV1 = BackendsV1 {
    count: Some(count),
    describe: Some(describe),
    build: Some(build),
    destroy: Some(destroy),
};

const ACCELERATOR: usize = 0;
const CACHE: usize = 1;

static KERNELS: [Text; 5] = [
    text("scale"),
    text("add"),
    text("dot"),
    text("peak"),
    text("convolver"),
];

/// What an accelerator's handle points to: it has no state.
static ONLY: u8 = 0;

const NO_OPTIONS: Text = text(r#"{"type":"object","properties":{},"additionalProperties":false}"#);

const NOTHING: Slice<Text> = Slice {
    ptr: ptr::null(),
    len: 0,
};

fn record(index: usize) -> Result<BackendRecord> {
    let record = |kind, summary, rank, capabilities| BackendRecord {
        kind: text(kind),
        id: text("abi-1"),
        summary: text(summary),
        version: text("1.0.0"),
        rank,
        requires: NOTHING,
        capabilities,
        options_schema: NO_OPTIONS,
    };
    let kernels = Slice {
        ptr: KERNELS.as_ptr(),
        len: KERNELS.len(),
    };
    match index {
        ACCELERATOR => Ok(record("accelerator", "An accelerator of ABI 1", 1, kernels)),
        CACHE => Ok(record("cache", "Keeps what was put last", -1, NOTHING)),
        _ => Err(Failure(Status::NOT_FOUND, "there are two backends")),
    }
}

fn built(index: usize, options: &[u8], settings: &[u8]) -> Result<*const Instance> {
    if options != b"{}" {
        return Err(Failure(Status::CONFIG, "the backend has no options"));
    }
    match index {
        ACCELERATOR => Ok(ptr::from_ref(&ONLY).cast()),
        CACHE => {
            let cache = Cache::new(&String::from_utf8_lossy(settings));
            Ok(Box::into_raw(Box::new(cache)).cast_const().cast())
        }
        _ => Err(Failure(Status::NOT_FOUND, "there are two backends")),
    }
}

// SAFETY of all: the host keeps the rules of the wire.

unsafe extern "C" fn count() -> usize {
    2
}

unsafe extern "C" fn describe(
    index: usize,
    backend: *mut BackendRecord,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            backend.write(record(index)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn build(
    index: usize,
    options: Slice<u8>,
    settings: Slice<u8>,
    _: Slice<Text>,
    place: *mut BuiltBackend,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            let instance = built(index, read(options), read(settings))?;
            let variant = text("portable");
            place.write(BuiltBackend { instance, variant });
            Ok(())
        })
    }
}

unsafe extern "C" fn destroy(index: usize, instance: *const Instance) {
    if index == CACHE && !instance.is_null() {
        // SAFETY: see the top: it was made by `built`, and this is its last use.
        drop(unsafe { Box::from_raw(instance.cast_mut().cast::<Cache>()) });
    }
}
