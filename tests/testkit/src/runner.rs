//! Runs the trials of each kind over every backend that the program links, or that a dylib brings.

use std::process::ExitCode;
use std::sync::Arc;

use auralis_core::{
    Accelerator, BufferPool, BuildContext, Cache, CpuFeatures, Descriptor, Executor,
    KernelDescriptor, KernelFacts, Kind, Linked, Profiler, Result, UserKernel, VariantFacts,
};
use libtest_mimic::{Arguments, Failed};

use crate::user_kernel::{KernelSubject, KernelTrial, TRIALS};
use crate::{Effort, Subject, Trial, accelerator, buffer_pool, cache, executor, profiler};

/// The `main` of a test without a harness: runs what the command line asks for of
/// [`linked_trials`].
pub fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), linked_trials()).exit_code()
}

/// One trial per linked backend and clause of its contract, named like
/// `cache::dashmap::ttl_is_absolute` and of the kind `linked`; those of kernels of authors' own are
/// named like `kernel::acme.soft-clip::avx2::agrees`. What can't run on this CPU is shown as
/// ignored, with the features that it needs.
pub fn linked_trials() -> Vec<libtest_mimic::Trial> {
    let mut all = of_kind::<dyn Accelerator>(accelerator::trials);
    all.extend(of_kind::<dyn BufferPool>(buffer_pool::trials));
    all.extend(of_kind::<dyn Cache>(cache::trials));
    all.extend(of_kind::<dyn Executor>(executor::trials));
    all.extend(of_kind::<dyn Profiler>(profiler::trials));
    let mut kernels = KernelDescriptor::linked();
    kernels.sort_unstable_by_key(|descriptor| descriptor.name);
    all.extend(kernels.into_iter().flat_map(|descriptor| {
        kernel_trials("linked", &descriptor.into(), move |variant| {
            descriptor.kernel(variant)
        })
    }));
    all
}

/// How a [`Backend`] is built, from whichever thread runs the trial.
pub type Build<K> = dyn Fn(&BuildContext<'_, K>) -> Result<Arc<K>> + Send + Sync;

/// A backend as the runner sees it: what a descriptor says, owned, so that it may come from a dylib.
pub struct Backend<K: Kind + ?Sized> {
    /// In which form it is here, which is the kind of its trials: `linked`, or the name of a dylib's
    /// file. Their names are the same in every form.
    pub form: String,
    /// Its id.
    pub id: String,
    /// What it lists.
    pub capabilities: Vec<String>,
    /// The JSON Schema of its options.
    pub options_schema: String,
    /// The CPU features without which it can't run.
    pub requires: CpuFeatures,
    /// Builds it.
    pub build: Arc<Build<K>>,
}

impl<K: Kind + ?Sized> From<&'static Descriptor<K>> for Backend<K> {
    fn from(descriptor: &'static Descriptor<K>) -> Self {
        Self {
            form: "linked".into(),
            id: descriptor.id.into(),
            capabilities: descriptor.capabilities.iter().map(|&c| c.into()).collect(),
            options_schema: descriptor.options_schema.into(),
            requires: descriptor.requires,
            build: Arc::new(descriptor.build),
        }
    }
}

/// The trials that apply to one backend, each named `kind::backend::trial`.
pub fn trials_of<K: Kind + ?Sized>(
    backend: Backend<K>,
    trials: Vec<Trial<K>>,
) -> Vec<libtest_mimic::Trial> {
    let backend = Arc::new(backend);
    let trials = trials.into_iter();
    trials
        .filter_map(|trial| named(Arc::clone(&backend), trial))
        .collect()
}

fn of_kind<K: Linked + ?Sized>(trials: fn() -> Vec<Trial<K>>) -> Vec<libtest_mimic::Trial> {
    let mut backends = K::linked();
    backends.sort_unstable_by_key(|descriptor| descriptor.id);
    backends
        .into_iter()
        .flat_map(|descriptor| trials_of(Backend::from(descriptor), trials()))
        .collect()
}

/// The trial by its full name; none where the backend does not offer what it needs.
fn named<K: Kind + ?Sized>(
    backend: Arc<Backend<K>>,
    trial: Trial<K>,
) -> Option<libtest_mimic::Trial> {
    let offers = |needed: &str| backend.capabilities.iter().any(|c| c == needed);
    if !trial.needs.is_none_or(offers) {
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
                .with_kind(format!("{}, {reason}", backend.form))
                .with_ignored_flag(true),
        );
    }
    let form = backend.form.clone();
    let run = move || {
        let capabilities: Vec<&str> = backend.capabilities.iter().map(String::as_str).collect();
        let build = |context: &BuildContext<'_, K>| (backend.build)(context);
        let schema = &backend.options_schema;
        let subject = Subject::new(&backend.id, &capabilities, schema, cpu, &build);
        (trial.run)(&subject).map_err(Failed::from)
    };
    Some(libtest_mimic::Trial::test(name, run).with_kind(form))
}

/// The trials of a kernel of an author's own, variant by variant. `prepare` gives it in the variant of
/// a number.
pub fn kernel_trials(
    form: &str,
    facts: &KernelFacts,
    prepare: impl Fn(usize) -> Result<UserKernel> + Clone + Send + Sync + 'static,
) -> Vec<libtest_mimic::Trial> {
    let variants = facts.variants.iter().enumerate();
    let trials = variants.flat_map(|variant| TRIALS.iter().map(move |trial| (variant, *trial)));
    trials
        .map(|((index, variant), trial)| {
            let name = format!("kernel::{}::{}::{}", facts.name, variant.id, trial.name);
            kernel_trial(form, name, trial, variant, index, prepare.clone())
        })
        .collect()
}

fn kernel_trial(
    form: &str,
    name: String,
    trial: KernelTrial,
    variant: &VariantFacts,
    index: usize,
    prepare: impl Fn(usize) -> Result<UserKernel> + Send + Sync + 'static,
) -> libtest_mimic::Trial {
    let run = move || {
        let prepared = |index| prepare(index).map_err(|e| e.report());
        let subject = KernelSubject {
            reference: &prepared(0)?,
            kernel: &prepared(index)?,
            effort: Effort::Full,
        };
        (trial.run)(&subject).map_err(Failed::from)
    };
    let trial = libtest_mimic::Trial::test(name, run);
    let missing = variant.missing(CpuFeatures::detect());
    match missing.is_empty() {
        true => trial.with_kind(form),
        false => trial
            .with_kind(format!("{form}, needs {missing}"))
            .with_ignored_flag(true),
    }
}
