//! What a plugin brings, beside the same backends linked.

use std::fs;
use std::sync::Arc;

use auralis_accelerator as _;
use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, BuildContext, CpuFeatures, ErrorKind, Kernel, Linked, Options, Result,
};
use auralis_registry::plugin::open;
use auralis_registry::{Candidate, Facts, Registry, Source};
use fixture_backend::answers::answers;
use libtest_mimic::Trial;

use crate::support::{Sandbox, allowed, library, trial};

/// Without these options the backend `faulty` is not built.
const ARMED: &str = r#"{"armed": true}"#;

pub fn trials() -> Vec<Trial> {
    vec![
        trial(
            "loaded::plugins_offer_what_their_crates_register",
            plugins_offer_what_their_crates_register,
        ),
        trial(
            "loaded::a_dylib_answers_with_the_bits_of_the_linked_backend",
            a_dylib_answers_with_the_bits_of_the_linked_backend,
        ),
        trial(
            "loaded::wrong_options_are_refused_in_the_words_of_the_linked_backend",
            wrong_options_are_refused_in_the_words_of_the_linked_backend,
        ),
        trial(
            "loaded::a_panic_stays_in_the_dylib",
            a_panic_stays_in_the_dylib,
        ),
        trial(
            "loaded::loads_from_a_private_copy",
            loads_from_a_private_copy,
        ),
        trial("loaded::two_with_one_id", two_with_one_id),
        trial("loaded::a_linked_id_is_taken", a_linked_id_is_taken),
    ]
}

fn with<T>(options: &str, run: impl FnOnce(&BuildContext<'_, dyn Accelerator>) -> T) -> T {
    run(&BuildContext {
        options: &Options::new(serde_json::from_str(options).unwrap()),
        settings: &AcceleratorSettings::default(),
        cpu: CpuFeatures::detect(),
    })
}

/// What the plugins of the tests offer: the fixture, and every accelerator of ours.
fn candidates() -> Vec<Candidate<dyn Accelerator>> {
    let accelerators = |name| open(&library(name)).unwrap().candidates();
    [
        accelerators("plugin-fixture"),
        accelerators("plugin-accelerators"),
    ]
    .concat()
}

fn dylib(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    let all = candidates();
    let candidate = all.iter().find(|c| c.facts.id == id).unwrap();
    with(options, |context| candidate.build(context))
}

fn linked(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    let all = <dyn Accelerator>::linked();
    let descriptor = all.into_iter().find(|d| d.id == id).unwrap();
    with(options, |context| (descriptor.build)(context))
}

fn plugins_offer_what_their_crates_register() {
    let file = library("plugin-fixture");
    let plugin = open(&file).unwrap();
    assert_eq!(
        (plugin.name(), plugin.version()),
        ("plugin-fixture", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(plugin.file(), file);
    for candidate in plugin.candidates::<dyn Accelerator>() {
        assert_eq!(candidate.facts.source, Source::Dylib(file.clone()));
    }
    let as_linked = |candidate: Candidate<dyn Accelerator>| Facts {
        source: Source::Linked,
        ..candidate.facts
    };
    let mut offered: Vec<_> = candidates().into_iter().map(as_linked).collect();
    let mut linked: Vec<_> = <dyn Accelerator>::linked()
        .into_iter()
        .map(|d| Candidate::from(d).facts)
        .collect();
    offered.sort_by(|a, b| a.id.cmp(&b.id));
    linked.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(offered, linked);
}

/// Whichever of ours this CPU can run, `scalar` at least, and the fixture.
fn a_dylib_answers_with_the_bits_of_the_linked_backend() {
    let here = CpuFeatures::detect();
    let mut compared = Vec::new();
    for candidate in candidates() {
        let Facts { id, requires, .. } = &candidate.facts;
        if id == "faulty" || !here.contains(*requires) {
            continue;
        }
        let (linked, dylib) = (linked(id, "{}").unwrap(), dylib(id, "{}").unwrap());
        assert_eq!(linked.variant(), dylib.variant());
        for n in [0, 1, 2, 3, 7, 16, 33, 101] {
            let (linked, dylib) = (answers(&*linked, n), answers(&*dylib, n));
            assert_eq!(linked.len(), Kernel::ALL.len());
            for (linked, dylib) in linked.iter().zip(&dylib) {
                assert_eq!(linked, dylib, "{id}, length {n}");
            }
        }
        compared.push(id.clone());
    }
    for id in ["fixture", "scalar", "multiversion"] {
        assert!(compared.iter().any(|c| c == id), "{id} was not compared");
    }
}

fn wrong_options_are_refused_in_the_words_of_the_linked_backend() {
    let options = r#"{"trin": 2}"#;
    let (linked, dylib) = (
        linked("fixture", options).unwrap_err(),
        dylib("fixture", options).unwrap_err(),
    );
    assert_eq!(dylib.kind(), ErrorKind::Config);
    assert_eq!(dylib.report(), linked.report());
    assert!(
        dylib.report().contains("unknown field `trin`"),
        "{}",
        dylib.report()
    );
}

fn a_panic_stays_in_the_dylib() {
    let faulty = dylib("faulty", ARMED).unwrap();
    let error = faulty.scale(&mut [0.0; 3], f32::NAN).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(
        error.message(),
        "a panic in the plugin: no gain for 3 samples"
    );
    let later = faulty.scale(&mut [], 1.0).unwrap_err();
    assert_eq!(
        later.message(),
        "out of use, because an earlier call of it panicked in the plugin"
    );
    dylib("faulty", ARMED).unwrap().scale(&mut [], 1.0).unwrap();
}

/// The copy is what is opened; the file may be exchanged meanwhile.
fn loads_from_a_private_copy() {
    let sandbox = Sandbox::new();
    let file = sandbox.fixture("plugins/one.so");
    let loader = sandbox.loader();
    let first = loader.load(&file, &allowed()).unwrap();
    assert_eq!(first.file(), file);
    assert!(first.opened().starts_with(sandbox.path("store")));
    fs::write(&file, b"no library any more").unwrap();
    let accelerator = first.candidates::<dyn Accelerator>();
    let fixture = accelerator
        .iter()
        .find(|c| c.facts.id == "fixture")
        .unwrap();
    with("{}", |context| fixture.build(context)).unwrap();
    let refused = loader.load(&file, &allowed()).unwrap_err();
    assert!(
        refused.report().contains("no library"),
        "{}",
        refused.report()
    );
}

/// Nobody can say which of two was meant: both are refused, and each reason names both.
fn two_with_one_id() {
    let sandbox = Sandbox::new();
    let files = ["one", "two", "three"].map(|n| sandbox.fixture(&format!("plugins/{n}.so")));
    let mut registry = Registry::empty();
    let loader = sandbox.loader();
    let outcomes = files
        .clone()
        .map(|file| loader.load_into(&mut registry, &file, &allowed()));
    assert_eq!(outcomes, [true, false, false]);
    assert!(registry.candidates::<dyn Accelerator>().is_empty());
    let rejected: Vec<_> = registry.rejected().iter().map(|r| &r.file).collect();
    assert_eq!(rejected, files.iter().collect::<Vec<_>>());
    for rejected in registry.rejected() {
        assert!(
            rejected.reason.contains("two plugins bring"),
            "{}",
            rejected.reason
        );
        assert!(rejected.reason.contains(files[0].to_str().unwrap()));
        assert!(rejected.offers.iter().any(|o| o.id == "fixture"));
    }
    assert!(
        registry.rejected()[0]
            .reason
            .contains(files[1].to_str().unwrap())
    );
}

fn a_linked_id_is_taken() {
    let sandbox = Sandbox::new();
    let mut registry = Registry::linked().unwrap();
    let before: Vec<_> = registry
        .candidates::<dyn Accelerator>()
        .iter()
        .map(|c| c.facts.clone())
        .collect();
    let file = library("plugin-accelerators");
    assert!(!sandbox.loader().load_into(&mut registry, &file, &allowed()));
    let after: Vec<_> = registry
        .candidates::<dyn Accelerator>()
        .iter()
        .map(|c| c.facts.clone())
        .collect();
    assert_eq!(before, after);
    let [rejected] = registry.rejected() else {
        panic!("{:?}", registry.rejected());
    };
    assert!(
        rejected.reason.contains("one is linked"),
        "{}",
        rejected.reason
    );
    assert!(rejected.offers.iter().any(|o| o.id == "scalar"));
}
