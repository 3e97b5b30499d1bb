//! Runs the trials of each kind over every backend that the program links.

use std::process::ExitCode;

use auralis_core::{
    BufferPool, BuildContext, Cache, CpuFeatures, Descriptor, Executor, Linked, Profiler,
};
use libtest_mimic::{Arguments, Failed};

use crate::{Subject, Trial, buffer_pool, cache, executor, profiler};

/// The `main` of a test without a harness: runs what the command line asks for of
/// [`linked_trials`].
pub fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), linked_trials()).exit_code()
}

/// One trial per linked backend and clause of its contract, named like
/// `cache::dashmap::ttl_is_absolute`. What can't run on this CPU is shown as ignored, with the
/// features that it needs.
pub fn linked_trials() -> Vec<libtest_mimic::Trial> {
    let mut all = Vec::new();
    all.extend(of_kind::<dyn BufferPool>(buffer_pool::trials));
    all.extend(of_kind::<dyn Cache>(cache::trials));
    all.extend(of_kind::<dyn Executor>(executor::trials));
    all.extend(of_kind::<dyn Profiler>(profiler::trials));
    all
}

fn of_kind<K: Linked + ?Sized>(trials: fn() -> Vec<Trial<K>>) -> Vec<libtest_mimic::Trial> {
    let mut backends = K::linked();
    backends.sort_unstable_by_key(|descriptor| descriptor.id);
    backends
        .into_iter()
        .flat_map(|backend| {
            trials()
                .into_iter()
                .filter_map(|trial| named(backend, trial))
        })
        .collect()
}

/// The trial by its full name; none where the backend does not offer what it needs.
fn named<K: Linked + ?Sized>(
    backend: &'static Descriptor<K>,
    trial: Trial<K>,
) -> Option<libtest_mimic::Trial> {
    if trial
        .needs
        .is_some_and(|needed| !backend.capabilities.contains(&needed))
    {
        return None;
    }
    let name = format!("{}::{}::{}", K::NAME, backend.id, trial.name);
    let cpu = CpuFeatures::detect();
    let missing = backend.requires.missing_from(cpu);
    if !missing.is_empty() {
        let reason = format!("needs {missing}");
        let refusal = format!("can't run on this CPU: it {reason}");
        return Some(
            libtest_mimic::Trial::test(name, move || Err(refusal.into()))
                .with_kind(reason)
                .with_ignored_flag(true),
        );
    }
    Some(libtest_mimic::Trial::test(name, move || {
        let build = |context: &BuildContext<'_, K>| (backend.build)(context);
        let schema = backend.options_schema;
        let subject = Subject::new(backend.id, backend.capabilities, schema, cpu, &build);
        (trial.run)(&subject).map_err(Failed::from)
    }))
}
