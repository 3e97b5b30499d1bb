//! The executor `plugin-name`: piece after piece on the calling thread.

use std::ops::Range;
use std::sync::Arc;

use auralis_core::executor::contain;
use auralis_core::{CpuFeatures, Descriptor, Executor, NoOptions, Result, register};

// Exports what this crate registers: the whole difference between a library and a plugin.
auralis_abi::export_plugin!();

register! {
    Descriptor::<dyn Executor> {
        // The name by which a configuration asks for it.
        id: "plugin-name",
        summary: "Piece after piece on the calling thread",
        version: env!("CARGO_PKG_VERSION"),
        // Negative: only by name. Above those of `auralis backends`: the default of its users.
        rank: -1,
        requires: CpuFeatures::NONE,
        // What holds of it: "real_time" (no allocation, no lock), "parallel" (works at once on
        // two threads and more). `plugin check` tries what is listed.
        capabilities: &["real_time"],
        options_schema: NoOptions::SCHEMA,
        // `context.settings.resolved_threads()` is how many threads its users allow.
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(InOrder))
        },
    }
}

/// What is built once and then called from any thread.
#[derive(Debug)]
struct InOrder;

impl Executor for InOrder {
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        let grain = grain.max(1);
        let mut outcome = Ok(());
        // Edges at multiples of the grain give the same bits on every executor.
        for start in (0..len).step_by(grain) {
            let end = start.saturating_add(grain).min(len);
            // `contain` makes an error of a panic. All ranges run; the lowest one's error is told.
            outcome = outcome.and(contain(start..end, task));
        }
        outcome
    }

    fn threads(&self) -> usize {
        1
    }

    fn is_real_time(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_piece_runs_and_the_first_panic_is_told() {
        let seen = Mutex::new(Vec::new());
        let outcome = InOrder.for_ranges(5, 2, &|range| {
            seen.lock().unwrap().push(range.clone());
            if range.start > 0 {
                std::panic::resume_unwind(Box::new("planted"));
            }
        });
        let told = outcome.unwrap_err().report();
        assert!(told.contains("2..4"), "{told}");
        // A panicking task poisons the lock that it holds, not the executor.
        let seen = seen.into_inner().unwrap_or_else(|e| e.into_inner());
        assert_eq!(seen, [0..2, 2..4, 4..5]);
    }
}
