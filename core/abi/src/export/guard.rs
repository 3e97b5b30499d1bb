//! What stands between a host's call and the plugin's code: handles, panics, messages.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auralis_core::{Accelerator, Error, ErrorKind, Kind, Result};

use crate::wire::{Instance, Message, Plan, Status};

/// What a handle points to. It is out of use once a call on it has panicked.
pub(super) struct Guarded<T> {
    inner: T,
    out_of_use: AtomicBool,
}

impl<T> Guarded<T> {
    pub(super) fn new(inner: T) -> Box<Self> {
        Box::new(Self {
            inner,
            out_of_use: AtomicBool::new(false),
        })
    }
}

/// What an [`Instance`] stands for: `Built<dyn Cache>`, ...
pub(super) type Built<K> = Guarded<Shared<K>>;

/// A backend and where it lies: to ask an `Arc` for that takes longer than a short kernel should wait.
pub(super) struct Shared<K: ?Sized> {
    place: NonNull<K>,
    _owner: Arc<K>,
}

impl<K: ?Sized> Shared<K> {
    pub(super) fn new(backend: Arc<K>) -> Self {
        Self {
            place: NonNull::from(&*backend),
            _owner: backend,
        }
    }

    #[inline]
    fn get(&self) -> &K {
        // SAFETY: the owner keeps it alive and where it is, and only shared references to it exist.
        unsafe { self.place.as_ref() }
    }
}

/// What a [`Plan`] stands for: `Planned<dyn Convolver>`, ...
pub(super) type Planned<T> = Guarded<Box<T>>;

/// Runs `body`, contains its panic, and writes its error.
///
/// # Safety
///
/// `message` is null or points to a message that [`Message::write`] may be called on.
#[inline(always)]
pub(super) unsafe fn contain(
    out_of_use: &AtomicBool,
    message: *mut Message,
    body: impl FnOnce() -> Result<()>,
) -> Status {
    if out_of_use.load(Ordering::Relaxed) {
        // SAFETY: the caller's promise.
        return unsafe { refuse(message) };
    }
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Status::OK,
        // SAFETY: the caller's promise.
        Ok(Err(error)) => unsafe { failed(out_of_use, message, error) },
        // SAFETY: the caller's promise.
        Err(payload) => unsafe { panicked(out_of_use, message, payload) },
    }
}

/// # Safety
///
/// As for [`contain`].
#[cold]
unsafe fn refuse(message: *mut Message) -> Status {
    let text = "out of use, because an earlier call of it panicked in the plugin";
    // SAFETY: the caller's promise.
    unsafe { write(message, &Error::new(ErrorKind::Panicked, text)) }
}

/// Writes an error and drops it, both of which run the code of its causes, which may panic too.
///
/// # Safety
///
/// As for [`contain`].
#[cold]
unsafe fn failed(out_of_use: &AtomicBool, message: *mut Message, error: Error) -> Status {
    // SAFETY: the caller's promise.
    let written = catch_unwind(AssertUnwindSafe(move || unsafe { write(message, &error) }));
    // SAFETY: the caller's promise.
    written.unwrap_or_else(|payload| unsafe { panicked(out_of_use, message, payload) })
}

/// # Safety
///
/// As for [`contain`].
#[cold]
unsafe fn panicked(
    out_of_use: &AtomicBool,
    message: *mut Message,
    payload: Box<dyn Any + Send>,
) -> Status {
    out_of_use.store(true, Ordering::Relaxed);
    let text = format!("a panic in the plugin: {}", said(payload.as_ref()));
    // Dropping a payload runs foreign code, which may panic again.
    mem::forget(payload);
    // SAFETY: the caller's promise.
    unsafe { write(message, &Error::new(ErrorKind::Panicked, text)) }
}

fn said(payload: &(dyn Any + Send)) -> &str {
    match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "it gave no text",
    }
}

/// # Safety
///
/// `message` is null or points to a message that [`Message::write`] may be called on.
unsafe fn write(message: *mut Message, error: &Error) -> Status {
    // SAFETY: the caller's promise.
    if let Some(message) = unsafe { message.as_mut() } {
        // SAFETY: the caller's promise.
        unsafe { message.write(error) };
    }
    Status::of(error.kind())
}

/// Where a result goes.
///
/// # Safety
///
/// `place` is null or may be written.
pub(super) unsafe fn store<T>(place: *mut T, value: impl Into<T>) -> Result<()> {
    if place.is_null() {
        return Err(null("result"));
    }
    // SAFETY: it is not null, so it may be written, as the caller promises.
    unsafe { place.write(value.into()) };
    Ok(())
}

#[cold]
fn null(what: &'static str) -> Error {
    let message = match what {
        "result" => "a call without a place for its result",
        _ => "a call on a null handle",
    };
    Error::new(ErrorKind::InvalidInput, message)
}

/// Runs `body` on an instance of kind `K`.
///
/// # Safety
///
/// `instance` is null or was built for the same `K` and not destroyed; `message` as for [`contain`].
#[inline(always)]
pub(super) unsafe fn on_instance<K: Kind + ?Sized>(
    instance: *const Instance,
    message: *mut Message,
    body: impl FnOnce(&K) -> Result<()>,
) -> Status {
    // SAFETY: an instance that was built for K is a Built<K>, and only shared references to it exist.
    match unsafe { instance.cast::<Built<K>>().as_ref() } {
        // SAFETY: the caller's promise.
        Some(built) => unsafe { contain(&built.out_of_use, message, || body(built.inner.get())) },
        // SAFETY: the caller's promise.
        None => unsafe { write(message, &null("instance")) },
    }
}

/// Plans an object and hands out its handle.
///
/// # Safety
///
/// As for [`on_instance`]; `plan` is null or may be written.
pub(super) unsafe fn create<T: ?Sized>(
    instance: *const Instance,
    plan: *mut *mut Plan,
    message: *mut Message,
    make: impl FnOnce(&dyn Accelerator) -> Result<Box<T>>,
) -> Status {
    let body = |accelerator: &(dyn Accelerator + 'static)| {
        if plan.is_null() {
            return Err(null("result"));
        }
        let planned: Box<Planned<T>> = Guarded::new(make(accelerator)?);
        // SAFETY: it is not null, so the caller's promise is that it may be written.
        unsafe { plan.write(Box::into_raw(planned).cast()) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { on_instance(instance, message, body) }
}

/// Runs `body` on a plan.
///
/// # Safety
///
/// `plan` is null or was made by [`create`] with the same `T` and not destroyed, and no other call
/// uses it; `message` as for [`contain`].
#[inline]
pub(super) unsafe fn on_plan<T: ?Sized>(
    plan: *mut Plan,
    message: *mut Message,
    body: impl FnOnce(&mut T) -> Result<()>,
) -> Status {
    // SAFETY: a plan that `create` made is a Planned<T>, and nobody else uses it now.
    match unsafe { plan.cast::<Planned<T>>().as_mut() } {
        Some(Guarded { inner, out_of_use }) => {
            // SAFETY: the caller's promise.
            unsafe { contain(out_of_use, message, || body(inner)) }
        }
        // SAFETY: the caller's promise.
        None => unsafe { write(message, &null("plan")) },
    }
}

/// Drops what a handle points to, unless it is out of use: then it is leaked, because dropping
/// would run code over a broken state. A panic in `drop` goes no further.
///
/// # Safety
///
/// `handle` is null or came from `Box::into_raw` of [`Guarded::new`], and nobody uses it any more.
pub(super) unsafe fn destroy<T>(handle: *mut Guarded<T>) {
    // SAFETY: the caller's promise.
    let Some(guarded) = (unsafe { handle.as_ref() }) else {
        return;
    };
    if guarded.out_of_use.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: the caller's promise; the reference above is no longer used.
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(handle) })));
    if let Err(payload) = dropped {
        mem::forget(payload);
    }
}
