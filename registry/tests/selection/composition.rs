//! Building what was selected, and accelerators made of several.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{Accelerator, CpuFeatures, Error, ErrorKind, Kernel, Options, Result};
use auralis_registry::{
    Authority, Candidate, Composition, Criteria, Facts, Registry, Request, compose, resolve,
};
use serde_json::json;

use super::fakes::*;

#[test]
fn a_build_failure_goes_on_where_the_request_allows_it() {
    let fakes: &[FakeRow<'_>] = &[
        ("good", 0, &[], true),
        ("bad", 10, &[], false),
        ("worse", 20, &[], false),
    ];
    let reason = "could not be built: the part is broken (part: 7)";
    let log = Log::default();
    let all = registry(&log, fakes);
    let broken = registry(&log, &fakes[1..]);
    let settings = AcceleratorSettings::default();
    let resolved = |registry: &Registry, request: Request| {
        resolve::<dyn Accelerator>(registry, &asking(request), &settings, &no_options)
    };

    let (backend, selection) = resolved(&all, Request::default()).unwrap();
    assert_eq!(backend.variant(), "good");
    assert_eq!(reasons(&selection), [("worse", reason), ("bad", reason)]);
    assert_eq!(taken(&log), ["build worse", "build bad", "build good"]);

    let (backend, selection) = resolved(&all, list(&["bad", "good"], Authority::Config)).unwrap();
    assert_eq!(backend.variant(), "good");
    let worse = "not asked for: the configuration lists bad, good";
    assert_eq!(reasons(&selection), [("worse", worse), ("bad", reason)]);
    assert_eq!(taken(&log), ["build bad", "build good"]);

    let error = resolved(&all, one("bad", Authority::Flag)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(
        error.report(),
        "the part is broken (part: 7, accelerator: bad)"
    );
    assert_eq!(taken(&log), ["build bad"]);

    let error = resolved(&broken, Request::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let message = format!("no accelerator is available: worse ({reason}), bad ({reason})");
    assert_eq!(error.message(), message);
}

#[test]
fn a_backend_is_built_from_its_own_options_and_the_cpu_that_is_shown() {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let candidate = Candidate::<dyn Accelerator>::new(facts(SCALAR), move |context| {
        *keep.lock().unwrap() = Some((context.options.clone(), context.cpu));
        let log = Log::default();
        Ok(Arc::new(Fake::new("scalar", &log)))
    });
    let registry = Registry::empty().with(candidate).unwrap();
    let criteria = Criteria {
        cpu: cpu(AVX512_CPU, &["avx512f", "avx512bw"]),
        ..Criteria::default()
    };
    let options = |id: &str| Options::new(json!({ "for": id }));
    resolve::<dyn Accelerator>(
        &registry,
        &criteria,
        &AcceleratorSettings::default(),
        &options,
    )
    .unwrap();
    let expected = (
        Options::new(json!({ "for": "scalar" })),
        CpuFeatures::of(AVX2_CPU),
    );
    assert_eq!(seen.lock().unwrap().take(), Some(expected));
}

#[test]
fn every_kernel_runs_on_the_first_backend_that_has_it() {
    let (fast, rest): (Vec<_>, Vec<_>) = Kernel::ALL
        .iter()
        .partition(|&&kernel| (kernel as usize).is_multiple_of(2));
    let names = |kernels: &[&Kernel]| kernels.iter().map(|k| k.name()).collect::<Vec<_>>();
    let (fast, rest) = (names(&fast), names(&rest));
    let log = Log::default();
    let registry = registry(
        &log,
        &[
            ("fast", 30, &fast, true),
            ("broken", 20, Kernel::NAMES, false),
            ("rest", 10, &rest, true),
            ("spare", 5, Kernel::NAMES, true),
            ("hidden", -1, Kernel::NAMES, true),
        ],
    );
    let (accelerator, selection) = composed(&registry, Request::default(), &[], 0).unwrap();
    assert_eq!(taken(&log), ["build fast", "build broken", "build rest"]);
    assert_eq!(selection.chosen, "fast");
    assert_eq!(accelerator.variant(), "fast");
    let elsewhere: BTreeMap<_, _> = rest.iter().map(|&k| (k, "rest".to_owned())).collect();
    assert_eq!(selection.kernels, Some(elsewhere));
    assert_eq!(
        reasons(&selection),
        [
            ("broken", "could not be built: the part is broken (part: 7)"),
            ("rest", "rank 10 is below fast's 30"),
            ("spare", "rank 5 is below fast's 30"),
            ("hidden", "only by name: its rank is negative"),
        ]
    );

    call_all(&*accelerator, 0);
    let by = |(i, method)| {
        format!(
            "{}.{method}",
            if usize::is_multiple_of(i, 2) {
                "fast"
            } else {
                "rest"
            }
        )
    };
    assert_eq!(
        taken(&log),
        methods()
            .into_iter()
            .enumerate()
            .map(by)
            .collect::<Vec<_>>()
    );
}

#[test]
fn one_backend_alone_is_not_wrapped() {
    let log = Log::default();
    let all = Kernel::NAMES;
    let complete = [("fast", 10, all, true), ("scalar", 0, all, true)];
    // A threshold means nothing where the reference is the only backend, or where there is none.
    let rows: [(&[FakeRow<'_>], usize, &[&str]); 4] = [
        (&complete, 0, &["build fast"]),
        (&complete[1..], 64, &["build scalar"]),
        (&[("partial", 10, &["dot"], true)], 64, &["build partial"]),
        (
            &[("fast", 10, all, true), ("scalar", 0, all, false)],
            0,
            &["build fast"],
        ),
    ];
    for (fakes, threshold, built) in rows {
        let registry = registry(&log, fakes);
        let (accelerator, selection) =
            composed(&registry, Request::default(), &[], threshold).unwrap();
        assert_eq!(taken(&log), built);
        assert_eq!(selection.kernels, Some(BTreeMap::new()));
        let printed = format!("{accelerator:?}");
        assert!(printed.starts_with("Fake {"), "{printed}");
    }
}

#[test]
fn a_kernel_may_have_a_backend_of_its_own() {
    let log = Log::default();
    let registry = registry(
        &log,
        &[
            ("fast", 30, &["dot", "scale", "peak"], true),
            ("other", 20, &["dot", "scale"], true),
            ("by-name", -1, &["peak"], true),
            ("scalar", 0, Kernel::NAMES, true),
        ],
    );
    let kernels = [("dot", "other"), ("peak", "by-name"), ("scale", "auto")];
    let (accelerator, selection) =
        composed(&registry, one("fast", Authority::Flag), &kernels, 0).unwrap();
    assert_eq!(
        taken(&log),
        ["build fast", "build scalar", "build other", "build by-name"]
    );
    accelerator.dot(&[], &[]).unwrap();
    accelerator.peak(&[]).unwrap();
    accelerator.scale(&mut [], 1.0).unwrap();
    accelerator.add(&mut [], &[]).unwrap();
    assert_eq!(
        taken(&log),
        ["other.dot", "by-name.peak", "fast.scale", "scalar.add"]
    );
    let elsewhere = selection.kernels.unwrap();
    assert_eq!(elsewhere["dot"], "other");
    assert_eq!(elsewhere["peak"], "by-name");
    assert_eq!(elsewhere["add"], "scalar");
    assert_eq!(elsewhere.get("scale"), None);
}

#[test]
fn a_kernel_that_nobody_has_is_unsupported() {
    #[derive(Debug)]
    struct Dots;
    impl Accelerator for Dots {
        fn dot(&self, _: &[f32], _: &[f32]) -> Result<f32> {
            Ok(1.0)
        }
    }
    let log = Log::default();
    let dots = Facts {
        id: "dots".to_owned(),
        rank: 10,
        capabilities: vec!["dot".to_owned(), "teleport".to_owned()],
        ..Facts::default()
    };
    let registry = registry(&log, &[("scales", 0, &["scale"], true)])
        .with(Candidate::<dyn Accelerator>::new(dots, |_| {
            Ok(Arc::new(Dots))
        }))
        .unwrap();
    let (accelerator, _) = composed(&registry, Request::default(), &[], 0).unwrap();
    assert_eq!(accelerator.dot(&[], &[]).unwrap(), 1.0);
    accelerator.scale(&mut [], 1.0).unwrap();
    let error = accelerator.peak(&[]).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Unsupported, "peak")
    );
}

#[test]
fn a_wrong_kernel_or_backend_of_its_own_is_an_error_that_says_what_there_is() {
    let log = Log::default();
    let mut registry = registry(
        &log,
        &[
            ("fast", 30, &["dot"], true),
            ("broken", 20, &["dot"], false),
            ("scalar", 0, Kernel::NAMES, true),
        ],
    );
    let needy = Facts {
        capabilities: vec!["dot".to_owned()],
        ..facts(AVX512)
    };
    registry
        .insert(Candidate::<dyn Accelerator>::new(needy, |_| {
            Err(Error::new(ErrorKind::Panicked, "this must not be built"))
        }))
        .unwrap();
    let names = Kernel::NAMES.join(", ");
    let rows = [
        (
            ("dott", "fast"),
            ErrorKind::Config,
            format!(
                "no kernel is called \"dott\"; did you mean \"dot\"? (there are: {names}) \
                 (section: [accelerator.kernels])"
            ),
        ),
        (
            ("dot", "fats"),
            ErrorKind::NotFound,
            "no accelerator is called \"fats\"; did you mean \"fast\"? (there are: avx512, fast, \
             broken, scalar) (kernel: dot)"
                .to_owned(),
        ),
        (
            ("dot", "avx512"),
            ErrorKind::Unavailable,
            "accelerator \"avx512\" is unavailable: this CPU lacks avx512f, avx512bw (available: \
             fast, broken, scalar) (kernel: dot)"
                .to_owned(),
        ),
        (
            ("peak", "fast"),
            ErrorKind::Unavailable,
            "accelerator \"fast\" has no kernel \"peak\" (those that have it: scalar)".to_owned(),
        ),
        (
            ("dot", "broken"),
            ErrorKind::Io,
            "the part is broken (part: 7, accelerator: broken, kernel: dot)".to_owned(),
        ),
    ];
    for (kernel, kind, report) in rows {
        let error = composed(&registry, Request::default(), &[kernel], 0).unwrap_err();
        assert_eq!(error.report(), report);
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn short_slices_run_on_the_reference() {
    let log = Log::default();
    let registry = registry(
        &log,
        &[
            ("fast", 30, Kernel::NAMES, true),
            ("middling", 10, Kernel::NAMES, true),
            ("partial", 0, &["dot"], true),
            ("scalar", 1, Kernel::NAMES, true),
            ("by-name", -1, Kernel::NAMES, true),
        ],
    );
    let (accelerator, selection) = composed(&registry, Request::default(), &[], 16).unwrap();
    assert_eq!(taken(&log), ["build fast", "build scalar"]);
    assert_eq!(selection.kernels, Some(BTreeMap::new()));

    let slices = slice_kernels();
    for (len, short) in [(0, true), (15, true), (16, false), (17, false)] {
        call_all(&*accelerator, len);
        let by = |(i, method)| {
            let id = if short && i < slices {
                "scalar"
            } else {
                "fast"
            };
            format!("{id}.{method}")
        };
        let expected: Vec<_> = methods().into_iter().enumerate().map(by).collect();
        assert_eq!(taken(&log), expected, "{len} samples");
    }
}

#[test]
fn a_reference_that_does_not_build_gives_way_to_the_next() {
    let log = Log::default();
    let all = Kernel::NAMES;
    let registry = registry(
        &log,
        &[
            ("fast", 30, all, true),
            ("middling", 10, all, true),
            ("scalar", 0, all, false),
        ],
    );
    let (accelerator, selection) = composed(&registry, Request::default(), &[], 2).unwrap();
    assert_eq!(
        taken(&log),
        ["build fast", "build scalar", "build middling"]
    );
    let reason = "could not be built: the part is broken (part: 7)";
    assert_eq!(reasons(&selection)[1], ("scalar", reason));
    accelerator.peak(&[1.0]).unwrap();
    assert_eq!(taken(&log), ["middling.peak"]);
}

#[test]
fn what_failed_at_run_time_runs_no_kernel() {
    let log = Log::default();
    let registry = registry(
        &log,
        &[
            ("acme", 30, &["dot", "mix"], true),
            ("other", 20, &["dot"], true),
            ("scalar", 0, Kernel::NAMES, true),
        ],
    );
    let why = "panicked at run time: index out of bounds";
    let without = |request: Request, kernels: &[(&str, &str)]| {
        let mut criteria = asking(request);
        criteria.failed.insert("acme".into(), why.into());
        let kernels = kernels
            .iter()
            .map(|(k, id)| (k.to_string(), id.to_string()));
        let composition = Composition {
            kernels: kernels.collect(),
            vectorization_threshold: 0,
        };
        let settings = AcceleratorSettings::default();
        compose(&registry, &criteria, &settings, &no_options, &composition)
    };
    for request in [
        Request::default(),
        list(&["acme", "other"], Authority::Config),
        one("other", Authority::Flag),
    ] {
        let (_, selection) = without(request, &[]).unwrap();
        assert_eq!(selection.chosen, "other");
        assert_eq!(selection.called, ["other", "scalar"]);
        assert_eq!(selection.rejected[0].reason, why);
        assert!(!selection.rejected[0].available);
        assert_eq!(taken(&log), ["build other", "build scalar"]);
    }
    for (request, kernels) in [
        (one("acme", Authority::Config), &[][..]),
        (Request::default(), &[("dot", "acme")]),
    ] {
        let error = without(request, kernels).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.report().contains(why), "{error}");
    }
    assert!(taken(&log).is_empty());
}
