//! A session over the library of a plugin: a panic on the far side of the boundary is one muted block.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::Path;

use auralis::registry::Registry;
use auralis::registry::config::Sources;
use auralis::registry::plugin::{Allowance, Loader, Probe, Store, seal};
use auralis::{Optimizer, Session, SessionSpec};
use auralis_core::{AudioBlockMut, ErrorKind, Result};

use crate::signals::noise;

const FRAMES: usize = 64;
const SPEC: SessionSpec = SessionSpec {
    sample_rate: 48_000,
    channels: 2,
    max_frames: FRAMES,
};

/// What is linked, and the backends of the fixture, which cargo has built beside this test.
fn with_plugin(folder: &Path) -> Registry {
    let name = format!("{DLL_PREFIX}plugin_fixture{DLL_SUFFIX}");
    let built = std::env::current_exe().unwrap().with_file_name(&name);
    let file = folder.join(name);
    fs::write(&file, seal(&fs::read(built).unwrap()).unwrap()).unwrap();
    let probe = Probe::new(env!("CARGO_BIN_EXE_auralis"));
    let loader = Loader::new(Store::at(folder.join("store")).unwrap(), Some(probe));
    let mut registry = Registry::linked().unwrap();
    let loaded = loader.load_into(&mut registry, &file, &Allowance::default());
    assert!(loaded, "{:?}", registry.rejected());
    registry
}

fn session(registry: &Registry, accelerator: &str) -> Session {
    let gain = r#"chain=[{ stage = "gain", gain_db = -6.0 }, { stage = "limiter" }]"#;
    let sources = Sources {
        sets: vec![format!("accelerator={accelerator}"), gain.into()],
        ..Sources::default()
    };
    let builder = Optimizer::builder()
        .registry(registry.clone())
        .sources(sources);
    let optimizer = builder.build().unwrap_or_else(|e| panic!("{}", e.report()));
    optimizer.session(SPEC).unwrap()
}

fn process(session: &mut Session, block: u64) -> (Result<()>, Vec<f32>) {
    let mut samples = noise(block, 2 * FRAMES);
    let block = AudioBlockMut::new(&mut samples, 2, FRAMES, FRAMES).unwrap();
    (session.process(block), samples)
}

#[test]
fn a_panic_in_a_plugin_mutes_one_block_and_the_next_candidate_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let registry = with_plugin(folder.path());
    for panic_at in [50, 90, 131] {
        let breaking = format!(
            r#"{{ backend = ["panics-later", "scalar"], options = {{ panic_at = {panic_at} }} }}"#
        );
        let mut session_at_work = session(&registry, &breaking);
        assert_eq!(session_at_work.spares(), 1);
        let mut whole = session(&registry, r#"{ backend = "panics-later" }"#);
        let mut muted = Vec::new();
        for block in 0..100 {
            let (outcome, samples) = process(&mut session_at_work, block);
            if let Err(error) = outcome {
                assert_eq!(error.kind(), ErrorKind::Panicked);
                assert!(samples.iter().all(|x| *x == 0.0));
                muted.push(block);
                whole = session(&registry, r#"{ backend = "scalar" }"#);
            } else {
                assert!(samples == process(&mut whole, block).1, "block {block}");
            }
        }
        let [fault] = session_at_work.faults() else {
            panic!("{:?}", session_at_work.faults())
        };
        assert_eq!(fault.backend(), ("accelerator", "panics-later"));
        assert_eq!(vec![fault.block()], muted);
        let said = fault.error().message();
        assert!(said.starts_with("a panic in the plugin: call "), "{said}");
        assert_eq!(session_at_work.muted_blocks(), 1);
        assert_eq!(session_at_work.spares(), 0);
    }
}
