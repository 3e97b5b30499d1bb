//! What a report is written as: a table, JSON, Prometheus text, folded stacks, a Chrome trace.

use std::collections::HashMap;
use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::{Event, OperationReport, Report};

impl Report {
    /// A table to be read by people, a row per operation.
    ///
    /// ```
    /// use auralis_core::profiler::{OperationReport, Report};
    ///
    /// let row = OperationReport { name: "mix".into(), count: 2, ..Default::default() };
    /// let report = Report { operations: vec![row], ..Default::default() };
    /// assert!(report.to_table().starts_with("operation  count"));
    /// ```
    pub fn to_table(&self) -> String {
        let mut rows = vec![HEADINGS.map(String::from)];
        rows.extend(self.operations.iter().map(cells));
        let widths: [usize; HEADINGS.len()] = std::array::from_fn(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        });
        let mut table = String::new();
        for row in &rows {
            let mut line = format!("{:<width$}", row[0], width = widths[0]);
            for (cell, width) in row.iter().zip(widths).skip(1) {
                line += &format!("  {cell:>width$}");
            }
            table += line.trim_end();
            table.push('\n');
        }
        if self.unnamed > 0 {
            table += &format!("{} further names share the row (other)\n", self.unnamed);
        }
        table
    }

    /// The report as a JSON object, with the names of its fields.
    pub fn to_json(&self) -> String {
        format!("{:#}", json!(self))
    }

    /// The report in the text format of Prometheus, version 0.0.4: a summary per operation, in
    /// seconds.
    pub fn to_prometheus(&self) -> String {
        let mut text = Prometheus::default();
        text.family(
            "auralis_operation_duration_seconds",
            "summary",
            "Time that runs took.",
        );
        for row in &self.operations {
            let quantiles = [
                ("0.5", row.p50_ns),
                ("0.9", row.p90_ns),
                ("0.99", row.p99_ns),
                ("0.999", row.p999_ns),
            ];
            for (quantile, nanoseconds) in quantiles {
                let labels = [("operation", row.name.as_str()), ("quantile", quantile)];
                text.sample("", &labels, seconds(nanoseconds));
            }
            let labels = [("operation", row.name.as_str())];
            text.sample("_sum", &labels, seconds(row.total_ns));
            text.sample("_count", &labels, row.count);
        }
        let per_period = |value: fn(&OperationReport) -> Option<f64>| {
            self.operations
                .iter()
                .filter_map(move |row| Some((row, value(row)?)))
        };
        let help = "Runs that took longer than the audio they stand for.";
        text.family("auralis_deadline_misses_total", "counter", help);
        for (row, misses) in per_period(|row| row.deadline_misses.map(|n| n as f64)) {
            text.sample("", &[("operation", &row.name)], misses);
        }
        let help = "Time taken over playing time.";
        text.family("auralis_real_time_factor", "gauge", help);
        for (row, factor) in per_period(|row| row.real_time_factor) {
            text.sample("", &[("operation", &row.name)], factor);
        }
        text.family(
            "auralis_profiler_memory_bytes",
            "gauge",
            "Memory that the profiler holds.",
        );
        text.sample("", &[], self.memory_bytes);
        text.text
    }

    /// Folded stacks, as flame graphs are made from: `parent;part nanoseconds`, where the names of
    /// operations are split at `/`. A line holds the time of an operation less that of its parts.
    pub fn to_folded(&self) -> String {
        let totals: HashMap<&str, u64> = self
            .operations
            .iter()
            .map(|row| (row.name.as_str(), row.total_ns))
            .collect();
        let mut of_parts: HashMap<&str, u64> = HashMap::new();
        for row in &self.operations {
            let parent = ancestors(&row.name).find(|name| totals.contains_key(name));
            if let Some(parent) = parent {
                *of_parts.entry(parent).or_default() += row.total_ns;
            }
        }
        let mut folded = String::new();
        for row in self.operations.iter().filter(|row| row.count > 0) {
            let parts = of_parts.get(row.name.as_str()).copied().unwrap_or(0);
            let own = row.total_ns.saturating_sub(parts);
            let stack = row
                .name
                .replace(|c: char| c == ';' || c.is_control(), "_")
                .replace('/', ";");
            folded += &format!("{stack} {own}\n");
        }
        folded
    }

    /// The last runs on a timeline, one track per thread, in the Chrome trace event format, which
    /// Perfetto opens. Events of operations that the report does not have are left out.
    pub fn to_chrome_trace(&self, events: &[Event]) -> String {
        let mut threads: Vec<u32> = events.iter().map(|event| event.thread).collect();
        threads.sort_unstable();
        threads.dedup();
        let names = threads.into_iter().map(|thread| {
            json!({
                "name": "thread_name", "ph": "M", "pid": 1, "tid": thread,
                "args": { "name": format!("thread {thread}") },
            })
        });
        let spans = events.iter().filter_map(|event| {
            let name = &self.operations.get(event.operation as usize)?.name;
            Some(json!({
                "name": name, "cat": "auralis", "ph": "X", "pid": 1, "tid": event.thread,
                "ts": microseconds(event.start_ns),
                "dur": microseconds(event.end_ns.saturating_sub(event.start_ns)),
            }))
        });
        let trace: Vec<Value> = names.chain(spans).collect();
        json!({ "displayTimeUnit": "ns", "traceEvents": trace }).to_string()
    }
}

const HEADINGS: [&str; 13] = [
    "operation",
    "count",
    "total",
    "mean",
    "deviation",
    "min",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "max",
    "missed",
    "of real time",
];

fn cells(row: &OperationReport) -> [String; HEADINGS.len()] {
    let exact = |nanoseconds: u64| scaled(nanoseconds as f64);
    [
        row.name.clone(),
        row.count.to_string(),
        exact(row.total_ns),
        scaled(row.mean_ns),
        scaled(row.standard_deviation_ns),
        exact(row.min_ns),
        exact(row.p50_ns),
        exact(row.p90_ns),
        exact(row.p99_ns),
        exact(row.p999_ns),
        exact(row.max_ns),
        row.deadline_misses
            .map_or("-".into(), |misses| misses.to_string()),
        row.real_time_factor
            .map_or("-".into(), |factor| format!("{:.2} %", 100.0 * factor)),
    ]
}

/// A time in the unit that leaves one to three digits before the point.
fn scaled(nanoseconds: f64) -> String {
    const UNITS: [(&str, f64); 4] = [("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0)];
    // 999.95 and more would be shown as 1000.0.
    let fits = UNITS.iter().find(|(_, unit)| nanoseconds / unit >= 0.99995);
    let (name, unit) = fits.unwrap_or(&UNITS[3]);
    let digits = usize::from(*unit > 1.0 || nanoseconds.fract() != 0.0);
    format!("{:.digits$} {name}", nanoseconds / unit)
}

/// The names above `name`, nearest first.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.rsplit_once('/'), |(above, _)| above.rsplit_once('/'))
        .map(|(above, _)| above)
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e3
}

/// Text in the format of Prometheus, metric by metric.
#[derive(Default)]
struct Prometheus {
    text: String,
    metric: &'static str,
}

impl Prometheus {
    fn family(&mut self, metric: &'static str, kind: &str, help: &str) {
        self.metric = metric;
        self.text += &format!("# HELP {metric} {help}\n# TYPE {metric} {kind}\n");
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        self.text += self.metric;
        self.text += suffix;
        let mut open = '{';
        for (label, text) in labels {
            self.text.push(open);
            self.text += label;
            self.text += "=\"";
            self.text += &escaped(text);
            self.text.push('"');
            open = ',';
        }
        if open == ',' {
            self.text.push('}');
        }
        // Writing to a string can't fail.
        let _ = writeln!(self.text, " {value}");
    }
}

/// What stands within the quotes of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, count: u64, total_ns: u64) -> OperationReport {
        OperationReport {
            name: name.into(),
            count,
            total_ns,
            mean_ns: total_ns as f64 / count.max(1) as f64,
            p50_ns: 1_500,
            max_ns: 2_000_000,
            ..OperationReport::default()
        }
    }

    fn report() -> Report {
        let block = OperationReport {
            deadline_misses: Some(3),
            real_time_factor: Some(0.125),
            ..row("block", 4, 10_000)
        };
        Report {
            operations: vec![
                block,
                row("block/eq/low", 4, 3_000),
                row("block/eq/low/\"a\\b\"", 1, 1_000),
                row("never", 0, 0),
            ],
            memory_bytes: 4096,
            unnamed: 2,
        }
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let cases = [
            (0.0, "0 ns"),
            (12.0, "12 ns"),
            (12.25, "12.2 ns"),
            (999.0, "999 ns"),
            (999.96, "1.0 µs"),
            (1500.0, "1.5 µs"),
            (999_999.0, "1.0 ms"),
            (2e9, "2.0 s"),
            (7.2e12, "7200.0 s"),
        ];
        for (nanoseconds, expected) in cases {
            assert_eq!(scaled(nanoseconds), expected);
        }
    }

    #[test]
    fn the_columns_of_the_table_are_aligned() {
        let table = report().to_table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 6);
        assert!(lines[0].ends_with("missed  of real time"), "{table}");
        assert!(lines[1].starts_with("block "), "{table}");
        assert!(lines[1].ends_with("     3       12.50 %"), "{table}");
        let column = |line: &str| line.chars().count();
        assert!(
            lines[1..5]
                .iter()
                .all(|line| column(line) == column(lines[0])),
            "{table}"
        );
        assert_eq!(lines[5], "2 further names share the row (other)");
    }

    #[test]
    fn json_reads_back_as_the_report() {
        let back: Report = serde_json::from_str(&report().to_json()).unwrap();
        assert_eq!(back, report());
    }

    #[test]
    fn prometheus_text_has_escaped_labels_and_seconds() {
        let text = report().to_prometheus();
        for line in [
            "# TYPE auralis_operation_duration_seconds summary",
            "auralis_operation_duration_seconds{operation=\"block\",quantile=\"0.5\"} 0.0000015",
            "auralis_operation_duration_seconds_sum{operation=\"block\"} 0.00001",
            "auralis_operation_duration_seconds_count{operation=\"block\"} 4",
            "auralis_operation_duration_seconds_count{operation=\"block/eq/low/\\\"a\\\\b\\\"\"} 1",
            "auralis_deadline_misses_total{operation=\"block\"} 3",
            "auralis_real_time_factor{operation=\"block\"} 0.125",
            "auralis_profiler_memory_bytes 4096",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "no {line} in\n{text}"
            );
        }
        assert_eq!(text.matches("auralis_real_time_factor{").count(), 1);
    }

    #[test]
    fn folded_stacks_hold_the_time_of_each_part_once() {
        assert_eq!(
            report().to_folded(),
            "block 7000\nblock;eq;low 2000\nblock;eq;low;\"a\\b\" 1000\n"
        );
    }

    #[test]
    fn a_trace_has_a_span_per_event_in_microseconds() {
        let event = |operation, thread| Event {
            operation,
            thread,
            start_ns: 2_500,
            end_ns: 4_000,
        };
        let trace = report().to_chrome_trace(&[event(0, 2), event(1, 2), event(9, 3)]);
        let trace: Value = serde_json::from_str(&trace).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        let spans: Vec<&Value> = events.iter().filter(|event| event["ph"] == "X").collect();
        assert_eq!(spans.len(), 2);
        assert_eq!(spans[1]["name"], "block/eq/low");
        assert_eq!(
            (&spans[0]["ts"], &spans[0]["dur"]),
            (&json!(2.5), &json!(1.5))
        );
        assert!(
            events
                .iter()
                .any(|event| event["args"]["name"] == "thread 2")
        );
    }
}
