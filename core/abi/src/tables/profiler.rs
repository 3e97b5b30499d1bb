//! The table of profilers.

use abi_stable::StableAbi;

use super::Interface;
use crate::kernel_table;
use crate::wire::{Instance, Message, Owned, Status, Text};

/// The `period_ns` of an operation without a period.
pub const NO_PERIOD: u64 = u64::MAX;

/// The `deadline_misses` of an operation without a period.
pub const NOT_COUNTED: u64 = u64::MAX;

/// [`auralis_core::profiler::OperationReport`] in wire form. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct OperationRecord {
    /// The name it was registered with. It lives as long as the list of records.
    pub name: Text,
    /// Runs.
    pub count: u64,
    /// The sum of all runs.
    pub total_ns: u64,
    /// The mean run.
    pub mean_ns: f64,
    /// The population standard deviation.
    pub standard_deviation_ns: f64,
    /// The shortest run.
    pub min_ns: u64,
    /// The longest run.
    pub max_ns: u64,
    /// The median.
    pub p50_ns: u64,
    /// The 90th percentile.
    pub p90_ns: u64,
    /// The 99th percentile.
    pub p99_ns: u64,
    /// The 99.9th percentile.
    pub p999_ns: u64,
    /// Runs that took longer than their period; [`NOT_COUNTED`] without a period.
    pub deadline_misses: u64,
    /// Time taken over playing time; NaN without a period.
    pub real_time_factor: f64,
}

/// [`auralis_core::profiler::Report`] in wire form.
#[derive(Clone, Copy, Debug, Default, StableAbi)]
#[repr(C)]
pub struct ReportRecord {
    /// One record per registered operation, in the order of registration. The host releases them.
    pub operations: Owned<OperationRecord>,
    /// The memory that the profiler holds, in bytes.
    pub memory_bytes: usize,
    /// Names that found the profiler full.
    pub unnamed: u64,
}

/// [`auralis_core::profiler::Event`] in wire form.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct EventRecord {
    /// The operation's index in the report.
    pub operation: u32,
    /// A small number per thread.
    pub thread: u32,
    /// When it began, by the host's clock.
    pub start_ns: u64,
    /// When it ended, by the host's clock.
    pub end_ns: u64,
}

/// Calls `$callback!` with the functions of `profiler/1`.
macro_rules! profiler_v1 {
    ($callback:ident) => {
        $callback! {
            /// The methods of [`auralis_core::Profiler`]. Periods and times are in nanoseconds; an
            /// operation without a period has [`NO_PERIOD`]. The host releases what `report` and
            /// `events` give.
            ProfilerV1 "profiler/1" {
                register(name: Text, period_ns: u64) -> u32;
                record(id: u32, start_ns: u64, end_ns: u64);
                report() -> ReportRecord;
                events() -> Owned<EventRecord>;
            }
        }
    };
}

pub(crate) use profiler_v1;

profiler_v1!(kernel_table);
