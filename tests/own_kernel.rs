//! A kernel of an application's own: linked and from a plugin, selected, explained, called, refused.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use auralis::Optimizer;
use auralis::registry::config::Sources;
use auralis::registry::{Authority, KernelCandidate, Registry, plugin};
use auralis_core::{CpuFeatures, ErrorKind, KernelDescriptor, REFERENCE, Result};

#[path = "plugins/own-kernel/src/soft_clip.rs"]
mod soft_clip;

const NAME: &str = "acme.soft-clip";

/// The plugin, which cargo builds beside this test.
fn library() -> PathBuf {
    let file = format!("{DLL_PREFIX}plugin_own_kernel{DLL_SUFFIX}");
    std::env::current_exe().unwrap().with_file_name(file)
}

/// What is linked, with the kernel of the plugin in the place of the linked one.
fn with_plugin() -> Registry {
    let mut registry = without_kernels();
    plugin::open(&library())
        .unwrap()
        .insert_into(&mut registry)
        .unwrap();
    registry
}

/// The backends that are linked into the plain program.
fn without_kernels() -> Registry {
    fn of<K: auralis::registry::RegistryKind + auralis_core::Linked + ?Sized>(
        mut registry: Registry,
    ) -> Registry {
        for descriptor in K::linked() {
            registry.insert(descriptor.into()).unwrap();
        }
        registry
    }
    let registry = of::<dyn auralis_core::Accelerator>(Registry::empty());
    let registry = of::<dyn auralis_core::BufferPool>(registry);
    let registry = of::<dyn auralis_core::Cache>(registry);
    let registry = of::<dyn auralis_core::Executor>(registry);
    of::<dyn auralis_core::Profiler>(registry)
}

fn optimizer(registry: Registry, config: &str) -> Result<Optimizer> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auralis.toml");
    fs::write(&file, config).unwrap();
    let sources = Sources {
        explicit: Some(file),
        ..Sources::default()
    };
    Optimizer::builder()
        .registry(registry)
        .sources(sources)
        .build()
}

fn asking_for(variant: &str) -> String {
    format!("[accelerator.kernels]\n\"{NAME}\" = {variant:?}\n")
}

/// The variants that this CPU can run.
fn available() -> Vec<&'static str> {
    let cpu = CpuFeatures::detect();
    let variants = KernelDescriptor::linked()[0].variants.iter();
    let available = variants.filter(|v| cpu.contains(v.requires()));
    std::iter::once(REFERENCE)
        .chain(available.map(|v| v.id()))
        .collect()
}

#[test]
fn the_best_variant_is_chosen_and_says_where_it_comes_from() {
    let forms = [
        (Registry::linked().unwrap(), "linked".to_owned()),
        (with_plugin(), library().display().to_string()),
    ];
    for (registry, source) in forms {
        let optimizer = optimizer(registry, "").unwrap();
        let [selection] = optimizer.kernels().collect::<Vec<_>>()[..] else {
            panic!("one kernel is registered");
        };
        assert_eq!(selection.kind, "kernel/acme.soft-clip");
        assert_eq!(selection.chosen, *available().last().unwrap());
        assert_eq!(selection.decided_by, Authority::Rank);
        assert_eq!(selection.source, source);
        let rejected: Vec<_> = selection.rejected.iter().map(|r| r.id.as_str()).collect();
        let variants = KernelDescriptor::linked()[0].variants.iter();
        let all: Vec<_> = std::iter::once(REFERENCE)
            .chain(variants.map(|v| v.id()))
            .collect();
        let others = all.into_iter().rev().filter(|id| *id != selection.chosen);
        assert_eq!(rejected, others.collect::<Vec<_>>());
        assert_eq!(optimizer.kernel(NAME).unwrap().variant(), selection.chosen);
    }
}

#[test]
fn each_variant_gives_the_same_bits_linked_and_from_a_plugin() {
    let dry: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
    let wet: Vec<f32> = dry.iter().map(|x| 1.5 * x * x - 0.4).collect();
    for variant in available() {
        let results = [Registry::linked().unwrap(), with_plugin()].map(|registry| {
            let optimizer = optimizer(registry, &asking_for(variant)).unwrap();
            let by: Vec<_> = optimizer.kernels().map(|s| s.decided_by).collect();
            assert_eq!(by, [Authority::Config]);
            let kernel = optimizer.kernel(NAME).unwrap();
            assert_eq!(kernel.variant(), variant);
            let mut data = wet.clone();
            kernel.call(&mut data, &[&dry], &[3.0, 0.25]).unwrap();
            data.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        });
        assert_eq!(results[0], results[1], "{variant}");
        let first = wet[1] * 3.0;
        let expected = first / (1.0 + first.abs()) + dry[1] * 0.25;
        assert!((f32::from_bits(results[0][1]) - expected).abs() < 1e-6);
    }
}

#[test]
fn what_can_not_be_had_is_refused_with_what_can() {
    #[cfg(target_arch = "x86_64")]
    {
        let hidden = format!("{}[cpu]\ndisable = [\"avx2\"]\n", asking_for("avx2"));
        for registry in [Registry::linked().unwrap(), with_plugin()] {
            let error = optimizer(registry.clone(), &hidden).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert!(
                error.message().contains("available: reference"),
                "{error:?}"
            );
            let optimizer = optimizer(registry, "[cpu]\ndisable = [\"avx2\"]\n").unwrap();
            assert_eq!(optimizer.kernel(NAME).unwrap().variant(), REFERENCE);
        }
    }
    let cases = [
        (asking_for("avx3"), "reference"),
        (
            "[accelerator.kernels]\n\"acme.soft\" = \"reference\"\n".into(),
            NAME,
        ),
    ];
    for (config, expected) in cases {
        let error = optimizer(Registry::linked().unwrap(), &config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert!(error.report().contains(expected), "{}", error.report());
    }
    let optimizer = optimizer(Registry::linked().unwrap(), "").unwrap();
    let error = optimizer.kernel("acme.soft").unwrap_err();
    assert_eq!(
        error.message(),
        "no kernel is called \"acme.soft\" (there are: acme.soft-clip)"
    );
}

#[test]
fn a_name_that_two_bring_is_an_error_that_names_both() {
    let mut registry = Registry::linked().unwrap();
    let plugin = plugin::open(&library()).unwrap();
    let error = plugin.insert_into(&mut registry).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Plugin);
    let file = library();
    let expected = format!(
        "two kernels are called \"acme.soft-clip\": one is linked, the other {}",
        file.display()
    );
    assert_eq!(error.message(), expected);
    let again = KernelCandidate::from(KernelDescriptor::linked()[0]);
    let error = registry.insert_kernel(again).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// Runs the program, with an empty home.
fn auralis(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auralis"))
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap()
}

fn succeeded(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{errors}{}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_program_checks_the_plugin_and_explains_its_kernel() {
    let home = tempfile::tempdir().unwrap();
    let file = library().canonicalize().unwrap();
    let said = succeeded(auralis(
        home.path(),
        &["plugin", "inspect", file.to_str().unwrap()],
    ));
    assert!(said.contains("acme.soft-clip"), "{said}");
    let said = succeeded(auralis(
        home.path(),
        &["plugin", "check", file.to_str().unwrap()],
    ));
    for variant in available() {
        for trial in ["agrees", "checks_lengths"] {
            let name = format!("kernel::{NAME}::{variant}::{trial}");
            assert!(said.contains(&name), "{name} in {said}");
        }
    }
    let config = home.path().join("auralis.toml");
    fs::write(&config, "").unwrap();
    let configured = ["--config", config.to_str().unwrap()];
    let pin = ["plugin", "pin", file.to_str().unwrap()];
    succeeded(auralis(home.path(), &[&configured[..], &pin].concat()));
    let arguments = [&configured[..], &["explain"]].concat();
    let said = succeeded(auralis(home.path(), &arguments));
    let best = *available().last().unwrap();
    let line = format!(
        "kernel/acme.soft-clip = {best} (decided by rank, {})",
        file.display()
    );
    assert!(said.contains(&line), "{said}");
    let json = succeeded(auralis(
        home.path(),
        &[&arguments[..], &["--json"]].concat(),
    ));
    let objects = json
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let kernel = objects
        .into_iter()
        .find(|o| o["kind"] == "kernel/acme.soft-clip")
        .unwrap();
    assert_eq!(kernel["schema"], "auralis.selection/1");
    assert_eq!(kernel["chosen"], best);
    assert_eq!(kernel["source"], file.display().to_string());
}
