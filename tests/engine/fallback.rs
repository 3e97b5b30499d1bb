//! Backends of plugins that break at run time: who takes over, and what the sound is then.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use auralis::optimizer::{Chosen, Fallback, GivenUp};
use auralis::registry::config::Sources;
use auralis::registry::{Candidate, Facts, Registry, RegistryKind, Source};
use auralis::{Optimizer, Session, SessionSpec};
use auralis_core::{Accelerator, AudioBlockMut, Error, ErrorKind, Executor, Result};
use auralis_testkit::doubles::{Behaviour, Double};

use crate::signals::noise;

/// Fails as an adapter says that a plugin panicked: at a call, and at every one after it.
#[derive(Debug)]
struct Breaking {
    backend: String,
    at: usize,
    calls: Arc<AtomicUsize>,
}

impl Behaviour for Breaking {
    fn before(&self, method: &'static str, _: &[usize]) -> Result<()> {
        let call = 1 + self.calls.fetch_add(1, Ordering::Relaxed);
        match call < self.at {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Panicked, format!("no {method}"))
                .with("backend", &self.backend)),
        }
    }
}

/// A plugin's backend that does what the linked `real` does until its `at`-th call.
fn breaking<K>(
    registry: &mut Registry,
    id: &str,
    rank: i32,
    real: &str,
    at: usize,
) -> Arc<AtomicUsize>
where
    K: RegistryKind + ?Sized,
    Double<K, Breaking>: IntoShared<K>,
    K::Settings: Default,
{
    let calls = Arc::new(AtomicUsize::new(0));
    let inner = registry.candidate::<K>(real).unwrap().clone();
    let facts = Facts {
        id: id.to_owned(),
        rank,
        source: Source::Dylib("/plugins/libacme.so".into()),
        ..inner.facts.clone()
    };
    let (backend, counted) = (format!("{}/{id}", K::NAME), Arc::clone(&calls));
    let candidate = Candidate::<K>::new(facts, move |context| {
        let behaviour = Breaking {
            backend: backend.clone(),
            at,
            calls: Arc::clone(&counted),
        };
        Ok(Double::with(inner.build(context)?, behaviour).into_shared())
    });
    registry.insert(candidate).unwrap();
    calls
}

/// A double as the backend that it is.
trait IntoShared<K: ?Sized> {
    fn into_shared(self) -> Arc<K>;
}

impl IntoShared<dyn Accelerator> for Double<dyn Accelerator, Breaking> {
    fn into_shared(self) -> Arc<dyn Accelerator> {
        Arc::new(self)
    }
}

impl IntoShared<dyn Executor> for Double<dyn Executor, Breaking> {
    fn into_shared(self) -> Arc<dyn Executor> {
        Arc::new(self)
    }
}

fn optimizer(registry: Registry, sets: &[&str]) -> Optimizer {
    let sources = Sources {
        sets: sets.iter().map(|set| set.to_string()).collect(),
        ..Sources::default()
    };
    let builder = Optimizer::builder().registry(registry).sources(sources);
    builder.build().unwrap_or_else(|e| panic!("{}", e.report()))
}

/// `acme` and `bolt` do as `scalar` does, and are preferred to all that is linked.
fn plugins(acme_at: usize, bolt_at: usize) -> (Registry, [Arc<AtomicUsize>; 2]) {
    let mut registry = Registry::linked().unwrap();
    let acme = breaking::<dyn Accelerator>(&mut registry, "acme", 99, "scalar", acme_at);
    let bolt = breaking::<dyn Accelerator>(&mut registry, "bolt", 98, "scalar", bolt_at);
    (registry, [acme, bolt])
}

const NEVER: usize = usize::MAX;
const GAIN: &str = r#"chain=[{ stage = "gain", gain_db = -6.0 }, { stage = "limiter" }]"#;
const FRAMES: usize = 64;
const SPEC: SessionSpec = SessionSpec {
    sample_rate: 48_000,
    channels: 2,
    max_frames: FRAMES,
};

fn fault(kind: ErrorKind, backend: &str) -> Error {
    Error::new(kind, "index out of bounds").with("backend", backend)
}

fn accelerator(chosen: &Chosen) -> &str {
    &chosen.selection("accelerator").unwrap().chosen
}

#[test]
fn a_broken_backend_is_passed_over_where_the_request_allows_it() {
    for (request, second, third) in [
        ("auto", "bolt", None),
        (r#"["acme", "scalar"]"#, "scalar", None),
        (r#"["acme", "bolt", "scalar"]"#, "bolt", Some("scalar")),
    ] {
        let set = format!("accelerator.backend={request}");
        let optimizer = optimizer(plugins(NEVER, NEVER).0, &[&set]);
        let first = optimizer.chosen();
        assert_eq!(accelerator(first), "acme");
        let panicked = fault(ErrorKind::Panicked, "accelerator/acme");
        let next = optimizer.without(first, &panicked).unwrap();
        assert_eq!(accelerator(&next), second, "{request}");
        let selection = next.selection("accelerator").unwrap();
        let acme = selection.rejected.iter().find(|r| r.id == "acme").unwrap();
        assert_eq!(acme.reason, "panicked at run time: index out of bounds");
        // What did not break stays, cached results and threads with it.
        assert!(Arc::ptr_eq(&first.parts.cache, &next.parts.cache));
        assert!(Arc::ptr_eq(&first.parts.executor, &next.parts.executor));
        if let Some(third) = third {
            let broken = fault(ErrorKind::Plugin, "accelerator/bolt");
            let last = optimizer.without(&next, &broken).unwrap();
            assert_eq!(accelerator(&last), third);
            let reasons = &last.selection("accelerator").unwrap().rejected;
            let bolt = reasons.iter().find(|r| r.id == "bolt").unwrap();
            let why = "broke the rules of plugins at run time: index out of bounds";
            assert_eq!(bolt.reason, why);
        }
    }
}

#[test]
fn every_kind_goes_on_without_what_broke() {
    let optimizer = optimizer(Registry::linked().unwrap(), &[]);
    let first = optimizer.chosen();
    for selection in &first.selections {
        let backend = format!("{}/{}", selection.kind, selection.chosen);
        let next = optimizer
            .without(first, &fault(ErrorKind::Panicked, &backend))
            .unwrap();
        let now = &next.selection(selection.kind).unwrap().chosen;
        assert_ne!(*now, selection.chosen, "{backend}");
        assert_eq!(Some(now), selection.fallbacks.first(), "{backend}");
    }
}

#[test]
fn a_backend_named_alone_has_no_stand_in() {
    let rows = [
        (
            "accelerator.backend=acme",
            "accelerator \"acme\" panicked at run time: index out of bounds; accelerator.backend = \
             \"acme\" names it alone, so nothing takes its place: the list [\"acme\", \"bolt\"] \
             would have allowed that",
        ),
        (
            "accelerator.kernels.dot=acme",
            "accelerator \"acme\" panicked at run time: index out of bounds; \
             accelerator.kernels.dot = \"acme\" names it alone, so nothing takes its place: \
             without that line the kernel goes where accelerator.backend allows",
        ),
        (
            r#"accelerator.backend=["acme"]"#,
            "no accelerator that the flag lists is available: acme (panicked at run time: index \
             out of bounds) (available: ",
        ),
    ];
    for (set, message) in rows {
        let optimizer = optimizer(plugins(NEVER, NEVER).0, &[set]);
        let panicked = fault(ErrorKind::Panicked, "accelerator/acme");
        let error = optimizer
            .without(optimizer.chosen(), &panicked)
            .unwrap_err();
        assert!(error.report().starts_with(message), "{}", error.report());
    }
    let by_hand = Arc::clone(&optimizer(plugins(NEVER, NEVER).0, &[]).parts().accelerator);
    let optimizer = Optimizer::builder()
        .with_accelerator(by_hand)
        .build()
        .unwrap();
    let panicked = fault(ErrorKind::Panicked, "accelerator/acme");
    let error = optimizer
        .without(optimizer.chosen(), &panicked)
        .unwrap_err();
    assert!(
        error.report().contains("put in by hand"),
        "{}",
        error.report()
    );
}

#[test]
fn what_names_no_backend_is_no_reason_to_choose_anew() {
    let optimizer = optimizer(plugins(NEVER, NEVER).0, &[]);
    let panicked = Error::new(ErrorKind::Panicked, "a task panicked").with("item", 3);
    let error = optimizer
        .without(optimizer.chosen(), &panicked)
        .unwrap_err();
    assert_eq!(error.report(), panicked.report());
    let fallback = Fallback::new(&optimizer, |_| panic!("nothing is given up"));
    let mut attempts = 0;
    let (outcome, chosen) = fallback.attempt(None, |_| {
        attempts += 1;
        Err::<(), _>(panicked.duplicate())
    });
    assert_eq!(
        (outcome.unwrap_err().report(), attempts),
        (panicked.report(), 1)
    );
    assert_eq!(accelerator(&chosen), "acme");
}

/// Work on each of some threads at once with the first choice: they all meet the fault.
#[test]
fn one_choice_is_made_per_fault_and_all_join_it() {
    const THREADS: usize = 4;
    let (registry, calls) = plugins(1, 1);
    let optimizer = optimizer(registry, &[]);
    let told = Mutex::new(Vec::new());
    let fallback = Fallback::new(&optimizer, |given_up| {
        told.lock().unwrap().push(given_up.clone())
    });
    let together = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (fallback, together) = (&fallback, &together);
            scope.spawn(move || {
                let mut first = true;
                let file = format!("{thread}.wav");
                let (outcome, chosen) = fallback.attempt(Some(Path::new(&file)), |chosen| {
                    let sum = chosen.parts.accelerator.sum_squares(&[1.0, 2.0]);
                    if std::mem::take(&mut first) {
                        together.wait();
                    }
                    sum
                });
                assert_eq!(outcome.unwrap(), 5.0);
                assert!(!["acme", "bolt"].contains(&accelerator(&chosen)));
            });
        }
    });
    assert_eq!(calls[0].load(Ordering::Relaxed), THREADS);
    let given_up = fallback.given_up();
    let ids: Vec<_> = given_up
        .iter()
        .map(|g| (g.id.as_str(), &*g.reason))
        .collect();
    let why = "panicked at run time: no sum_squares";
    assert_eq!(ids, [("acme", why), ("bolt", why)]);
    assert_eq!(given_up[0].successor.as_deref(), Some("bolt"));
    assert_eq!(*told.lock().unwrap(), given_up);
    // What begins later calls neither of them.
    let before = calls.each_ref().map(|c| c.load(Ordering::Relaxed));
    let (later, _) = fallback.attempt(None, |chosen| chosen.parts.accelerator.sum_squares(&[4.0]));
    assert_eq!(later.unwrap(), 16.0);
    assert_eq!(calls.map(|c| c.load(Ordering::Relaxed)), before);
}

#[test]
fn a_refusal_holds_for_all_that_comes_after() {
    let (registry, [acme, _]) = plugins(1, NEVER);
    let optimizer = optimizer(registry, &["accelerator.backend=acme"]);
    let fallback = Fallback::new(&optimizer, |given_up: &GivenUp| {
        assert_eq!(given_up.successor, None);
        assert_eq!(
            given_up.to_string(),
            "accelerator acme was given up at a.wav, because it panicked at run time: no sum_squares; \
             nothing takes its place"
        );
    });
    for file in ["a.wav", "b.wav"] {
        let (outcome, _) = fallback.attempt(Some(Path::new(file)), |c| {
            c.parts.accelerator.sum_squares(&[1.0])
        });
        let report = outcome.unwrap_err().report();
        assert!(report.contains("names it alone"), "{report}");
    }
    assert_eq!(acme.load(Ordering::Relaxed), 1);
}

#[test]
fn work_that_an_executor_dropped_is_done_by_the_next() {
    let mut registry = Registry::linked().unwrap();
    let calls = breaking::<dyn Executor>(&mut registry, "acme", 99, "sequential", 2);
    let optimizer = optimizer(registry, &[]);
    let fallback = Fallback::new(&optimizer, |_| {});
    for _ in 0..3 {
        let runs: Vec<_> = (0..7).map(|_| AtomicUsize::new(0)).collect();
        let order = [6, 5, 4, 3, 2, 1, 0];
        fallback
            .spread(&order, &|index| {
                runs[index].fetch_add(1, Ordering::Relaxed);
            })
            .unwrap();
        assert!(runs.into_iter().all(|r| r.into_inner() == 1));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    assert_eq!(fallback.given_up()[0].id, "acme");
    assert_eq!(fallback.given_up()[0].file, None);
}

/// How blocks are handed over.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Planar,
    Interleaved,
}

impl Layout {
    fn run(self, session: &mut Session, block: usize) -> (Result<()>, Vec<f32>) {
        let mut samples = noise(block as u64, 2 * FRAMES);
        let outcome = match self {
            Self::Interleaved => session.process_interleaved(&mut samples),
            Self::Planar => {
                session.process(AudioBlockMut::new(&mut samples, 2, FRAMES, FRAMES).unwrap())
            }
        };
        (outcome, samples)
    }
}

/// The calls of `acme` until so many blocks have run.
fn calls_of(path: Layout, blocks: usize) -> usize {
    let (registry, [acme, _]) = plugins(NEVER, NEVER);
    let optimizer = optimizer(registry, &[GAIN]);
    let mut session = optimizer.session(SPEC).unwrap();
    for block in 0..blocks {
        path.run(&mut session, block).0.unwrap();
    }
    assert!(session.faults().is_empty());
    assert_eq!((session.muted_blocks(), session.spares()), (0, 2));
    acme.load(Ordering::Relaxed)
}

#[test]
fn a_session_mutes_one_block_and_goes_on_with_a_spare() {
    const BAD: usize = 10;
    for path in [Layout::Planar, Layout::Interleaved] {
        let (before, after) = (calls_of(path, BAD), calls_of(path, BAD + 1));
        // Wherever in the block it happens, the sound is whole again from the next one on.
        for at in before + 1..=after {
            let (registry, [acme, bolt]) = plugins(at, NEVER);
            let scalar = [GAIN, "accelerator.backend=scalar"];
            let alone = optimizer(Registry::linked().unwrap(), &scalar);
            let optimizer = optimizer(registry, &[GAIN]);
            let mut session = optimizer.session(SPEC).unwrap();
            let mut whole = alone.session(SPEC).unwrap();
            assert_eq!((session.spares(), whole.spares()), (2, 0));
            assert_eq!(session.latency(), whole.latency());
            for block in 0..30 {
                let (outcome, samples) = path.run(&mut session, block);
                if block == BAD {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Panicked);
                    assert_eq!(
                        error.to_string(),
                        "a backend broke in this block: a spare takes over"
                    );
                    assert!(samples.iter().all(|x| *x == 0.0), "{path:?}, call {at}");
                    whole = alone.session(SPEC).unwrap();
                    continue;
                }
                outcome.unwrap();
                assert!(
                    samples == path.run(&mut whole, block).1,
                    "{path:?}, call {at}, block {block}"
                );
            }
            let [fault] = session.faults() else {
                panic!("{:?}", session.faults())
            };
            assert_eq!(
                (fault.backend(), fault.block()),
                (("accelerator", "acme"), BAD as u64)
            );
            assert!(fault.error().message().starts_with("no "));
            assert_eq!((session.muted_blocks(), session.spares()), (1, 1));
            assert_eq!(acme.load(Ordering::Relaxed), at);
            assert!(bolt.load(Ordering::Relaxed) > 0);
        }
    }
}

#[test]
fn a_session_without_a_spare_is_silent_and_leaves_the_broken_alone() {
    for path in [Layout::Planar, Layout::Interleaved] {
        let (registry, [acme, _]) = plugins(calls_of(path, 3) + 1, NEVER);
        let named = optimizer(registry, &[GAIN, "accelerator.backend=acme"]);
        let mut session = named.session(SPEC).unwrap();
        assert_eq!(session.spares(), 0);
        for block in 0..10 {
            let (outcome, samples) = path.run(&mut session, block);
            assert_eq!(outcome.is_err(), block >= 3, "{outcome:?}");
            assert!(block < 3 || samples.iter().all(|x| *x == 0.0));
        }
        session.reset();
        assert_eq!((session.muted_blocks(), session.faults().len()), (7, 1));
        let calls = acme.load(Ordering::Relaxed);
        assert_eq!(calls, calls_of(path, 3) + 1);

        // The same without an orchestrator.
        let (registry, _) = plugins(calls_of(path, 3) + 1, NEVER);
        let auto = optimizer(registry, &[GAIN]);
        let mut session = Session::new(auto.chain(), SPEC, auto.parts()).unwrap();
        let failed = (0..10).filter(|block| path.run(&mut session, *block).0.is_err());
        assert_eq!(failed.collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
    }
}

#[test]
fn two_plugins_that_break_cost_two_blocks() {
    let path = Layout::Planar;
    let (registry, _) = plugins(calls_of(path, 2) + 1, calls_of(path, 5) + 1);
    let mut session = optimizer(registry, &[GAIN]).session(SPEC).unwrap();
    let failed: Vec<_> = (0..20)
        .filter(|b| path.run(&mut session, *b).0.is_err())
        .collect();
    let ids: Vec<_> = session.faults().iter().map(|f| f.backend().1).collect();
    assert_eq!((ids, failed.len()), (vec!["acme", "bolt"], 2));
    assert_eq!((session.muted_blocks(), session.spares()), (2, 0));
}

#[test]
fn a_plan_that_breaks_is_no_reason_to_be_without_a_session() {
    let (registry, [acme, _]) = plugins(1, 1);
    let mut session = optimizer(registry, &[GAIN]).session(SPEC).unwrap();
    assert_eq!(session.spares(), 0);
    Layout::Planar.run(&mut session, 0).0.unwrap();
    assert_eq!(acme.load(Ordering::Relaxed), 1);
}

/// Masters a second of noise with these parts, in blocks that several threads hand on.
#[cfg(feature = "cli")]
fn master(folder: &Path, optimizer: &Optimizer) -> Result<()> {
    use auralis::audio::{OutputFormat, OutputSpec, SampleFormat, Writer};
    use auralis::master::{Job, NonFinite};

    let (input, output) = (folder.join("in.wav"), folder.join("out.wav"));
    let spec = OutputSpec {
        sample_rate: 8000,
        channels: 2,
        channel_mask: None,
        format: OutputFormat::Wav,
        sample: SampleFormat::Float32,
        frames: None,
        digest: false,
    };
    let mut writer = Writer::create(&input, &spec)?;
    writer.write_f32(&noise(1, 16_000))?;
    writer.finish()?;
    let job = Job {
        input: &input,
        output: &output,
        format: OutputFormat::Wav,
        sample: SampleFormat::Int24,
        chain: optimizer.chain(),
        parts: optimizer.parts(),
        non_finite: NonFinite::Refuse,
        prefetch: true,
        timeline: false,
        digest: false,
        interrupted: &std::sync::atomic::AtomicBool::new(false),
        progress: &|_| {},
    };
    let outcome = job.run();
    assert_eq!(output.exists(), outcome.is_ok());
    let mut left: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    left.retain(|entry| entry.as_ref().unwrap().path() != input);
    assert_eq!(left.len(), usize::from(outcome.is_ok()), "{left:?}");
    std::fs::remove_file(output).ok();
    outcome.map(drop)
}

#[cfg(feature = "cli")]
#[test]
fn an_error_names_the_backend_from_whichever_call_of_a_job() {
    const CHAIN: &str = r#"chain=[
        { stage = "multiband", crossovers_hz = [500.0], gains_db = [1.0, 0.0], taps = 65 },
        { stage = "loudness" },
        { stage = "limiter" },
    ]"#;
    let folder = tempfile::tempdir().unwrap();
    let sets = [CHAIN, "executor.threads=4"];
    let accelerator = |at| {
        let (registry, [acme, _]) = plugins(at, NEVER);
        let outcome = master(folder.path(), &optimizer(registry, &sets));
        (outcome, acme.load(Ordering::Relaxed))
    };
    let executor = |at| {
        let mut registry = Registry::linked().unwrap();
        let acme = breaking::<dyn Executor>(&mut registry, "acme", 99, "rayon", at);
        let outcome = master(folder.path(), &optimizer(registry, &sets));
        (outcome, acme.load(Ordering::Relaxed))
    };
    type Run<'a> = &'a dyn Fn(usize) -> (Result<()>, usize);
    let kinds: [(_, Run<'_>); 2] = [("accelerator", &accelerator), ("executor", &executor)];
    for (kind, run) in kinds {
        let (outcome, calls) = run(NEVER);
        outcome.unwrap();
        assert!(calls > 5, "{kind}: {calls}");
        for at in (1..=calls).step_by(calls.div_ceil(40)) {
            let error = run(at).0.unwrap_err();
            let named = error.faulty_backend();
            assert_eq!(named, Some((kind, "acme")), "call {at}: {error:?}");
        }
    }
}
