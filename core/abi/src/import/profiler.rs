//! A profiler in a plugin, behind the trait of core.

use std::cell::Cell;
use std::sync::Arc;

use auralis_core::profiler::{Event, OperationReport, Report};
use auralis_core::{Operation, OperationId, Profiler, Result};

use super::call::fault;
use super::instance::{RemoteInstance, calls, returned};
use super::{Remote, Tables, rejected, unserved};
use crate::tables::{
    EventRecord, NO_PERIOD, NOT_COUNTED, OperationRecord, ProfilerV1, ReportRecord, profiler_v1,
};
use crate::wire::{Instance, Message, Owned, Slice, Status, Text};

profiler_v1!(calls);

impl Remote for dyn Profiler {
    fn connect(instance: RemoteInstance, tables: &Tables) -> Result<Arc<Self>> {
        Ok(Arc::new(Calls::new(instance, tables.profiler)?))
    }
}

/// After a fault nothing more is recorded. `record` may run on a real-time thread: a fault of it is
/// only counted there, and said when the report is asked for.
impl Profiler for Calls {
    fn register(&self, operation: &Operation<'_>) -> OperationId {
        let name = Slice::of(operation.name.as_bytes());
        let period = operation.period.map_or(NO_PERIOD, |period| {
            u64::try_from(period.as_nanos()).map_or(NO_PERIOD - 1, |ns| ns.min(NO_PERIOD - 1))
        });
        // SAFETY: the name lives during the call.
        let id = unsafe { self.register(name, period) };
        OperationId(self.instance.tolerate(id).unwrap_or(u32::MAX))
    }

    fn record(&self, id: OperationId, start: u64, end: u64) {
        if self.instance.faults() == 0 {
            let record = self.record;
            // SAFETY: the function is of a table for this kind, and numbers are what they are.
            unsafe {
                self.instance
                    .count_fault(|instance, message| record(instance, id.0, start, end, message));
            }
        }
    }

    fn report(&self) -> Report {
        if self.instance.faults() > 0 {
            let what = "its profiler failed, and has recorded nothing since";
            self.instance.say(|| what.to_owned());
        }
        // SAFETY: the function takes nothing.
        let report = unsafe { self.report() };
        // SAFETY: the plugin keeps the rules of the wire: the records are what they claim to be.
        let report = report.and_then(|record| unsafe { opened(&record) });
        self.instance.tolerate(report).unwrap_or_default()
    }

    fn events(&self) -> Vec<Event> {
        // SAFETY: the function takes nothing.
        let events = unsafe { self.events() };
        // SAFETY: as above.
        let events = events.and_then(|events| unsafe { events.take() });
        let events = self.instance.tolerate(events);
        let records = events.iter().flat_map(AsRef::as_ref);
        records.copied().map(Event::from).collect()
    }
}

/// # Safety
///
/// The records are what they claim to be, and ours to release.
unsafe fn opened(report: &ReportRecord) -> Result<Report> {
    // SAFETY: the caller's promise.
    let records = unsafe { report.operations.take() }?;
    // SAFETY: a name lives as long as the records do.
    let rows = records.as_ref().iter().map(|record| unsafe { row(record) });
    Ok(Report {
        operations: rows.collect::<Result<_>>()?,
        memory_bytes: report.memory_bytes,
        unnamed: report.unnamed,
    })
}

/// # Safety
///
/// The record's name is what it claims to be.
unsafe fn row(record: &OperationRecord) -> Result<OperationReport> {
    let factor = record.real_time_factor;
    Ok(OperationReport {
        // SAFETY: the caller's promise.
        name: unsafe { record.name.open_str() }?.into(),
        count: record.count,
        total_ns: record.total_ns,
        mean_ns: record.mean_ns,
        standard_deviation_ns: record.standard_deviation_ns,
        min_ns: record.min_ns,
        max_ns: record.max_ns,
        p50_ns: record.p50_ns,
        p90_ns: record.p90_ns,
        p99_ns: record.p99_ns,
        p999_ns: record.p999_ns,
        deadline_misses: (record.deadline_misses != NOT_COUNTED).then_some(record.deadline_misses),
        real_time_factor: (!factor.is_nan()).then_some(factor),
    })
}

impl From<EventRecord> for Event {
    fn from(event: EventRecord) -> Self {
        Self {
            operation: event.operation,
            thread: event.thread,
            start_ns: event.start_ns,
            end_ns: event.end_ns,
        }
    }
}
