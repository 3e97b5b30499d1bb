//! Test runs: whatever the plugin does in the child, the host gets a verdict with a reason.

use std::fs;
#[cfg(unix)]
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, abort, exit};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use auralis_core::{Error, ErrorKind, Result};
#[cfg(unix)]
use auralis_registry::plugin::process;
use auralis_registry::plugin::{Failure, Verdict, inspect};
use libtest_mimic::Trial;

use crate::support::{Sandbox, allowed, library, probe, trial};

/// What happens in the child, by the name of the file, and what is to be said of it.
const FAULTS: &[(&str, &str)] = &[
    ("abort", "it aborted (SIGABRT)"),
    ("overflow", "it overflowed the stack (SIGABRT)"),
    ("segfault", "killed by SIGSEGV"),
    ("illegal", "killed by SIGILL"),
    (
        "exit",
        "it ended the process with exit status 0 before it answered",
    ),
    (
        "exit-7",
        "it ended the process with exit status 7 before it answered",
    ),
    ("loop", "no answer within 1.5 s"),
    (
        "allocate",
        "it used more than the memory limit of 64 MiB (SIGABRT)",
    ),
    (
        "fail",
        "its self-test failed: accelerator::fixture::scale: wrong",
    ),
    (
        "forge",
        "its self-test failed: told the host that all is well",
    ),
];

/// Does in the child what the file's name says, in the place of a self-test.
pub fn misbehave(file: &Path) -> Result<()> {
    let fail = |message: &'static str| Err(Error::new(ErrorKind::Plugin, message));
    match file.file_stem().and_then(|name| name.to_str()) {
        Some("abort") => abort(),
        Some("overflow") => {
            std::hint::black_box(deeper(1));
            Ok(())
        }
        // Whatever sends the signal, the host sees the same. The first one ends what Rust does to
        // find overflows of the stack.
        Some("segfault") => killed("SEGV").and_then(|()| killed("SEGV")),
        Some("illegal") => killed("ILL"),
        Some("cpu") => killed("XCPU"),
        Some("exit") => exit(0),
        Some("exit-7") => exit(7),
        Some("loop") => loop {
            std::hint::spin_loop();
        },
        Some("allocate") => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![1u8; 1 << 20]));
            }
        }
        Some("fail") => fail("accelerator::fixture::scale: wrong"),
        Some("forge") => {
            println!("auralis-probe 0000000000000000 {{\"rejected\":null,\"notes\":[]}}");
            println!("auralis-probe {{\"rejected\":null,\"notes\":[]}}");
            fail("told the host that all is well")
        }
        Some("noise") => {
            for _ in 0..20_000 {
                println!("a plugin that prints and prints");
                eprintln!("and complains");
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[allow(unconditional_recursion, reason = "this is the fault")]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    deeper(frame[0] + 1) + frame[63]
}

fn killed(signal: &str) -> Result<()> {
    let this = std::process::id().to_string();
    let _ = Command::new("kill").args(["-s", signal, &this]).status();
    Ok(())
}

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = FAULTS
        .iter()
        .map(|&(fault, says)| {
            trial(&format!("probed::{fault}"), move || {
                let sandbox = Sandbox::new();
                let file = sandbox.fixture(&format!("{fault}.so"));
                let limited = probe()
                    .memory_limit(64 << 20)
                    .time_limit(Duration::from_millis(1500));
                match limited.run(&file).unwrap_err() {
                    Failure::Failed { reason, .. } => assert_eq!(reason, says),
                    not_run @ Failure::NotRun(_) => panic!("{not_run}"),
                }
            })
        })
        .collect();
    trials.extend([
        trial("probed::good", || {
            let sandbox = Sandbox::new();
            for name in ["good.so", "noise.so"] {
                let notes = probe().run(&sandbox.fixture(name)).unwrap();
                assert!(notes.is_empty(), "{notes:?}");
            }
        }),
        trial("probed::not_run", not_run),
        #[cfg(unix)]
        trial("probed::not_begun", not_begun),
        #[cfg(unix)]
        trial("probed::cpu_time", cpu_time),
        #[cfg(unix)]
        trial("probed::somebody_else_waits", somebody_else_waits),
        #[cfg(unix)]
        trial("probed::a_held_pipe_is_left", held_pipe),
        trial("probed::another_table", another_table),
        trial("probed::forged_manifest", forged_manifest),
    ]);
    trials
}

/// Without a test run nothing is loaded, and nothing is known.
fn not_run() {
    let sandbox = Sandbox::new();
    let file = sandbox.fixture("good.so");
    let missing = auralis_registry::plugin::Probe::new(sandbox.path("no-program"));
    assert!(matches!(missing.run(&file), Err(Failure::NotRun(_))));
    for probe in [None, Some(missing)] {
        let loader = auralis_registry::plugin::Loader::new(sandbox.store(), probe);
        let error = loader.load(&file, &allowed()).unwrap_err();
        assert!(error.report().contains("test"), "{}", error.report());
        let seen = inspect(&file, &allowed(), Some(loader.store()));
        assert_eq!((seen.verdict, seen.probed), (Verdict::Accepted, false));
    }
}

/// Programs that serve no test runs say nothing of the plugin.
#[cfg(unix)]
fn not_begun() {
    for (program, says) in [("true", "exit status 0"), ("cat", "exit status 1")] {
        let sandbox = Sandbox::new();
        let probe = auralis_registry::plugin::Probe::new(program);
        let loader = auralis_registry::plugin::Loader::new(sandbox.store(), Some(probe));
        let file = sandbox.fixture("good.so");
        let error = loader.load(&file, &allowed()).unwrap_err();
        let report = error.report();
        assert!(
            report.contains("did not begin") && report.contains(says),
            "{report}"
        );
        assert!(loader.store().quarantined().unwrap().is_empty());
    }
}

#[cfg(unix)]
fn cpu_time() {
    let sandbox = Sandbox::new();
    let limited = probe().time_limit(Duration::from_secs(5));
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let Failure::Failed { reason, signal } = limited.run(&sandbox.fixture("cpu.so")).unwrap_err()
    else {
        panic!("it was not run");
    };
    assert_eq!(
        reason,
        format!("it used more than {} s of CPU time", 7 * cores)
    );
    assert_eq!(signal.as_deref(), Some("SIGXCPU"));
}

#[cfg(unix)]
fn somebody_else_waits() {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let error = process::ended(&mut child).unwrap_err();
    assert_eq!(
        error.to_string(),
        "another part of this program waits for its children"
    );
}

/// The other end stays open, and yet the reading ends.
#[cfg(unix)]
fn held_pipe() {
    let (pipe, mut held) = std::io::pipe().unwrap();
    held.write_all(b"said").unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut pipe = process::Stoppable::new(pipe, Arc::clone(&stop));
    let mut said = [0; 4];
    pipe.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"said");
    stop.store(true, Ordering::Relaxed);
    assert_eq!(pipe.read(&mut said).unwrap(), 0);
    drop(held);
}

fn another_table() {
    let sandbox = Sandbox::new();
    let file = library("plugin-other-layout");
    let error = sandbox.loader().load(&file, &allowed()).unwrap_err();
    assert_eq!(
        error.message(),
        "put in quarantine: the plugin's interface `accelerator.slices/1` is another one than the \
         host's: 24 members instead of 23"
    );
}

fn forged_manifest() {
    const PLUGIN: &str = "auralis-plugin {";
    const FIXTURE: &str = r#"auralis-backend {"kind":"accelerator","id":"fixture""#;

    // Of the record that begins so: what is replaced.
    let cases = [
        (
            FIXTURE,
            r#""rank":-1"#,
            r#""rank":-2"#,
            "the rank of accelerator/fixture is -1, it says -2",
        ),
        (
            FIXTURE,
            r#""id":"fixture""#,
            r#""id":"fixturf""#,
            "it names the backend accelerator/fixturf, which the code does not serve",
        ),
        (
            PLUGIN,
            r#""name":"plugin-fixture""#,
            r#""name":"plugin-fixturf""#,
            "the name of the plugin is \"plugin-fixture\", it says \"plugin-fixturf\"",
        ),
    ];
    for (record, from, to, says) in cases {
        let sandbox = Sandbox::new();
        let mut bytes = fs::read(library("plugin-fixture")).unwrap();
        let find = |text: &str, start: usize| {
            let mut windows = bytes[start..].windows(text.len());
            start + windows.position(|w| w == text.as_bytes()).unwrap()
        };
        let at = find(from, find(record, 0));
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        let file = sandbox.write("forged.so", &bytes);
        let error = sandbox.loader().load(&file, &allowed()).unwrap_err();
        assert_eq!(
            error.message(),
            format!("put in quarantine: the manifest is forged: {says}")
        );
    }
}
