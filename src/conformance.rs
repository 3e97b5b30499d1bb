//! The conformance suite over the backends of a registry: its quick part for the probe of a plugin and
//! kernel by kernel before tuning, its trials one by one for `plugin check`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use auralis_abi::FloatControl;
use auralis_core::{
    Accelerator, BufferPool, BuildContext, Cache, CpuFeatures, Error, ErrorKind, Executor, Kernel,
    Profiler, Result,
};
use auralis_registry::{Candidate, KernelCandidate, Registry, RegistryKind};
use auralis_testkit::user_kernel::{KernelSubject, KernelTrial, TRIALS};
use auralis_testkit::{Effort, Outcome, Subject, Trial, Tried};

/// Calls a generic function for the kind of this name; `None` if there is no such kind.
#[cfg(feature = "cli")]
macro_rules! of_kind {
    ($name:expr, $function:ident $arguments:tt) => {
        of_kind!(@ $name, $function $arguments
            dyn Accelerator, dyn BufferPool, dyn Cache, dyn Executor, dyn Profiler)
    };
    (@ $name:expr, $function:ident $arguments:tt $($kind:ty),*) => {
        match $name {
            $(name if name == <$kind as auralis_core::Kind>::NAME => {
                Some(of_kind!(@call $function $kind, $arguments))
            })*
            _ => None,
        }
    };
    (@call $function:ident $kind:ty, ($($argument:expr),*)) => {
        $function::<$kind>($($argument),*)
    };
}

/// A trial of a backend, before it runs.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Its full name: `accelerator::acme::scale`.
    pub name: String,
    /// Whether the quick part runs it.
    pub quick: bool,
}

/// The trials that apply to a backend of this kind and id with these capabilities; none for an
/// unknown kind.
#[cfg(feature = "cli")]
pub(crate) fn planned(kind: &str, id: &str, capabilities: &[String]) -> Vec<Planned> {
    of_kind!(kind, plan(id, capabilities)).unwrap_or_default()
}

#[cfg(feature = "cli")]
fn plan<K: Tried + ?Sized>(id: &str, capabilities: &[String]) -> Vec<Planned> {
    let offers = |needed: &str| capabilities.iter().any(|c| c == needed);
    let trials = K::trials().into_iter();
    trials
        .filter(|trial| trial.needs.is_none_or(offers))
        .map(|trial| Planned {
            name: format!("{}::{id}::{}", K::NAME, trial.name),
            quick: trial.quick,
        })
        .collect()
}

/// The trials of a variant of a kernel of an author's own; the quick part runs them all.
#[cfg(feature = "cli")]
pub(crate) fn planned_of_kernel(name: &str, variant: &str) -> Vec<Planned> {
    let named = |trial: &KernelTrial| Planned {
        name: format!("{KERNEL}::{name}::{variant}::{}", trial.name),
        quick: true,
    };
    TRIALS.iter().map(named).collect()
}

/// Runs the trial of this full name.
///
/// # Errors
///
/// What the trial found; that there is no such backend or trial.
#[cfg(feature = "cli")]
pub(crate) fn run(registry: &Registry, name: &str, effort: Effort) -> Outcome {
    let unknown = || format!("no backend here has a trial `{name}`");
    let [kind, id, trial] = name.splitn(3, "::").collect::<Vec<_>>()[..] else {
        return Err(unknown());
    };
    if kind == KERNEL {
        return run_of_kernel(registry, id, trial, effort).unwrap_or_else(|| Err(unknown()));
    }
    of_kind!(kind, run_of(registry, id, trial, effort))
        .flatten()
        .unwrap_or_else(|| Err(unknown()))
}

#[cfg(feature = "cli")]
fn run_of<K: RegistryKind + Tried + ?Sized>(
    registry: &Registry,
    id: &str,
    trial: &str,
    effort: Effort,
) -> Option<Outcome> {
    let candidate = registry.candidate::<K>(id)?;
    let trial = K::trials().into_iter().find(|t| t.name == trial)?;
    Some(run_on(candidate, &trial, effort, CpuFeatures::detect()))
}

#[cfg(feature = "cli")]
fn run_of_kernel(registry: &Registry, name: &str, trial: &str, effort: Effort) -> Option<Outcome> {
    let kernel = registry.kernel(name)?;
    let (variant, trial) = trial.rsplit_once("::")?;
    let variant = kernel.facts.variants.iter().position(|v| v.id == variant)?;
    let trial = TRIALS.iter().find(|t| t.name == trial)?;
    Some(run_on_kernel(kernel, variant, trial, effort))
}

/// What stands for the kind in the trials of kernels of authors' own.
const KERNEL: &str = "kernel";

/// Runs the quick part over every backend, and every variant of a kernel, that can run on this CPU.
///
/// # Errors
///
/// [`ErrorKind::Plugin`] with the first failure: the trial, and what it found.
pub(crate) fn quick(registry: &Registry) -> Result<()> {
    [
        quick_of::<dyn Accelerator>(registry),
        quick_of::<dyn BufferPool>(registry),
        quick_of::<dyn Cache>(registry),
        quick_of::<dyn Executor>(registry),
        quick_of::<dyn Profiler>(registry),
        registry.kernels().iter().try_for_each(quick_of_kernel),
    ]
    .into_iter()
    .collect::<Outcome>()
    .map_err(|found| Error::new(ErrorKind::Plugin, found))
}

fn quick_of<K: RegistryKind + Tried + ?Sized>(registry: &Registry) -> Outcome {
    let cpu = CpuFeatures::detect();
    let trials: Vec<Trial<K>> = K::trials().into_iter().filter(|t| t.quick).collect();
    for candidate in registry.candidates::<K>() {
        let facts = &candidate.facts;
        if !facts.requires.missing_from(cpu).is_empty() {
            continue;
        }
        let applies = |trial: &&Trial<K>| trial.needs.is_none_or(|needed| facts.offers(needed));
        for trial in trials.iter().filter(applies) {
            run_on(candidate, trial, Effort::Quick, cpu)
                .map_err(|e| format!("{}::{}::{}: {e}", K::NAME, facts.id, trial.name))?;
        }
    }
    Ok(())
}

fn quick_of_kernel(kernel: &KernelCandidate) -> Outcome {
    let cpu = CpuFeatures::detect();
    for (index, variant) in kernel.facts.variants.iter().enumerate() {
        if !variant.missing(cpu).is_empty() {
            continue;
        }
        for trial in TRIALS {
            run_on_kernel(kernel, index, trial, Effort::Quick).map_err(|e| {
                let (name, variant) = (&kernel.facts.name, &variant.id);
                format!("{KERNEL}::{name}::{variant}::{}: {e}", trial.name)
            })?;
        }
    }
    Ok(())
}

/// Runs the quick part that is about one kernel over an accelerator that may use the features of
/// `cpu`.
///
/// # Errors
///
/// The trial that fails first, and what it found.
pub(crate) fn gate(
    candidate: &Candidate<dyn Accelerator>,
    kernel: Kernel,
    cpu: CpuFeatures,
) -> Outcome {
    let trials = <dyn Accelerator>::trials();
    let mut about = trials
        .iter()
        .filter(|trial| trial.quick && trial.needs == Some(kernel.name()));
    about.try_for_each(|trial| {
        run_on(candidate, trial, Effort::Quick, cpu).map_err(|e| format!("{}: {e}", trial.name))
    })
}

/// Runs the quick part over a variant of a kernel of an author's own.
///
/// # Errors
///
/// The trial that fails first, and what it found.
pub(crate) fn gate_of_kernel(kernel: &KernelCandidate, variant: usize) -> Outcome {
    TRIALS.iter().try_for_each(|trial| {
        run_on_kernel(kernel, variant, trial, Effort::Quick)
            .map_err(|e| format!("{}: {e}", trial.name))
    })
}

fn run_on_kernel(
    candidate: &KernelCandidate,
    variant: usize,
    trial: &KernelTrial,
    effort: Effort,
) -> Outcome {
    let prepared = |variant| candidate.prepare(variant).map_err(|e| e.report());
    let (reference, kernel) = (prepared(0)?, prepared(variant)?);
    let subject = KernelSubject {
        reference: &reference,
        kernel: &kernel,
        effort,
    };
    contained(|| (trial.run)(&subject))
}

/// Runs a trial of a candidate.
fn run_on<K: RegistryKind + Tried + ?Sized>(
    candidate: &Candidate<K>,
    trial: &Trial<K>,
    effort: Effort,
    cpu: CpuFeatures,
) -> Outcome {
    let facts = &candidate.facts;
    let capabilities: Vec<&str> = facts.capabilities.iter().map(String::as_str).collect();
    let build = |context: &BuildContext<'_, K>| candidate.build(context);
    let subject = Subject::new(&facts.id, &capabilities, &facts.options_schema, cpu, &build)
        .with_effort(effort);
    contained(|| (trial.run)(&subject))
}

/// Runs a trial. A panic in it, and a floating-point control that is no longer the same or that the
/// boundary had to restore, are failures too.
fn contained(trial: impl FnOnce() -> Outcome) -> Outcome {
    let (before, restored) = (FloatControl::read(), FloatControl::restorations());
    let outcome = catch_unwind(AssertUnwindSafe(trial));
    before.restore();
    outcome.unwrap_or_else(|_| Err("the trial panicked".to_owned()))?;
    if FloatControl::restorations() == restored {
        return Ok(());
    }
    Err("it changes the floating-point control of the thread that calls it".to_owned())
}

#[cfg(test)]
mod tests {
    use auralis_core::FlushToZero;

    use super::*;

    #[test]
    fn what_is_linked_passes_the_quick_part() {
        let registry = Registry::linked().unwrap();
        quick(&registry).unwrap();
    }

    #[test]
    fn a_trial_that_leaves_another_control_fails() {
        let before = FloatControl::read();
        let outcome = contained(|| {
            std::mem::forget(FlushToZero::new());
            Ok(())
        });
        assert_eq!(FloatControl::read(), before);
        assert!(outcome.unwrap_err().contains("floating-point control"));
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_trial_is_planned_and_run_by_its_name() {
        let registry = Registry::linked().unwrap();
        let planned = planned("accelerator", "scalar", &["scale".to_owned()]);
        let names: Vec<_> = planned.iter().map(|trial| trial.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "accelerator::scalar::scale",
                "accelerator::scalar::unsupported",
                "accelerator::scalar::wrong_options_are_refused",
            ]
        );
        assert_eq!(run(&registry, names[0], Effort::Quick), Ok(()));
        for unknown in [
            "scale",
            "accelerator::scalar::no",
            "cache::no::replace",
            "no::a::b",
        ] {
            assert_eq!(
                run(&registry, unknown, Effort::Quick),
                Err(format!("no backend here has a trial `{unknown}`"))
            );
        }
    }
}
