//! `histogram`: exact totals and percentiles of every operation, in fixed memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use auralis_core::profiler::{Nanoseconds, OperationReport, Report};
use auralis_core::{
    CpuFeatures, Descriptor, NoOptions, Operation, OperationId, Profiler, register,
};

use crate::buckets::Buckets;

register! {
    Descriptor::<dyn Profiler> {
        id: "histogram",
        summary: "Exact totals and percentiles (to 3.2 %) in fixed memory, always on",
        version: env!("CARGO_PKG_VERSION"),
        rank: 20,
        requires: CpuFeatures::NONE,
        capabilities: &["records"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Histogram::new()))
        },
    }
}

/// Operations that have a row of their own.
pub const OPERATIONS: usize = 1024;
/// The row that all further names share.
const OTHER: u32 = OPERATIONS as u32;
const OTHER_NAME: &str = "(other)";

/// A table per operation, made when it is registered; the last one is for names that came late.
#[derive(Debug)]
pub struct Histogram {
    tables: Box<[OnceLock<Table>]>,
    names: Mutex<Names>,
}

#[derive(Debug, Default)]
struct Names {
    by_name: HashMap<String, u32>,
    unnamed: u64,
}

impl Histogram {
    /// A profiler without operations.
    pub fn new() -> Self {
        Self {
            tables: (0..=OPERATIONS).map(|_| OnceLock::new()).collect(),
            names: Mutex::default(),
        }
    }

    /// Whether `id` was given out by this profiler.
    pub fn knows(&self, id: OperationId) -> bool {
        self.table(id).is_some()
    }

    /// The row of an operation, if it is registered.
    fn table(&self, id: OperationId) -> Option<&Table> {
        self.tables.get(id.0 as usize)?.get()
    }
}

impl Profiler for Histogram {
    fn register(&self, operation: &Operation<'_>) -> OperationId {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&id) = names.by_name.get(operation.name) {
            return OperationId(id);
        }
        let next = names.by_name.len() as u32;
        if next == OTHER {
            names.unnamed += 1;
            self.tables[OPERATIONS].get_or_init(|| Table::new(&Operation::named(OTHER_NAME)));
            return OperationId(OTHER);
        }
        names.by_name.insert(operation.name.to_owned(), next);
        self.tables[next as usize].get_or_init(|| Table::new(operation));
        OperationId(next)
    }

    fn record(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds) {
        if let Some(table) = self.table(id) {
            table.record(end.saturating_sub(start));
        }
    }

    fn report(&self) -> Report {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = || self.tables.iter().filter_map(OnceLock::get);
        let per_name = size_of::<(String, u32)>();
        let fixed = size_of::<Self>() + size_of_val(&*self.tables);
        Report {
            operations: tables().map(Table::report).collect(),
            memory_bytes: fixed
                + tables().map(Table::bytes).sum::<usize>()
                + names
                    .by_name
                    .keys()
                    .map(|name| name.len() + per_name)
                    .sum::<usize>(),
            unnamed: names.unnamed,
        }
    }
}

/// What is known of one operation. Every figure is of all runs.
#[derive(Debug)]
struct Table {
    name: Box<str>,
    period: Option<Nanoseconds>,
    count: AtomicU64,
    total: AtomicU64,
    /// The sum of squares is 128 bits wide: 64 are spent after eighteen runs of a second.
    squares_low: AtomicU64,
    squares_high: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    misses: AtomicU64,
    buckets: Buckets,
}

impl Table {
    fn new(operation: &Operation<'_>) -> Self {
        let period = operation
            .period
            .map(|p| u64::try_from(p.as_nanos()).unwrap_or(u64::MAX));
        Self {
            name: operation.name.into(),
            period,
            count: AtomicU64::new(0),
            total: AtomicU64::new(0),
            squares_low: AtomicU64::new(0),
            squares_high: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            buckets: Buckets::new(),
        }
    }

    fn bytes(&self) -> usize {
        self.name.len() + Buckets::BYTES
    }

    fn record(&self, took: u64) {
        self.buckets.count(took);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(took, Ordering::Relaxed);
        self.add_square(took);
        // A look first: new extremes are rare, and an exchange is not cheap.
        if took < self.min.load(Ordering::Relaxed) {
            self.min.fetch_min(took, Ordering::Relaxed);
        }
        if took > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(took, Ordering::Relaxed);
        }
        if self.period.is_some_and(|period| took > period) {
            self.misses.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn add_square(&self, took: u64) {
        let square = u128::from(took) * u128::from(took);
        let (low, high) = (square as u64, (square >> 64) as u64);
        let before = self.squares_low.fetch_add(low, Ordering::Relaxed);
        let carry = u64::from(before.checked_add(low).is_none());
        if high + carry > 0 {
            self.squares_high.fetch_add(high + carry, Ordering::Relaxed);
        }
    }

    fn report(&self) -> OperationReport {
        let load = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let (count, total, max) = (load(&self.count), load(&self.total), load(&self.max));
        let min = if count == 0 {
            0
        } else {
            load(&self.min).min(max)
        };
        let quantiles = self.buckets.quantiles([0.5, 0.9, 0.99, 0.999]);
        let [p50, p90, p99, p999] = quantiles.map(|quantile| quantile.clamp(min, max));
        let squares =
            u128::from(load(&self.squares_high)) << 64 | u128::from(load(&self.squares_low));
        let playing = self.period.map(|period| period as f64 * count as f64);
        OperationReport {
            name: self.name.to_string(),
            count,
            total_ns: total,
            mean_ns: total as f64 / count.max(1) as f64,
            standard_deviation_ns: standard_deviation(count, total, squares),
            min_ns: min,
            max_ns: max,
            p50_ns: p50,
            p90_ns: p90,
            p99_ns: p99,
            p999_ns: p999,
            deadline_misses: self.period.map(|_| load(&self.misses)),
            real_time_factor: playing.map(|p| if p > 0.0 { total as f64 / p } else { 0.0 }),
        }
    }
}

/// From exact sums: `count * squares - total²` is over integers, so nothing cancels.
fn standard_deviation(count: u64, total: u64, squares: u128) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let of_total = u128::from(total) * u128::from(total);
    let spread = match u128::from(count).checked_mul(squares) {
        // Figures that are read while others record may not belong together.
        Some(of_runs) => of_runs.saturating_sub(of_total) as f64,
        None => (count as f64 * squares as f64 - of_total as f64).max(0.0),
    };
    spread.sqrt() / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_squares_is_wider_than_64_bits() {
        let table = Table::new(&Operation::named("slow"));
        let hour = 3_600_000_000_000;
        for took in [hour, hour + 2, hour, hour + 2] {
            table.record(took);
        }
        let report = table.report();
        assert_eq!(report.standard_deviation_ns, 1.0);
        assert_eq!(report.mean_ns, hour as f64 + 1.0);
    }

    #[test]
    fn an_operation_takes_about_sixteen_kilobytes() {
        let histogram = Histogram::new();
        let before = histogram.report().memory_bytes;
        histogram.register(&Operation::named("one"));
        let grown = histogram.report().memory_bytes - before;
        assert!((15 << 10..=17 << 10).contains(&grown), "{grown}");
    }

    #[test]
    fn a_handle_of_another_profiler_is_passed_over() {
        let histogram = Histogram::new();
        histogram.record(OperationId(7), 0, 1);
        histogram.record(OperationId(u32::MAX), 0, 1);
        assert!(histogram.report().operations.is_empty());
    }
}
