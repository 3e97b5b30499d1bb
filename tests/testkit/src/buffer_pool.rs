//! Trials of buffer pools.

use std::sync::Arc;
use std::thread;

use auralis_core::{ALIGNMENT, BufferPool, Contents, ErrorKind, PoolSettings};
use serde_json::json;

use crate::{Outcome, Subject, Trial, check, options};

type Pools<'a> = Subject<'a, dyn BufferPool>;

/// Those that are cheap, sleep nowhere, and show memory or results that are wrong.
const QUICK: &[&str] = &[
    "exact_length",
    "aligned",
    "zeroed_means_zero",
    "buffers_do_not_overlap",
    "budget_can_not_be_prepared_beyond",
    "oversize_is_an_error",
    "release_from_another_thread",
    "handle_outlives_the_pool",
    "statistics",
    "says_that_it_is_real_time",
];

/// One trial per clause of the contract of [`BufferPool`]. A pool that lists `prepares` serves what
/// was prepared without an allocation; `real_time`: it may do so on a real-time thread.
pub fn trials() -> Vec<Trial<dyn BufferPool>> {
    let trial = |needs, name, run| Trial {
        name,
        needs,
        quick: QUICK.contains(&name),
        run,
    };
    let (any, prepares, real_time) = (None, Some("prepares"), Some("real_time"));
    vec![
        trial(any, "exact_length", exact_length),
        trial(any, "aligned", aligned),
        trial(any, "zeroed_means_zero", zeroed_means_zero),
        trial(any, "buffers_do_not_overlap", buffers_do_not_overlap),
        trial(
            any,
            "budget_can_not_be_prepared_beyond",
            budget_bounds_prepare,
        ),
        trial(any, "budget_does_not_leak", budget_does_not_leak),
        trial(any, "lost_buffers_stay_counted", lost_buffers_stay_counted),
        trial(any, "oversize_is_an_error", oversize_is_an_error),
        trial(
            any,
            "release_from_another_thread",
            release_from_another_thread,
        ),
        trial(any, "handle_outlives_the_pool", handle_outlives_the_pool),
        trial(any, "statistics", statistics),
        trial(any, "concurrent_use", concurrent_use),
        trial(prepares, "prepared_does_not_miss", prepared_does_not_miss),
        trial(prepares, "preparations_add_up", preparations_add_up),
        trial(
            prepares,
            "prepared_bytes_are_owned",
            prepared_bytes_are_owned,
        ),
        trial(prepares, "empty_fails_by_default", empty_fails_by_default),
        trial(
            prepares,
            "empty_allocates_if_asked",
            empty_allocates_if_asked,
        ),
        trial(
            real_time,
            "says_that_it_is_real_time",
            says_that_it_is_real_time,
        ),
        options::trial(),
    ]
}

const LENGTHS: &[usize] = &[0, 1, 15, 16, 17, 100, 512, 1000, 4096, 44_100];

fn report(error: auralis_core::Error) -> String {
    error.report()
}

fn pool(subject: &Pools<'_>, capacity_bytes: usize) -> Result<Arc<dyn BufferPool>, String> {
    subject.instance_with(&PoolSettings { capacity_bytes })
}

/// A pool of 1 MiB with `count` buffers of each of these lengths.
fn prepared(
    subject: &Pools<'_>,
    lengths: &[usize],
    count: usize,
) -> Result<Arc<dyn BufferPool>, String> {
    let pool = pool(subject, 1 << 20)?;
    for &len in lengths {
        pool.prepare(len, count).map_err(report)?;
    }
    Ok(pool)
}

fn each_buffer(
    subject: &Pools<'_>,
    contents: Contents,
    run: impl Fn(&mut [f32], usize) -> Outcome,
) -> Outcome {
    let pool = prepared(subject, LENGTHS, 1)?;
    for _ in 0..3 {
        for &len in LENGTHS {
            let mut buffer = pool.acquire(len, contents).map_err(report)?;
            run(&mut buffer, len)?;
        }
    }
    Ok(())
}

fn exact_length(subject: &Pools<'_>) -> Outcome {
    each_buffer(subject, Contents::Stale, |samples, len| {
        check(samples.len() == len, || {
            format!("asked for {len} samples, got {}", samples.len())
        })
    })
}

fn aligned(subject: &Pools<'_>) -> Outcome {
    each_buffer(subject, Contents::Stale, |samples, len| {
        let address = samples.as_ptr().addr();
        check(address % ALIGNMENT == 0, || {
            format!("{len} samples lie at {address:#x}")
        })
    })
}

fn zeroed_means_zero(subject: &Pools<'_>) -> Outcome {
    each_buffer(subject, Contents::Zeroed, |samples, len| {
        let clean = samples.iter().all(|sample| sample.to_bits() == 0);
        samples.fill(1.5);
        check(clean, || format!("of {len} samples not all are zero"))
    })
}

fn buffers_do_not_overlap(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100], 20)?;
    let mut held = Vec::new();
    for mark in 0..20_u8 {
        let mut buffer = pool.acquire(100, Contents::Stale).map_err(report)?;
        buffer.fill(mark.into());
        held.push((mark, buffer));
    }
    let wrong = held
        .iter()
        .find(|(mark, buffer)| buffer.iter().any(|s| *s != f32::from(*mark)));
    check(wrong.is_none(), || {
        "a buffer holds what was written to another".into()
    })
}

fn budget_bounds_prepare(subject: &Pools<'_>) -> Outcome {
    let pool = pool(subject, 64 << 10)?;
    pool.prepare(4096, 2).map_err(report)?;
    let before = pool.stats().bytes;
    for (len, count) in [(4096, 3), (1 << 20, 1), (4096, usize::MAX), (usize::MAX, 2)] {
        match pool.prepare(len, count) {
            Ok(()) => return Err(format!("{count} buffers of {len} samples in 64 KiB")),
            Err(error) => check(error.kind() == ErrorKind::Exhausted, || {
                format!("{error:?}")
            })?,
        }
    }
    let after = pool.stats().bytes;
    check(before == after, || {
        format!("{before} bytes before what failed, {after} after")
    })?;
    pool.prepare(4096, 2).map_err(report)
}

fn budget_does_not_leak(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[1000], 4)?;
    let before = pool.stats().bytes;
    for round in 0..200 {
        let held: Vec<_> = (0..4)
            .map(|_| pool.acquire(1000 - round, Contents::Stale))
            .filter_map(Result::ok)
            .collect();
        let stats = pool.stats();
        check(stats.bytes <= 1 << 20, || {
            format!("{stats:?} with {} lent", held.len())
        })?;
    }
    let stats = pool.stats();
    check((stats.in_use, stats.bytes) == (0, before), || {
        format!("all came back: {stats:?}")
    })
}

fn lost_buffers_stay_counted(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[1000], 4)?;
    std::mem::forget(pool.acquire(1000, Contents::Stale).map_err(report)?);
    let stats = pool.stats();
    let holds = stats.in_use == 1 && stats.bytes >= 4000 && stats.bytes <= 1 << 20;
    check(holds, || format!("a buffer was lost: {stats:?}"))
}

fn oversize_is_an_error(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100], 1)?;
    for len in [1 << 40, usize::MAX / 8, usize::MAX] {
        match pool.acquire(len, Contents::Stale) {
            Ok(_) => return Err(format!("{len} samples were lent")),
            Err(error) => {
                let known = matches!(error.kind(), ErrorKind::Exhausted | ErrorKind::InvalidInput);
                check(known, || format!("{error:?}"))?;
            }
        }
    }
    pool.acquire(100, Contents::Stale).map_err(report)?;
    check(pool.stats().in_use == 0, || {
        "a refused request is counted as lent".into()
    })
}

fn release_from_another_thread(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100], 1)?;
    for _ in 0..20 {
        let buffer = pool.acquire(100, Contents::Stale).map_err(report)?;
        thread::spawn(move || drop(buffer))
            .join()
            .map_err(|_| "the release panicked")?;
    }
    check(pool.stats().in_use == 0, || {
        "a buffer did not come back".into()
    })
}

fn handle_outlives_the_pool(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100], 2)?;
    let mut first = pool.acquire(100, Contents::Stale).map_err(report)?;
    let second = pool.acquire(100, Contents::Zeroed).map_err(report)?;
    drop(pool);
    first.fill(2.0);
    let holds = first.iter().all(|s| *s == 2.0) && second.iter().all(|s| *s == 0.0);
    drop(first);
    check(holds && second.len() == 100, || {
        "the samples are not those that were written".into()
    })
}

fn statistics(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100], 5)?;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(pool.acquire(100, Contents::Stale).map_err(report)?);
    }
    held.truncate(2);
    held.push(pool.acquire(100, Contents::Stale).map_err(report)?);
    let stats = pool.stats();
    let counts = (
        stats.in_use,
        stats.peak,
        stats.acquired,
        stats.capacity_bytes,
    );
    check(counts == (3, 5, 6, 1 << 20), || {
        format!("3 in use, 5 at most, 6 in all: {stats:?}")
    })?;
    check(stats.bytes >= 3 * 400, || {
        format!("three buffers of 400 bytes are lent: {stats:?}")
    })
}

fn concurrent_use(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[64], 16)?;
    let worker = |thread: u16| -> Outcome {
        for round in 0..500_u16 {
            let mark = f32::from(thread * 500 + round);
            let mut held = Vec::new();
            for _ in 0..1 + round % 4 {
                let mut buffer = pool.acquire(64, Contents::Stale).map_err(report)?;
                buffer.fill(mark);
                held.push(buffer);
            }
            let sound = held
                .iter()
                .all(|buffer| buffer.iter().all(|sample| *sample == mark));
            check(sound, || "another thread wrote to a lent buffer".into())?;
        }
        Ok(())
    };
    thread::scope(|scope| -> Outcome {
        let workers: Vec<_> = (0..4)
            .map(|thread| scope.spawn(move || worker(thread)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|w| w.join().map_err(|_| "a user panicked".to_string())?)
    })?;
    let stats = pool.stats();
    check(stats.in_use == 0 && stats.peak <= 16, || {
        format!("{stats:?}")
    })
}

fn prepared_does_not_miss(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100, 1000, 3000], 4)?;
    for _ in 0..50 {
        let mut held = Vec::new();
        for len in [100, 1000, 3000].repeat(4) {
            held.push(pool.acquire(len, Contents::Stale).map_err(report)?);
        }
    }
    let stats = pool.stats();
    check((stats.misses, stats.peak) == (0, 12), || {
        format!("{stats:?}")
    })
}

fn preparations_add_up(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100, 200], 0)?;
    let mut held = Vec::new();
    for step in 1..12 {
        pool.prepare(100, step).map_err(report)?;
        pool.prepare(120, 1).map_err(report)?;
        for _ in 0..step {
            held.push(pool.acquire(100, Contents::Stale).map_err(report)?);
        }
        held.push(pool.acquire(120, Contents::Stale).map_err(report)?);
    }
    let stats = pool.stats();
    check(stats.misses == 0 && stats.in_use == held.len(), || {
        format!("{stats:?}")
    })
}

fn prepared_bytes_are_owned(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[1000], 10)?;
    let owned = pool.stats().bytes;
    check((40_000..=1 << 20).contains(&owned), || {
        format!("ten of 4000 bytes are {owned}")
    })?;
    let held = pool.acquire(1000, Contents::Stale).map_err(report)?;
    let lent = pool.stats().bytes;
    drop(held);
    check(lent == owned, || {
        format!("{owned} bytes owned, {lent} once one was lent")
    })
}

fn empty_fails_by_default(subject: &Pools<'_>) -> Outcome {
    let pool = prepared(subject, &[100], 1)?;
    let held = pool.acquire(100, Contents::Stale).map_err(report)?;
    match pool.acquire(100, Contents::Stale) {
        Ok(_) => return Err("an empty pool lent a buffer".into()),
        Err(error) => check(error.kind() == ErrorKind::Exhausted, || {
            format!("{error:?}")
        })?,
    }
    drop(held);
    pool.acquire(100, Contents::Stale).map_err(report)?;
    let stats = pool.stats();
    check((stats.misses, stats.acquired) == (1, 2), || {
        format!("{stats:?}")
    })
}

fn empty_allocates_if_asked(subject: &Pools<'_>) -> Outcome {
    let settings = PoolSettings {
        capacity_bytes: 4096,
    };
    let pool = subject.instance_from(&settings, json!({ "when_empty": "allocate" }))?;
    pool.prepare(100, 1).map_err(report)?;
    let owned = pool.stats().bytes;
    let held = [(); 3].map(|()| pool.acquire(100, Contents::Zeroed).map_err(report));
    for buffer in &held {
        let samples = buffer.as_ref().map_err(Clone::clone)?;
        let sound = samples.len() == 100 && samples.iter().all(|sample| *sample == 0.0);
        check(sound, || format!("{samples:?} is not 100 zeros"))?;
    }
    let stats = pool.stats();
    let counts = (stats.in_use, stats.misses, stats.bytes);
    check(counts == (3, 2, owned), || {
        format!("two of three were not prepared: {stats:?}")
    })?;
    drop(held);
    let stats = pool.stats();
    check((stats.in_use, stats.bytes) == (0, owned), || {
        format!("all came back: {stats:?}")
    })?;
    pool.acquire(100, Contents::Stale).map_err(report)?;
    check(pool.stats().misses == 2, || {
        "the prepared buffer is lost".into()
    })
}

fn says_that_it_is_real_time(subject: &Pools<'_>) -> Outcome {
    let pool = subject.instance()?;
    check(pool.is_real_time(), || {
        "the descriptor says so, the instance does not".into()
    })
}
