//! A backend that was built in a plugin, whatever its kind.

use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use auralis_core::{Error, Result};

use super::call::{call, call_or, fault};
use super::rejected;
use crate::FloatControl;
use crate::wire::{Instance, Message, Status};

/// How a plugin destroys an instance of the backend at `index`.
pub(super) type Destroy = unsafe extern "C" fn(index: usize, instance: *const Instance);

/// An instance in a plugin. Dropping it destroys the instance there.
pub struct RemoteInstance {
    pub(super) backend: Arc<str>,
    pub(super) variant: &'static str,
    pub(super) handle: NonNull<Instance>,
    pub(super) index: usize,
    pub(super) destroy: Destroy,
    pub(super) faults: AtomicU64,
    pub(super) said: AtomicBool,
}

// SAFETY: the rules of the wire let any thread call and destroy an instance.
unsafe impl Send for RemoteInstance {}
// SAFETY: the rules of the wire let any number of threads use an instance at once.
unsafe impl Sync for RemoteInstance {}

impl RemoteInstance {
    /// The backend's kind and id: `cache/acme`.
    pub(super) fn backend(&self) -> &Arc<str> {
        &self.backend
    }

    /// Runs a function on the instance.
    ///
    /// # Safety
    ///
    /// `run` calls a function of a table for instances of this kind, with arguments that live during
    /// the call.
    #[inline]
    pub(super) unsafe fn call(
        &self,
        function: &'static str,
        run: impl FnOnce(*const Instance, *mut Message) -> Status,
    ) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: the instance is alive until `self` is dropped; the rest is the caller's promise.
        unsafe { call(function, &self.backend, |message| run(handle, message)) }
    }

    /// [`RemoteInstance::call`] where one status is expected, and stands for an error that allocates
    /// nothing.
    ///
    /// # Safety
    ///
    /// As for [`RemoteInstance::call`].
    #[inline]
    pub(super) unsafe fn call_expecting(
        &self,
        function: &'static str,
        (expected, says): (Status, &'static str),
        run: impl FnOnce(*const Instance, *mut Message) -> Status,
    ) -> Result<()> {
        let handle = self.handle.as_ptr();
        // SAFETY: as in `call`; the error is read of the message that was just written.
        unsafe {
            call_or(
                |message| run(handle, message),
                |message, kind| match Some(kind) == expected.kind() {
                    true => Error::new(kind, says),
                    false => fault(message.error(kind, function), &self.backend),
                },
            )
        }
    }

    /// What became of a call whose method has no error to answer with: a fault is counted, and the
    /// first one is said in the log.
    pub(super) fn tolerate<T>(&self, outcome: Result<T>) -> Option<T> {
        outcome.map_err(|error| self.count(&error)).ok()
    }

    #[cold]
    fn count(&self, error: &Error) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        self.say(|| error.report());
    }

    /// Runs a function of which only a fault is of interest, on a real-time thread: it is counted,
    /// and [`RemoteInstance::say`] is for later. The plugin is given no room for a message.
    ///
    /// # Safety
    ///
    /// As for [`RemoteInstance::call`].
    #[inline]
    pub(super) unsafe fn count_fault(
        &self,
        run: impl FnOnce(*const Instance, *mut Message) -> Status,
    ) {
        let handle = self.handle.as_ptr();
        let (status, changed) = FloatControl::around(|| run(handle, ptr::null_mut()));
        if let Some(before) = changed {
            before.restore();
        }
        if status != Status::OK {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says in the log what fails, unless something was said before.
    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!(backend = &*self.backend, "a plugin fails: {}", what());
        }
    }

    /// How many calls have failed that [`RemoteInstance::tolerate`] and
    /// [`RemoteInstance::count_fault`] saw.
    pub(super) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// The error of an answer that no plugin which keeps the rules gives.
    #[cold]
    pub(super) fn wrong(&self, message: &'static str) -> Error {
        fault(rejected(message), &self.backend)
    }
}

impl Drop for RemoteInstance {
    fn drop(&mut self) {
        let floats = FloatControl::read();
        // SAFETY: the instance came from the `build` of the same table and index, and this is its
        // last use.
        unsafe { (self.destroy)(self.index, self.handle.as_ptr()) };
        floats.restore();
    }
}

impl fmt::Debug for RemoteInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteInstance({})", self.backend)
    }
}

/// Defines the functions of one table on one instance, of which none is missing.
///
/// All are unsafe for the same reason: what they are given must be what it claims to be during the
/// call.
macro_rules! calls {
    ($(#[$doc:meta])* $table:ident $id:literal {
        $($method:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*
    }) => {
        #[derive(Debug)]
        struct Calls {
            instance: RemoteInstance,
            $(
                $method: unsafe extern "C" fn(
                    instance: *const Instance,
                    $($argument: $type,)*
                    $(result: *mut $result,)?
                    message: *mut Message,
                ) -> Status,
            )*
        }

        #[allow(dead_code, reason = "a method may do without its ready-made call")]
        impl Calls {
            /// # Errors
            ///
            /// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) if the table or one of its
            /// functions is missing.
            fn new(instance: RemoteInstance, table: Option<&$table>) -> Result<Self> {
                let backend = Arc::clone(instance.backend());
                let lacking = |function: &str| {
                    let message = format!("the plugin's interface `{}` lacks `{function}`", $id);
                    fault(rejected(message), &backend)
                };
                let table = table.ok_or_else(|| fault(unserved($id), &backend))?;
                Ok(Self {
                    $($method: table.$method.ok_or_else(|| lacking(stringify!($method)))?,)*
                    instance,
                })
            }

            $(
                #[inline]
                unsafe fn $method(
                    &self,
                    $($argument: $type),*
                ) -> Result<returned!($($result)?)> {
                    let result = Cell::new(<returned!($($result)?)>::default());
                    // SAFETY: the function is of a table for this kind, the result outlives the
                    // call, the arguments are the caller's promise.
                    unsafe {
                        self.instance.call(stringify!($method), |instance, message| {
                            (self.$method)(
                                instance,
                                $($argument,)*
                                $(Cell::<$result>::as_ptr(&result),)?
                                message,
                            )
                        })
                    }?;
                    Ok(result.into_inner())
                }
            )*
        }
    };
}

macro_rules! returned {
    () => {
        ()
    };
    ($result:ty) => {
        $result
    };
}

pub(super) use {calls, returned};
