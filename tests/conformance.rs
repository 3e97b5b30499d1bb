//! The conformance suite over everything registered, linked and from a dylib.
//!
//! The accelerators run here as a plugin brings them: across the boundary, by the same trials. As
//! they are linked, they run in their own crate's tests, once per instruction set, which takes long
//! enough for one run of `cargo test --workspace`. All other kinds are quick and run here too.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::process::ExitCode;
use std::sync::Arc;

use auralis as _;
use auralis::registry::{Candidate, Registry, RegistryKind, Source, plugin};
use auralis_core::{Accelerator, BufferPool, Cache, Executor, Kind, Profiler};
use auralis_testkit::runner::{Backend, linked_trials, trials_of};
use auralis_testkit::{accelerator, check};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let linked_accelerators = format!("{}::", <dyn Accelerator>::NAME);
    let mut trials: Vec<Trial> = linked_trials();
    trials.retain(|trial| !trial.name().starts_with(&linked_accelerators));
    trials.extend(dylib_trials());
    trials.push(Trial::test("every_backend_is_linked", || {
        every_backend_is_linked().map_err(Failed::from)
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The trials over the accelerators of the plugin that cargo builds beside this test.
fn dylib_trials() -> Vec<Trial> {
    let file = format!("{DLL_PREFIX}plugin_accelerators{DLL_SUFFIX}");
    let loaded = std::env::current_exe()
        .map_err(|e| e.to_string())
        .and_then(|test| plugin::open(&test.with_file_name(&file)).map_err(|e| e.report()));
    match loaded {
        Ok(plugin) => {
            let mut candidates = plugin.candidates::<dyn Accelerator>();
            candidates.sort_by(|a, b| a.facts.id.cmp(&b.facts.id));
            let backends = candidates.into_iter().map(backend);
            backends
                .flat_map(|backend| trials_of(backend, accelerator::trials()))
                .collect()
        }
        Err(reason) => vec![Trial::test(format!("load::{file}"), || Err(reason.into()))],
    }
}

/// A candidate under a name that tells its file: `avx2@libplugin.so`.
fn backend<K: RegistryKind + ?Sized>(candidate: Candidate<K>) -> Backend<K> {
    let facts = candidate.facts.clone();
    let file = match &facts.source {
        Source::Dylib(file) => file.file_name().unwrap_or_default().to_string_lossy(),
        Source::Linked => "linked".into(),
    };
    Backend {
        name: format!("{}@{file}", facts.id),
        id: facts.id,
        capabilities: facts.capabilities,
        options_schema: facts.options_schema,
        requires: facts.requires,
        build: Arc::new(move |context| candidate.build(context)),
    }
}

/// A backend crate that nobody names contributes nothing: the facade names them all.
fn every_backend_is_linked() -> auralis_testkit::Outcome {
    let accelerators: &[&str] = if cfg!(target_arch = "x86_64") {
        &["avx2", "avx512", "multiversion", "scalar"]
    } else if cfg!(target_arch = "aarch64") {
        &["multiversion", "neon", "scalar"]
    } else {
        &["multiversion", "scalar"]
    };
    let registry = Registry::linked().map_err(|e| e.report())?;
    has::<dyn Accelerator>(&registry, accelerators)?;
    has::<dyn BufferPool>(&registry, &["debug", "heap", "queue"])?;
    has::<dyn Cache>(&registry, &["dashmap", "disk", "lru", "none"])?;
    has::<dyn Executor>(&registry, &["pinned", "rayon", "sequential"])?;
    has::<dyn Profiler>(&registry, &["histogram", "none", "trace"])
}

/// A backend more is no fault: its trials appear by themselves.
fn has<K: RegistryKind + ?Sized>(registry: &Registry, expected: &[&str]) -> Result<(), String> {
    let missing: Vec<_> = expected
        .iter()
        .filter(|id| registry.candidate::<K>(id).is_none())
        .collect();
    check(missing.is_empty(), || {
        format!("{}: {missing:?} are not linked", K::NAME)
    })
}
