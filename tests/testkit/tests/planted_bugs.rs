//! A trial that can't fail proves nothing: backends with one planted bug each fail the right one.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use auralis_buffer_pool as _;
use auralis_cache as _;
use auralis_core::profiler::{Nanoseconds, Report};
use auralis_core::{
    Accelerator, Admission, Buffer, BufferPool, BuildContext, Bytes, Cache, CacheStats, Contents,
    CpuFeatures, Executor, Kernel, Key, Linked, NoOptions, Operation, OperationId, PoolStats,
    Profiler, Result,
};
use auralis_executor as _;
use auralis_profiler as _;
use auralis_testkit::{
    Outcome, Subject, Trial, Tried, accelerator, buffer_pool, cache, executor, profiler, quick,
};

/// The names of the trials that the backend `id` fails once `plant` has wrapped it.
fn failures<K: Linked + ?Sized>(
    trials: Vec<Trial<K>>,
    id: &str,
    plant: fn(Arc<K>) -> Arc<K>,
) -> Vec<&'static str> {
    let linked = K::linked();
    let descriptor = linked
        .iter()
        .find(|descriptor| descriptor.id == id)
        .unwrap();
    let build = |context: &BuildContext<'_, K>| (descriptor.build)(context).map(plant);
    let (capabilities, schema) = (descriptor.capabilities, descriptor.options_schema);
    let subject = Subject::new(id, capabilities, schema, CpuFeatures::NONE, &build);
    let applies = |trial: &Trial<K>| trial.needs.is_none_or(|needed| subject.offers(needed));
    let failing = trials
        .into_iter()
        .filter(|trial| applies(trial) && (trial.run)(&subject).is_err());
    failing.map(|trial| trial.name).collect()
}

/// What the quick part says of the backend `id` once `plant` has wrapped it.
fn quickly<K: Linked + Tried + ?Sized>(id: &str, plant: fn(Arc<K>) -> Arc<K>) -> Outcome {
    let linked = K::linked();
    let descriptor = linked.iter().find(|descriptor| descriptor.id == id);
    let descriptor = descriptor.unwrap();
    let build = |context: &BuildContext<'_, K>| (descriptor.build)(context).map(plant);
    let (capabilities, schema) = (descriptor.capabilities, descriptor.options_schema);
    let subject = Subject::new(id, capabilities, schema, CpuFeatures::NONE, &build);
    quick(&subject)
}

/// What is found in an accelerator with nothing but `scale`: by that trial, and by the quick part.
fn scaled(scale: fn(&mut [f32], f32)) -> (Outcome, Outcome) {
    #[derive(Debug)]
    struct Scale(fn(&mut [f32], f32));

    impl Accelerator for Scale {
        fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
            (self.0)(data, gain);
            Ok(())
        }
    }

    let build = move |context: &BuildContext<'_, dyn Accelerator>| {
        context.options.parse::<NoOptions>()?;
        Ok(Arc::new(Scale(scale)) as Arc<dyn Accelerator>)
    };
    let schema = NoOptions::SCHEMA;
    let subject = Subject::new("acme", &["scale"], schema, CpuFeatures::NONE, &build);
    let trials = accelerator::trials();
    let trial = trials.iter().find(|trial| trial.name == "scale").unwrap();
    ((trial.run)(&subject), quick(&subject))
}

#[test]
fn a_tail_that_is_one_short_is_named_with_its_trial_length_and_sample() {
    let right = |data: &mut [f32], gain: f32| data.iter_mut().for_each(|x| *x *= gain);
    assert_eq!(scaled(right), (Ok(()), Ok(())));
    // Whole vectors of 8, then all but the last sample of the rest.
    let (full, quick) = scaled(|data, gain| {
        let end = data.len() - usize::from(data.len() % 8 > 2);
        data[..end].iter_mut().for_each(|x| *x *= gain);
    });
    let full = full.unwrap_err();
    assert!(full.starts_with("length 3: sample 2 is "), "{full}");
    let quick = quick.unwrap_err();
    assert!(
        quick.starts_with("accelerator::acme::scale: length 7: sample 6 is ")
            && quick.contains(", expected "),
        "{quick}"
    );
    // What a loop with vectors of 64 leaves out.
    let (_, quick) = scaled(|data, gain| {
        let end = data.len() - usize::from(data.len() > 64);
        data[..end].iter_mut().for_each(|x| *x *= gain);
    });
    let quick = quick.unwrap_err();
    assert_eq!(
        quick,
        "accelerator::acme::scale: length 67: sample 66 is -0.30861378, expected 0.5246434 (at \
         offset 1 from a cache line)"
    );
}

#[test]
fn results_that_are_no_numbers_are_found_by_the_quick_part() {
    let (_, quick) = scaled(|data, _| data.fill(f32::NAN));
    let quick = quick.unwrap_err();
    assert!(
        quick.contains("length 1: sample 0 is NaN, expected "),
        "{quick}"
    );
}

#[test]
fn a_backend_that_passes_over_wrong_options_is_found() {
    #[derive(Debug)]
    struct Nothing;
    impl Accelerator for Nothing {}

    let build =
        |_: &BuildContext<'_, dyn Accelerator>| Ok(Arc::new(Nothing) as Arc<dyn Accelerator>);
    let schema = NoOptions::SCHEMA;
    let subject = Subject::new("acme", &[], schema, CpuFeatures::NONE, &build);
    assert_eq!(
        quick(&subject).unwrap_err(),
        "accelerator::acme::wrong_options_are_refused: options that are wrong (an unknown key) are \
         accepted, expected an error of kind Config"
    );
}

#[test]
fn the_quick_part_passes_what_is_right() {
    for id in ["heap", "queue", "debug"] {
        assert_eq!(quickly::<dyn BufferPool>(id, |inner| inner), Ok(()), "{id}");
    }
    for id in ["lru", "dashmap", "disk", "none"] {
        assert_eq!(quickly::<dyn Cache>(id, |inner| inner), Ok(()), "{id}");
    }
    for id in ["sequential", "rayon", "pinned"] {
        assert_eq!(quickly::<dyn Executor>(id, |inner| inner), Ok(()), "{id}");
    }
    for id in ["histogram", "trace", "none"] {
        assert_eq!(quickly::<dyn Profiler>(id, |inner| inner), Ok(()), "{id}");
    }
}

/// The names of the trials that the quick part runs.
fn quick_names<K: Tried + ?Sized>() -> Vec<&'static str> {
    let trials = K::trials().into_iter();
    trials.filter(|t| t.quick).map(|t| t.name).collect()
}

#[test]
fn each_kind_has_quick_trials() {
    assert_eq!(quick_names::<dyn BufferPool>().len(), 11);
    assert_eq!(quick_names::<dyn Cache>().len(), 9);
    assert_eq!(quick_names::<dyn Executor>().len(), 8);
    assert_eq!(quick_names::<dyn Profiler>().len(), 10);
    // Every kernel has one that is named as it is.
    let accelerator = quick_names::<dyn Accelerator>();
    let missing = Kernel::NAMES
        .iter()
        .find(|name| !accelerator.contains(name));
    assert_eq!(missing, None);
}

/// Passes what is not written out on to `self.0`.
macro_rules! otherwise {
    (Cache) => {
        fn sweep(&self) -> usize {
            self.0.sweep()
        }
        fn stats(&self) -> CacheStats {
            self.0.stats()
        }
    };
    (Executor) => {
        fn threads(&self) -> usize {
            self.0.threads()
        }
        fn is_real_time(&self) -> bool {
            self.0.is_real_time()
        }
    };
    (BufferPool) => {
        fn prepare(&self, len: usize, count: usize) -> Result<()> {
            self.0.prepare(len, count)
        }
        fn is_real_time(&self) -> bool {
            self.0.is_real_time()
        }
        fn stats(&self) -> PoolStats {
            self.0.stats()
        }
    };
    (Profiler) => {
        fn register(&self, operation: &Operation<'_>) -> OperationId {
            self.0.register(operation)
        }
        fn report(&self) -> Report {
            self.0.report()
        }
    };
}

/// Still finds what was removed.
#[derive(Debug)]
struct RemembersTheRemoved(Arc<dyn Cache>, Mutex<HashMap<Key, Bytes>>);

impl Cache for RemembersTheRemoved {
    otherwise!(Cache);
    fn get(&self, key: &Key) -> Option<Bytes> {
        self.0
            .get(key)
            .or_else(|| self.1.lock().unwrap().get(key).cloned())
    }
    fn put(&self, key: &Key, value: Bytes) -> Admission {
        self.1.lock().unwrap().remove(key);
        self.0.put(key, value)
    }
    fn remove(&self, key: &Key) -> bool {
        if let Some(value) = self.0.get(key) {
            self.1.lock().unwrap().insert(*key, value);
        }
        self.0.remove(key)
    }
}

#[test]
fn a_cache_that_returns_what_was_removed() {
    let plant = |inner| Arc::new(RemembersTheRemoved(inner, Mutex::default())) as Arc<dyn Cache>;
    for id in ["lru", "dashmap"] {
        assert!(failures(cache::trials(), id, |inner| inner).is_empty());
        assert!(failures(cache::trials(), id, plant).contains(&"remove"));
    }
}

/// Puts each entry anew when it is read.
#[derive(Debug)]
struct LivesByReads(Arc<dyn Cache>);

impl Cache for LivesByReads {
    otherwise!(Cache);
    fn get(&self, key: &Key) -> Option<Bytes> {
        let value = self.0.get(key)?;
        self.0.put(key, value.clone());
        Some(value)
    }
    fn put(&self, key: &Key, value: Bytes) -> Admission {
        self.0.put(key, value)
    }
    fn remove(&self, key: &Key) -> bool {
        self.0.remove(key)
    }
}

#[test]
fn a_cache_whose_entries_live_by_being_read() {
    let failed = failures(cache::trials(), "lru", |inner| {
        Arc::new(LivesByReads(inner))
    });
    assert!(failed.contains(&"ttl_is_absolute"), "{failed:?}");
}

/// Leaves out the last range.
#[derive(Debug)]
struct SkipsTheLast(Arc<dyn Executor>);

impl Executor for SkipsTheLast {
    otherwise!(Executor);
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        self.0.for_ranges(len, grain, &|range| {
            if range.end < len {
                task(range);
            }
        })
    }
}

/// Cuts ranges in two wherever that falls.
#[derive(Debug)]
struct CutsAnywhere(Arc<dyn Executor>);

impl Executor for CutsAnywhere {
    otherwise!(Executor);
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        self.0.for_ranges(len, grain, &|range| {
            let middle = range.start + range.len() / 2;
            task(range.start..middle);
            task(middle..range.end);
        })
    }
}

/// Without the one trial that waits long for a range that is skipped.
fn quick_executor_trials() -> Vec<Trial<dyn Executor>> {
    let mut trials = executor::trials();
    trials.retain(|trial| trial.name != "two_ranges_run_at_once");
    trials
}

#[test]
fn an_executor_that_skips_or_cuts() {
    for id in ["sequential", "rayon", "pinned"] {
        assert!(failures(executor::trials(), id, |inner| inner).is_empty());
        let message = quickly::<dyn Executor>(id, |inner| Arc::new(SkipsTheLast(inner)));
        let expected = format!("executor::{id}::covers_every_index_once: index 0 of 1 ");
        assert!(message.unwrap_err().starts_with(&expected));
        let failed = failures(quick_executor_trials(), id, |inner| {
            Arc::new(SkipsTheLast(inner))
        });
        assert!(failed.contains(&"covers_every_index_once"), "{failed:?}");
        assert!(
            !failed.contains(&"edges_are_multiples_of_grain"),
            "{failed:?}"
        );
        let failed = failures(quick_executor_trials(), id, |inner| {
            Arc::new(CutsAnywhere(inner))
        });
        assert!(
            failed.contains(&"edges_are_multiples_of_grain"),
            "{failed:?}"
        );
        assert!(!failed.contains(&"covers_every_index_once"), "{failed:?}");
    }
}

/// Lends one sample more than asked.
#[derive(Debug)]
struct LendsMore(Arc<dyn BufferPool>);

impl BufferPool for LendsMore {
    otherwise!(BufferPool);
    fn acquire(&self, len: usize, contents: Contents) -> Result<Buffer> {
        self.0.acquire(len.saturating_add(1), contents)
    }
}

/// Does not zero what should be zero.
#[derive(Debug)]
struct LendsStale(Arc<dyn BufferPool>);

impl BufferPool for LendsStale {
    otherwise!(BufferPool);
    fn acquire(&self, len: usize, _contents: Contents) -> Result<Buffer> {
        self.0.acquire(len, Contents::Stale)
    }
}

#[test]
fn a_pool_that_lends_too_much_or_too_dirty() {
    for id in ["heap", "queue", "debug"] {
        assert!(failures(buffer_pool::trials(), id, |inner| inner).is_empty());
    }
    let failed = failures(buffer_pool::trials(), "heap", |inner| {
        Arc::new(LendsMore(inner))
    });
    assert!(failed.contains(&"exact_length"), "{failed:?}");
    for id in ["queue", "debug"] {
        let failed = failures(buffer_pool::trials(), id, |inner| {
            Arc::new(LendsStale(inner))
        });
        assert!(failed.contains(&"zeroed_means_zero"), "{failed:?}");
    }
}

/// Forgets each hundredth run.
#[derive(Debug)]
struct Forgets(Arc<dyn Profiler>, AtomicU64);

impl Profiler for Forgets {
    otherwise!(Profiler);
    fn record(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds) {
        if self.1.fetch_add(1, Ordering::Relaxed) % 100 != 99 {
            self.0.record(id, start, end);
        }
    }
}

/// Measures a tenth too much.
#[derive(Debug)]
struct Exaggerates(Arc<dyn Profiler>);

impl Profiler for Exaggerates {
    fn register(&self, operation: &Operation<'_>) -> OperationId {
        self.0.register(operation)
    }
    fn record(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds) {
        self.0.record(id, start, end);
    }
    fn report(&self) -> Report {
        let mut report = self.0.report();
        for row in &mut report.operations {
            row.p99_ns = row.p99_ns.saturating_add(row.p99_ns / 10);
        }
        report
    }
}

#[test]
fn a_profiler_that_forgets_or_exaggerates() {
    assert!(failures(profiler::trials(), "histogram", |inner| inner).is_empty());
    let forgets = |inner| Arc::new(Forgets(inner, AtomicU64::new(0))) as Arc<dyn Profiler>;
    let failed = failures(profiler::trials(), "histogram", forgets);
    assert!(failed.contains(&"totals_are_exact"), "{failed:?}");
    assert!(
        failed.contains(&"concurrent_records_are_all_counted"),
        "{failed:?}"
    );
    let failed = failures(profiler::trials(), "histogram", |inner| {
        Arc::new(Exaggerates(inner))
    });
    assert!(
        failed.contains(&"percentiles_are_near_an_exact_sort"),
        "{failed:?}"
    );
    assert!(!failed.contains(&"totals_are_exact"), "{failed:?}");
}
