//! Trials of caches.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use auralis_core::{Admission, Bytes, Cache, CacheSettings, Key, KeyBuilder};
use serde_json::json;
use tempfile::TempDir;

use crate::{Outcome, Subject, Trial, check, options};

type Caches<'a> = Subject<'a, dyn Cache>;

/// Those that are cheap, sleep nowhere, and show memory or results that are wrong.
const QUICK: &[&str] = &[
    "unknown_key_is_a_counted_miss",
    "zero_budget_stores_nothing",
    "hit_returns_the_bytes",
    "empty_value_is_a_value",
    "replace",
    "remove",
    "statistics",
    "values_outlive_their_entry",
];

/// One trial per clause of the contract of [`Cache`]. A cache that lists `stores` keeps what it is
/// given; `recency`: what was used last goes last; `persistent`: entries lie as files in its option
/// `directory` and outlive it.
pub fn trials() -> Vec<Trial<dyn Cache>> {
    let trial = |needs, name, run| Trial {
        name,
        needs,
        quick: QUICK.contains(&name),
        run,
    };
    let (any, stores) = (None, Some("stores"));
    let (recency, persistent) = (Some("recency"), Some("persistent"));
    vec![
        trial(
            any,
            "unknown_key_is_a_counted_miss",
            unknown_key_is_a_counted_miss,
        ),
        trial(
            any,
            "hit_never_returns_other_bytes",
            hit_never_returns_other_bytes,
        ),
        trial(any, "budget_holds", budget_holds),
        trial(any, "concurrent_use", concurrent_use),
        trial(
            any,
            "zero_budget_stores_nothing",
            zero_budget_stores_nothing,
        ),
        trial(stores, "hit_returns_the_bytes", hit_returns_the_bytes),
        trial(stores, "empty_value_is_a_value", empty_value_is_a_value),
        trial(stores, "replace", replace),
        trial(stores, "replacing_does_not_grow", replacing_does_not_grow),
        trial(stores, "remove", remove),
        trial(stores, "large_value", large_value),
        trial(
            stores,
            "too_large_is_counted_and_evicts_nothing",
            too_large_evicts_nothing,
        ),
        trial(stores, "evictions_are_counted", evictions_are_counted),
        trial(stores, "statistics", statistics),
        trial(stores, "ttl_is_absolute", ttl_is_absolute),
        trial(
            stores,
            "ttl_of_zero_is_without_end",
            ttl_of_zero_is_without_end,
        ),
        trial(stores, "put_renews_the_ttl", put_renews_the_ttl),
        trial(stores, "sweep_removes_the_dead", sweep_removes_the_dead),
        trial(stores, "sweep_leaves_the_living", sweep_leaves_the_living),
        trial(
            stores,
            "callers_can_not_change_what_is_stored",
            callers_can_not_change,
        ),
        trial(
            stores,
            "values_outlive_their_entry",
            values_outlive_their_entry,
        ),
        trial(
            recency,
            "what_was_read_last_stays",
            what_was_read_last_stays,
        ),
        trial(persistent, "survives_a_restart", survives_a_restart),
        trial(persistent, "two_instances_share", two_instances_share),
        trial(
            persistent,
            "two_instances_hold_one_budget",
            two_instances_hold_one_budget,
        ),
        trial(persistent, "changed_entry_is_a_counted_miss", changed_entry),
        trial(
            persistent,
            "truncated_entry_is_a_counted_miss",
            truncated_entry,
        ),
        trial(persistent, "foreign_entry_is_a_counted_miss", foreign_entry),
        trial(
            persistent,
            "trouble_is_counted_not_fatal",
            trouble_is_counted,
        ),
        options::trial(),
    ]
}

fn key(n: u32) -> Key {
    KeyBuilder::new("trial", 1).argument(&n).finish()
}

/// A value that is known by its first bytes.
fn value(n: u32, len: usize) -> Bytes {
    (0..len)
        .map(|i| (n.wrapping_mul(31) as usize + i * 7) as u8)
        .collect()
}

fn settings(capacity_bytes: u64, ttl: Duration) -> CacheSettings {
    CacheSettings {
        capacity_bytes,
        ttl,
    }
}

/// A cache of 64 KiB whose entries live without end.
fn small(subject: &Caches<'_>) -> Result<Arc<dyn Cache>, String> {
    subject.instance_with(&settings(64 << 10, Duration::ZERO))
}

fn put(cache: &dyn Cache, n: u32, len: usize) -> Outcome {
    let admission = cache.put(&key(n), value(n, len));
    check(admission == Admission::Stored, || {
        format!("a value of {len} bytes was not stored but {admission:?}")
    })
}

fn check_hit(cache: &dyn Cache, n: u32, len: usize) -> Outcome {
    match cache.get(&key(n)) {
        Some(found) => check(found == value(n, len), || {
            format!("key {n} has other bytes")
        }),
        None => Err(format!("key {n} is a miss")),
    }
}

fn check_miss(cache: &dyn Cache, n: u32) -> Outcome {
    check(cache.get(&key(n)).is_none(), || format!("key {n} is a hit"))
}

/// A sequence that looks random and is the same in every run (Marsaglia's xorshift).
fn random(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    }
}

fn unknown_key_is_a_counted_miss(subject: &Caches<'_>) -> Outcome {
    let cache = subject.instance()?;
    check_miss(&*cache, 1)?;
    check(!cache.remove(&key(1)), || {
        "an unknown key was removed".into()
    })?;
    check(cache.sweep() == 0, || {
        "an empty cache was swept of something".into()
    })?;
    let stats = cache.stats();
    check(
        (stats.hits, stats.misses, stats.errors) == (0, 1, 0),
        || format!("{stats:?}"),
    )
}

fn hit_never_returns_other_bytes(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    let mut next = random(1);
    let mut last = HashMap::new();
    for _ in 0..1000 {
        let (n, len) = (next(100), next(2000) as usize);
        match next(4) {
            0 => {
                let bytes = value(next(1000), len);
                let admission = cache.put(&key(n), bytes.clone());
                if admission == Admission::Stored {
                    last.insert(n, bytes);
                }
            }
            1 if n % 10 == 0 => {
                cache.remove(&key(n));
                last.remove(&n);
            }
            _ => {
                if let Some(found) = cache.get(&key(n)) {
                    check(last.get(&n) == Some(&found), || {
                        format!("key {n} has bytes that were not put last")
                    })?;
                }
            }
        }
    }
    Ok(())
}

fn check_budget(cache: &dyn Cache, capacity: u64) -> Outcome {
    let stats = cache.stats();
    check(stats.bytes <= capacity, || {
        format!("{} bytes of {capacity}", stats.bytes)
    })
}

fn budget_holds(subject: &Caches<'_>) -> Outcome {
    let capacity = 64 << 10;
    let cache = small(subject)?;
    let mut next = random(2);
    for _ in 0..3000 {
        let (n, len) = (next(500), next(9000) as usize);
        cache.put(&key(n), value(n, len));
        check_budget(&*cache, capacity)?;
    }
    let alive = (0..500).filter_map(|n| cache.get(&key(n)));
    let bytes: usize = alive.map(|value| value.len() + size_of::<Key>()).sum();
    let stats = cache.stats();
    check(bytes as u64 <= stats.bytes, || {
        format!(
            "values and keys of {bytes} bytes are alive, stated are {}",
            stats.bytes
        )
    })
}

fn concurrent_use(subject: &Caches<'_>) -> Outcome {
    let capacity = 64 << 10;
    let cache = small(subject)?;
    let worker = |seed| -> Outcome {
        let mut next = random(seed);
        for _ in 0..400 {
            let n = next(60);
            let len = 100 + 40 * n as usize;
            match next(8) {
                0..4 => {
                    cache.put(&key(n), value(n, len));
                    check_budget(&*cache, capacity)?;
                }
                4 => {
                    cache.remove(&key(n));
                }
                5 if n == 0 => {
                    cache.sweep();
                }
                _ => {
                    if let Some(found) = cache.get(&key(n)) {
                        check(found == value(n, len), || {
                            format!("key {n} has other bytes")
                        })?;
                    }
                }
            }
        }
        Ok(())
    };
    thread::scope(|scope| -> Outcome {
        let workers: Vec<_> = (1..=4)
            .map(|seed| scope.spawn(move || worker(seed)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|w| w.join().map_err(|_| "a caller panicked".to_string())?)
    })?;
    let stats = cache.stats();
    check(stats.errors == 0, || format!("{stats:?}"))
}

fn zero_budget_stores_nothing(subject: &Caches<'_>) -> Outcome {
    let cache = subject.instance_with(&settings(0, Duration::ZERO))?;
    let admission = cache.put(&key(1), Bytes::new());
    check(admission != Admission::Stored, || {
        "stored in a budget of 0 bytes".into()
    })?;
    check_miss(&*cache, 1)
}

fn hit_returns_the_bytes(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    let lengths = [1, 2, 3, 100, 4096, 10_000];
    for (n, len) in (0..).zip(lengths) {
        put(&*cache, n, len)?;
    }
    for _ in 0..2 {
        for (n, len) in (0..).zip(lengths) {
            check_hit(&*cache, n, len)?;
        }
    }
    Ok(())
}

fn empty_value_is_a_value(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    put(&*cache, 1, 0)?;
    check_hit(&*cache, 1, 0)?;
    check(cache.remove(&key(1)), || "removing it found nothing".into())
}

fn replace(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    for len in [100, 5000, 0, 7] {
        put(&*cache, 1, len)?;
        check_hit(&*cache, 1, len)?;
        let entries = cache.stats().entries;
        check(entries == 1, || format!("{entries} entries under one key"))?;
    }
    Ok(())
}

fn replacing_does_not_grow(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    put(&*cache, 1, 20_000)?;
    put(&*cache, 2, 20_000)?;
    let before = cache.stats().bytes;
    for _ in 0..20 {
        put(&*cache, 1, 20_000)?;
    }
    let stats = cache.stats();
    check(stats.bytes == before && stats.evictions == 0, || {
        format!("{before} before: {stats:?}")
    })?;
    check_hit(&*cache, 2, 20_000)
}

fn remove(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    put(&*cache, 1, 100)?;
    put(&*cache, 2, 100)?;
    check(cache.remove(&key(1)), || "removing found nothing".into())?;
    check(!cache.remove(&key(1)), || "it was removed twice".into())?;
    check_miss(&*cache, 1)?;
    check_hit(&*cache, 2, 100)?;
    cache.remove(&key(2));
    let stats = cache.stats();
    check((stats.entries, stats.bytes) == (0, 0), || {
        format!("all was removed: {stats:?}")
    })
}

fn large_value(subject: &Caches<'_>) -> Outcome {
    let cache = subject.instance_with(&settings(12 << 20, Duration::ZERO))?;
    put(&*cache, 1, 10 << 20)?;
    check_hit(&*cache, 1, 10 << 20)?;
    put(&*cache, 2, 10 << 20)?;
    check_hit(&*cache, 2, 10 << 20)?;
    check_miss(&*cache, 1)
}

fn too_large_evicts_nothing(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    (0..10).try_for_each(|n| put(&*cache, n, 1000))?;
    for len in [64 << 10, 1 << 20] {
        let admission = cache.put(&key(99), value(99, len));
        check(admission == Admission::TooLarge, || {
            format!("{len} bytes were {admission:?}")
        })?;
    }
    check_miss(&*cache, 99)?;
    (0..10).try_for_each(|n| check_hit(&*cache, n, 1000))?;
    let stats = cache.stats();
    check((stats.too_large, stats.evictions) == (2, 0), || {
        format!("{stats:?}")
    })
}

fn evictions_are_counted(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    (0..100).try_for_each(|n| put(&*cache, n, 2000))?;
    let alive = (0..100).filter(|n| cache.get(&key(*n)).is_some()).count() as u64;
    let stats = cache.stats();
    check(alive > 0 && stats.entries == alive, || {
        format!("{alive} are alive: {stats:?}")
    })?;
    check(stats.evictions + alive == 100, || {
        format!("{alive} of 100 are alive: {stats:?}")
    })
}

fn statistics(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    put(&*cache, 1, 1000)?;
    put(&*cache, 2, 2000)?;
    for n in [1, 1, 2, 3, 4] {
        cache.get(&key(n));
    }
    let stats = cache.stats();
    let counts = (
        stats.hits,
        stats.misses,
        stats.entries,
        stats.capacity_bytes,
    );
    check(counts == (3, 2, 2, 64 << 10), || format!("{stats:?}"))?;
    let other = (
        stats.evictions,
        stats.expirations,
        stats.too_large,
        stats.errors,
    );
    check(other == (0, 0, 0, 0), || format!("{stats:?}"))?;
    check(stats.bytes >= 3000 + 2 * 32, || {
        format!("keys and values are more: {stats:?}")
    })
}

/// Reads a key until it dies. It must be alive as long as that is certain, and dead once its time is
/// surely over.
fn check_lifetime(cache: &dyn Cache, n: u32, ttl: Duration, before: Instant) -> Outcome {
    let after = Instant::now();
    loop {
        let asked = Instant::now();
        let hit = cache.get(&key(n)).is_some();
        let certainly_alive = before.elapsed() < ttl;
        let certainly_dead = asked.duration_since(after) > ttl;
        check(hit || !certainly_alive, || "dead before its time".into())?;
        check(!hit || !certainly_dead, || {
            "alive after its time, kept so by reads".into()
        })?;
        if !hit || certainly_dead {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn ttl_is_absolute(subject: &Caches<'_>) -> Outcome {
    let ttl = Duration::from_millis(300);
    let cache = subject.instance_with(&settings(64 << 10, ttl))?;
    let before = Instant::now();
    put(&*cache, 1, 100)?;
    check_lifetime(&*cache, 1, ttl, before)?;
    check_miss(&*cache, 1)?;
    let stats = cache.stats();
    check((stats.expirations, stats.entries) == (1, 0), || {
        format!("{stats:?}")
    })
}

fn ttl_of_zero_is_without_end(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    put(&*cache, 1, 100)?;
    thread::sleep(Duration::from_millis(20));
    check(cache.sweep() == 0, || "swept".into())?;
    check_hit(&*cache, 1, 100)
}

fn put_renews_the_ttl(subject: &Caches<'_>) -> Outcome {
    let ttl = Duration::from_millis(200);
    let cache = subject.instance_with(&settings(64 << 10, ttl))?;
    put(&*cache, 1, 100)?;
    thread::sleep(ttl / 2);
    let before = Instant::now();
    put(&*cache, 1, 100)?;
    check_lifetime(&*cache, 1, ttl, before)
}

fn sweep_removes_the_dead(subject: &Caches<'_>) -> Outcome {
    let ttl = Duration::from_millis(30);
    let cache = subject.instance_with(&settings(64 << 10, ttl))?;
    (0..5).try_for_each(|n| put(&*cache, n, 100))?;
    thread::sleep(2 * ttl);
    let swept = cache.sweep() as u64;
    let stats = cache.stats();
    check((stats.entries, stats.bytes) == (0, 0), || {
        format!("after the sweep: {stats:?}")
    })?;
    check(swept == 5 && stats.expirations == 5, || {
        format!("{swept} were swept: {stats:?}")
    })?;
    check(cache.sweep() == 0, || "swept twice".into())
}

fn sweep_leaves_the_living(subject: &Caches<'_>) -> Outcome {
    let cache = subject.instance_with(&settings(64 << 10, Duration::from_secs(3600)))?;
    (0..5).try_for_each(|n| put(&*cache, n, 100))?;
    check(cache.sweep() == 0, || "the living were swept".into())?;
    (0..5).try_for_each(|n| check_hit(&*cache, n, 100))
}

fn callers_can_not_change(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    let mut own = value(1, 500).to_vec();
    cache.put(&key(1), Bytes::from(own.clone()));
    own.fill(0);
    let mut taken: Vec<u8> = cache.get(&key(1)).ok_or("a miss")?.into();
    taken.fill(0);
    if let Ok(mut unique) = cache.get(&key(1)).ok_or("a miss")?.try_into_mut() {
        unique.fill(0);
    }
    check_hit(&*cache, 1, 500)
}

fn values_outlive_their_entry(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    put(&*cache, 1, 5000)?;
    let held = cache.get(&key(1)).ok_or("a miss")?;
    cache.remove(&key(1));
    (2..100).try_for_each(|n| put(&*cache, n, 5000))?;
    drop(cache);
    check(held == value(1, 5000), || {
        "a value changed after its entry was gone".into()
    })
}

fn what_was_read_last_stays(subject: &Caches<'_>) -> Outcome {
    let cache = small(subject)?;
    // Six of these fit, seven do not.
    (0..6).try_for_each(|n| put(&*cache, n, 10_000))?;
    check_hit(&*cache, 0, 10_000)?;
    put(&*cache, 6, 10_000)?;
    check_hit(&*cache, 0, 10_000)?;
    check_hit(&*cache, 6, 10_000)?;
    check_miss(&*cache, 1)
}

/// A directory for several instances.
struct Shared<'a, 'b> {
    subject: &'a Caches<'b>,
    directory: TempDir,
}

impl<'a, 'b> Shared<'a, 'b> {
    fn new(subject: &'a Caches<'b>) -> Result<Self, String> {
        let directory = TempDir::new().map_err(|e| e.to_string())?;
        Ok(Self { subject, directory })
    }

    fn open(&self) -> Result<Arc<dyn Cache>, String> {
        let options = json!({ "directory": self.directory.path() });
        self.subject
            .instance_from(&settings(64 << 10, Duration::ZERO), options)
    }

    /// The files whose content is more than that of a lock.
    fn entries(&self) -> Result<Vec<PathBuf>, String> {
        let mut found = Vec::new();
        walk(self.directory.path(), &mut found).map_err(|e| e.to_string())?;
        check(!found.is_empty(), || "no file holds the entry".into())?;
        Ok(found)
    }
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            walk(&entry.path(), found)?;
        } else if metadata.len() > 0 {
            found.push(entry.path());
        }
    }
    Ok(())
}

fn survives_a_restart(subject: &Caches<'_>) -> Outcome {
    let shared = Shared::new(subject)?;
    let first = shared.open()?;
    put(&*first, 1, 1000)?;
    put(&*first, 2, 0)?;
    drop(first);
    let second = shared.open()?;
    check_hit(&*second, 1, 1000)?;
    check_hit(&*second, 2, 0)?;
    let stats = second.stats();
    check(stats.entries == 2 && stats.bytes >= 1000, || {
        format!("{stats:?}")
    })
}

fn two_instances_share(subject: &Caches<'_>) -> Outcome {
    let shared = Shared::new(subject)?;
    let (one, other) = (shared.open()?, shared.open()?);
    put(&*one, 1, 1000)?;
    check_hit(&*other, 1, 1000)?;
    other.remove(&key(1));
    check_miss(&*one, 1)
}

fn two_instances_hold_one_budget(subject: &Caches<'_>) -> Outcome {
    let shared = Shared::new(subject)?;
    let caches = [shared.open()?, shared.open()?];
    thread::scope(|scope| -> Outcome {
        let writers: Vec<_> = (0..)
            .zip(&caches)
            .map(|(seed, cache)| {
                scope.spawn(move || {
                    (0..150).try_for_each(|n| {
                        put(&**cache, n + 100 * seed, 3000)?;
                        check_budget(&**cache, 64 << 10)
                    })
                })
            })
            .collect();
        writers
            .into_iter()
            .try_for_each(|w| w.join().map_err(|_| "a writer panicked".to_string())?)
    })
}

/// Changes the file of an entry and checks that it becomes one counted miss, and is gone.
fn check_damage(subject: &Caches<'_>, damage: fn(&mut Vec<u8>)) -> Outcome {
    let shared = Shared::new(subject)?;
    let cache = shared.open()?;
    put(&*cache, 1, 1000)?;
    for path in shared.entries()? {
        let mut bytes = std::fs::read(&path).map_err(|e| e.to_string())?;
        damage(&mut bytes);
        std::fs::write(&path, bytes).map_err(|e| e.to_string())?;
    }
    check_miss(&*cache, 1)?;
    check_miss(&*cache, 1)?;
    let stats = cache.stats();
    let counts = (stats.errors, stats.misses, stats.entries);
    check(counts == (1, 2, 0), || {
        format!("after the damage: {stats:?}")
    })?;
    put(&*cache, 1, 1000)?;
    check_hit(&*cache, 1, 1000)
}

fn changed_entry(subject: &Caches<'_>) -> Outcome {
    check_damage(subject, |bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    })
}

fn truncated_entry(subject: &Caches<'_>) -> Outcome {
    check_damage(subject, |bytes| bytes.truncate(bytes.len() / 2))
}

fn foreign_entry(subject: &Caches<'_>) -> Outcome {
    check_damage(subject, |bytes| *bytes = b"something else\n".repeat(100))
}

fn trouble_is_counted(subject: &Caches<'_>) -> Outcome {
    let outer = TempDir::new().map_err(|e| e.to_string())?;
    let file = outer.path().join("a file, not a directory");
    std::fs::write(&file, b"in the way").map_err(|e| e.to_string())?;
    let options = json!({ "directory": file.join("cache") });
    let cache = subject.instance_from(&settings(64 << 10, Duration::ZERO), options)?;
    let admission = cache.put(&key(1), value(1, 100));
    check(admission == Admission::Refused, || {
        format!("the put was {admission:?}")
    })?;
    check(cache.stats().errors > 0, || {
        "the trouble was not counted".into()
    })?;
    check_miss(&*cache, 1)?;
    cache.sweep();
    check(!cache.remove(&key(1)), || "removed from nowhere".into())
}
