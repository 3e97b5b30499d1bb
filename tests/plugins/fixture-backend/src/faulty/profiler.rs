//! The profiler `faulty`.

use std::sync::Arc;

use auralis_core::profiler::{Event, Report};
use auralis_core::{CpuFeatures, Descriptor, Operation, OperationId, Profiler, register};

use super::{SCHEMA, Switches, UNLUCKY, flush_to_zero};

#[derive(Debug)]
struct Faulty(#[allow(dead_code, reason = "it is there for its drop")] Switches);

register! {
    Descriptor::<dyn Profiler> {
        id: "faulty",
        summary: "Panics over the operation 13 and when it is asked for events",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: SCHEMA,
        build: |context| Ok(Arc::new(Faulty(Switches::of(context.options)?))),
    }
}

impl Profiler for Faulty {
    fn register(&self, operation: &Operation<'_>) -> OperationId {
        OperationId(operation.name.len() as u32)
    }

    fn record(&self, id: OperationId, _: u64, _: u64) {
        flush_to_zero();
        assert!(id.0 as usize != UNLUCKY, "operation {} is unlucky", id.0);
    }

    fn report(&self) -> Report {
        Report {
            unnamed: 6,
            ..Report::default()
        }
    }

    fn events(&self) -> Vec<Event> {
        panic!("nobody remembers")
    }
}
