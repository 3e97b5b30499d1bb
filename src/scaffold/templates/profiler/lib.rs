//! The profiler `plugin-name`: exact totals, percentiles to 3 %, in fixed memory per operation.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use auralis_core::profiler::{Nanoseconds, OperationReport, Report};
use auralis_core::{
    CpuFeatures, Descriptor, NoOptions, Operation, OperationId, Profiler, register,
};

// Exports what this crate registers: the whole difference between a library and a plugin.
auralis_abi::export_plugin!();

register! {
    Descriptor::<dyn Profiler> {
        // The name by which a configuration asks for it.
        id: "plugin-name",
        summary: "Exact totals, percentiles to 3 %, in fixed memory",
        version: env!("CARGO_PKG_VERSION"),
        // Negative: only by name. Above those of `auralis backends`: the default of its users.
        rank: -1,
        requires: CpuFeatures::NONE,
        // What holds of it: "records" (reports what it was told), "events" (keeps the last runs
        // one by one). `plugin check` tries what is listed.
        capabilities: &["records"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Sums::default()))
        },
    }
}

/// Operations that have a row of their own; further names share one more.
const NAMED: usize = 512;
const OTHER: &str = "(other)";

/// What is built once and then called from any thread, a real-time thread included.
#[derive(Debug)]
struct Sums {
    /// A row is made when it is registered, so that `record` neither allocates nor locks.
    rows: Box<[OnceLock<Row>]>,
    registered: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    count: usize,
    unnamed: u64,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            rows: (0..=NAMED).map(|_| OnceLock::new()).collect(),
            registered: Mutex::default(),
        }
    }
}

impl Profiler for Sums {
    fn register(&self, operation: &Operation<'_>) -> OperationId {
        let mut registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let named = |row: &OnceLock<Row>| row.get().is_some_and(|r| r.name == operation.name);
        if let Some(index) = self.rows[..registered.count].iter().position(named) {
            return OperationId(index as u32);
        }
        let index = registered.count;
        if index == NAMED {
            registered.unnamed += 1;
            self.rows[NAMED].get_or_init(|| Row::new(&Operation::named(OTHER)));
        } else {
            registered.count += 1;
            self.rows[index].get_or_init(|| Row::new(operation));
        }
        OperationId(index as u32)
    }

    fn record(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds) {
        if let Some(row) = self.rows.get(id.0 as usize).and_then(OnceLock::get) {
            row.record(end.saturating_sub(start));
        }
    }

    fn report(&self) -> Report {
        let registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let rows = || self.rows.iter().filter_map(OnceLock::get);
        let of_rows = |row: &Row| row.name.len() + size_of_val(&*row.buckets);
        Report {
            operations: rows().map(Row::report).collect(),
            memory_bytes: size_of::<Self>()
                + size_of_val(&*self.rows)
                + rows().map(of_rows).sum::<usize>(),
            unnamed: registered.unnamed,
        }
    }
}

/// The runs of one operation.
#[derive(Debug)]
struct Row {
    name: String,
    period: Option<Nanoseconds>,
    count: AtomicU64,
    total: AtomicU64,
    /// The bits of an `f64`: squares of nanoseconds soon need more than 64 bits.
    squares: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    misses: AtomicU64,
    /// Runs by length: 32 buckets to the octave.
    buckets: Box<[AtomicU64]>,
}

impl Row {
    fn new(operation: &Operation<'_>) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            name: operation.name.into(),
            period: operation.period.map(|p| p.as_nanos() as Nanoseconds),
            count: zero(),
            total: zero(),
            squares: zero(),
            min: AtomicU64::new(u64::MAX),
            max: zero(),
            misses: zero(),
            buckets: (0..=bucket(u64::MAX)).map(|_| zero()).collect(),
        }
    }

    fn record(&self, took: u64) {
        self.buckets[bucket(took)].fetch_add(1, Relaxed);
        self.count.fetch_add(1, Relaxed);
        self.total.fetch_add(took, Relaxed);
        self.min.fetch_min(took, Relaxed);
        self.max.fetch_max(took, Relaxed);
        if self.period.is_some_and(|period| took > period) {
            self.misses.fetch_add(1, Relaxed);
        }
        let add = |bits| Some((f64::from_bits(bits) + (took as f64).powi(2)).to_bits());
        // The closure never declines.
        let _ = self.squares.fetch_update(Relaxed, Relaxed, add);
    }

    fn report(&self) -> OperationReport {
        let (count, total) = (self.count.load(Relaxed), self.total.load(Relaxed));
        let runs = count.max(1) as f64;
        let mean = total as f64 / runs;
        let squares = f64::from_bits(self.squares.load(Relaxed));
        let playing = self.period.map(|period| period as f64 * count as f64);
        let share = |playing: f64| {
            if playing > 0.0 {
                total as f64 / playing
            } else {
                0.0
            }
        };
        let max = self.max.load(Relaxed);
        OperationReport {
            name: self.name.clone(),
            count,
            total_ns: total,
            mean_ns: mean,
            standard_deviation_ns: (squares / runs - mean * mean).max(0.0).sqrt(),
            min_ns: self.min.load(Relaxed).min(max),
            max_ns: max,
            p50_ns: self.percentile(0.5),
            p90_ns: self.percentile(0.9),
            p99_ns: self.percentile(0.99),
            p999_ns: self.percentile(0.999),
            deadline_misses: self.period.map(|_| self.misses.load(Relaxed)),
            real_time_factor: playing.map(share),
        }
    }

    /// The least length that `fraction` of the runs do not exceed; 0 of none.
    fn percentile(&self, fraction: f64) -> u64 {
        let counts: Vec<u64> = self
            .buckets
            .iter()
            .map(|count| count.load(Relaxed))
            .collect();
        let all: u64 = counts.iter().sum();
        let rank = (fraction * all as f64).ceil() as u64;
        let mut seen = 0;
        let found = counts.iter().position(|count| {
            seen += count;
            seen >= rank.max(1)
        });
        let (min, max) = (self.min.load(Relaxed), self.max.load(Relaxed));
        found.map_or(0, |index| middle(index).clamp(min.min(max), max))
    }
}

/// The bucket of a length: its octave, and the five bits after its first one.
fn bucket(took: u64) -> usize {
    let shift = took.max(32).ilog2() - 5;
    32 * shift as usize + (took >> shift) as usize
}

/// The middle of a bucket: the reverse of [`bucket`].
fn middle(index: usize) -> u64 {
    let shift = (index / 32).saturating_sub(1);
    let low = ((index - 32 * shift) as u64) << shift;
    low + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_summed() {
        let sums = Sums::default();
        let id = sums.register(&Operation::named("block"));
        for took in [10, 20, 60] {
            sums.record(id, 1000, 1000 + took);
        }
        let row = &sums.report().operations[0];
        assert_eq!((row.count, row.total_ns, row.mean_ns), (3, 90, 30.0));
        assert_eq!((row.min_ns, row.p50_ns, row.max_ns), (10, 20, 60));
    }

    #[test]
    fn the_middle_of_a_bucket_lies_in_it() {
        for took in [0, 1, 31, 32, 63, 64, 1000, 123_456_789, u64::MAX] {
            let middle = middle(bucket(took));
            assert_eq!(bucket(middle), bucket(took), "{took}");
        }
    }
}
