//! The executor `faulty`.

use std::ops::Range;
use std::sync::Arc;

use auralis_core::executor::contain;
use auralis_core::{CpuFeatures, Descriptor, Executor, Result, register};

use super::{SCHEMA, Switches, UNLUCKY, flush_to_zero};

#[derive(Debug)]
struct Faulty(#[allow(dead_code, reason = "it is there for its drop")] Switches);

register! {
    Descriptor::<dyn Executor> {
        id: "faulty",
        summary: "Panics over 13 indices, else goes backwards with another floating-point control",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: SCHEMA,
        build: |context| Ok(Arc::new(Faulty(Switches::of(context.options)?))),
    }
}

impl Executor for Faulty {
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        assert!(len != UNLUCKY, "{len} indices are unlucky");
        flush_to_zero();
        let grain = grain.max(1);
        let mut outcome = Ok(());
        for start in (0..len).step_by(grain).rev() {
            let ran = contain(start..(start + grain).min(len), task);
            outcome = ran.and(outcome);
        }
        outcome
    }

    fn threads(&self) -> usize {
        panic!("nobody knows")
    }
}
