//! Accelerators made of what was measured, and the files that say so: hand-made times over fakes.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{Accelerator, CpuFeatures, ErrorKind, Kernel};
use auralis_registry::tuning::{
    Cell, Consulted, Fingerprint, Grid, Outcome, SizeTimes, Tuning, Wrong,
};
use auralis_registry::{
    Authority, Composition, Cpu, Criteria, Measured, Registry, Request, Selection, compose,
};
use proptest::prelude::*;

use super::fakes::*;

/// The times of every kernel at every size, by what `time` says of a backend there: in microseconds,
/// beside which what a call costs is nothing.
fn tuning(registry: &Registry, time: impl Fn(&str, Kernel, [usize; 2]) -> Option<f64>) -> Tuning {
    let ids: Vec<_> = registry.facts().map(|(_, f)| f.id.clone()).collect();
    let mut cells = Vec::new();
    for &kernel in Kernel::ALL {
        let grid = Grid::of(kernel);
        for size in grid.sizes() {
            let times = ids
                .iter()
                .filter_map(|id| Some((id.clone(), 1000.0 * time(id, kernel, size)?)));
            cells.push(Cell {
                kernel: kernel.name().to_owned(),
                size: size[..grid.names.len()].to_vec(),
                times: times.collect(),
            });
        }
    }
    Tuning::new(Fingerprint::of(registry, Cpu::default()), cells, Vec::new())
}

fn chosen(
    registry: &Registry,
    request: Request,
    measured: Measured,
    kernels: &[(&str, &str)],
    vectorization_threshold: usize,
) -> (Arc<dyn Accelerator>, Selection) {
    let criteria = Criteria {
        measured,
        ..asking(request)
    };
    let kernels = kernels.iter();
    let composition = Composition {
        kernels: kernels
            .map(|(k, id)| ((*k).to_owned(), (*id).to_owned()))
            .collect(),
        vectorization_threshold,
    };
    let settings = AcceleratorSettings::default();
    compose(registry, &criteria, &settings, &no_options, &composition).unwrap()
}

fn three(log: &Log) -> Registry {
    let all = Kernel::NAMES;
    registry(
        log,
        &[
            ("wide", 30, all, true),
            ("narrow", 20, all, true),
            ("scalar", 0, all, true),
        ],
    )
}

/// Short slices are fastest on the reference, long dots on `narrow`, all else on `wide`.
fn mixed(id: &str, kernel: Kernel, size: [usize; 2]) -> Option<f64> {
    let is_slice = Grid::of(kernel) == Grid::of(Kernel::Dot);
    let fastest = match size[0] {
        4 if is_slice => "scalar",
        1024.. if kernel == Kernel::Dot => "narrow",
        _ => "wide",
    };
    Some(if id == fastest { 1.0 } else { 2.0 })
}

#[test]
fn every_size_runs_where_it_was_measured_fastest() {
    let log = Log::default();
    let registry = three(&log);
    let measured = tuning(&registry, mixed).measured();
    let (accelerator, selection) = chosen(&registry, Request::default(), measured, &[], 0);
    assert_eq!(selection.chosen, "wide");
    assert_eq!(selection.decided_by, Authority::Measured);
    assert_eq!(selection.called, ["narrow", "scalar", "wide"]);
    let (id, reason) = reasons(&selection)[1];
    assert_eq!(id, "scalar");
    assert!(reason.ends_with("x slower than wide"), "{reason}");
    taken(&log);
    for (len, id) in [
        (0, "scalar"),
        (7, "scalar"),
        (8, "wide"),
        (64, "wide"),
        (511, "wide"),
        (512, "narrow"),
        (100_000, "narrow"),
    ] {
        let data = vec![0.0; len];
        accelerator.dot(&data, &data).unwrap();
        assert_eq!(taken(&log), [format!("{id}.dot")], "{len}");
    }
    let object = serde_json::to_value(&selection).unwrap();
    assert_eq!(object["decided_by"], "measured");
    assert_eq!(
        object["measured"]["dot"],
        serde_json::json!([
            { "from": [0], "backend": "scalar" },
            { "from": [8], "backend": "wide" },
            { "from": [512], "backend": "narrow" },
        ])
    );
    assert_eq!(
        object["measured"]["convolver"],
        serde_json::json!([{ "from": [0, 0], "backend": "wide" }])
    );
    assert_eq!(object["kernels"]["dot"], "narrow");
    assert_eq!(object["kernels"]["scale"], "scalar");
    assert_eq!(object["kernels"].get("fir"), None);
}

#[test]
fn sizes_of_two_dimensions_have_backends_of_their_own() {
    let log = Log::default();
    let registry = three(&log);
    let long = |id: &str, kernel: Kernel, [_, second]: [usize; 2]| {
        let narrow = matches!(
            kernel,
            Kernel::Convolver | Kernel::Convolve | Kernel::Biquads
        ) && second >= 8;
        let fastest = if narrow && second >= 4096 {
            "narrow"
        } else {
            "wide"
        };
        Some(if id == fastest { 1.0 } else { 2.0 })
    };
    let measured = tuning(&registry, long).measured();
    let (accelerator, _) = chosen(&registry, Request::default(), measured, &[], 0);
    taken(&log);
    let signal = vec![0.0; 5000];
    for (taps, id) in [
        (16, "wide"),
        (724, "wide"),
        (725, "narrow"),
        (5000, "narrow"),
    ] {
        let mode = auralis_core::ConvolutionMode::Same;
        let mut dst = vec![0.0; 5000];
        accelerator
            .convolve(&mut dst, &signal, &signal[..taps], mode)
            .unwrap();
        assert_eq!(taken(&log), [format!("{id}.convolve")], "{taps} taps");
    }
    for (taps, id) in [(512, "wide"), (4096, "narrow")] {
        let spec = auralis_core::ConvolverSpec {
            impulse: &signal[..taps],
            block: 64,
            latency: auralis_core::Latency::Zero,
        };
        accelerator.plan_convolver(&spec).unwrap_err();
        assert_eq!(taken(&log), [format!("{id}.plan_convolver")], "{taps} taps");
    }
}

#[test]
fn one_that_wins_everything_is_not_wrapped_and_noise_is_no_win() {
    let log = Log::default();
    let registry = three(&log);
    let noisy = |id: &str, kernel: Kernel, [first, _]: [usize; 2]| {
        // `narrow` is 1 % faster here and there.
        let luck = (first + kernel as usize).is_multiple_of(3);
        Some(match id {
            "wide" => 1.0,
            "narrow" if luck => 0.99,
            _ => 1.5,
        })
    };
    let measured = tuning(&registry, noisy).measured();
    let (accelerator, selection) = chosen(&registry, Request::default(), measured, &[], 0);
    let printed = format!("{accelerator:?}");
    assert!(printed.starts_with("Fake { id: \"wide\""), "{printed}");
    assert_eq!(selection.kernels, Some(BTreeMap::new()));
    assert_eq!(selection.measured.unwrap().len(), Kernel::ALL.len());
}

#[test]
fn a_table_that_costs_more_than_it_gains_is_left_out_for_short_calls() {
    let log = Log::default();
    let registry = three(&log);
    // Nanoseconds: what `narrow` is faster by in one of seven lengths is less than a table costs all.
    let short = |id: &str, kernel: Kernel, [first, second]: [usize; 2]| {
        let fastest = match Grid::of(kernel).second.is_empty() {
            true if kernel.has_one_length() && first > 4 => "wide",
            false if second < 1024 => "wide",
            _ => "narrow",
        };
        Some(if id == fastest { 0.003 } else { 0.004 })
    };
    let measured = tuning(&registry, short).measured();
    let (accelerator, selection) = chosen(&registry, Request::default(), measured, &[], 0);
    assert_eq!(selection.chosen, "wide");
    let printed = format!("{accelerator:?}");
    assert!(printed.starts_with("Fake { id: \"wide\""), "{printed}");
    let told = selection.measured.unwrap();
    for &kernel in Kernel::ALL.iter().filter(|k| k.has_one_length()) {
        let shares = &told[kernel.name()];
        let alone = shares.len() == 1 && shares[0].backend == "wide";
        assert!(alone, "{kernel:?}: {shares:?}");
    }
    taken(&log);
    let (x, y) = (vec![0.0; 4], &mut [0.0; 1][..]);
    accelerator.dot(&x, &x).unwrap();
    accelerator.moving_rms(y, &x, 4).unwrap();
    accelerator.moving_rms(y, &[0.0; 1000], 1000).unwrap();
    accelerator.plan_fir(&x).unwrap_err();
    // A bank is not what was measured.
    accelerator.plan_firs(&[&x]).unwrap_err();
    assert_eq!(
        taken(&log),
        [
            "wide.dot",
            "wide.moving_rms",
            "narrow.moving_rms",
            "narrow.plan_fir",
            "wide.plan_firs"
        ]
    );
}

#[test]
fn who_asks_by_name_has_more_say_than_measurements() {
    let log = Log::default();
    let registry = three(&log);
    let measured = tuning(&registry, mixed).measured();
    let dot = |request: Request, kernels: &[(&str, &str)], threshold: usize, len: usize| {
        let measured = measured.clone();
        let (accelerator, selection) = chosen(&registry, request, measured, kernels, threshold);
        taken(&log);
        let data = vec![0.0; len];
        accelerator.dot(&data, &data).unwrap();
        let by = selection.decided_by;
        let told = selection.measured.is_some_and(|m| m.contains_key("dot"));
        (taken(&log).remove(0), by, told)
    };
    use Authority::{Config, Flag, Measured};
    let said = |id: &str, by, told| (format!("{id}.dot"), by, told);
    let auto = Request::default;
    assert_eq!(dot(auto(), &[], 0, 4), said("scalar", Measured, true));
    assert_eq!(
        dot(one("narrow", Flag), &[], 0, 64),
        said("narrow", Flag, false)
    );
    assert_eq!(
        dot(list(&["narrow", "wide"], Config), &[], 0, 64),
        said("narrow", Config, false)
    );
    let own = [("dot", "scalar")];
    assert_eq!(dot(auto(), &own, 0, 4096), said("scalar", Measured, false));
    assert_eq!(dot(auto(), &[], 100, 99), said("scalar", Measured, true));
    assert_eq!(dot(auto(), &[], 100, 100), said("wide", Measured, true));
}

#[test]
fn what_is_wrong_is_never_chosen_for_its_kernel() {
    let log = Log::default();
    let all = Kernel::NAMES;
    let registry = registry(
        &log,
        &[
            ("liar", 1000, all, true),
            ("wide", 30, all, true),
            ("partial", 40, &["dot", "mix"], true),
        ],
    );
    let mut tuning = tuning(&registry, |id, kernel, _| match id {
        // The times of what is wrong stand in a file only if a hand has put them there.
        "liar" => Some(0.001),
        "partial" => (kernel == Kernel::Mix || kernel == Kernel::Dot).then_some(0.5),
        _ => Some(1.0),
    });
    let wrong = |kernel: &str, id: &str| Wrong {
        kernel: kernel.into(),
        id: id.into(),
        reason: "length 3: sample 1 is 2".into(),
    };
    tuning.wrong = vec![
        wrong("dot", "liar"),
        wrong("dot", "partial"),
        wrong("mix", "liar"),
    ];
    let (accelerator, selection) = chosen(&registry, Request::default(), tuning.measured(), &[], 0);
    assert_eq!(selection.chosen, "wide");
    assert_eq!(
        reasons(&selection),
        [
            ("liar", "its mix is wrong: length 3: sample 1 is 2"),
            ("partial", "its dot is wrong: length 3: sample 1 is 2"),
        ]
    );
    taken(&log);
    accelerator.dot(&[], &[]).unwrap();
    accelerator.mix(&mut [], &[], 1.0).unwrap();
    accelerator.scale(&mut [], 1.0).unwrap();
    assert_eq!(taken(&log), ["wide.dot", "partial.mix", "liar.scale"]);

    // Where the wrong one is the only one, nobody runs the kernel.
    let only_wrong = |id: &str, kernel: &str| {
        let registry = super::fakes::registry(&log, &[("liar", 1000, all, true)]);
        let mut tuning = super::tuning::tuning(&registry, |_, _, _| Some(1.0));
        tuning.wrong = vec![wrong(kernel, id)];
        chosen(&registry, Request::default(), tuning.measured(), &[], 0).0
    };
    let accelerator = only_wrong("liar", "dot");
    let error = accelerator.dot(&[], &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    accelerator.scale(&mut [], 1.0).unwrap();
}

#[test]
fn what_can_not_be_had_leaves_its_sizes_to_the_next_fastest() {
    let log = Log::default();
    let all = Kernel::NAMES;
    let registry = registry(
        &log,
        &[
            ("broken", 30, all, false),
            ("gone", 20, all, true),
            ("wide", 10, all, true),
            ("hidden", -1, all, true),
        ],
    );
    let measured = tuning(&registry, |id, _, _| match id {
        "hidden" => Some(0.1),
        "broken" => Some(1.0),
        "gone" => Some(2.0),
        _ => Some(3.0),
    });
    let criteria = Criteria {
        measured: measured.measured(),
        failed: BTreeMap::from([("gone".to_owned(), "panicked".to_owned())]),
        ..Criteria::default()
    };
    let settings = AcceleratorSettings::default();
    let (accelerator, selection) = compose(
        &registry,
        &criteria,
        &settings,
        &no_options,
        &Composition::default(),
    )
    .unwrap();
    assert_eq!(accelerator.variant(), "wide");
    assert_eq!(selection.called, ["wide"]);
}

#[test]
fn a_file_is_used_only_where_its_fingerprint_fits() {
    let log = Log::default();
    let registry = three(&log);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/er/tuning.json");
    let at = |registry: &Registry, cpu: Cpu| Consulted::at(&file, registry, cpu);
    assert_eq!(at(&registry, Cpu::default()).outcome, Outcome::Absent);
    assert_eq!(at(&registry, Cpu::default()).report(), None);

    let tuning = tuning(&registry, mixed);
    tuning.write(&file).unwrap();
    tuning.write(&file).unwrap();
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    let used = at(&registry, Cpu::default());
    assert_eq!(used.outcome, Outcome::Used(tuning.clone()));
    assert_eq!(used.measured(), tuning.measured());
    assert!(used.report().unwrap().used);

    let fewer = super::fakes::registry(&log, &[("wide", 30, Kernel::NAMES, true)]);
    let cpu = Cpu {
        detected: CpuFeatures::of(&["avx2", "fma"]),
        hidden: CpuFeatures::of(&["fma"]),
    };
    for (consulted, difference) in [
        (
            at(&fewer, Cpu::default()),
            "the accelerator \"narrow\" is missing; the accelerator \"scalar\" is missing",
        ),
        (at(&registry, cpu), "the CPU feature avx2 is used now"),
    ] {
        let reason = format!("it was measured with another fingerprint: {difference}");
        assert_eq!(consulted.outcome, Outcome::Ignored(reason.clone()));
        assert_eq!(consulted.measured(), Measured::default());
        let report = consulted.report().unwrap();
        assert_eq!((report.used, report.reason), (false, Some(reason)));
    }
}

#[test]
fn a_file_that_is_none_is_ignored_and_says_why() {
    let log = Log::default();
    let registry = three(&log);
    let good = serde_json::to_value(tuning(&registry, mixed)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tuning.json");
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    let twice = {
        let mut twice = good.clone();
        let cell = twice["cells"][0].clone();
        twice["cells"].as_array_mut().unwrap().push(cell);
        twice.to_string()
    };
    use serde_json::json;
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "it is damaged: EOF"),
        (b"\xff\xfe\x00".to_vec(), "it can't be read"),
        (vec![b'['; 100_000], "it is damaged"),
        (vec![b' '; 5 << 20], "it has more than"),
        (
            changed("/schema", json!("auralis.tuning/2")).into(),
            "its schema is \"auralis.tuning/2\"",
        ),
        (
            changed("/cells/0/kernel", json!("teleport")).into(),
            "there is no kernel \"teleport\"",
        ),
        (
            changed("/cells/0/size", json!([5])).into(),
            "scale at [5] is not a size that is measured",
        ),
        (
            changed("/cells/0/size", json!([-4])).into(),
            "it is damaged: invalid value",
        ),
        (
            changed("/cells/0/times", json!({ "wide": -1.0 })).into(),
            "scale at [4] took -1 ns with wide",
        ),
        (
            changed("/cells/0/times", json!({ "evil": 1.0 })).into(),
            "unknown backend \"evil\"",
        ),
        (twice.into(), "scale at [4] stands there twice"),
        (
            changed(
                "/wrong",
                json!([{ "kernel": "x", "id": "y", "reason": "z" }]),
            )
            .into(),
            "there is no kernel \"x\"",
        ),
        (
            good.to_string().replacen("1000.0", "1e400", 1).into(),
            "number out of range",
        ),
        (changed("/fingerprint", json!({})).into(), "missing field"),
    ];
    for (bytes, expected) in rows {
        fs::write(&file, bytes).unwrap();
        match Consulted::at(&file, &registry, Cpu::default()).outcome {
            Outcome::Ignored(reason) => assert!(reason.contains(expected), "{reason}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let folder = Consulted::at(folder.path(), &registry, Cpu::default());
    assert_eq!(
        folder.outcome,
        Outcome::Ignored("it is not a plain file".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is done to a file, it is used or ignored; what it then says can only choose between
    /// backends that there are.
    #[test]
    fn a_damaged_file_chooses_nothing_that_is_not_there(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
    ) {
        let log = Log::default();
        let registry = three(&log);
        let mut bytes = serde_json::to_vec(&tuning(&registry, mixed)).unwrap();
        for (index, byte, change) in cuts {
            let at = index.index(bytes.len().max(1));
            match change {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), byte),
                2 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tuning.json");
        fs::write(&file, &bytes).unwrap();
        let consulted = Consulted::at(&file, &registry, Cpu::default());
        prop_assert_ne!(&consulted.outcome, &Outcome::Absent);
        let measured = consulted.measured();
        let (_, selection) = chosen(&registry, Request::default(), measured, &[], 0);
        let known = ["narrow", "scalar", "wide"];
        prop_assert!(selection.called.iter().all(|id| known.contains(&id.as_str())));
    }
}

#[test]
fn times_of_variants_are_compared_altogether() {
    let times = |pairs: &[(&str, f64)]| -> SizeTimes {
        let pairs = pairs.iter();
        pairs.map(|(id, t)| ((*id).to_owned(), *t)).collect()
    };
    let mut fingerprint = Fingerprint::default();
    fingerprint.kernels.insert("acme.k".into(), "1".into());
    let cell = |size, pairs: &[(&str, f64)]| Cell {
        kernel: "acme.k".into(),
        size: vec![size],
        times: times(pairs),
    };
    let cells = vec![
        cell(4, &[("reference", 1.0), ("fast", 2.0)]),
        cell(64, &[("reference", 16.0), ("fast", 2.0)]),
    ];
    let tuning = Tuning::new(fingerprint, cells, Vec::new());
    let text = serde_json::to_string(&tuning).unwrap();
    assert_eq!(Tuning::parse(&text), Ok(tuning.clone()));
    let variants = tuning.variants("acme.k");
    assert!(variants["fast"] < variants["reference"], "{variants:?}");
    assert!(tuning.variants("acme.other").is_empty());
    assert!(tuning.measured().kernels.is_empty());
}
