//! Which backend is chosen, why, and what the others are told: tables of cases.

mod composition;
mod fakes;
mod registry;
mod tuning;

use std::collections::BTreeMap;

use auralis_core::{CpuFeatures, ErrorKind};
use auralis_registry::{Authority, BackendRequest, Criteria, Facts, Layers, Request, select};
use proptest::prelude::*;
use serde_json::json;

use fakes::*;

/// One row of the table of selections.
struct Case {
    name: &'static str,
    candidates: &'static [Row],
    request: Request,
    detected: &'static [&'static str],
    hidden: &'static [&'static str],
    measured: &'static [(&'static str, f64)],
    failed: &'static [(&'static str, &'static str)],
    expected: Expected,
}

enum Expected {
    Chosen {
        id: &'static str,
        by: Authority,
        rejected: &'static [(&'static str, &'static str)],
        fallbacks: &'static [&'static str],
    },
    Fails(ErrorKind, &'static str),
}

use Expected::{Chosen, Fails};

impl Case {
    fn new(name: &'static str, request: Request, expected: Expected) -> Self {
        Self {
            name,
            candidates: ALL,
            request,
            detected: AVX512_CPU,
            hidden: &[],
            measured: &[],
            failed: &[],
            expected,
        }
    }
}

fn cases() -> Vec<Case> {
    use Authority::{Config, Environment, Flag, Measured, Rank};
    vec![
        Case::new(
            "auto takes the highest rank",
            Request::default(),
            Chosen {
                id: "avx512",
                by: Rank,
                rejected: &[
                    ("avx2", "rank 20 is below avx512's 30"),
                    ("multiversion", "rank 10 is below avx512's 30"),
                    ("scalar", "rank 0 is below avx512's 30"),
                ],
                fallbacks: &["avx2", "multiversion", "scalar"],
            },
        ),
        Case {
            detected: AVX2_CPU,
            ..Case::new(
                "auto passes over what the CPU lacks, whoever says auto",
                auto(Flag),
                Chosen {
                    id: "avx2",
                    by: Rank,
                    rejected: &[
                        ("avx512", "needs avx512f, avx512bw: this CPU lacks them"),
                        ("multiversion", "rank 10 is below avx2's 20"),
                        ("scalar", "rank 0 is below avx2's 20"),
                    ],
                    fallbacks: &["multiversion", "scalar"],
                },
            )
        },
        Case {
            detected: &["avx2", "fma", "avx512f"],
            ..Case::new(
                "one lacking feature is it, not them",
                auto(Config),
                Chosen {
                    id: "avx2",
                    by: Rank,
                    rejected: &[
                        ("avx512", "needs avx512bw: this CPU lacks it"),
                        ("multiversion", "rank 10 is below avx2's 20"),
                        ("scalar", "rank 0 is below avx2's 20"),
                    ],
                    fallbacks: &["multiversion", "scalar"],
                },
            )
        },
        Case {
            detected: AVX512_CPU,
            hidden: &["avx512f", "avx512bw", "fma"],
            ..Case::new(
                "what the configuration hides is said to be hidden",
                Request::default(),
                Chosen {
                    id: "multiversion",
                    by: Rank,
                    rejected: &[
                        ("avx512", "needs avx512f, avx512bw: hidden by [cpu] disable"),
                        ("avx2", "needs fma: hidden by [cpu] disable"),
                        ("scalar", "rank 0 is below multiversion's 10"),
                    ],
                    fallbacks: &["scalar"],
                },
            )
        },
        Case {
            detected: &["avx2"],
            hidden: &["avx2", "fma"],
            candidates: &[SCALAR, AVX2],
            ..Case::new(
                "what the CPU lacks is not called hidden",
                Request::default(),
                Chosen {
                    id: "scalar",
                    by: Rank,
                    rejected: &[(
                        "avx2",
                        "needs fma: this CPU lacks it; needs avx2: hidden by [cpu] disable",
                    )],
                    fallbacks: &[],
                },
            )
        },
        Case {
            measured: &[("avx2", 1.0), ("avx512", 1.8), ("multiversion", 1.01)],
            ..Case::new(
                "measured beats rank",
                auto(Environment),
                Chosen {
                    id: "avx2",
                    by: Measured,
                    rejected: &[
                        ("avx512", "measured 1.8x slower than avx2"),
                        ("multiversion", "measured slightly slower than avx2"),
                        ("scalar", "not measured, and avx2 was"),
                    ],
                    fallbacks: &["multiversion", "avx512", "scalar"],
                },
            )
        },
        Case {
            candidates: &[SCALAR, AVX2, AVX512],
            measured: &[
                ("avx2", 2.0),
                ("avx512", 2.0),
                ("gone", 0.1),
                ("scalar", f64::NAN),
            ],
            ..Case::new(
                "equal times go by rank, and NaN is no time",
                Request::default(),
                Chosen {
                    id: "avx512",
                    by: Measured,
                    rejected: &[
                        (
                            "avx2",
                            "measured as fast as avx512; rank 20 is below avx512's 30",
                        ),
                        ("scalar", "not measured, and avx512 was"),
                    ],
                    fallbacks: &["avx2", "scalar"],
                },
            )
        },
        Case {
            detected: AVX2_CPU,
            candidates: &[SCALAR, AVX2, AVX512, DEBUG],
            measured: &[("avx512", 0.5), ("debug", 0.1)],
            ..Case::new(
                "a measurement makes nothing available",
                Request::default(),
                Chosen {
                    id: "avx2",
                    by: Rank,
                    rejected: &[
                        ("avx512", "needs avx512f, avx512bw: this CPU lacks them"),
                        ("scalar", "rank 0 is below avx2's 20"),
                        ("debug", "only by name: its rank is negative"),
                    ],
                    fallbacks: &["scalar"],
                },
            )
        },
        Case {
            candidates: &[("b", 20, &[]), ("c", 20, &[]), ("a", 20, &[])],
            ..Case::new(
                "ties go by id",
                Request::default(),
                Chosen {
                    id: "a",
                    by: Rank,
                    rejected: &[
                        ("b", "rank 20 equals a's; ties go by id"),
                        ("c", "rank 20 equals a's; ties go by id"),
                    ],
                    fallbacks: &["b", "c"],
                },
            )
        },
        Case {
            measured: &[("avx2", 1.0), ("scalar", 9.0)],
            detected: AVX2_CPU,
            ..Case::new(
                "a named backend beats measurement and rank",
                one("scalar", Config),
                Chosen {
                    id: "scalar",
                    by: Config,
                    rejected: &[
                        ("avx512", "needs avx512f, avx512bw: this CPU lacks them"),
                        ("avx2", "not asked for: the configuration names scalar"),
                        (
                            "multiversion",
                            "not asked for: the configuration names scalar",
                        ),
                    ],
                    fallbacks: &[],
                },
            )
        },
        Case {
            candidates: &[SCALAR, DEBUG],
            ..Case::new(
                "a negative rank can be named",
                one("debug", Flag),
                Chosen {
                    id: "debug",
                    by: Flag,
                    rejected: &[("scalar", "not asked for: the flag names debug")],
                    fallbacks: &[],
                },
            )
        },
        Case {
            detected: AVX2_CPU,
            ..Case::new(
                "a list takes its first available",
                list(
                    &["avx512", "neon", "multiversion", "avx2", "multiversion"],
                    Environment,
                ),
                Chosen {
                    id: "multiversion",
                    by: Environment,
                    rejected: &[
                        ("avx512", "needs avx512f, avx512bw: this CPU lacks them"),
                        (
                            "avx2",
                            "comes after multiversion where the environment lists avx512, neon, \
                             multiversion, avx2, multiversion",
                        ),
                        (
                            "scalar",
                            "not asked for: the environment lists avx512, neon, multiversion, \
                             avx2, multiversion",
                        ),
                        ("neon", "no accelerator is called this"),
                    ],
                    fallbacks: &["avx2"],
                },
            )
        },
        Case {
            detected: NO_CPU,
            ..Case::new(
                "a list of what can't be had fails and does not go beyond itself",
                list(&["avx2", "avx51"], Config),
                Fails(
                    ErrorKind::Unavailable,
                    "no accelerator that the configuration lists is available: avx2 (needs fma, \
                     avx2: this CPU lacks them), avx51 (no accelerator is called this; did you \
                     mean \"avx512\"?) (available: multiversion, scalar)",
                ),
            )
        },
        Case::new(
            "an empty list is an error",
            list(&[], Config),
            Fails(
                ErrorKind::Config,
                "the configuration gives an empty list for accelerator",
            ),
        ),
        Case {
            detected: AVX2_CPU,
            ..Case::new(
                "a named backend that the CPU can't run never falls back",
                one("avx512", Config),
                Fails(
                    ErrorKind::Unavailable,
                    "accelerator \"avx512\" is unavailable: this CPU lacks avx512f, avx512bw \
                     (available: avx2, multiversion, scalar)",
                ),
            )
        },
        Case {
            hidden: &["avx2"],
            ..Case::new(
                "a named backend whose features are hidden never falls back",
                one("avx2", Flag),
                Fails(
                    ErrorKind::Unavailable,
                    "accelerator \"avx2\" is unavailable: [cpu] disable hides avx2 (available: \
                     avx512, multiversion, scalar)",
                ),
            )
        },
        Case {
            failed: &[("avx2", "could not be built: out of luck")],
            ..Case::new(
                "a named backend that failed never falls back",
                one("avx2", Flag),
                Fails(
                    ErrorKind::Unavailable,
                    "accelerator \"avx2\" is unavailable: it could not be built: out of luck \
                     (available: avx512, multiversion, scalar)",
                ),
            )
        },
        Case::new(
            "an unknown id is met with the nearest",
            one("avx51", Config),
            Fails(
                ErrorKind::NotFound,
                "no accelerator is called \"avx51\"; did you mean \"avx512\"? (there are: avx512, \
                 avx2, multiversion, scalar)",
            ),
        ),
        Case::new(
            "an id like no other is met with all there are",
            one("qqq", Config),
            Fails(
                ErrorKind::NotFound,
                "no accelerator is called \"qqq\" (there are: avx512, avx2, multiversion, scalar)",
            ),
        ),
        Case {
            candidates: &[],
            ..Case::new(
                "an id where there is nothing",
                one("scalar", Config),
                Fails(
                    ErrorKind::NotFound,
                    "no accelerator is called \"scalar\" (there are: none)",
                ),
            )
        },
        Case {
            candidates: &[AVX2, AVX512],
            ..Case::new(
                "a registry without its reference works while something is available",
                Request::default(),
                Chosen {
                    id: "avx512",
                    by: Rank,
                    rejected: &[("avx2", "rank 20 is below avx512's 30")],
                    fallbacks: &["avx2"],
                },
            )
        },
        Case {
            candidates: &[AVX2, AVX512, DEBUG],
            detected: &["avx512f", "avx512bw"],
            hidden: &["avx512f"],
            ..Case::new(
                "without its reference nothing may be left, and the error says why for each",
                Request::default(),
                Fails(
                    ErrorKind::Unavailable,
                    "no accelerator is available: avx512 (needs avx512f: hidden by [cpu] \
                     disable), avx2 (needs fma, avx2: this CPU lacks them), debug (only by name: \
                     its rank is negative)",
                ),
            )
        },
        Case {
            candidates: &[],
            ..Case::new(
                "auto of nothing",
                Request::default(),
                Fails(
                    ErrorKind::Unavailable,
                    "no accelerator is available: none is registered",
                ),
            )
        },
    ]
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = pairs.iter().map(|(a, b)| (a.to_string(), b.to_string()));
    owned.collect()
}

#[test]
fn each_case_selects_what_it_should() {
    for case in cases() {
        let facts: Vec<_> = case.candidates.iter().copied().map(facts).collect();
        let criteria = Criteria {
            request: case.request,
            cpu: cpu(case.detected, case.hidden),
            measured: case.measured.iter().copied().collect(),
            failed: pairs(case.failed),
            ..Criteria::default()
        };
        let candidates: Vec<_> = facts.iter().collect();
        let found = select("accelerator", &candidates, &criteria);
        match (case.expected, found) {
            (
                Chosen {
                    id,
                    by,
                    rejected,
                    fallbacks,
                },
                Ok(found),
            ) => {
                assert_eq!(
                    (found.chosen.as_str(), found.decided_by),
                    (id, by),
                    "{}",
                    case.name
                );
                assert_eq!(reasons(&found), rejected, "{}", case.name);
                assert_eq!(found.fallbacks, fallbacks, "{}", case.name);
            }
            (Fails(kind, message), Err(found)) => {
                assert_eq!(found.message(), message, "{}", case.name);
                assert_eq!(found.kind(), kind, "{}", case.name);
            }
            (_, found) => panic!("{}: {found:?}", case.name),
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_not_chosen_is_told_why(
        rows in proptest::collection::btree_map("[a-e]", (-1..3i32, 0..4usize), 1..5),
        times in proptest::collection::btree_map("[a-e]", 0.0..4.0f64, 0..5),
        asked in prop_oneof![
            Just(BackendRequest::Auto),
            "[a-e]".prop_map(BackendRequest::One),
            proptest::collection::vec("[a-e]", 1..4).prop_map(BackendRequest::List),
        ],
        has in 0..4usize,
    ) {
        const SETS: [&[&str]; 4] = [&[], &["avx2"], &["avx512f"], &["avx2", "avx512f"]];
        let facts: Vec<_> = rows.into_iter().map(|(id, (rank, needs))| Facts {
            id,
            rank,
            requires: CpuFeatures::of(SETS[needs]),
            ..Facts::default()
        }).collect();
        let criteria = Criteria {
            request: Request::new(asked.clone(), Authority::Config),
            cpu: cpu(SETS[has], &[]),
            measured: times.into_iter().collect(),
            failed: BTreeMap::new(),
            ..Criteria::default()
        };
        let forwards: Vec<_> = facts.iter().collect();
        let backwards: Vec<_> = facts.iter().rev().collect();
        let found = select("cache", &forwards, &criteria);
        let again = select("cache", &backwards, &criteria);
        let can = |f: &Facts| criteria.cpu.available().contains(f.requires);
        let Ok(found) = found else {
            prop_assert!(again.is_err());
            let allowed = |f: &&Facts| match &asked {
                BackendRequest::Auto => f.rank >= 0,
                named => named.ids().contains(&f.id),
            };
            prop_assert!(!facts.iter().filter(allowed).any(can));
            return Ok(());
        };
        prop_assert_eq!(&found, &again.unwrap());
        let chosen = facts.iter().find(|f| f.id == found.chosen).unwrap();
        prop_assert!(can(chosen));
        for f in &facts {
            let told = found.rejected.iter().filter(|r| r.id == f.id).count();
            prop_assert_eq!(told, usize::from(f.id != found.chosen));
        }
        prop_assert!(found.rejected.iter().all(|r| !r.reason.is_empty()));
    }
}

#[test]
fn the_strongest_layer_that_speaks_is_heard() {
    let named = |id: &str| Some(BackendRequest::One(id.to_owned()));
    let rows = [
        (
            named("a"),
            named("b"),
            named("c"),
            one("a", Authority::Flag),
        ),
        (
            None,
            named("b"),
            named("c"),
            one("b", Authority::Environment),
        ),
        (None, None, named("c"), one("c", Authority::Config)),
        (None, None, None, Request::default()),
        (
            Some(BackendRequest::Auto),
            named("b"),
            None,
            auto(Authority::Flag),
        ),
    ];
    for (flag, environment, config, expected) in rows {
        let layers = Layers {
            flag,
            environment,
            config,
        };
        assert_eq!(layers.clone().decide(), expected, "{layers:?}");
    }
}

#[test]
fn requests_are_read_and_written() {
    let rows = [
        (json!("auto"), "auto", auto(Authority::Rank).backend),
        (json!("avx2"), "avx2", one("avx2", Authority::Rank).backend),
        (
            json!(["a", "b"]),
            "a, b",
            list(&["a", "b"], Authority::Rank).backend,
        ),
    ];
    for (written, flag, request) in rows {
        assert_eq!(serde_json::to_value(&request).unwrap(), written);
        assert_eq!(flag.parse::<BackendRequest>().unwrap(), request);
        assert_eq!(
            serde_json::from_value::<BackendRequest>(written).unwrap(),
            request
        );
    }
    let wrong = [
        (json!([]), "a list of backends needs at least one id"),
        (json!(""), "a backend's id can't be empty"),
        (json!(["a", ""]), "a backend's id can't be empty"),
        (
            json!(["a", "auto"]),
            "\"auto\" can't stand in a list of backends: it is an answer of its own",
        ),
        (
            json!(3),
            "invalid type: integer `3`, expected \"auto\", a backend's id or a list of ids",
        ),
    ];
    for (written, message) in wrong {
        let error = serde_json::from_value::<BackendRequest>(written).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = "a,,b".parse::<BackendRequest>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a backend's id can't be empty (found: a,,b)"
    );
    for by in ["flag", "environment", "config", "measured", "rank"] {
        let authority: Authority = serde_json::from_value(json!(by)).unwrap();
        assert_eq!(authority.to_string(), by);
        assert_eq!(serde_json::to_value(authority).unwrap(), json!(by));
    }
}
