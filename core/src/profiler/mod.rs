//! Profilers: how long each operation took, in bounded memory.

mod export;

use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Kind;

/// Collects the durations of named operations.
///
/// # Contract
///
/// - `register` may allocate and lock; it gives the same handle for the same name. Once a profiler
///   is full, further names share one handle, and the report says so.
/// - `record` is real-time safe: no allocation, no lock, no system call, on any thread.
/// - Memory is bounded; the report states it. Totals are of everything recorded, not of a window.
pub trait Profiler: Debug + Send + Sync {
    /// A handle for an operation.
    fn register(&self, operation: &Operation<'_>) -> OperationId;

    /// Records one run of an operation, by the host's clock: see [`now`].
    fn record(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds);

    /// What was recorded so far.
    fn report(&self) -> Report;

    /// The last recorded runs one by one, oldest first, for a timeline. Empty where the backend
    /// keeps none.
    fn events(&self) -> Vec<Event> {
        Vec::new()
    }
}

/// Nanoseconds on the host's monotonic clock.
pub type Nanoseconds = u64;

/// The host's monotonic clock: nanoseconds since its first use in this process.
pub fn now() -> Nanoseconds {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as Nanoseconds
}

/// What is registered with a profiler.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The name, unique within a profiler; `/` separates a parent from its part.
    pub name: &'a str,
    /// The playing time of the audio that one run stands for: its deadline in a real-time callback,
    /// and the base of the real-time factor.
    pub period: Option<Duration>,
}

impl<'a> Operation<'a> {
    /// An operation without a deadline.
    pub const fn named(name: &'a str) -> Self {
        Self { name, period: None }
    }
}

/// A handle to a registered operation of one profiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OperationId(pub u32);

/// What the configuration says to every profiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilerSettings {
    /// How many of the last runs a backend that keeps a timeline keeps.
    pub history: usize,
}

impl Default for ProfilerSettings {
    fn default() -> Self {
        Self { history: 1000 }
    }
}

/// What a profiler saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// One row per registered operation, in the order of registration, those that never ran included.
    pub operations: Vec<OperationReport>,
    /// The memory that the profiler holds, in bytes.
    pub memory_bytes: usize,
    /// Names that found the profiler full and share a row named `(other)`.
    pub unnamed: u64,
}

/// The runs of one operation. Times are in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationReport {
    /// The name it was registered with.
    pub name: String,
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
    /// The median, to the backend's stated resolution; so are the other percentiles.
    pub p50_ns: u64,
    /// The 90th percentile.
    pub p90_ns: u64,
    /// The 99th percentile.
    pub p99_ns: u64,
    /// The 99.9th percentile.
    pub p999_ns: u64,
    /// Runs that took longer than their period; `None` without a period.
    pub deadline_misses: Option<u64>,
    /// Time taken over playing time: 0.1 is ten times faster than real time; `None` without a period.
    pub real_time_factor: Option<f64>,
}

/// One recorded run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The operation's index in [`Report::operations`].
    pub operation: u32,
    /// A small number per thread.
    pub thread: u32,
    /// When it began.
    pub start_ns: Nanoseconds,
    /// When it ended.
    pub end_ns: Nanoseconds,
}

/// Conveniences over any [`Profiler`].
pub trait ProfilerExt: Profiler {
    /// Runs `f` and records how long it took, even where it panics.
    fn time<T>(&self, id: OperationId, f: impl FnOnce() -> T) -> T {
        struct Running<'a, P: Profiler + ?Sized>(&'a P, OperationId, Nanoseconds);

        impl<P: Profiler + ?Sized> Drop for Running<'_, P> {
            fn drop(&mut self) {
                self.0.record(self.1, self.2, now());
            }
        }

        let _running = Running(self, id, now());
        f()
    }
}

impl<P: Profiler + ?Sized> ProfilerExt for P {}

impl Kind for dyn Profiler {
    const NAME: &'static str = "profiler";
    type Settings = ProfilerSettings;
}
