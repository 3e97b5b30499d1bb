//! The conformance suite over every backend of this crate, and how they treat the host's features.

use std::process::ExitCode;

use auralis_accelerator as _;
use auralis_core::{
    Accelerator, BuildContext, CpuFeatures, Descriptor, ErrorKind, Linked, Options,
};
use auralis_testkit::{Outcome, Subject, accelerator, quick};
use libtest_mimic::{Arguments, Failed, Trial};

type Backend = &'static Descriptor<dyn Accelerator>;

fn main() -> ExitCode {
    let cpu = CpuFeatures::detect();
    let mut backends = <dyn Accelerator as Linked>::linked();
    backends.sort_by_key(|backend| backend.id);

    let mut trials = Vec::new();
    for backend in backends {
        trials.extend(conformance(backend, cpu));
        if backend.requires.missing_from(cpu).is_empty() {
            let name = format!("accelerator::{}::quick_part", backend.id);
            trials.push(test(name, move || quick(&subject(backend, cpu))));
        }
        if backend.requires.is_empty() {
            trials.extend(rehearsals(backend, cpu));
        } else {
            trials.push(test(
                format!("accelerator::{}::refuses", backend.id),
                move || refuses(backend, cpu),
            ));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Every trial of the suite; ignored, with what is missing, where the backend can't run.
fn conformance(backend: Backend, cpu: CpuFeatures) -> Vec<Trial> {
    let missing = backend.requires.missing_from(cpu);
    accelerator::trials()
        .into_iter()
        .map(|trial| {
            let listed = trial
                .needs
                .is_none_or(|kernel| backend.capabilities.contains(&kernel));
            let name = format!("accelerator::{}::{}", backend.id, trial.name);
            let reason = if missing.is_empty() {
                String::new()
            } else {
                format!("needs {missing}")
            };
            let test = test(name, move || (trial.run)(&subject(backend, cpu)));
            match (listed, missing.is_empty()) {
                (true, true) => test,
                (false, _) => test.with_kind("not listed").with_ignored_flag(true),
                (true, false) => test.with_kind(reason).with_ignored_flag(true),
            }
        })
        .collect()
}

/// The suite once more for each variant that a portable backend runs where features are hidden.
fn rehearsals(backend: Backend, cpu: CpuFeatures) -> Vec<Trial> {
    let hidden = ["avx512f", "avx2", "sse4.2", "neon"];
    let mut allowed = cpu;
    let mut seen = vec![variant(backend, cpu)];
    let mut trials = Vec::new();
    for feature in hidden {
        allowed = allowed.without(CpuFeatures::of(&[feature]));
        let variant = variant(backend, allowed);
        if seen.contains(&variant) {
            continue;
        }
        seen.push(variant);
        trials.extend(accelerator::trials().into_iter().map(|trial| {
            let name = format!("accelerator::{}[{variant}]::{}", backend.id, trial.name);
            test(name, move || (trial.run)(&subject(backend, allowed)))
        }));
    }
    if seen.len() > 1 {
        let last = seen[seen.len() - 1];
        trials.push(test(
            format!("accelerator::{}::obeys_the_mask", backend.id),
            move || {
                let none = variant(backend, CpuFeatures::NONE);
                auralis_testkit::check(none == "portable" && last == none, || {
                    format!("runs {none:?} where no feature is allowed, {last:?} where few are")
                })
            },
        ));
    }
    trials
}

fn variant(backend: Backend, cpu: CpuFeatures) -> &'static str {
    subject(backend, cpu)
        .instance()
        .map_or("unavailable", |accelerator| accelerator.variant())
}

fn subject(backend: Backend, cpu: CpuFeatures) -> Subject<'static, dyn Accelerator> {
    let Descriptor {
        id,
        capabilities,
        options_schema,
        ref build,
        ..
    } = *backend;
    Subject::new(id, capabilities, options_schema, cpu, build)
}

/// A backend whose features are hidden says which it misses; options that it does not have are an
/// error on any machine.
fn refuses(backend: Backend, cpu: CpuFeatures) -> Outcome {
    let build = |cpu, options: &Options| {
        let settings = Default::default();
        match (backend.build)(&BuildContext {
            options,
            settings: &settings,
            cpu,
        }) {
            Ok(_) => Err("was built all the same".to_owned()),
            Err(error) => Ok(error),
        }
    };
    for feature in backend.requires.names() {
        let allowed = cpu.without(CpuFeatures::of(&[feature]));
        let error = build(allowed, &Options::default())?;
        let named = error.report().contains(feature) && error.kind() == ErrorKind::Unavailable;
        auralis_testkit::check(named, || format!("without {feature}: {error:?}"))?;
    }
    let error = build(cpu, &Options::new(serde_json::json!({ "lanes": 4 })))?;
    let named = error.report().contains("lanes") && error.kind() == ErrorKind::Config;
    auralis_testkit::check(named, || format!("with an unknown option: {error:?}"))
}

fn test(name: String, run: impl FnOnce() -> Outcome + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(Failed::from))
}
