//! What the file alone rules out, each with its own message, before any code of it runs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use auralis_abi::TARGET;
use auralis_registry::plugin::{Allowance, Verdict, Voucher, inspect, seal};
use libtest_mimic::Trial;

use crate::support::{Sandbox, allowed, library, trial, without};

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("refused::no_library", no_library),
        trial("refused::pins", pins),
        trial("refused::without_a_voucher", without_a_voucher),
        trial("refused::nothing_to_refuse", nothing_to_refuse),
    ];
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    trials.push(trial("refused::damaged_tables", damaged_tables));
    #[cfg(unix)]
    trials.push(trial("refused::who_may_write", who_may_write));
    #[cfg(unix)]
    trials.push(trial("refused::links_out_of_the_folder", links_out));
    trials.extend(EDITS.iter().map(|edit| {
        trial(&format!("refused::{}", edit.name), || {
            let sandbox = Sandbox::new();
            let file = sandbox.write("plugins/edited.so", &edited(edit));
            let reason = refused(&file);
            assert!(reason.starts_with(edit.says), "{reason}");
        })
    }));
    trials
}

/// The reason why a file is rejected, with FILE in the place of its path.
fn refused(file: &Path) -> String {
    refused_with(file, &allowed())
}

fn refused_with(file: &Path, allowance: &Allowance) -> String {
    let inspection = inspect(file, allowance, None);
    assert_eq!(inspection.verdict, Verdict::Rejected, "{inspection:?}");
    without(&inspection.reason.unwrap(), file)
}

/// The fixture with other bytes of the same number.
struct Edit {
    name: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static str,
}

const EDITS: &[Edit] = &[
    Edit {
        name: "newer_abi",
        from: r#""abi":1,"#,
        to: r#""abi":2,"#,
        says: "the plugin speaks ABI 2, this host ABI 1",
    },
    Edit {
        name: "older_abi",
        from: r#""abi":1,"#,
        to: r#""abi":0,"#,
        says: "the plugin speaks ABI 0, this host ABI 1",
    },
    Edit {
        name: "another_target",
        from: TARGET,
        to: "m68k-unknown-linux",
        says: "the plugin was built for m68k-unknown-linux, this host for ",
    },
    Edit {
        name: "panic_abort",
        from: r#""panic":"unwind""#,
        to: r#""panic":"abort""#,
        says: "the plugin was built with panic = \"abort\", so that a panic of it ends the whole \
               process; `allow_abort = true` beside its file allows that",
    },
    Edit {
        name: "another_abi_stable",
        from: r#""abi_stable":"0.11""#,
        to: r#""abi_stable":"0.12""#,
        says: "the plugin describes its layouts by abi_stable 0.12, this host reads 0.11",
    },
    Edit {
        name: "unknown_cpu_features",
        from: r#""requires":["#,
        to: r#""requires":["tensor9","#,
        says: "every backend of the plugin needs CPU features that this ",
    },
    Edit {
        name: "no_record_of_the_plugin",
        from: "auralis-plugin",
        to: "auralis-future",
        says: "the library's manifest has 0 records of the plugin instead of one",
    },
    Edit {
        name: "two_records_of_one_backend",
        from: r#""id":"faulty""#,
        to: r#""id":"fixture""#,
        says: "the library's manifest has two records of the backend accelerator/fixture",
    },
    Edit {
        name: "a_record_that_is_no_json",
        from: r#"auralis-plugin {"#,
        to: "auralis-plugin [",
        says: "the library's manifest has a wrong record `auralis-plugin`",
    },
    Edit {
        name: "a_text_that_is_no_record",
        from: "auralis-plugin {",
        to: "something else {",
        says: "the library's manifest holds \"something else",
    },
    Edit {
        name: "kinds_of_the_future",
        from: r#""kind":""#,
        to: r#""kind":"future-"#,
        says: "the plugin has no backend of a kind that this host takes from plugins",
    },
    Edit {
        name: "no_manifest",
        from: ".auralis\0",
        to: ".elsewhr\0",
        says: "the library has no manifest: it lacks the section `.auralis`",
    },
    Edit {
        name: "another_magic",
        from: "auralis\0",
        to: "sirarua\0",
        says: "the plugin's header does not begin with the magic of auralis",
    },
    Edit {
        name: "no_root_symbol",
        from: "auralis_plugin_v1\0",
        to: "auralis_plugin_v0\0",
        says: "the library is no plugin of auralis: it does not export `auralis_plugin_v1`",
    },
];

/// Edits records of the manifest, where it can; else the bytes of the file.
fn edited(edit: &Edit) -> Vec<u8> {
    const SUMMARY: &str = r#""summary":""#;

    let mut bytes = fs::read(library("plugin-fixture")).unwrap();
    let mut places = 0;
    for start in found(&bytes, b"auralis-plugin {").chain(found(&bytes, b"auralis-backend {")) {
        let len = bytes[start..].iter().position(|b| *b == 0).unwrap();
        let Ok(text) = str::from_utf8(&bytes[start..start + len]) else {
            continue;
        };
        if !text.contains(edit.from) {
            continue;
        }
        let mut text = text.replace(edit.from, edit.to).replace(",]", "]");
        // What is longer takes its room from the summary; what is shorter is filled up.
        let excess = text.len().saturating_sub(len);
        if excess > 0 {
            let at = text.find(SUMMARY).unwrap() + SUMMARY.len();
            text.replace_range(at..at + excess, "");
        }
        bytes[start..start + len].copy_from_slice(format!("{text:len$}").as_bytes());
        places += 1;
    }
    if places == 0 {
        assert_eq!(edit.from.len(), edit.to.len());
        // The name of the section ends like the magic.
        let other = if edit.from.starts_with('.') {
            None
        } else {
            Some(b'.')
        };
        for start in found(&bytes, edit.from.as_bytes()) {
            if Some(bytes[start - 1]) == other {
                continue;
            }
            bytes[start..start + edit.to.len()].copy_from_slice(edit.to.as_bytes());
            places += 1;
        }
    }
    assert!(places > 0, "the fixture does not hold {}", edit.from);
    bytes
}

/// Where `text` stands.
fn found(bytes: &[u8], text: &[u8]) -> std::vec::IntoIter<usize> {
    let windows = bytes.windows(text.len()).enumerate();
    let places: Vec<_> = windows
        .filter(|(_, window)| *window == text)
        .map(|(at, _)| at)
        .collect();
    places.into_iter()
}

fn nothing_to_refuse() {
    let inspection = inspect(&library("plugin-fixture"), &allowed(), None);
    assert_eq!(inspection.verdict, Verdict::Accepted, "{inspection:?}");
    assert!(!inspection.probed);
    let manifest = inspection.manifest.unwrap();
    assert_eq!(manifest.plugin.name, "plugin-fixture");
    let names = manifest
        .backends
        .iter()
        .map(|b| format!("{}/{}", b.kind, b.id));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "accelerator/faulty",
            "accelerator/fixture",
            "accelerator/panics-later",
            "accelerator/unavailable",
            "buffer_pool/faulty",
            "cache/faulty",
            "executor/faulty",
            "profiler/faulty",
        ]
    );
    // Panics that end the process may be allowed.
    let sandbox = Sandbox::new();
    let abort = EDITS.iter().find(|e| e.name == "panic_abort").unwrap();
    let file = sandbox.write("abort.so", &edited(abort));
    let allowance = Allowance {
        abort: true,
        ..allowed()
    };
    assert_eq!(inspect(&file, &allowance, None).verdict, Verdict::Accepted);
}

/// A file that is neither pinned nor sealed is sound and not loaded: nothing is known of its bytes.
fn without_a_voucher() {
    let sandbox = Sandbox::new();
    let file = sandbox.fixture("plugin.so");
    let unsealed = "the file is neither pinned nor sealed, so nothing tells it from a damaged one: \
                    `auralis plugin pin FILE` pins it, `auralis plugin seal FILE` seals what you built";
    assert_eq!(refused_with(&file, &Allowance::default()), unsealed);
    let error = sandbox
        .loader()
        .load(&file, &Allowance::default())
        .unwrap_err();
    assert!(error.report().starts_with(unsealed), "{}", error.report());
    let nothing_ran = fs::read_dir(sandbox.path("store")).unwrap().next();
    assert!(nothing_ran.is_none(), "{nothing_ran:?}");

    let sealed = seal(&fs::read(&file).unwrap()).unwrap();
    let file = sandbox.write("sealed.so", &sealed);
    let plugin = sandbox.loader().load(&file, &Allowance::default()).unwrap();
    assert_eq!(plugin.file(), file);
}

/// What the system's loader reads before any code runs: each number with a wrong one in its place.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn damaged_tables() {
    const LOAD: u32 = 1;
    const DYNAMIC: u32 = 2;
    const TLS: u32 = 7;
    const RELRO: u32 = 0x6474_E552;
    const OUTSIDE: u64 = 0x7FFF_0000;

    /// What is changed: a word of the first program header of a type, the value under a tag of the
    /// dynamic table, a word of the first relocation under a tag, or the number of program headers.
    enum Place {
        Header(u32, usize),
        Value(u64),
        Relocation(u64, usize),
        Headers,
    }
    use Place::{Header, Headers, Relocation, Value};

    let whole = fs::read(library("plugin-fixture")).unwrap();
    let word = |at: usize| u64::from_ne_bytes(whole[at..at + 8].try_into().unwrap());
    let half = |at: usize| u32::from_ne_bytes(whole[at..at + 4].try_into().unwrap());
    let header = |kind: u32| {
        let mut headers = (word(32) as usize..).step_by(56);
        headers.find(|at| half(*at) == kind).unwrap()
    };
    let value = |tag: u64| {
        let mut entries = (word(header(DYNAMIC) + 8) as usize..).step_by(16);
        entries.find(|at| word(*at) == tag).unwrap() + 8
    };
    let cases = [
        (Headers, 65, "the file has 65 segments"),
        (Header(LOAD, 1), OUTSIDE, "a segment leads out of the file"),
        (Header(LOAD, 5), 8, "its segment at 0x0 can't lie there"),
        (Header(LOAD, 2), OUTSIDE, "can't lie there"),
        (Header(RELRO, 2), OUTSIDE, "is to be protected"),
        (Header(TLS, 2), OUTSIDE, "outside of the library"),
        (Header(DYNAMIC, 2), OUTSIDE, "outside of the library"),
        (Header(DYNAMIC, 4), 32, "its dynamic table does not end"),
        (Value(7), OUTSIDE, "outside of the library"),
        (Value(8), OUTSIDE, "leads out of the library"),
        (Value(8), 25, "ends within one"),
        (Value(9), 16, "has 16 under 9 instead of 24"),
        (Value(23), OUTSIDE, "outside of the library"),
        (Value(2), OUTSIDE, "leads out of the library"),
        (Value(6), OUTSIDE, "outside of the library"),
        (Value(5), OUTSIDE, "outside of the library"),
        (Value(10), OUTSIDE, "leads out of the library"),
        (Value(1), OUTSIDE, "is none of its names"),
        (Value(0x6FFF_FEF5), OUTSIDE, "outside of the library"),
        (Value(12), OUTSIDE, "where no code stands"),
        (Value(13), OUTSIDE, "where no code stands"),
        (Value(25), OUTSIDE, "outside of the library"),
        (Value(28), OUTSIDE, "leads out of the library"),
        (
            Relocation(7, 0),
            OUTSIDE,
            "none of the library's writable memory",
        ),
        (Relocation(7, 1), 5, "counted as a relative one"),
        (Relocation(7, 2), OUTSIDE, "outside of the library"),
        (Relocation(23, 1), 5, "of the type 5"),
    ];
    let sandbox = Sandbox::new();
    for (i, (place, number, says)) in cases.into_iter().enumerate() {
        let mut bytes = whole.clone();
        let (at, len) = match place {
            Headers => (56, 2),
            Header(kind, at) => (header(kind) + 8 * at, 8),
            Value(tag) => (value(tag), 8),
            // The segment of the first tables lies in the file as it does in memory.
            Relocation(tag, at) => (word(value(tag)) as usize + 8 * at, 8),
        };
        bytes[at..at + len].copy_from_slice(&number.to_ne_bytes()[..len]);
        let reason = refused(&sandbox.write("damaged.so", &bytes));
        assert!(reason.contains(says), "case {i}: {reason}");
    }
}

fn pins() {
    let file = library("plugin-fixture");
    let sha256 = inspect(&file, &allowed(), None).sha256.unwrap();
    let pinned = |pin: &str| Allowance {
        voucher: Voucher::Pin(pin.into()),
        ..allowed()
    };
    for good in [sha256.clone(), sha256.to_uppercase()] {
        assert_eq!(
            inspect(&file, &pinned(&good), None).verdict,
            Verdict::Accepted
        );
    }
    let other = "00".repeat(32);
    let cases = [
        (
            other.as_str(),
            format!(
                "the file is not the one that was pinned by its SHA-256 (pinned: {other}, found: \
                 {sha256})"
            ),
        ),
        (
            "12ab",
            "the pin is no SHA-256, which has 64 hexadecimal digits (pinned: 12ab)".into(),
        ),
    ];
    for (pin, message) in cases {
        let inspection = inspect(&file, &pinned(pin), None);
        assert_eq!(inspection.reason.unwrap(), message);
        // Nothing of it was read, and a file that is no library is no better.
        assert!(inspection.manifest.is_none());
    }
    let sandbox = Sandbox::new();
    let reason = refused_with(&sandbox.write("text.so", b"no library"), &pinned(&other));
    assert!(
        reason.starts_with("the file is not the one that was pinned"),
        "{reason}"
    );
}

#[cfg(unix)]
fn who_may_write() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    let file = sandbox.fixture("open/plugins/plugin.so");
    let folder = "others may write to a folder above the plugin";
    let cases = [
        ("open", 0o777, Some(folder)),
        ("open/plugins", 0o777, Some(folder)),
        ("open/plugins", 0o1777, None),
        (
            "open/plugins/plugin.so",
            0o666,
            Some("others may write to the plugin's file"),
        ),
        ("open/plugins/plugin.so", 0o604, None),
    ];
    for (name, mode, message) in cases {
        let path = sandbox.path(name);
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let inspection = inspect(&file, &allowed(), None);
        let expected = message.map(|m| format!("{m} (path: {}, mode: {mode:o})", path.display()));
        // A sticky folder is fine if root owns it.
        let of_root = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&path).unwrap()) == 0;
        if message.is_some() || of_root || mode & 0o1000 == 0 {
            assert_eq!(inspection.reason, expected, "{name} {mode:o}");
        }
        fs::set_permissions(&path, before).unwrap();
    }
    // Through a link it is no better.
    let link = sandbox.path("link.so");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let open = sandbox.path("open");
    fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    assert!(refused(&link).starts_with(folder));
}

#[cfg(unix)]
fn links_out() {
    let sandbox = Sandbox::new();
    let outside = sandbox.fixture("outside/plugin.so");
    let inside = sandbox.fixture("plugins/plugin.so");
    let link = |to: &Path, name: &str| {
        let link = sandbox.path(name);
        std::os::unix::fs::symlink(to, &link).unwrap();
        link
    };
    let allowance = Allowance {
        within: Some(sandbox.path("plugins")),
        ..allowed()
    };
    let reason = refused_with(&link(&outside, "plugins/out.so"), &allowance);
    assert!(
        reason.starts_with("the file is a link that leads out of the folder that is allowed"),
        "{reason}"
    );
    assert!(reason.contains(outside.to_str().unwrap()), "{reason}");
    let in_folder = link(&inside, "plugins/in.so");
    assert_eq!(
        inspect(&in_folder, &allowance, None).verdict,
        Verdict::Accepted
    );
    let endless = sandbox.path("plugins/endless.so");
    std::os::unix::fs::symlink(&endless, &endless).unwrap();
    assert!(refused(&endless).starts_with("the file can't be found"));
}

fn no_library() {
    let folder = tempfile::tempdir().unwrap();
    let ours = library("plugin-fixture");
    let whole = fs::read(&ours).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        file
    };
    let no_library = "the file is no library: it is neither ELF nor PE nor Mach-O";
    let cut_off = "the file is no library: it ends within its own header";
    let cases = [
        (
            PathBuf::from("libgain.so"),
            "a plugin must be named by an absolute path, so that no other folder's file is opened",
        ),
        (
            folder.path().into(),
            "a plugin is a file, this is a directory",
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
        assert_eq!(refused(&file), message);
    }
    let missing = refused(&folder.path().join("missing.so"));
    assert!(
        missing.starts_with("the file can't be found: "),
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
                format!("the file is an ELF library for powerpc64, {here}"),
            ),
            (
                elf(0xFFF),
                format!("the file is an ELF library for an unknown machine, {here}"),
            ),
            (
                mach_o(),
                format!("the file is a Mach-O library for x86_64 and aarch64, {here}"),
            ),
            (
                pe(),
                format!("the file is a PE library for aarch64, {here}"),
            ),
            (program(), "the file is ELF, but no shared library".into()),
            (
                whole[..whole.len() - 1].to_vec(),
                format!(
                    "the file is cut off: it ends at byte {} of {}",
                    whole.len() - 1,
                    whole.len()
                ),
            ),
        ];
        for (bytes, message) in cases {
            assert_eq!(refused(&write("other.so", &bytes)), message);
        }
    }
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        assert_eq!(
            refused(&write("arm.so", &elf(183))),
            "the file is an ELF library for aarch64, this process needs an ELF library for x86_64"
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
