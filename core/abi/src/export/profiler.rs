//! The table of profilers.

use std::time::Duration;

use auralis_core::profiler::{Event, OperationReport, Report};
use auralis_core::{Operation, OperationId, Profiler};

use super::Served;
use super::guard::{on_instance, store};
use super::serve::{keep, serve};
use crate::tables::{
    EventRecord, NO_PERIOD, NOT_COUNTED, OperationRecord, ProfilerV1, ReportRecord,
};
use crate::wire::{Instance, Message, Owned, Slice, Status, Text};

serve! {
    ProfilerV1: Profiler {
        register(profiler, name: Text, period_ns: u64) -> u32 {
            let operation = Operation {
                name: name.open_str()?,
                period: (period_ns != NO_PERIOD).then(|| Duration::from_nanos(period_ns)),
            };
            profiler.register(&operation).0
        }

        record(profiler, id: u32, start_ns: u64, end_ns: u64) {
            profiler.record(OperationId(id), start_ns, end_ns)
        }

        report(profiler) -> ReportRecord {
            profiler.report()
        }

        events(profiler) -> Owned<EventRecord> {
            let events: Vec<EventRecord> = profiler.events().into_iter().map(Into::into).collect();
            Owned::lend(events, |events| events)
        }
    }
}

/// Records with the names that they point to.
struct Named {
    records: Vec<OperationRecord>,
    _names: Vec<String>,
}

impl From<Report> for ReportRecord {
    fn from(report: Report) -> Self {
        let records = report.operations.iter().map(record).collect();
        let names = report.operations.into_iter().map(|row| row.name).collect();
        let named = Named {
            records,
            _names: names,
        };
        Self {
            operations: Owned::lend(named, |named| &named.records),
            memory_bytes: report.memory_bytes,
            unnamed: report.unnamed,
        }
    }
}

/// The record points to the name's bytes, which stay where they are when the name is moved.
fn record(row: &OperationReport) -> OperationRecord {
    OperationRecord {
        name: Slice::of(row.name.as_bytes()),
        count: row.count,
        total_ns: row.total_ns,
        mean_ns: row.mean_ns,
        standard_deviation_ns: row.standard_deviation_ns,
        min_ns: row.min_ns,
        max_ns: row.max_ns,
        p50_ns: row.p50_ns,
        p90_ns: row.p90_ns,
        p99_ns: row.p99_ns,
        p999_ns: row.p999_ns,
        deadline_misses: row.deadline_misses.unwrap_or(NOT_COUNTED),
        real_time_factor: row.real_time_factor.unwrap_or(f64::NAN),
    }
}

impl From<Event> for EventRecord {
    fn from(event: Event) -> Self {
        Self {
            operation: event.operation,
            thread: event.thread,
            start_ns: event.start_ns,
            end_ns: event.end_ns,
        }
    }
}
