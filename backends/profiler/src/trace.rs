//! `trace`: the histogram, and the last runs one by one.

use std::sync::Arc;

use auralis_core::profiler::{Event, Nanoseconds, Report};
use auralis_core::{
    CpuFeatures, Descriptor, NoOptions, Operation, OperationId, Profiler, register,
};

use crate::histogram::Histogram;
use crate::ring::Ring;

register! {
    Descriptor::<dyn Profiler> {
        id: "trace",
        summary: "The histogram, and the last runs one by one for a timeline",
        version: env!("CARGO_PKG_VERSION"),
        rank: 10,
        requires: CpuFeatures::NONE,
        capabilities: &["records", "events"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Trace {
                histogram: Histogram::new(),
                ring: Ring::new(context.settings.history),
            }))
        },
    }
}

#[derive(Debug)]
struct Trace {
    histogram: Histogram,
    ring: Ring,
}

impl Profiler for Trace {
    fn register(&self, operation: &Operation<'_>) -> OperationId {
        self.histogram.register(operation)
    }

    fn record(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds) {
        if self.histogram.knows(id) {
            self.histogram.record(id, start, end);
            self.ring.push(id, start, end);
        }
    }

    fn report(&self) -> Report {
        let mut report = self.histogram.report();
        report.memory_bytes += self.ring.bytes() + size_of::<Ring>();
        report
    }

    fn events(&self) -> Vec<Event> {
        self.ring.events()
    }
}
