//! A backend of one's own: an executor that is registered and chosen by its id.

use std::ops::Range;
use std::sync::Arc;

use auralis::Optimizer;
use auralis::core::executor::contain;
use auralis::core::{CpuFeatures, Descriptor, Executor, NoOptions, Result, register};
use auralis::registry::config::Sources;

/// Works through a range from its end.
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
            // Every range runs; the error of the lowest one is told.
            outcome = contain(start..len.min(start + grain), task).and(outcome);
        }
        outcome
    }

    fn threads(&self) -> usize {
        1
    }
}

register! {
    Descriptor::<dyn Executor> {
        id: "backwards",
        summary: "Works through a range from its end",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: NoOptions::SCHEMA,
        build: |_| Ok(Arc::new(Backwards)),
    }
}

fn main() -> Result<()> {
    let sources = Sources {
        sets: vec!["executor.backend=backwards".into()],
        ..Sources::default()
    };
    let optimizer = Optimizer::builder().sources(sources).build()?;
    let order = std::sync::Mutex::new(Vec::new());
    let executor = &optimizer.parts().executor;
    executor.for_ranges(10, 4, &|range| {
        if let Ok(mut order) = order.lock() {
            order.push(range);
        }
    })?;
    let order = order.into_inner().unwrap_or_default();
    println!("{executor:?} ran {order:?}");
    assert_eq!(order, [8..10, 4..8, 0..4]);
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
