//! A session allocates nothing per block, whatever the block's size; and this check would notice.

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auralis::chain::{Chain, Prepare, Processor, Stage};
use auralis::registry::config::Sources;
use auralis::registry::{Candidate, Facts, Registry, Source};
use auralis::{Optimizer, Session, SessionSpec};
use auralis_core::{
    Accelerator, AudioBlockMut, Error, ErrorKind, Executor, Result, for_each_plan,
    for_each_slice_kernel,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SPEC: SessionSpec = SessionSpec {
    sample_rate: 48_000,
    channels: 2,
    max_frames: 512,
};

/// Without a harness, whose threads would allocate meanwhile.
fn main() {
    let live = [
        json!({"stage": "equalizer", "bands": [
            {"hz": 60.0, "gain_db": 1.5},
            {"hz": 3000.0, "gain_db": -1.0},
            {"hz": 9000.0, "gain_db": 2.0, "shape": "high_shelf"},
        ]}),
        json!({"stage": "gain", "gain_db": 6.0}),
        json!({"stage": "limiter", "ceiling_dbtp": -1.0}),
    ];
    let multiband = json!({
        "stage": "multiband",
        "crossovers_hz": [200.0, 2000.0],
        "gains_db": [1.0, 0.0, -1.0],
        "taps": 16_385,
    });
    let mut with_bands = live.to_vec();
    with_bands.insert(1, multiband);

    for executor in ["rayon", "sequential", "pinned"] {
        let mut session = session(executor, &live);
        assert_eq!(planar(&mut session, 10_000, 64), 0, "{executor}");
    }
    let mut session_on_threads = session("pinned", &with_bands);
    assert_eq!(planar(&mut session_on_threads, 10_000, 64), 0, "multiband");
    for (blocks, frames) in [(2000, 1), (500, 63), (500, 64), (200, 441), (100, 512)] {
        for session in [&mut session("pinned", &live), &mut session_on_threads] {
            assert_eq!(planar(session, blocks, frames), 0, "{frames} frames");
            assert_eq!(interleaved(session, blocks, frames), 0, "{frames} frames");
        }
    }

    for interleaved in [false, true] {
        goes_over_to_a_spare(interleaved);
    }

    let mut leaking = session("sequential", &[json!({"stage": "leak", "every": 1000})]);
    assert_eq!(planar(&mut leaking, 10_000, 64), 10);
    assert_eq!(interleaved(&mut leaking, 1000, 64), 1);
}

fn session(executor: &str, chain: &[serde_json::Value]) -> Session {
    let sources = Sources {
        sets: vec![format!("executor.backend={executor}")],
        ..Sources::default()
    };
    let optimizer = Optimizer::builder().sources(sources).build().unwrap();
    let chain = Chain::from_tables(chain).unwrap();
    let mut session = Session::new(&chain, SPEC, optimizer.parts()).unwrap();
    // The helpers of an executor allocate what their threads need while they start.
    for _ in 0..100 {
        let mut block = [0.0; 128];
        session.process_interleaved(&mut block).unwrap();
        std::thread::sleep(Duration::from_micros(200));
    }
    session.reset();
    session
}

/// A plugin's backend that breaks mutes one block, and nothing is allocated or freed for it.
fn goes_over_to_a_spare(interleaved: bool) {
    const CHAIN: &str = r#"chain=[
        { stage = "equalizer", bands = [{ hz = 60.0, gain_db = 1.5 }] },
        { stage = "gain", gain_db = 6.0 },
        { stage = "limiter" },
    ]"#;
    const FRAMES: usize = 64;
    let mut registry = Registry::linked().unwrap();
    let scalar = registry
        .candidate::<dyn Accelerator>("scalar")
        .unwrap()
        .clone();
    let facts = Facts {
        id: "acme".to_owned(),
        rank: 99,
        source: Source::Dylib("/plugins/libacme.so".into()),
        ..scalar.facts.clone()
    };
    let candidate = Candidate::<dyn Accelerator>::new(facts, move |context| {
        let error = Error::new(ErrorKind::Panicked, "index out of bounds");
        let breaking = Breaking {
            inner: scalar.build(context)?,
            at: 5000,
            calls: AtomicUsize::new(0),
            error: Mutex::new(Some(error.with("backend", "accelerator/acme"))),
        };
        Ok(Arc::new(breaking))
    });
    registry.insert(candidate).unwrap();
    let sources = Sources {
        sets: vec![CHAIN.to_owned()],
        ..Sources::default()
    };
    let builder = Optimizer::builder().registry(registry).sources(sources);
    let mut session = builder.build().unwrap().session(SPEC).unwrap();
    assert_eq!(session.spares(), 1);

    let mut samples = vec![0.0; 2 * FRAMES];
    let region = Region::new(ALLOCATOR);
    let mut failures = 0;
    for block in 0..3000 {
        fill(&mut samples, block);
        let outcome = match interleaved {
            true => session.process_interleaved(&mut samples),
            false => AudioBlockMut::new(&mut samples, 2, FRAMES, FRAMES)
                .and_then(|block| session.process(block)),
        };
        failures += usize::from(outcome.is_err());
    }
    let change = region.change();
    assert_eq!((failures, session.muted_blocks()), (1, 1));
    assert_eq!(session.faults()[0].backend(), ("accelerator", "acme"));
    let touched = (
        change.allocations,
        change.reallocations,
        change.deallocations,
    );
    assert_eq!(touched, (0, 0, 0));
}

/// Fails one call with an error that was made before, because the adapter of a plugin allocates its
/// text.
#[derive(Debug)]
struct Breaking {
    inner: Arc<dyn Accelerator>,
    at: usize,
    calls: AtomicUsize,
    error: Mutex<Option<Error>>,
}

impl Breaking {
    fn before(&self) -> Result<()> {
        if self.calls.fetch_add(1, Ordering::Relaxed) < self.at {
            return Ok(());
        }
        let mut error = self.error.lock().unwrap();
        Err(error.take().expect("a broken backend is not called again"))
    }
}

macro_rules! pass_on {
    ($($kernel:ident $method:ident($($name:ident: $kind:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($name: $kind),*) -> Result<$result> {
            self.before()?;
            self.inner.$method($($name),*)
        }
    )*};
}

impl Accelerator for Breaking {
    for_each_slice_kernel!(pass_on);
    for_each_plan!(pass_on);
}

/// The allocations of so many blocks of a loud signal.
fn planar(session: &mut Session, blocks: usize, frames: usize) -> usize {
    let mut samples = vec![0.0; 2 * frames];
    allocations(blocks, |block| {
        fill(&mut samples, block);
        session.process(AudioBlockMut::new(&mut samples, 2, frames, frames)?)
    })
}

fn interleaved(session: &mut Session, blocks: usize, frames: usize) -> usize {
    let mut samples = vec![0.0; 2 * frames];
    allocations(blocks, |block| {
        fill(&mut samples, block);
        session.process_interleaved(&mut samples)
    })
}

/// A signal that the limiter works on, and sometimes does not.
fn fill(samples: &mut [f32], block: usize) {
    let level = if block % 100 < 50 { 0.9 } else { 0.05 };
    for (i, sample) in samples.iter_mut().enumerate() {
        *sample = level * ((block * 31 + i * 7) % 41) as f32 / 41.0;
    }
}

fn allocations(blocks: usize, mut process: impl FnMut(usize) -> Result<()>) -> usize {
    let region = Region::new(ALLOCATOR);
    let mut failures = 0;
    for block in 0..blocks {
        failures += usize::from(process(block).is_err());
    }
    let change = region.change();
    assert_eq!(failures, 0);
    change.allocations + change.reallocations
}

/// A stage that allocates once in so many blocks: what the check must find.
#[derive(Debug, Serialize, Deserialize)]
struct Leak {
    every: usize,
}

#[typetag::serde(name = "leak")]
impl Stage for Leak {
    fn prepare(&self, _: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        Ok(Box::new(Leaking {
            every: self.every,
            blocks: 0,
        }))
    }
}

#[derive(Debug)]
struct Leaking {
    every: usize,
    blocks: usize,
}

impl Processor for Leaking {
    fn process(&mut self, block: &mut AudioBlockMut<'_>, _: Option<&dyn Executor>) -> Result<()> {
        self.blocks += 1;
        if self.blocks.is_multiple_of(self.every) {
            let copy = std::hint::black_box(block.channel(0).to_vec());
            block.channel_mut(0).copy_from_slice(&copy);
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.blocks = 0;
    }
}
