//! An executor in a plugin, behind the trait of core.

use std::cell::Cell;
use std::ffi::c_void;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use auralis_core::executor::contain;
use auralis_core::{Error, ErrorKind, Executor, Result};

use super::call::fault;
use super::instance::{RemoteInstance, calls, returned};
use super::{Remote, Tables, rejected, unserved};
use crate::FloatControl;
use crate::tables::{ExecutorV1, Task, executor_v1};
use crate::wire::{Instance, Message, Status};

executor_v1!(calls);

impl Remote for dyn Executor {
    fn connect(instance: RemoteInstance, tables: &Tables) -> Result<Arc<Self>> {
        Ok(Arc::new(Calls::new(instance, tables.executor)?))
    }
}

impl Executor for Calls {
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        let running = Running {
            task,
            floats: FloatControl::read(),
            failed: Mutex::new(None),
        };
        let task = Task {
            context: ptr::from_ref(&running).cast(),
            call: Running::call,
        };
        // SAFETY: the context outlives the call, after which the plugin does not use it any more.
        unsafe { self.for_ranges(len, grain, task) }?;
        let failed = running.failed.into_inner();
        match failed.unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn threads(&self) -> usize {
        // SAFETY: the function takes nothing.
        let threads = unsafe { self.threads() };
        self.instance.tolerate(threads).unwrap_or(1)
    }

    fn is_real_time(&self) -> bool {
        // SAFETY: the function takes nothing.
        let answer = unsafe { self.is_real_time() };
        self.instance.tolerate(answer).unwrap_or_default() != 0
    }
}

/// A task while the plugin runs it: its panics stay on this side, which could not catch them there.
struct Running<'a> {
    task: &'a (dyn Fn(Range<usize>) + Sync),
    floats: FloatControl,
    /// Where the lowest range that panicked starts, and its error. Only a panic takes the lock.
    failed: Mutex<Option<(usize, Error)>>,
}

impl Running<'_> {
    /// # Safety
    ///
    /// `context` points to a `Running` that outlives the call.
    unsafe extern "C" fn call(context: *const c_void, start: usize, end: usize) {
        // SAFETY: the caller's promise; only shared references to it exist.
        let running = unsafe { &*context.cast::<Running<'_>>() };
        // The thread may be the plugin's own.
        running.floats.restore();
        // The payload of a panic may panic itself when it is dropped.
        let outcome = catch_unwind(AssertUnwindSafe(|| contain(start..end, running.task)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => running.fail(start, error),
            Err(payload) => {
                std::mem::forget(payload);
                let error = Error::new(ErrorKind::Panicked, "a task panicked");
                running.fail(start, error.with("range", format_args!("{start}..{end}")));
            }
        }
    }

    #[cold]
    fn fail(&self, start: usize, error: Error) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.as_ref().is_none_or(|(lowest, _)| start < *lowest) {
            *failed = Some((start, error));
        }
    }
}
