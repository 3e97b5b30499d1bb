//! The conformance suite over everything registered, linked and from a dylib.
//!
//! A backend has the same trials, by the same names, in both forms; libtest's kind, in brackets,
//! tells them apart. The accelerators run here as a plugin brings them. As they are linked, they run
//! in their own crate's tests, once per instruction set, which takes long enough for one run of
//! `cargo test --workspace`. All other kinds are quick and run here in both forms.

use std::collections::BTreeSet;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::process::ExitCode;
use std::sync::Arc;

use auralis as _;
use auralis::registry::plugin::{self, LoadedPlugin, PluginKind};
use auralis::registry::{Candidate, Registry, RegistryKind, Source};
use auralis_core::{Accelerator, BufferPool, Cache, Executor, Kind, Profiler};
use auralis_testkit::runner::{Backend, kernel_trials, linked_trials, trials_of};
use auralis_testkit::{accelerator, buffer_pool, cache, check, executor, profiler};
use libtest_mimic::{Arguments, Failed, Trial};

#[path = "plugins/own-kernel/src/soft_clip.rs"]
mod soft_clip;

fn main() -> ExitCode {
    let linked_accelerators = format!("{}::", <dyn Accelerator>::NAME);
    let mut trials: Vec<Trial> = linked_trials();
    trials.retain(|trial| !trial.name().starts_with(&linked_accelerators));
    trials.extend(dylib_trials("plugin_accelerators"));
    trials.extend(dylib_trials("plugin_parts"));
    trials.extend(dylib_trials("plugin_own_kernel"));
    trials.push(Trial::test("names_are_the_same_in_both_forms", || {
        names_are_the_same_in_both_forms().map_err(Failed::from)
    }));
    trials.push(Trial::test("every_backend_is_linked", || {
        every_backend_is_linked().map_err(Failed::from)
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The trials over all backends of a plugin that cargo builds beside this test.
fn dylib_trials(library: &str) -> Vec<Trial> {
    let file = format!("{DLL_PREFIX}{library}{DLL_SUFFIX}");
    let loaded = std::env::current_exe()
        .map_err(|e| e.to_string())
        .and_then(|test| plugin::open(&test.with_file_name(&file)).map_err(|e| e.report()));
    let plugin = match loaded {
        Ok(plugin) => plugin,
        Err(reason) => {
            return vec![Trial::test(format!("load::{file}"), || Err(reason.into()))];
        }
    };
    let mut trials = of_kind(&plugin, accelerator::trials);
    trials.extend(of_kind(&plugin, buffer_pool::trials));
    trials.extend(of_kind(&plugin, cache::trials));
    trials.extend(of_kind(&plugin, executor::trials));
    trials.extend(of_kind(&plugin, profiler::trials));
    for kernel in plugin.kernels() {
        let prepare = {
            let kernel = kernel.clone();
            move |variant| kernel.prepare(variant)
        };
        trials.extend(kernel_trials(&file, &kernel.facts, prepare));
    }
    trials
}

fn of_kind<K: PluginKind + ?Sized>(
    plugin: &LoadedPlugin,
    trials: fn() -> Vec<auralis_testkit::Trial<K>>,
) -> Vec<Trial> {
    let backends = plugin.candidates::<K>().into_iter().map(backend);
    backends
        .flat_map(|backend| trials_of(backend, trials()))
        .collect()
}

/// A candidate whose form is its file: `[libplugin_parts.so] cache::dashmap::ttl_is_absolute`.
fn backend<K: Kind + ?Sized>(candidate: Candidate<K>) -> Backend<K> {
    let facts = candidate.facts.clone();
    let form = match &facts.source {
        Source::Dylib(file) => file.file_name().unwrap_or_default().to_string_lossy(),
        Source::Linked => "linked".into(),
    };
    Backend {
        form: form.into_owned(),
        id: facts.id,
        capabilities: facts.capabilities,
        options_schema: facts.options_schema,
        requires: facts.requires,
        build: Arc::new(move |context| candidate.build(context)),
    }
}

/// What runs over a linked backend runs over the same backend from a dylib, and under that name.
fn names_are_the_same_in_both_forms() -> auralis_testkit::Outcome {
    let names = |trials: Vec<Trial>| -> BTreeSet<String> {
        trials.iter().map(|trial| trial.name().to_owned()).collect()
    };
    let linked = names(linked_trials());
    let mut dylib = names(dylib_trials("plugin_accelerators"));
    dylib.extend(names(dylib_trials("plugin_parts")));
    dylib.extend(names(dylib_trials("plugin_own_kernel")));
    let one_sided: Vec<_> = linked.symmetric_difference(&dylib).collect();
    check(one_sided.is_empty() && !linked.is_empty(), || {
        format!("in one form only: {one_sided:?}")
    })
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
