//! Trials of executors.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use auralis_core::{Error, ErrorKind, Executor, ExecutorExt, ExecutorSettings};

use crate::{Outcome, Subject, Trial, check, options};

type Executors<'a> = Subject<'a, dyn Executor>;

/// Those that are cheap, sleep nowhere, and show memory or results that are wrong.
const QUICK: &[&str] = &[
    "covers_every_index_once",
    "edges_are_multiples_of_grain",
    "grain_zero_counts_as_one",
    "empty_range",
    "panic_is_an_error_that_names_its_range",
    "one_thread_is_enough",
    "says_that_it_is_real_time",
];

/// One trial per clause of the contract of [`Executor`].
pub fn trials() -> Vec<Trial<dyn Executor>> {
    let trial = |name, run| Trial {
        name,
        needs: None,
        quick: QUICK.contains(&name),
        run,
    };
    let capable = |needed, name, run| Trial {
        needs: Some(needed),
        ..trial(name, run)
    };
    vec![
        trial("covers_every_index_once", covers_every_index_once),
        trial("edges_are_multiples_of_grain", edges_are_multiples_of_grain),
        trial("grain_zero_counts_as_one", grain_zero_counts_as_one),
        trial("empty_range", empty_range),
        trial("same_bits_as_a_plain_loop", same_bits_as_a_plain_loop),
        trial(
            "panic_is_an_error_that_names_its_range",
            panic_names_its_range,
        ),
        trial(
            "lowest_of_several_panics_is_reported",
            lowest_panic_is_reported,
        ),
        trial(
            "other_ranges_run_after_a_panic",
            other_ranges_run_after_a_panic,
        ),
        trial("survives_panics", survives_panics),
        trial("nested_calls", nested_calls),
        trial("panic_in_a_nested_call", panic_in_a_nested_call),
        trial("concurrent_callers", concurrent_callers),
        trial(
            "never_more_threads_than_stated",
            never_more_threads_than_stated,
        ),
        trial("join_map_and_try_map", join_map_and_try_map),
        trial("drop_ends_the_threads", drop_ends_the_threads),
        trial("one_thread_is_enough", one_thread_is_enough),
        capable("parallel", "two_ranges_run_at_once", two_ranges_run_at_once),
        capable(
            "real_time",
            "says_that_it_is_real_time",
            says_that_it_is_real_time,
        ),
        options::trial(),
    ]
}

/// Lengths and grains around the edges.
const SHAPES: &[(usize, usize)] = &[
    (1, 1),
    (2, 1),
    (7, 3),
    (8, 3),
    (9, 3),
    (5, 100),
    (10, usize::MAX),
    (1000, 1),
    (1000, 64),
    (4096, 4096),
    (10_007, 16),
];

/// More threads than most test machines have cores, so that they get into each other's way.
fn several() -> ExecutorSettings {
    ExecutorSettings {
        threads: 4,
        helpers: 3,
    }
}

fn executor(subject: &Executors<'_>) -> Result<Arc<dyn Executor>, String> {
    subject.instance_with(&several())
}

fn report(error: Error) -> String {
    error.report()
}

/// The ranges that a call hands out, in the order of their start.
fn ranges(executor: &dyn Executor, len: usize, grain: usize) -> Result<Vec<Range<usize>>, String> {
    let seen = Mutex::new(Vec::new());
    executor
        .for_ranges(len, grain, &|range| {
            seen.lock().expect("no task panics").push(range)
        })
        .map_err(report)?;
    let mut seen = seen.into_inner().expect("no task panics");
    seen.sort_by_key(|range| (range.start, range.end));
    Ok(seen)
}

/// Checks that every index is in exactly one call.
fn check_cover(executor: &dyn Executor, len: usize, grain: usize) -> Outcome {
    let counts: Vec<AtomicU32> = (0..len).map(|_| AtomicU32::new(0)).collect();
    let outside = AtomicUsize::new(0);
    executor
        .for_ranges(len, grain, &|range| {
            for index in range {
                let count = counts
                    .get(index)
                    .map(|count| count.fetch_add(1, Ordering::Relaxed));
                outside.fetch_add(usize::from(count.is_none()), Ordering::Relaxed);
            }
        })
        .map_err(report)?;
    check(outside.into_inner() == 0, || {
        format!("indices outside of 0..{len}")
    })?;
    let wrong = counts
        .into_iter()
        .map(AtomicU32::into_inner)
        .enumerate()
        .find(|(_, n)| *n != 1);
    check(wrong.is_none(), || {
        let (index, count) = wrong.unwrap_or_default();
        format!("index {index} of {len} (grain {grain}) ran {count} times, not once")
    })
}

fn covers_every_index_once(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    SHAPES
        .iter()
        .try_for_each(|&(len, grain)| check_cover(&*executor, len, grain))
}

fn edges_are_multiples_of_grain(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    for &(len, grain) in SHAPES {
        for Range { start, end } in ranges(&*executor, len, grain)? {
            let holds = start % grain == 0 && (end % grain == 0 || end == len) && start < end;
            check(holds, || {
                format!("{start}..{end} of {len} with grain {grain}")
            })?;
        }
    }
    Ok(())
}

fn grain_zero_counts_as_one(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    check_cover(&*executor, 100, 0)
}

fn empty_range(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    for grain in [0, 1, 7] {
        let seen = ranges(&*executor, 0, grain)?;
        check(seen.iter().all(Range::is_empty), || {
            format!("{seen:?} of an empty range")
        })?;
    }
    Ok(())
}

/// A recursion whose result depends on every bit of what came before it in its grain.
fn rough_sum(range: Range<usize>) -> f32 {
    range.fold(0.1, |sum, index| sum * 0.999 + (index as f32).sin())
}

fn same_bits_as_a_plain_loop(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    for (len, grain) in [(10_000, 64), (777, 10), (50, 1)] {
        let grain_at = |g: usize| g * grain..((g + 1) * grain).min(len);
        let grains = len.div_ceil(grain);
        let expected: Vec<u32> = (0..grains)
            .map(|g| rough_sum(grain_at(g)).to_bits())
            .collect();
        let sums: Vec<AtomicU32> = (0..grains).map(|_| AtomicU32::new(0)).collect();
        executor
            .for_ranges(len, grain, &|range| {
                let grains = range.start / grain..range.end.div_ceil(grain);
                for (sum, g) in sums[grains.clone()].iter().zip(grains) {
                    sum.store(rough_sum(grain_at(g)).to_bits(), Ordering::Relaxed);
                }
            })
            .map_err(report)?;
        let found: Vec<u32> = sums.into_iter().map(AtomicU32::into_inner).collect();
        check(found == expected, || {
            format!("the bits differ (len {len}, grain {grain})")
        })?;
    }
    Ok(())
}

/// Runs a call in which the range of each index in `bad` panics, without the noise of the panic
/// hook. Returns the error and the ranges that panicked.
fn failing(
    executor: &dyn Executor,
    len: usize,
    bad: &[usize],
) -> Result<(Error, Vec<Range<usize>>), String> {
    let panicked = Mutex::new(Vec::new());
    let outcome = executor.for_ranges(len, 1, &|range| {
        if bad.iter().any(|index| range.contains(index)) {
            panicked
                .lock()
                .expect("not held during a panic")
                .push(range);
            resume_unwind(Box::new("planted"));
        }
    });
    let mut panicked = panicked.into_inner().expect("not held during a panic");
    panicked.sort_by_key(|range| range.start);
    match outcome {
        Ok(()) => Err("a task panicked, and the call said nothing".into()),
        Err(error) => Ok((error, panicked)),
    }
}

fn check_names(error: &Error, range: &Range<usize>) -> Outcome {
    let expected = format!("{}..{}", range.start, range.end);
    let found = error
        .context()
        .find(|(key, _)| *key == "range")
        .map(|(_, value)| value);
    check(error.kind() == ErrorKind::Panicked, || {
        format!("the error is {error:?}")
    })?;
    check(found == Some(&expected), || {
        format!("the range {expected} panicked, and the error says: {error}")
    })
}

fn panic_names_its_range(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    for index in [0, 37, 99] {
        let (error, panicked) = failing(&*executor, 100, &[index])?;
        check(panicked.len() == 1, || format!("{panicked:?} panicked"))?;
        check_names(&error, &panicked[0])?;
        check(error.to_string().contains("planted"), || {
            format!("the error does not say what the panic said: {error}")
        })?;
    }
    Ok(())
}

fn lowest_panic_is_reported(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    for _ in 0..50 {
        let (error, panicked) = failing(&*executor, 100, &[3, 50, 51, 97])?;
        check_names(&error, &panicked[0])?;
    }
    Ok(())
}

fn other_ranges_run_after_a_panic(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    let begun = AtomicUsize::new(0);
    let outcome = executor.for_ranges(1000, 1, &|range| {
        begun.fetch_add(range.len(), Ordering::Relaxed);
        resume_unwind(Box::new("planted"));
    });
    check(outcome.is_err(), || {
        "every task panicked, and the call said nothing".into()
    })?;
    let begun = begun.into_inner();
    check(begun == 1000, || {
        format!("ranges of only {begun} of 1000 indices began")
    })
}

fn survives_panics(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    for round in 0..100 {
        failing(&*executor, 50, &[round % 50])?;
        check_cover(&*executor, 50, 3)?;
    }
    Ok(())
}

fn nested_calls(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    let leaves = AtomicUsize::new(0);
    let failures = AtomicUsize::new(0);
    let each = |task: &(dyn Fn() + Sync)| {
        let outcome = executor.for_ranges(8, 1, &|range| range.for_each(|_| task()));
        failures.fetch_add(usize::from(outcome.is_err()), Ordering::Relaxed);
    };
    for _ in 0..20 {
        each(&|| {
            each(&|| {
                each(&|| {
                    leaves.fetch_add(1, Ordering::Relaxed);
                })
            })
        });
    }
    let (leaves, failures) = (leaves.into_inner(), failures.into_inner());
    check(failures == 0, || format!("{failures} calls failed"))?;
    check(leaves == 20 * 512, || {
        format!("{leaves} innermost calls, not {}", 20 * 512)
    })
}

fn panic_in_a_nested_call(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    let contained = AtomicUsize::new(0);
    executor
        .for_ranges(8, 1, &|range| {
            for _ in range {
                let inner = executor.for_ranges(4, 1, &|inner| {
                    if inner.contains(&2) {
                        resume_unwind(Box::new("planted"));
                    }
                });
                contained.fetch_add(usize::from(inner.is_err()), Ordering::Relaxed);
            }
        })
        .map_err(report)?;
    let contained = contained.into_inner();
    check(contained == 8, || {
        format!("{contained} of 8 nested calls were errors")
    })
}

fn concurrent_callers(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope
                    .spawn(|| (0..200).try_for_each(|round| check_cover(&*executor, 10 + round, 3)))
            })
            .collect();
        callers
            .into_iter()
            .try_for_each(|caller| caller.join().map_err(|_| "a caller panicked".to_string())?)
    })
}

fn never_more_threads_than_stated(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    let threads = executor.threads();
    check(threads >= 1, || "no thread at all".into())?;
    let seen = Mutex::new(HashSet::new());
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for _ in 0..50 {
        executor
            .for_ranges(64, 1, &|_| {
                most.fetch_max(1 + inside.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                seen.lock()
                    .expect("no task panics")
                    .insert(thread::current().id());
                inside.fetch_sub(1, Ordering::SeqCst);
            })
            .map_err(report)?;
    }
    let (most, seen) = (
        most.into_inner(),
        seen.into_inner().expect("no task panics").len(),
    );
    check(most <= threads, || {
        format!("{most} tasks at once on {threads} threads")
    })?;
    check(seen <= threads, || {
        format!("{seen} threads took part, not {threads}")
    })
}

fn join_map_and_try_map(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    let joined = executor.join(|| 1, || "two").map_err(report)?;
    check(joined == (1, "two"), || format!("join gave {joined:?}"))?;
    let squares = executor.map(100, |i| i * i).map_err(report)?;
    check(squares.iter().enumerate().all(|(i, s)| *s == i * i), || {
        format!("{squares:?}")
    })?;
    let results = executor.try_map(10, |i| match i {
        3 => Err(Error::new(ErrorKind::Io, "planted")),
        7 => resume_unwind(Box::new("planted")),
        _ => Ok(i),
    });
    let kinds: Vec<_> = results
        .iter()
        .map(|r| r.as_ref().map_err(Error::kind))
        .collect();
    let expected: Vec<_> = (0..10)
        .map(|i| match i {
            3 => Err(ErrorKind::Io),
            7 => Err(ErrorKind::Panicked),
            _ => Ok(i),
        })
        .collect();
    check(
        kinds
            .iter()
            .map(|r| r.as_ref().map(|i| **i).map_err(|k| *k))
            .eq(expected),
        || format!("try_map gave {kinds:?}"),
    )
}

/// Counts the threads that have run a task and not yet ended.
struct Footprint(Arc<AtomicUsize>);

impl Drop for Footprint {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

thread_local! {
    static FOOTPRINT: RefCell<Option<Footprint>> = const { RefCell::new(None) };
}

fn drop_ends_the_threads(subject: &Executors<'_>) -> Outcome {
    let alive = Arc::new(AtomicUsize::new(0));
    let here = thread::current().id();
    let executor = executor(subject)?;
    for _ in 0..20 {
        executor
            .for_ranges(64, 1, &|_| {
                if thread::current().id() != here {
                    FOOTPRINT.with_borrow_mut(|print| {
                        print.get_or_insert_with(|| {
                            alive.fetch_add(1, Ordering::SeqCst);
                            Footprint(Arc::clone(&alive))
                        });
                    });
                }
            })
            .map_err(report)?;
    }
    drop(executor);
    let left = alive.load(Ordering::SeqCst);
    check(left == 0, || {
        format!("{left} threads live on after their executor")
    })
}

fn one_thread_is_enough(subject: &Executors<'_>) -> Outcome {
    let executor = subject.instance_with(&ExecutorSettings {
        threads: 1,
        helpers: 0,
    })?;
    check(executor.threads() == 1, || {
        format!("{} threads", executor.threads())
    })?;
    SHAPES
        .iter()
        .try_for_each(|&(len, grain)| check_cover(&*executor, len, grain))
}

fn two_ranges_run_at_once(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    let arrived = AtomicUsize::new(0);
    let give_up = Instant::now() + Duration::from_secs(20);
    executor
        .for_ranges(2, 1, &|_| {
            arrived.fetch_add(1, Ordering::SeqCst);
            while arrived.load(Ordering::SeqCst) < 2 && Instant::now() < give_up {
                thread::yield_now();
            }
        })
        .map_err(report)?;
    check(Instant::now() < give_up, || {
        "one range waited for the other in vain".into()
    })
}

fn says_that_it_is_real_time(subject: &Executors<'_>) -> Outcome {
    let executor = executor(subject)?;
    check(executor.is_real_time(), || {
        "the descriptor says so, the instance does not".into()
    })
}
