//! `sequential`: the whole range on the calling thread; the reference.

use std::ops::Range;
use std::sync::Arc;

use auralis_core::executor::contain;
use auralis_core::{CpuFeatures, Descriptor, Executor, NoOptions, Result, register};

register! {
    Descriptor::<dyn Executor> {
        id: "sequential",
        summary: "Everything on the calling thread; the reference",
        version: env!("CARGO_PKG_VERSION"),
        rank: 0,
        requires: CpuFeatures::NONE,
        capabilities: &["real_time"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Sequential))
        },
    }
}

#[derive(Debug)]
struct Sequential;

impl Executor for Sequential {
    fn for_ranges(
        &self,
        len: usize,
        _grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        run_here(len, task)
    }

    fn threads(&self) -> usize {
        1
    }

    fn is_real_time(&self) -> bool {
        true
    }
}

/// Runs the whole range, as one piece, on the calling thread.
pub fn run_here(len: usize, task: &(dyn Fn(Range<usize>) + Sync)) -> Result<()> {
    if len == 0 {
        Ok(())
    } else {
        contain(0..len, task)
    }
}
