//! An executor in a plugin, behind the trait of core.

use std::cell::Cell;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
            len,
            grain: grain.max(1),
            covered: AtomicUsize::new(0),
            astray: AtomicBool::new(false),
            failed: Mutex::new(None),
        };
        let task = Task {
            context: ptr::from_ref(&running).cast(),
            call: Running::call,
        };
        // SAFETY: the context outlives the call, after which the plugin does not use it any more.
        unsafe { self.for_ranges(len, grain, task) }?;
        if !running.is_covered() {
            return Err(self
                .instance
                .wrong("the plugin's executor did not cover 0..len once"));
        }
        let failed = running.failed.into_inner();
        match failed.unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn threads(&self) -> usize {
        // SAFETY: the function takes nothing.
        let threads = unsafe { self.threads() };
        let none = || self.instance.wrong("the plugin's executor has no threads");
        let threads = threads.and_then(|threads| NonZeroUsize::new(threads).ok_or_else(none));
        self.instance.tolerate(threads).map_or(1, NonZeroUsize::get)
    }

    fn is_real_time(&self) -> bool {
        // SAFETY: the function takes nothing.
        let answer = unsafe { self.is_real_time() };
        self.instance.tolerate(answer).unwrap_or_default() != 0
    }
}

/// A task while the plugin runs it: its panics stay on this side, which could not catch them there,
/// and only ranges that keep the contract reach it.
struct Running<'a> {
    task: &'a (dyn Fn(Range<usize>) + Sync),
    floats: FloatControl,
    len: usize,
    grain: usize,
    /// The lengths of all ranges so far: `len` in the end, unless some were left out or came twice.
    covered: AtomicUsize,
    /// Whether a range was refused.
    astray: AtomicBool,
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
        if !running.admits(start, end) {
            return;
        }
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

    /// Whether the task may run over this range, which counts as covered if so. One that comes when
    /// everything is covered already has come twice.
    fn admits(&self, start: usize, end: usize) -> bool {
        let whole = end == self.len || end.is_multiple_of(self.grain);
        let ordered = start <= end && end <= self.len;
        let fits = ordered && whole && start.is_multiple_of(self.grain) && self.count(end - start);
        if !fits {
            self.astray.store(true, Ordering::Relaxed);
        }
        fits
    }

    /// Adds to what is covered, as long as it stays within `len`.
    fn count(&self, range: usize) -> bool {
        let sum = |covered: usize| covered.checked_add(range).filter(|sum| *sum <= self.len);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.covered.fetch_update(set, fetch, sum).is_ok()
    }

    /// Whether the ranges so far were all of `0..len`, as far as a sum can tell. The plugin's return
    /// comes after its calls, which orders them before this.
    fn is_covered(&self) -> bool {
        let covered = self.covered.load(Ordering::Relaxed);
        covered == self.len && !self.astray.load(Ordering::Relaxed)
    }

    #[cold]
    fn fail(&self, start: usize, error: Error) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.as_ref().is_none_or(|(lowest, _)| start < *lowest) {
            *failed = Some((start, error));
        }
    }
}
