//! `pinned`: fixed helper threads, one per core, beside the calling thread, for real-time work.

mod gate;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use auralis_core::executor::contain;
use auralis_core::{CpuFeatures, Descriptor, Error, Executor, ExecutorSettings, Result, register};
use core_affinity::CoreId;
use serde::Deserialize;

use crate::cut::Cut;
use crate::sequential::run_here;
use gate::Gate;

const SCHEMA: &str = include_str!("../../schemas/pinned.schema.json");

register! {
    Descriptor::<dyn Executor> {
        id: "pinned",
        summary: "Fixed, pinned helper threads beside the calling thread, for real-time work",
        version: env!("CARGO_PKG_VERSION"),
        rank: 10,
        requires: CpuFeatures::NONE,
        capabilities: &["parallel", "real_time"],
        options_schema: SCHEMA,
        build: |context| {
            let options = context.options.parse()?;
            Ok(Arc::new(Pinned::new(context.settings, &options)))
        },
    }
}

/// Options of the `pinned` executor.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
struct PinnedOptions {
    /// How long a helper without work spins before it sleeps, in microseconds. A spinning helper
    /// starts at once and burns its core; a sleeping one costs the caller a system call to wake.
    spin_microseconds: u32,
}

impl Default for PinnedOptions {
    fn default() -> Self {
        Self {
            spin_microseconds: 50,
        }
    }
}

/// Pieces per thread: audio work comes in few, equal grains, so a few rounds balance it.
const PIECES_PER_THREAD: usize = 4;

/// Spins between two looks at the clock, which costs about as much as this many spins.
const SPINS_PER_LOOK: u32 = 32;

/// Helpers wait at a [`Gate`]; a call opens it, takes pieces along with whoever enters, closes it
/// and waits for those inside. A helper that comes late finds it closed, so the caller never waits
/// for one that has not begun.
#[derive(Debug)]
struct Pinned {
    helpers: usize,
    spin: Duration,
    crew: OnceLock<Crew>,
}

impl Pinned {
    fn new(settings: &ExecutorSettings, options: &PinnedOptions) -> Self {
        Self {
            helpers: settings.helpers.min(settings.resolved_threads() - 1),
            spin: Duration::from_micros(options.spin_microseconds.into()),
            crew: OnceLock::new(),
        }
    }
}

impl Executor for Pinned {
    fn for_ranges(
        &self,
        len: usize,
        grain: usize,
        task: &(dyn Fn(Range<usize>) + Sync),
    ) -> Result<()> {
        let pieces = self.threads().saturating_mul(PIECES_PER_THREAD);
        let cut = Cut::new(len, grain, pieces);
        if self.helpers == 0 || cut.pieces() <= 1 {
            return run_here(len, task);
        }
        let crew = self
            .crew
            .get_or_init(|| Crew::start(self.helpers, self.spin));
        let call = Call::new(cut, task);
        let work = || call.take_pieces();
        let shared = crew.station.gate.host(&work, || {
            crew.wake(cut.pieces() - 1);
            work();
        });
        // The gate is taken: this is a nested call, or another thread's.
        if shared {
            call.outcome()
        } else {
            run_here(len, task)
        }
    }

    fn threads(&self) -> usize {
        self.helpers + 1
    }

    fn is_real_time(&self) -> bool {
        true
    }
}

/// One call: the pieces still to be taken, and the first of those that panicked.
struct Call<'a> {
    cut: Cut,
    task: &'a (dyn Fn(Range<usize>) + Sync),
    next: AtomicUsize,
    failed: AtomicBool,
    /// Locked only after a panic.
    failure: Mutex<Option<(usize, Error)>>,
}

impl<'a> Call<'a> {
    fn new(cut: Cut, task: &'a (dyn Fn(Range<usize>) + Sync)) -> Self {
        Self {
            cut,
            task,
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    fn take_pieces(&self) {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.cut.pieces() {
                return;
            }
            if let Err(error) = contain(self.cut.piece(index), self.task) {
                self.fail(index, error);
            }
        }
    }

    fn fail(&self, index: usize, error: Error) {
        self.failed.store(true, Ordering::Relaxed);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.as_ref().is_none_or(|(lowest, _)| index < *lowest) {
            *failure = Some((index, error));
        }
    }

    fn outcome(self) -> Result<()> {
        if !self.failed.into_inner() {
            return Ok(());
        }
        let failure = self.failure.into_inner();
        match failure.unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}

/// The helper threads.
#[derive(Debug)]
struct Crew {
    station: Arc<Station>,
    helpers: Vec<JoinHandle<()>>,
}

/// What the helpers and their callers share.
#[derive(Debug)]
struct Station {
    gate: Gate,
    /// Whether each helper sleeps, or is about to.
    asleep: Box<[AtomicBool]>,
    closed: AtomicBool,
    spin: Duration,
}

impl Crew {
    /// Starts up to `count` helpers: where the system refuses one, the others do its work.
    fn start(count: usize, spin: Duration) -> Self {
        let station = Arc::new(Station {
            gate: Gate::default(),
            asleep: (0..count).map(|_| AtomicBool::new(false)).collect(),
            closed: AtomicBool::new(false),
            spin,
        });
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let mut helpers = Vec::with_capacity(count);
        for index in 0..count {
            let core = core_of(index, &cores);
            let station = Arc::clone(&station);
            let helper = thread::Builder::new()
                .name(format!("auralis-pinned-{index}"))
                .spawn(move || help(&station, index, core));
            match helper {
                Ok(helper) => helpers.push(helper),
                Err(error) => {
                    tracing::warn!(%error, index, "a helper of the pinned executor can't be started");
                    break;
                }
            }
        }
        Self { station, helpers }
    }

    /// Wakes sleeping helpers, at most `count`.
    fn wake(&self, count: usize) {
        let sleepers = self.helpers.iter().zip(&self.station.asleep).take(count);
        for (helper, asleep) in sleepers {
            if asleep.load(Ordering::SeqCst) && asleep.swap(false, Ordering::SeqCst) {
                helper.thread().unpark();
            }
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.station.closed.store(true, Ordering::SeqCst);
        for helper in self.helpers.drain(..) {
            helper.thread().unpark();
            if helper.join().is_err() {
                tracing::error!("a helper of the pinned executor panicked");
            }
        }
    }
}

/// The core of a helper: the first core is left to the caller where there are others.
fn core_of(index: usize, cores: &[CoreId]) -> Option<CoreId> {
    let position = (index + 1).checked_rem(cores.len())?;
    Some(cores[position])
}

/// What a helper does until the crew is dropped.
fn help(station: &Station, index: usize, core: Option<CoreId>) {
    if let Some(core) = core
        && !core_affinity::set_for_current(core)
    {
        tracing::debug!(
            index,
            core = core.id,
            "a helper of the pinned executor can't be pinned"
        );
    }
    let mut last = 0;
    while !station.closed.load(Ordering::SeqCst) {
        if station.gate.visit(&mut last) {
            continue;
        }
        if !spin_for_news(station, last) {
            sleep_until_news(station, index, last);
        }
    }
}

/// Spins until there is something to do, or the budget is spent; says whether there is.
fn spin_for_news(station: &Station, last: u64) -> bool {
    let start = Instant::now();
    loop {
        for _ in 0..SPINS_PER_LOOK {
            if station.gate.has_news(last) {
                return true;
            }
            std::hint::spin_loop();
        }
        if start.elapsed() >= station.spin || station.closed.load(Ordering::SeqCst) {
            return false;
        }
    }
}

/// Sleeps until there is something to do. Either the helper sees the news after it has said that it
/// sleeps, or the caller sees that it sleeps after it has opened the gate.
fn sleep_until_news(station: &Station, index: usize, last: u64) {
    let asleep = &station.asleep[index];
    asleep.store(true, Ordering::SeqCst);
    while asleep.load(Ordering::SeqCst)
        && !station.gate.has_news(last)
        && !station.closed.load(Ordering::SeqCst)
    {
        thread::park();
    }
    asleep.store(false, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(helpers: usize, spin_microseconds: u32) -> Pinned {
        let settings = ExecutorSettings {
            threads: helpers + 1,
            helpers,
        };
        Pinned::new(&settings, &PinnedOptions { spin_microseconds })
    }

    #[test]
    fn the_schema_is_that_of_the_options() {
        let derived = schemars::schema_for!(PinnedOptions).to_value();
        let written: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(written, derived, "the schema should be\n{derived:#}");
    }

    #[test]
    fn helpers_stay_within_the_threads() {
        let helpers = |threads, helpers| {
            let settings = ExecutorSettings { threads, helpers };
            Pinned::new(&settings, &PinnedOptions::default()).helpers
        };
        assert_eq!(helpers(4, 2), 2);
        assert_eq!(helpers(2, 5), 1);
        assert_eq!(helpers(1, 2), 0);
    }

    #[test]
    fn the_first_core_is_the_callers() {
        let cores: Vec<_> = (0..2).map(|id| CoreId { id }).collect();
        let id = |index| core_of(index, &cores).map(|core| core.id);
        assert_eq!([id(0), id(1), id(2)], [Some(1), Some(0), Some(1)]);
        assert_eq!(core_of(0, &[]), None);
    }

    #[test]
    fn helpers_start_with_the_first_call_that_can_use_them() {
        let executor = pinned(1, 0);
        executor.for_ranges(1, 1, &|_| {}).unwrap();
        assert!(executor.crew.get().is_none());
        executor.for_ranges(2, 1, &|_| {}).unwrap();
        assert_eq!(executor.crew.get().unwrap().helpers.len(), 1);
    }

    #[test]
    fn a_sleeping_helper_is_woken() {
        let executor = pinned(1, 0);
        let threads = Mutex::new(Vec::new());
        let both_are_there = std::sync::Barrier::new(2);
        for _ in 0..50 {
            executor
                .for_ranges(2, 1, &|_| {
                    both_are_there.wait();
                    threads.lock().unwrap().push(thread::current().id());
                })
                .unwrap();
            let mut seen = std::mem::take(&mut *threads.lock().unwrap());
            seen.dedup();
            assert_eq!(seen.len(), 2);
            let crew = executor.crew.get().unwrap();
            while !crew.station.asleep[0].load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn many_short_calls_from_many_threads_lose_nothing() {
        const CALLS: usize = 5_000;
        for spin in [0, 50] {
            let executor = pinned(3, spin);
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for call in 0..CALLS {
                            let (len, sum) = (call % 40, AtomicUsize::new(0));
                            let task = |range: Range<usize>| {
                                sum.fetch_add(range.sum(), Ordering::Relaxed);
                            };
                            executor.for_ranges(len, 1 + call % 3, &task).unwrap();
                            assert_eq!(sum.into_inner(), len * len.saturating_sub(1) / 2);
                        }
                    });
                }
            });
        }
    }
}
