//! What a registry holds, and what is reported of it.

use std::ops::Range;
use std::sync::Arc;

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, CpuFeatures, Descriptor, Error, ErrorKind, Executor, Kernel, NoOptions, Result,
    register,
};
use auralis_registry::{
    Authority, Candidate, Cpu, Criteria, Facts, Offer, Registry, RejectedPlugin, Request,
    Selection, Source, listing, resolve,
};
use serde_json::json;

use super::fakes::*;

#[derive(Debug)]
struct Inline;

impl Executor for Inline {
    fn threads(&self) -> usize {
        1
    }

    fn for_ranges(&self, len: usize, _: usize, task: &(dyn Fn(Range<usize>) + Sync)) -> Result<()> {
        auralis_core::executor::contain(0..len, task)
    }
}

register! {
    Descriptor::<dyn Executor> {
        id: "inline",
        summary: "Runs everything where it is called",
        version: "1.2.3",
        rank: 7,
        requires: CpuFeatures::of(&["neon"]),
        capabilities: &["something"],
        options_schema: NoOptions::SCHEMA,
        build: |_| Ok(Arc::new(Inline)),
    }
}

#[test]
fn what_is_linked_is_listed_with_its_facts() {
    let registry = Registry::linked().unwrap();
    let expected = Facts {
        id: "inline".to_owned(),
        summary: "Runs everything where it is called".to_owned(),
        version: "1.2.3".to_owned(),
        source: Source::Linked,
        rank: 7,
        requires: CpuFeatures::of(&["neon"]),
        capabilities: vec!["something".to_owned()],
        options_schema: NoOptions::SCHEMA.to_owned(),
    };
    assert_eq!(
        registry.facts().collect::<Vec<_>>(),
        [("executor", &expected)]
    );
    let criteria = Criteria {
        cpu: cpu(&["neon"], &[]),
        ..Criteria::default()
    };
    let (executor, selection) =
        resolve::<dyn Executor>(&registry, &criteria, &Default::default(), &no_options).unwrap();
    assert_eq!(executor.threads(), 1);
    assert_eq!((selection.kind, selection.kernels), ("executor", None));
}

#[test]
fn candidates_stand_by_rank_then_id() {
    let log = Log::default();
    let row = |id, rank| (id, rank, &[][..], true);
    let registry = registry(
        &log,
        &[
            row("b", 1),
            row("d", -1),
            row("c", 2),
            row("a", 1),
            row("e", 0),
        ],
    );
    let ids: Vec<_> = registry
        .candidates::<dyn Accelerator>()
        .iter()
        .map(|c| c.facts.id.as_str())
        .collect();
    assert_eq!(ids, ["c", "a", "b", "e", "d"]);
    assert!(registry.candidates::<dyn Executor>().is_empty());
    assert_eq!(
        registry
            .candidate::<dyn Accelerator>("a")
            .unwrap()
            .facts
            .rank,
        1
    );
}

#[test]
fn an_id_belongs_to_one_candidate_and_can_be_asked_for() {
    let candidate = |id: &str, source| {
        let facts = Facts {
            id: id.to_owned(),
            source,
            ..Facts::default()
        };
        Candidate::<dyn Executor>::new(facts, |_| Ok(Arc::new(Inline)))
    };
    let dylib = |file: &str| Source::Dylib(file.into());
    let rows = [
        (
            candidate("mine", dylib("/plugins/b.so")),
            ErrorKind::Plugin,
            "two executor backends are called \"mine\": one is /plugins/a.so, the other \
             /plugins/b.so",
        ),
        (
            candidate("mine", Source::Linked),
            ErrorKind::InvalidInput,
            "two executor backends are called \"mine\": one is /plugins/a.so, the other linked",
        ),
        (
            candidate("auto", Source::Linked),
            ErrorKind::InvalidInput,
            "\"auto\" (linked) can't be the id of an executor backend: an id is made of ASCII \
             letters, digits, \"-\", \"_\" and \".\", and is not \"auto\"",
        ),
        (
            candidate("a,b", dylib("/plugins/c.so")),
            ErrorKind::Plugin,
            "\"a,b\" (/plugins/c.so) can't be the id of an executor backend: an id is made of \
             ASCII letters, digits, \"-\", \"_\" and \".\", and is not \"auto\"",
        ),
    ];
    for (second, kind, message) in rows {
        let registry = Registry::empty()
            .with(candidate("mine", dylib("/plugins/a.so")))
            .unwrap();
        let error = registry.with(second).unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message));
    }
}

#[test]
fn an_unknown_id_is_explained_by_the_plugins_that_were_turned_away() {
    let log = Log::default();
    let mut registry = registry(&log, &[("scalar", 0, Kernel::NAMES, true)]);
    registry.reject("/plugins/odd.so", "it is not a library");
    registry.reject_plugin(RejectedPlugin {
        file: "/plugins/old.so".into(),
        reason: "it was built for ABI 0".to_owned(),
        offers: vec![Offer {
            kind: "accelerator".to_owned(),
            id: "turbo".to_owned(),
            ..Offer::default()
        }],
    });
    let resolved = |id: &str| {
        let criteria = asking(one(id, Authority::Config));
        let settings = AcceleratorSettings::default();
        resolve::<dyn Accelerator>(&registry, &criteria, &settings, &no_options).unwrap_err()
    };
    let rows = [
        (
            "turbo",
            ErrorKind::Plugin,
            "accelerator \"turbo\" is unavailable: its plugin was rejected (file: \
             /plugins/old.so, reason: it was built for ABI 0)",
        ),
        (
            "nitro",
            ErrorKind::Plugin,
            "no accelerator is called \"nitro\" (there are: scalar) (rejected plugin: \
             /plugins/odd.so: it is not a library)",
        ),
    ];
    for (id, kind, report) in rows {
        let error = resolved(id);
        assert_eq!(error.report(), report);
        assert_eq!(error.kind(), kind);
    }
    assert_eq!(registry.rejected().len(), 2);

    let listed = list(&["turbo", "scaler", "scalar"], Authority::Config);
    let (_, selection) = composed(&registry, listed, &[], 0).unwrap();
    let unread = "the plugin /plugins/odd.so was rejected: it is not a library";
    let reason = |id: &str| {
        let mut rejected = selection.rejected.iter();
        rejected.find(|r| r.id == id).map(|r| r.reason.clone())
    };
    assert_eq!(selection.chosen, "scalar");
    assert_eq!(
        reason("turbo").unwrap(),
        "its plugin /plugins/old.so was rejected: it was built for ABI 0"
    );
    assert_eq!(
        reason("scaler").unwrap(),
        format!("no accelerator is called this; did you mean \"scalar\"?; {unread}")
    );
    // Whoever did not ask for it is told, too.
    let (_, selection) = composed(&registry, Request::default(), &[], 0).unwrap();
    assert_eq!(selection.rejected[0].id, "turbo");
}

#[test]
fn plugins_that_are_switched_off_are_named_where_an_id_is_unknown() {
    let log = Log::default();
    let mut registry = registry(&log, &[("scalar", 0, Kernel::NAMES, true)]);
    registry.switch_off_plugins("plugins are switched off here");
    let listed = list(&["turbo", "scalar"], Authority::Config);
    let (_, selection) = composed(&registry, listed, &[], 0).unwrap();
    assert_eq!(
        selection.rejected[0].reason,
        "no accelerator is called this; plugins are switched off here"
    );
    let alone = one("turbo", Authority::Config);
    let error = composed(&registry, alone, &[], 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.report(),
        "no accelerator is called \"turbo\" (there are: scalar); plugins are switched off here"
    );
}

#[test]
fn selections_and_backends_are_reported_as_the_contract_says() {
    let log = Log::default();
    let vendor = Facts {
        version: "2.0.0".to_owned(),
        source: Source::Dylib("/plugins/vendor.so".into()),
        capabilities: vec!["dot".to_owned()],
        ..facts(("vendor", 40, &[]))
    };
    let keep = Arc::clone(&log);
    let mut registry = registry(
        &log,
        &[
            ("scalar", 0, Kernel::NAMES, true),
            ("broken", 50, Kernel::NAMES, false),
        ],
    )
    .with(Candidate::<dyn Accelerator>::new(vendor, move |_| {
        let log = Arc::clone(&keep);
        Ok(Arc::new(Fake::new("vendor", &log)))
    }))
    .unwrap()
    .with(Candidate::<dyn Accelerator>::new(facts(AVX512), |_| {
        Err(Error::new(ErrorKind::Panicked, "this must not be built"))
    }))
    .unwrap()
    .with(Candidate::<dyn Executor>::new(
        facts(("inline", 0, &[])),
        |_| Ok(Arc::new(Inline)),
    ))
    .unwrap();
    registry.reject("/plugins/odd.so", "it is not a library");

    let request = list(&["scalar"], Authority::Environment);
    let (_, selection) = composed(&registry, request, &[("dot", "vendor")], 0).unwrap();
    assert_eq!(
        serde_json::to_value(&selection).unwrap(),
        json!({
            "schema": "auralis.selection/1",
            "kind": "accelerator",
            "chosen": "scalar",
            "decided_by": "environment",
            "rejected": [
                { "id": "broken", "reason": "not asked for: the environment lists scalar" },
                { "id": "vendor", "reason": "not asked for: the environment lists scalar" },
                { "id": "avx512", "reason": "needs avx512f, avx512bw: this CPU lacks them" },
            ],
            "kernels": { "dot": "vendor" },
        })
    );

    let row = |id: &str, rank: i32, available: bool, reason: &str| {
        json!({
            "schema": "auralis.backend/1",
            "kind": "accelerator",
            "id": id,
            "version": "",
            "source": "linked",
            "rank": rank,
            "requires": [],
            "available": available,
            "selected": false,
            "reason": reason,
        })
    };
    let with = |mut row: serde_json::Value, changes: serde_json::Value| {
        let changes = changes.as_object().unwrap().clone();
        row.as_object_mut().unwrap().extend(changes);
        row
    };
    let asked = "not asked for: the environment lists scalar";
    let avx512 = with(
        row(
            "avx512",
            30,
            false,
            "needs avx512f, avx512bw: this CPU lacks them",
        ),
        json!({ "requires": ["avx512f", "avx512bw"] }),
    );
    let inline = with(
        row("inline", 0, true, ""),
        json!({ "kind": "executor", "reason": null }),
    );
    let odd = with(
        row("", 0, false, "it is not a library"),
        json!({
            "kind": null, "id": null, "version": null, "rank": null, "source": "/plugins/odd.so",
        }),
    );
    let vendor = json!({ "version": "2.0.0", "source": "/plugins/vendor.so" });
    let chosen = json!({ "selected": true, "reason": null });
    let selections = [selection];
    let listed = |selections: &[Selection]| {
        serde_json::to_value(listing(&registry, Cpu::default(), selections)).unwrap()
    };
    assert_eq!(
        listed(&selections),
        json!([
            row("broken", 50, true, asked),
            with(
                row("vendor", 40, true, &format!("{asked}; runs dot")),
                vendor.clone()
            ),
            avx512,
            with(row("scalar", 0, true, ""), chosen.clone()),
            inline,
            odd,
        ])
    );

    let (_, selection) = composed(&registry, Request::default(), &[], 0).unwrap();
    let failed = "could not be built: the part is broken (part: 7)";
    assert_eq!(listed(&[selection])[0], row("broken", 50, false, failed));
    let nothing_selected = listed(&[]);
    let silent = with(
        with(row("vendor", 40, true, ""), vendor),
        json!({ "reason": null }),
    );
    assert_eq!(nothing_selected[1], silent);
    assert_eq!(nothing_selected[2], avx512);
}
