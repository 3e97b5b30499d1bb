//! Real dylibs, opened: what fits works as if it were linked, what does not is refused with a reason.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auralis_accelerator as _;
use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, BuildContext, CpuFeatures, ErrorKind, Kernel, Linked, Options, Result,
};
use auralis_registry::dylib::load;
use auralis_registry::{Candidate, Facts, Source};
use fixture_backend::answers::answers;

/// The library that cargo built of a plugin crate that this crate names in its dev-dependencies.
fn library(crate_name: &str) -> PathBuf {
    let name = crate_name.replace('-', "_");
    let file = format!(
        "{}{name}{}",
        env::consts::DLL_PREFIX,
        env::consts::DLL_SUFFIX
    );
    let beside = env::current_exe().unwrap().with_file_name(file);
    assert!(beside.is_file(), "cargo has not built {}", beside.display());
    beside
}

fn with<T>(options: &str, run: impl FnOnce(&BuildContext<'_, dyn Accelerator>) -> T) -> T {
    run(&BuildContext {
        options: &Options::new(serde_json::from_str(options).unwrap()),
        settings: &AcceleratorSettings::default(),
        cpu: CpuFeatures::detect(),
    })
}

/// What the plugins of the tests offer: the fixture, and every accelerator of ours.
fn candidates() -> Vec<Candidate<dyn Accelerator>> {
    let load = |name| load(&library(name), None).unwrap().accelerators();
    [load("plugin-fixture"), load("plugin-accelerators")].concat()
}

fn dylib(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    let all = candidates();
    let candidate = all.iter().find(|c| c.facts.id == id).unwrap();
    with(options, |context| candidate.build(context))
}

fn linked(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    let all = <dyn Accelerator>::linked();
    let descriptor = all.into_iter().find(|d| d.id == id).unwrap();
    with(options, |context| (descriptor.build)(context))
}

#[test]
fn plugins_offer_what_their_crates_register() {
    let file = library("plugin-fixture");
    let plugin = load(&file, None).unwrap();
    assert_eq!(
        (plugin.name(), plugin.version()),
        ("plugin-fixture", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(plugin.file(), file);
    for candidate in plugin.accelerators() {
        assert_eq!(candidate.facts.source, Source::Dylib(file.clone()));
    }
    let as_linked = |candidate: Candidate<dyn Accelerator>| Facts {
        source: Source::Linked,
        ..candidate.facts
    };
    let mut offered: Vec<_> = candidates().into_iter().map(as_linked).collect();
    let mut linked: Vec<_> = <dyn Accelerator>::linked()
        .into_iter()
        .map(|d| Candidate::from(d).facts)
        .collect();
    offered.sort_by(|a, b| a.id.cmp(&b.id));
    linked.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(offered, linked);
}

/// Whichever of ours this CPU can run, `scalar` at least, and the fixture.
#[test]
fn a_dylib_answers_with_the_bits_of_the_linked_backend() {
    let here = CpuFeatures::detect();
    let mut compared = Vec::new();
    for candidate in candidates() {
        let Facts { id, requires, .. } = &candidate.facts;
        if id == "faulty" || !here.contains(*requires) {
            continue;
        }
        let (linked, dylib) = (linked(id, "{}").unwrap(), dylib(id, "{}").unwrap());
        assert_eq!(linked.variant(), dylib.variant());
        for n in [0, 1, 2, 3, 7, 16, 33, 101] {
            let (linked, dylib) = (answers(&*linked, n), answers(&*dylib, n));
            assert_eq!(linked.len(), Kernel::ALL.len());
            for (linked, dylib) in linked.iter().zip(&dylib) {
                assert_eq!(linked, dylib, "{id}, length {n}");
            }
        }
        compared.push(id.clone());
    }
    for id in ["fixture", "scalar", "multiversion"] {
        assert!(compared.iter().any(|c| c == id), "{id} was not compared");
    }
}

#[test]
fn wrong_options_are_refused_in_the_words_of_the_linked_backend() {
    let options = r#"{"trin": 2}"#;
    let (linked, dylib) = (
        linked("fixture", options).unwrap_err(),
        dylib("fixture", options).unwrap_err(),
    );
    assert_eq!(dylib.kind(), ErrorKind::Config);
    assert_eq!(dylib.report(), linked.report());
    assert!(
        dylib.report().contains("unknown field `trin`"),
        "{}",
        dylib.report()
    );
}

#[test]
fn a_panic_stays_in_the_dylib() {
    let faulty = dylib("faulty", "{}").unwrap();
    let error = faulty.scale(&mut [0.0; 3], f32::NAN).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(
        error.message(),
        "a panic in the plugin: no gain for 3 samples"
    );
    let later = faulty.scale(&mut [], 1.0).unwrap_err();
    assert_eq!(
        later.message(),
        "out of use, because an earlier call of it panicked in the plugin"
    );
    dylib("faulty", "{}").unwrap().scale(&mut [], 1.0).unwrap();
}

#[test]
fn one_file_may_be_loaded_twice() {
    let file = library("plugin-fixture");
    let (one, two) = (load(&file, None).unwrap(), load(&file, None).unwrap());
    let facts = |plugin: &auralis_registry::dylib::LoadedPlugin| {
        plugin
            .accelerators()
            .into_iter()
            .map(|c| c.facts)
            .collect::<Vec<_>>()
    };
    assert_eq!(facts(&one), facts(&two));
}

#[test]
fn a_pin_is_enforced() {
    let file = library("plugin-fixture");
    let sha256 = load(&file, None).unwrap().sha256().to_owned();
    load(&file, Some(&sha256)).unwrap();
    load(&file, Some(&sha256.to_uppercase())).unwrap();
    let other = "00".repeat(32);
    let cases = [
        (
            other.as_str(),
            format!(
                "the file is not the one that was pinned by its SHA-256 (pinned: {other}, found: \
                 {sha256}, file: FILE)"
            ),
        ),
        (
            "12ab",
            "the pin is no SHA-256, which has 64 hexadecimal digits (pinned: 12ab, file: FILE)"
                .into(),
        ),
    ];
    for (pin, message) in cases {
        assert_eq!(refused(&file, Some(pin)), message);
    }
}

#[test]
fn another_table_is_refused_by_the_name_of_its_interface() {
    assert_eq!(
        refused(&library("plugin-other-layout"), None),
        "the plugin's interface `accelerator.slices/1` is another one than the host's: 24 members \
         instead of 23 (file: FILE)"
    );
}

/// The report of an error that names the file, with FILE in its place.
fn refused(file: &Path, pin: Option<&str>) -> String {
    let error = load(file, pin).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Plugin);
    error.report().replace(&file.display().to_string(), "FILE")
}

#[test]
fn what_is_no_plugin_is_refused_before_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let ours = library("plugin-fixture");
    let whole = fs::read(&ours).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        file
    };
    let no_library = "the file is no library: it is neither ELF nor PE nor Mach-O (file: FILE)";
    let cut_off = "the file is no library: it ends within its own header (file: FILE)";
    let cases = [
        (
            PathBuf::from("libgain.so"),
            "a plugin must be named by an absolute path, so that no other folder's file is opened \
             (file: FILE)",
        ),
        (
            folder.path().into(),
            "a plugin is a file, this is a directory (file: FILE)",
        ),
        (write("text.so", b"#!/bin/sh\necho hello\n"), no_library),
        (write("empty.so", b""), no_library),
        (write("header.so", &elf(183)[..20]), cut_off),
        (
            write(
                "dos.so",
                b"MZ and then a text that goes on for more than sixty-four bytes, but ends",
            ),
            cut_off,
        ),
    ];
    for (file, message) in cases {
        assert_eq!(refused(&file, None), message);
    }
    let missing = refused(&folder.path().join("missing.so"), None);
    assert!(
        missing.starts_with("the file can't be found (file: FILE): "),
        "{missing}"
    );

    if cfg!(target_os = "linux") {
        let here = format!(
            "this process needs an ELF library for {}",
            env::consts::ARCH
        );
        let cases = [
            (
                elf(21),
                format!("the file is an ELF library for powerpc64, {here} (file: FILE)"),
            ),
            (
                elf(0xFFF),
                format!("the file is an ELF library for an unknown machine, {here} (file: FILE)"),
            ),
            (
                mach_o(),
                format!("the file is a Mach-O library for x86_64 and aarch64, {here} (file: FILE)"),
            ),
            (
                pe(),
                format!("the file is a PE library for aarch64, {here} (file: FILE)"),
            ),
            (
                program(),
                "the file is ELF, but no shared library (file: FILE)".into(),
            ),
            (
                whole[..whole.len() - 1].to_vec(),
                format!(
                    "the file is cut off: it ends at byte {} of {} (file: FILE)",
                    whole.len() - 1,
                    whole.len()
                ),
            ),
        ];
        for (bytes, message) in cases {
            assert_eq!(refused(&write("other.so", &bytes), None), message);
        }
    }
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert_eq!(
            refused(&write("arm.so", &elf(183)), None),
            "the file is an ELF library for aarch64, this process needs an ELF library for x86_64 \
             (file: FILE)"
        );
    }
}

/// The header of a little-endian 64-bit ELF library for a machine.
fn elf(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7FELF\x02\x01");
    bytes[16] = 3;
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes
}

fn program() -> Vec<u8> {
    let mut bytes = elf(62);
    bytes[16] = 2;
    bytes
}

fn mach_o() -> Vec<u8> {
    let mut bytes = vec![0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 2];
    for code in [0x0100_0007u32, 0x0100_000C] {
        bytes.extend(code.to_be_bytes());
        bytes.extend([0; 16]);
    }
    bytes
}

fn pe() -> Vec<u8> {
    let mut bytes = vec![0; 0x100];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3C] = 0x80;
    bytes[0x80..0x86].copy_from_slice(b"PE\0\0\x64\xAA");
    bytes[0x96..0x98].copy_from_slice(&[0, 0x20]);
    bytes
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_that_is_no_plugin_is_refused() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps
        .split_whitespace()
        .find(|word| word.contains("/libc.so"))
        .unwrap();
    assert_eq!(
        refused(Path::new(libc), None),
        "the library is no plugin of auralis: it does not export `auralis_plugin_v1` (file: FILE)"
    );
}
