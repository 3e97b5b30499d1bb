//! What every call into a plugin does around it.

use std::mem::MaybeUninit;

use auralis_core::{Accelerator, Error, ErrorKind, Kind, Result};

use crate::FloatControl;
use crate::wire::{Message, Status};

/// Room for the messages of kernels: on the stack, so that a call allocates nothing.
const MESSAGE_BYTES: usize = 1024;

/// Room for the messages of what is built: a schema or a parser may have much to say.
const LONG_MESSAGE_BYTES: usize = 64 * 1024;

/// Runs a function of a plugin, keeps the floating-point control as it is, and turns what it says
/// into an error. `kernel` is the name that stands in an [`Error::unsupported`].
///
/// # Safety
///
/// `run` passes the message to a function of a plugin that keeps the rules of the wire.
pub(super) unsafe fn call(
    kernel: &'static str,
    run: impl FnOnce(*mut Message) -> Status,
) -> Result<()> {
    let mut text = [MaybeUninit::uninit(); MESSAGE_BYTES];
    // SAFETY: the caller's promise.
    unsafe { call_with(&mut text, kernel, run) }
}

/// [`call`] with room for a long message: for what does not run per block.
///
/// # Safety
///
/// As for [`call`].
pub(super) unsafe fn call_at_length(
    what: &'static str,
    run: impl FnOnce(*mut Message) -> Status,
) -> Result<()> {
    let mut text = vec![MaybeUninit::uninit(); LONG_MESSAGE_BYTES];
    // SAFETY: the caller's promise.
    unsafe { call_with(&mut text, what, run) }
}

/// # Safety
///
/// As for [`call`].
unsafe fn call_with(
    text: &mut [MaybeUninit<u8>],
    kernel: &'static str,
    run: impl FnOnce(*mut Message) -> Status,
) -> Result<()> {
    let mut message = Message::new(text.as_mut_ptr().cast(), text.len());
    let floats = FloatControl::read();
    let status = run(&mut message);
    floats.restore();
    match status.kind() {
        None => Ok(()),
        // SAFETY: a plugin that keeps the rules has written as many bytes as it says.
        Some(kind) => Err(unsafe { message.error(kind, kernel) }),
    }
}

/// The error of a call into the accelerator `id`. One that says that the plugin's code broke names
/// the backend, so that whoever has another can go on with that one.
pub(super) fn blamed(id: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Panicked | ErrorKind::Plugin => {
            error.with("backend", format_args!("{}/{id}", <dyn Accelerator>::NAME))
        }
        _ => error,
    }
}

/// A function of a table, or the error that stands for NULL.
pub(super) fn offered<F>(function: Option<F>, kernel: &'static str) -> Result<F> {
    function.ok_or(Error::unsupported(kernel))
}
