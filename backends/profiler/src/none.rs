//! `none`: measures nothing; the reference for what measuring costs.

use std::sync::Arc;

use auralis_core::profiler::{Nanoseconds, Report};
use auralis_core::{
    CpuFeatures, Descriptor, NoOptions, Operation, OperationId, Profiler, register,
};

register! {
    Descriptor::<dyn Profiler> {
        id: "none",
        summary: "Measures nothing; the reference for what measuring costs",
        version: env!("CARGO_PKG_VERSION"),
        rank: 0,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Nothing))
        },
    }
}

#[derive(Debug)]
struct Nothing;

impl Profiler for Nothing {
    fn register(&self, _operation: &Operation<'_>) -> OperationId {
        OperationId(0)
    }

    fn record(&self, _id: OperationId, _start: Nanoseconds, _end: Nanoseconds) {}

    fn report(&self) -> Report {
        Report {
            memory_bytes: size_of::<Self>(),
            ..Report::default()
        }
    }
}
