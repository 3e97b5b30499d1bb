//! Executors: one piece of work over a range of indices, on one thread or many.

use std::any::Any;
use std::fmt::Debug;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Kind, Result};

/// Runs a task over ranges of indices.
///
/// # Contract
///
/// - `for_ranges(len, grain, task)` calls `task` with ranges that cover `0..len` once each, then
///   returns. Every range starts at a multiple of `grain` and ends at one or at `len`, whatever the
///   number of threads: a task whose result per grain depends on nothing else gives the same bits
///   on every executor. Nothing is said of the order. A grain of 0 counts as 1.
/// - A task that panics ends as an error that names its range; the other ranges still run, and the
///   executor stays usable.
/// - A task may call the same executor: nested calls do not deadlock.
/// - Threads start when they are first needed, are the executor's own, and end when it is dropped.
pub trait Executor: Debug + Send + Sync {
    /// Calls `task` with ranges that cover `0..len`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Panicked`] with the range of a task that panicked, the lowest one if several
    /// did.
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()>;

    /// The number of threads that may work at once, the caller's included.
    fn threads(&self) -> usize;

    /// Whether `for_ranges` may be called on a real-time thread once it has run before: it then
    /// allocates nothing and takes no lock.
    fn is_real_time(&self) -> bool {
        false
    }
}

/// What the configuration says to every executor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutorSettings {
    /// Threads that may work at once; 0: one per core.
    pub threads: usize,
    /// Helper threads of the `pinned` executor, beside the caller.
    pub helpers: usize,
}

impl Default for ExecutorSettings {
    fn default() -> Self {
        Self {
            threads: 0,
            helpers: 2,
        }
    }
}

impl ExecutorSettings {
    /// The number of threads asked for, with 0 resolved to the number of cores.
    pub fn resolved_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }
}

impl Kind for dyn Executor {
    const NAME: &'static str = "executor";
    type Settings = ExecutorSettings;
}

/// Runs `task` over `range` and turns a panic into an error that names the range: what every
/// executor does around a task.
///
/// # Errors
///
/// [`ErrorKind::Panicked`] with the range and what the panic said.
pub fn contain(range: Range<usize>, task: &(dyn Fn(Range<usize>) + Sync)) -> Result<()> {
    catch_unwind(AssertUnwindSafe(|| task(range.clone()))).map_err(|payload| {
        Error::new(ErrorKind::Panicked, "a task panicked")
            .with("range", format_args!("{}..{}", range.start, range.end))
            .with("panic", panic_message(&*payload))
    })
}

/// What a caught panic said.
pub fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "a panic without a message"
    }
}

/// Conveniences over any [`Executor`].
pub trait ExecutorExt: Executor {
    /// Runs two closures, at the same time where there are threads.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Panicked`] if one panicked.
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> Result<(A, B)> {
        let (a, b) = (Once::new(a), Once::new(b));
        self.for_ranges(2, 1, &|range| {
            for index in range {
                if index == 0 { a.run() } else { b.run() }
            }
        })?;
        Ok((a.into_output()?, b.into_output()?))
    }

    /// Calls `f` for every index and collects the results in order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Panicked`] if a call panicked.
    fn map<T: Send>(&self, len: usize, f: impl Fn(usize) -> T + Sync) -> Result<Vec<T>> {
        let slots: Vec<Mutex<Option<T>>> = (0..len).map(|_| Mutex::new(None)).collect();
        self.for_ranges(len, 1, &|range| {
            for index in range {
                *lock(&slots[index]) = Some(f(index));
            }
        })?;
        slots
            .into_iter()
            .map(|slot| filled(into_inner(slot)))
            .collect()
    }

    /// Calls `f` for every index and collects a result per item: one that fails or panics leaves
    /// the others alone.
    fn try_map<T: Send>(
        &self,
        len: usize,
        f: impl Fn(usize) -> Result<T> + Sync,
    ) -> Vec<Result<T>> {
        let contained = |index| {
            catch_unwind(AssertUnwindSafe(|| f(index))).unwrap_or_else(|payload| {
                Err(Error::new(ErrorKind::Panicked, "a task panicked")
                    .with("item", index)
                    .with("panic", panic_message(&*payload)))
            })
        };
        match self.map(len, contained) {
            Ok(results) => results,
            Err(error) => (0..len).map(|_| Err(error.duplicate())).collect(),
        }
    }
}

impl<E: Executor + ?Sized> ExecutorExt for E {}

/// A closure that runs once, from whichever thread gets to it.
struct Once<F, T> {
    closure: Mutex<Option<F>>,
    output: Mutex<Option<T>>,
}

impl<F: FnOnce() -> T, T> Once<F, T> {
    fn new(closure: F) -> Self {
        Self {
            closure: Mutex::new(Some(closure)),
            output: Mutex::new(None),
        }
    }

    fn run(&self) {
        let closure = lock(&self.closure).take();
        if let Some(closure) = closure {
            *lock(&self.output) = Some(closure());
        }
    }

    fn into_output(self) -> Result<T> {
        filled(into_inner(self.output))
    }
}

/// A lock without poisoning: a panicking task is reported by its executor, not by its neighbours.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn filled<T>(slot: Option<T>) -> Result<T> {
    slot.ok_or_else(|| {
        Error::new(
            ErrorKind::Panicked,
            "the executor left a part of the range out",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Backwards;

    impl Executor for Backwards {
        fn for_ranges(
            &self,
            len: usize,
            grain: usize,
            task: &(dyn Fn(Range<usize>) + Sync),
        ) -> Result<()> {
            let grain = grain.max(1);
            let mut outcome = Ok(());
            for start in (0..len).step_by(grain).rev() {
                let ran = contain(start..(start + grain).min(len), task);
                outcome = ran.and(outcome);
            }
            outcome
        }

        fn threads(&self) -> usize {
            1
        }
    }

    #[test]
    fn results_come_in_the_order_of_their_index() {
        assert_eq!(Backwards.map(4, |i| i * i).unwrap(), [0, 1, 4, 9]);
        assert_eq!(Backwards.join(|| "a", || 2).unwrap(), ("a", 2));
    }

    #[test]
    fn a_panic_is_the_error_of_its_item() {
        let results = Backwards.try_map(3, |i| {
            assert!(i != 1, "one is odd");
            Ok(i)
        });
        assert_eq!(*results[0].as_ref().unwrap(), 0);
        assert_eq!(*results[2].as_ref().unwrap(), 2);
        let error = results[1].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panicked);
        assert_eq!(
            error.to_string(),
            "a task panicked (item: 1, panic: one is odd)"
        );
        let error = Backwards
            .join(|| 1, || -> i32 { panic!("no") })
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a task panicked (range: 1..2, panic: no)"
        );
    }
}
