//! What every call into a plugin does around it.

use std::mem::MaybeUninit;
use std::ops::Deref;

use auralis_core::{Error, ErrorKind, Result};

use crate::FloatControl;
use crate::wire::{Message, Status};

/// Room for the messages of kernels: on the stack, so that a call allocates nothing.
const MESSAGE_BYTES: usize = 1024;

/// Room for the messages of what is built: a schema or a parser may have much to say.
const LONG_MESSAGE_BYTES: usize = 64 * 1024;

/// Runs a function of a plugin, keeps the floating-point control as it is, and turns what it says
/// into an error. `function` is the name that stands in an [`Error::unsupported`], `backend` the one
/// that a fault carries.
///
/// # Safety
///
/// `run` passes the message to a function of a plugin that keeps the rules of the wire.
#[inline]
pub(super) unsafe fn call(
    function: &'static str,
    backend: &impl Deref<Target = str>,
    run: impl FnOnce(*mut Message) -> Status,
) -> Result<()> {
    let mut text = [MaybeUninit::<u8>::uninit(); MESSAGE_BYTES];
    let mut message = Message::new(text.as_mut_ptr().cast(), text.len());
    let (status, changed) = FloatControl::around(|| run(&mut message));
    if status == Status::OK && changed.is_none() {
        return Ok(());
    }
    // SAFETY: the caller's promise: the message was just written.
    unsafe { unusual(&message, status, changed, function, backend) }
}

/// What a [`call`] that failed or changed the floating-point control comes to: out of line, with all
/// that only it needs.
///
/// # Safety
///
/// As for [`Message::error`].
#[cold]
#[inline(never)]
unsafe fn unusual(
    message: &Message,
    status: Status,
    changed: Option<FloatControl>,
    function: &'static str,
    backend: &impl Deref<Target = str>,
) -> Result<()> {
    if let Some(before) = changed {
        before.restore();
    }
    if status == Status::OK {
        return Ok(());
    }
    let kind = status.kind().unwrap_or(ErrorKind::Plugin);
    // SAFETY: the caller's promise.
    Err(fault(unsafe { message.error(kind, function) }, backend))
}

/// [`call`] with an error of the caller's making, from the message and the kind.
///
/// # Safety
///
/// As for [`call`].
#[inline]
pub(super) unsafe fn call_or(
    run: impl FnOnce(*mut Message) -> Status,
    error: impl FnOnce(&Message, ErrorKind) -> Error,
) -> Result<()> {
    let mut text = [MaybeUninit::<u8>::uninit(); MESSAGE_BYTES];
    let mut message = Message::new(text.as_mut_ptr().cast(), text.len());
    let (status, changed) = FloatControl::around(|| run(&mut message));
    if let Some(before) = changed {
        before.restore();
    }
    if status == Status::OK {
        return Ok(());
    }
    Err(failure(&message, status, error))
}

/// [`call`] with room for a long message, and with the exception masks kept too: for what does not run
/// per block.
///
/// # Safety
///
/// As for [`call`].
pub(super) unsafe fn call_at_length(
    function: &'static str,
    run: impl FnOnce(*mut Message) -> Status,
) -> Result<()> {
    let mut text = vec![MaybeUninit::<u8>::uninit(); LONG_MESSAGE_BYTES];
    let mut message = Message::new(text.as_mut_ptr().cast(), text.len());
    let floats = FloatControl::read();
    let status = run(&mut message);
    floats.restore();
    if status == Status::OK {
        return Ok(());
    }
    // SAFETY: a plugin that keeps the rules has written as many bytes as it says.
    let error = |message: &Message, kind| unsafe { message.error(kind, function) };
    Err(failure(&message, status, error))
}

#[cold]
#[inline(never)]
fn failure(
    message: &Message,
    status: Status,
    error: impl FnOnce(&Message, ErrorKind) -> Error,
) -> Error {
    error(message, status.kind().unwrap_or(ErrorKind::Plugin))
}

/// Adds to a fault of a plugin whose it is, which is what a fallback goes by.
pub(super) fn fault(error: Error, backend: &str) -> Error {
    match error.kind() {
        ErrorKind::Panicked | ErrorKind::Plugin => error.with("backend", backend),
        _ => error,
    }
}

/// A function of a table, or the error that stands for NULL.
#[inline]
pub(super) fn offered<F>(function: Option<F>, kernel: &'static str) -> Result<F> {
    function.ok_or_else(|| unsupported(kernel))
}

#[cold]
#[inline(never)]
fn unsupported(kernel: &'static str) -> Error {
    Error::unsupported(kernel)
}
