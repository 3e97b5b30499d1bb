//! The table of executors.

use auralis_core::Executor;

use super::Served;
use super::guard::{on_instance, store};
use super::serve::{keep, serve};
use crate::tables::{ExecutorV1, Task};
use crate::wire::{Instance, Message, Status};

serve! {
    ExecutorV1: Executor {
        for_ranges(executor, len: usize, grain: usize, task: Task) {
            let task = Shared(task);
            executor.for_ranges(len, grain, &|range| task.run(range.start, range.end))?
        }

        threads(executor) -> usize {
            executor.threads()
        }

        is_real_time(executor) -> u8 {
            executor.is_real_time()
        }
    }
}

/// A task that any thread may run.
struct Shared(Task);

// SAFETY: the rules of the wire let any thread call a task, several at once.
unsafe impl Sync for Shared {}

impl Shared {
    fn run(&self, start: usize, end: usize) {
        // SAFETY: the context lives until the `for_ranges` that this is a part of returns.
        unsafe { (self.0.call)(self.0.context, start, end) }
    }
}
