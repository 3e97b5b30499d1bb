//! The executor `faulty`.

use std::ops::Range;
use std::sync::Arc;

use auralis_core::executor::contain;
use auralis_core::{CpuFeatures, Descriptor, Executor, Result, register};

use super::{SCHEMA, Switches, UNLUCKY, flush_to_zero};

#[derive(Debug)]
struct Faulty(Switches);

/// Numbers of indices with which the last range goes astray.
const LEAVES_OUT: usize = 14;
const GOES_BEYOND: usize = 15;
const GOES_TWICE: usize = 16;
const OFF_THE_GRAIN: usize = 17;

register! {
    Descriptor::<dyn Executor> {
        id: "faulty",
        summary: "Panics over 13 indices, goes astray over 14 to 17, else goes backwards",
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
            let range = start..(start + grain).min(len);
            for range in led_astray(len, range).into_iter().flatten() {
                outcome = contain(range, task).and(outcome);
            }
        }
        outcome
    }

    fn threads(&self) -> usize {
        self.0.threads.expect("nobody knows")
    }
}

/// What becomes of a range.
fn led_astray(len: usize, range: Range<usize>) -> [Option<Range<usize>>; 2] {
    let Range { start, end } = range;
    match len {
        _ if end < len => [Some(range), None],
        LEAVES_OUT => [None, None],
        GOES_BEYOND => [Some(start..end + 1), None],
        GOES_TWICE => [Some(range.clone()), Some(range)],
        OFF_THE_GRAIN => [Some(start + 1..end), Some(start..start + 1)],
        _ => [Some(range), None],
    }
}
