//! Everything on the calling thread, last range first: shows what depends on an order.

use std::ops::Range;
use std::sync::Arc;

use auralis_core::executor::contain;
use auralis_core::{CpuFeatures, Descriptor, Executor, NoOptions, Result, register};

register! {
    Descriptor::<dyn Executor> {
        id: "reversed",
        summary: "Everything on the calling thread, last range first",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            context.options.parse::<NoOptions>()?;
            Ok(Arc::new(Reversed))
        },
    }
}

#[derive(Debug)]
struct Reversed;

impl Executor for Reversed {
    fn threads(&self) -> usize {
        1
    }

    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        let grain = grain.max(1);
        (0..len.div_ceil(grain))
            .rev()
            .fold(Ok(()), |outcome, piece| {
                contain(piece * grain..len.min((piece + 1) * grain), task).and(outcome)
            })
    }
}
