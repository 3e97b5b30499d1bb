//! Trials of profilers.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use auralis_core::profiler::{OperationReport, Report, now};
use auralis_core::{Operation, OperationId, Profiler, ProfilerExt, ProfilerSettings};

use crate::{Outcome, Subject, Trial, check, options};

type Profilers<'a> = Subject<'a, dyn Profiler>;

/// Those that are cheap, sleep nowhere, and show memory or results that are wrong.
const QUICK: &[&str] = &[
    "same_name_same_handle",
    "unknown_handle_is_passed_over",
    "totals_are_exact",
    "rows_are_in_the_order_of_registration",
    "what_never_ran_has_a_row",
    "end_before_start_counts_as_nothing",
    "extreme_durations",
    "events_are_the_last_ones_in_order",
    "no_history_is_no_events",
];

/// One trial per clause of the contract of [`Profiler`]. A profiler that lists `records` reports
/// what it was told; `events`: it keeps the last runs one by one.
pub fn trials() -> Vec<Trial<dyn Profiler>> {
    let trial = |needs, name, run| Trial {
        name,
        needs,
        quick: QUICK.contains(&name),
        run,
    };
    let (any, records, events) = (None, Some("records"), Some("events"));
    vec![
        trial(any, "same_name_same_handle", same_name_same_handle),
        trial(any, "memory_is_stated", memory_is_stated),
        trial(
            any,
            "unknown_handle_is_passed_over",
            unknown_handle_is_passed_over,
        ),
        trial(any, "time_returns_the_result", time_returns_the_result),
        trial(records, "totals_are_exact", totals_are_exact),
        trial(
            records,
            "totals_are_of_everything",
            totals_are_of_everything,
        ),
        trial(records, "percentiles_are_near_an_exact_sort", percentiles),
        trial(
            records,
            "rows_are_in_the_order_of_registration",
            rows_in_order,
        ),
        trial(
            records,
            "what_never_ran_has_a_row",
            what_never_ran_has_a_row,
        ),
        trial(
            records,
            "end_before_start_counts_as_nothing",
            end_before_start,
        ),
        trial(records, "extreme_durations", extreme_durations),
        trial(records, "many_names_are_bounded", many_names_are_bounded),
        trial(
            records,
            "concurrent_records_are_all_counted",
            concurrent_records,
        ),
        trial(
            records,
            "concurrent_registrations_agree",
            concurrent_registrations,
        ),
        trial(records, "deadline_misses", deadline_misses),
        trial(records, "real_time_factor", real_time_factor),
        trial(records, "a_panic_is_timed_too", a_panic_is_timed_too),
        trial(
            events,
            "events_are_the_last_ones_in_order",
            events_are_the_last_ones,
        ),
        trial(events, "events_name_their_thread", events_name_their_thread),
        trial(events, "no_history_is_no_events", no_history_is_no_events),
        options::trial(),
    ]
}

/// The widest bucket that a backend may have, as a part of a value.
const RESOLUTION: f64 = 0.032;

fn row<'r>(report: &'r Report, name: &str) -> Result<&'r OperationReport, String> {
    let found = report.operations.iter().find(|row| row.name == name);
    found.ok_or_else(|| format!("the report has no row {name}"))
}

/// Durations from nanoseconds to minutes that look random (a linear congruence, Knuth's MMIX).
fn durations(count: usize) -> Vec<u64> {
    let mut state = 1_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 28) >> (state >> 59)
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Records `durations` as runs of `block`.
fn recorded(
    subject: &Profilers<'_>,
    durations: &[u64],
    period: Option<Duration>,
) -> Result<OperationReport, String> {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation {
        name: "block",
        period,
    });
    for (start, took) in (0..).zip(durations) {
        profiler.record(id, start, start + took);
    }
    row(&profiler.report(), "block").cloned()
}

fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    (found - expected).abs() <= tolerance * expected.abs()
}

fn same_name_same_handle(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let first = profiler.register(&Operation::named("one"));
    profiler.register(&Operation::named("two"));
    let again = profiler.register(&Operation::named(&String::from("one")));
    check(first == again, || format!("{first:?} and then {again:?}"))
}

fn memory_is_stated(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation::named("block"));
    let before = profiler.report().memory_bytes;
    (0..100_000).for_each(|start| profiler.record(id, start, 2 * start));
    let after = profiler.report().memory_bytes;
    check(before == after, || {
        format!("{before} bytes before recording, {after} after")
    })
}

fn unknown_handle_is_passed_over(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    for id in [0, 5, 2000, u32::MAX] {
        profiler.record(OperationId(id), 0, 1);
    }
    let runs: u64 = profiler
        .report()
        .operations
        .iter()
        .map(|row| row.count)
        .sum();
    check(runs == 0, || {
        format!("{runs} runs of operations that nobody registered")
    })
}

fn time_returns_the_result(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation::named("sum"));
    let sum = profiler.time(id, || 1 + 1);
    check(sum == 2, || format!("1 + 1 is {sum}"))
}

fn totals_are_exact(subject: &Profilers<'_>) -> Outcome {
    let durations = durations(5_000);
    let row = recorded(subject, &durations, None)?;
    let (count, total) = (durations.len() as f64, durations.iter().sum::<u64>());
    let mean = total as f64 / count;
    let variance = durations
        .iter()
        .map(|d| (*d as f64 - mean).powi(2))
        .sum::<f64>()
        / count;
    let exact = (row.count, row.total_ns) == (5_000, total)
        && Some(row.min_ns) == durations.iter().copied().min()
        && Some(row.max_ns) == durations.iter().copied().max();
    check(exact, || format!("the total is {total}: {row:?}"))?;
    check(near(row.mean_ns, mean, 1e-12), || {
        format!("the mean is {mean}: {row:?}")
    })?;
    check(
        near(row.standard_deviation_ns, variance.sqrt(), 1e-9),
        || format!("the standard deviation is {}: {row:?}", variance.sqrt()),
    )?;
    check(
        (row.deadline_misses, row.real_time_factor) == (None, None),
        || format!("there is no period: {row:?}"),
    )
}

fn totals_are_of_everything(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance_with(&ProfilerSettings { history: 10 })?;
    let id = profiler.register(&Operation::named("block"));
    (0..1000).for_each(|start| profiler.record(id, start, start + 5));
    let report = profiler.report();
    let row = row(&report, "block")?;
    check((row.count, row.total_ns) == (1000, 5000), || {
        format!("{row:?}")
    })
}

fn percentiles(subject: &Profilers<'_>) -> Outcome {
    for count in [1, 2, 10, 1_000, 20_000] {
        let mut sorted = durations(count);
        let row = recorded(subject, &sorted, None)?;
        sorted.sort_unstable();
        let found = [
            (0.5, row.p50_ns),
            (0.9, row.p90_ns),
            (0.99, row.p99_ns),
            (0.999, row.p999_ns),
        ];
        for (fraction, found) in found {
            let rank = ((fraction * count as f64).ceil() as usize).clamp(1, count);
            let exact = sorted[rank - 1];
            check(near(found as f64, exact as f64, RESOLUTION), || {
                format!("percentile {fraction} of {count} runs is {exact}, reported is {found}")
            })?;
        }
    }
    Ok(())
}

fn rows_in_order(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let names = ["z", "a", "m/n", "m", ""];
    for name in names {
        profiler.register(&Operation::named(name));
    }
    let report = profiler.report();
    let found: Vec<&str> = report
        .operations
        .iter()
        .map(|row| row.name.as_str())
        .collect();
    check(found == names, || format!("{found:?}"))
}

fn what_never_ran_has_a_row(subject: &Profilers<'_>) -> Outcome {
    let row = recorded(subject, &[], Some(Duration::from_millis(10)))?;
    let figures = [
        row.count,
        row.total_ns,
        row.min_ns,
        row.max_ns,
        row.p50_ns,
        row.p999_ns,
    ];
    check(figures == [0; 6], || format!("{row:?}"))?;
    let finite = row.mean_ns == 0.0 && row.standard_deviation_ns == 0.0;
    check(finite && row.deadline_misses == Some(0), || {
        format!("{row:?}")
    })
}

fn end_before_start(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation::named("block"));
    profiler.record(id, 10, 3);
    let report = profiler.report();
    let row = row(&report, "block")?;
    check((row.count, row.total_ns, row.max_ns) == (1, 0, 0), || {
        format!("{row:?}")
    })
}

fn extreme_durations(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation::named("block"));
    profiler.record(id, 7, 7);
    profiler.record(id, 0, u64::MAX);
    let report = profiler.report();
    let row = row(&report, "block")?;
    let holds = (row.count, row.min_ns, row.max_ns) == (2, 0, u64::MAX)
        && row.p50_ns == 0
        && near(row.p99_ns as f64, u64::MAX as f64, RESOLUTION);
    check(holds, || format!("{row:?}"))
}

fn many_names_are_bounded(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let register = |n: usize| profiler.register(&Operation::named(&format!("operation {n}")));
    let mut shared = None;
    for n in 0..10_000 {
        let id = register(n);
        profiler.record(id, 0, 1);
        let report_is_due = n % 2500 == 2499;
        if report_is_due {
            let unnamed = profiler.report().unnamed;
            shared = shared.or((unnamed > 0).then_some(id));
        }
    }
    let report = profiler.report();
    let runs: u64 = report.operations.iter().map(|row| row.count).sum();
    check(runs == 10_000, || {
        format!("{runs} of 10000 runs are reported")
    })?;
    if let Some(shared) = shared {
        let last = register(9_999);
        check(last == shared, || {
            format!("late names have {shared:?} and {last:?}")
        })?;
        let row = row(&report, "(other)")?;
        check(row.count == report.unnamed, || {
            format!("{}: {row:?}", report.unnamed)
        })?;
    }
    check(report.memory_bytes < 64 << 20, || {
        format!("{} bytes", report.memory_bytes)
    })
}

fn concurrent_records(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation::named("block"));
    thread::scope(|scope| {
        for thread in 1..=4 {
            let profiler = &profiler;
            scope.spawn(move || (0..10_000).for_each(|n| profiler.record(id, n, n + thread)));
        }
    });
    let report = profiler.report();
    let row = row(&report, "block")?;
    let figures = (row.count, row.total_ns, row.min_ns, row.max_ns);
    check(figures == (40_000, 100_000, 1, 4), || format!("{row:?}"))?;
    let deviation = 1.25_f64.sqrt();
    check(near(row.standard_deviation_ns, deviation, 1e-9), || {
        format!("{row:?}")
    })
}

fn concurrent_registrations(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let register_all = |profiler: &Arc<dyn Profiler>| -> Vec<OperationId> {
        let register = |n: usize| profiler.register(&Operation::named(&format!("operation {n}")));
        (0..50).map(register).collect()
    };
    let handles = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| register_all(&profiler)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join())
            .collect::<Result<Vec<_>, _>>()
    });
    let handles = handles.map_err(|_| "a registration panicked")?;
    check(handles.iter().all(|those| *those == handles[0]), || {
        "handles differ".into()
    })?;
    let rows = profiler.report().operations.len();
    check(rows == 50, || format!("{rows} rows of 50 names"))
}

fn deadline_misses(subject: &Profilers<'_>) -> Outcome {
    let row = recorded(
        subject,
        &[999, 1000, 1001, 5000],
        Some(Duration::from_nanos(1000)),
    )?;
    check(row.deadline_misses == Some(2), || {
        format!("two took more than 1000: {row:?}")
    })
}

fn real_time_factor(subject: &Profilers<'_>) -> Outcome {
    let row = recorded(subject, &[100, 200, 300], Some(Duration::from_nanos(1000)))?;
    let factor = row.real_time_factor.ok_or("no real-time factor")?;
    check(near(factor, 0.2, 1e-9), || {
        format!("600 of 3000 is {factor}")
    })
}

fn a_panic_is_timed_too(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation::named("block"));
    let before = now();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        profiler.time(id, || std::panic::resume_unwind(Box::new("planted")))
    }));
    let whole = now() - before;
    check(outcome.is_err(), || "the panic was swallowed".into())?;
    let report = profiler.report();
    let row = row(&report, "block")?;
    check(row.count == 1 && row.total_ns <= whole, || {
        format!("within {whole}: {row:?}")
    })
}

fn events_are_the_last_ones(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance_with(&ProfilerSettings { history: 10 })?;
    let ids = ["a", "b"].map(|name| profiler.register(&Operation::named(name)));
    for start in 0..25_u64 {
        profiler.record(ids[(start % 2) as usize], start, start + 3);
    }
    let events = profiler.events();
    let rows = profiler.report().operations;
    check(events.len() == 10, || {
        format!("{} events of a history of 10", events.len())
    })?;
    for (start, event) in (15..).zip(&events) {
        let name = rows
            .get(event.operation as usize)
            .map(|row| row.name.as_str());
        let expected = ["a", "b"][(start % 2) as usize];
        let holds = (event.start_ns, event.end_ns) == (start, start + 3) && name == Some(expected);
        check(holds, || {
            format!("the run of {expected} at {start} is {event:?}")
        })?;
    }
    Ok(())
}

fn events_name_their_thread(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance()?;
    let id = profiler.register(&Operation::named("a"));
    thread::scope(|scope| {
        for start in [1000, 2000] {
            let profiler = &profiler;
            scope.spawn(move || (0..5).for_each(|n| profiler.record(id, start + n, start + n)));
        }
    });
    let events = profiler.events();
    let threads_of = |from: u64| {
        let mut threads: Vec<u32> = events
            .iter()
            .filter(|event| (from..from + 1000).contains(&event.start_ns))
            .map(|event| event.thread)
            .collect();
        threads.dedup();
        threads
    };
    let (one, other) = (threads_of(1000), threads_of(2000));
    check(one.len() == 1 && other.len() == 1 && one != other, || {
        format!("the events of two threads are of {one:?} and {other:?}")
    })
}

fn no_history_is_no_events(subject: &Profilers<'_>) -> Outcome {
    let profiler = subject.instance_with(&ProfilerSettings { history: 0 })?;
    let id = profiler.register(&Operation::named("a"));
    profiler.record(id, 0, 1);
    let events = profiler.events();
    check(events.is_empty(), || format!("{events:?}"))
}
