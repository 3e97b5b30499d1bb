//! Plugins that are wrong, missing, stale, crashing or lying: the user hears why, and the song is
//! mastered by the next candidate, or refused where the plugin was named alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use auralis_abi::TARGET;
use libtest_mimic::Trial;

use crate::songs::song;
use crate::support::{PROGRAM, Run, Sandbox, pinned, plugin, sealed, trial};

/// A CPU feature that this machine can't have.
const FOREIGN_FEATURE: &str = if cfg!(target_arch = "aarch64") {
    "avx512f"
} else {
    "sve2"
};

/// A machine that this is not, by its number in an ELF header and by its name.
const FOREIGN_MACHINE: (u16, &str) = if cfg!(target_arch = "aarch64") {
    (0x3E, "x86_64")
} else {
    (0xB7, "aarch64")
};

/// A plugin file that is to be turned away.
struct Fault {
    name: &'static str,
    /// What the plugin is told to do wrong, see `tests/plugins/misbehaving`.
    misbehave: &'static str,
    /// Puts the file in place.
    file: fn(&Sandbox) -> PathBuf,
    /// What the user is told, with names in braces for what differs from machine to machine.
    reason: &'static str,
    /// Whether the file alone shows it, so that no code of it runs.
    from_file: bool,
}

impl Fault {
    /// A fault that shows when the plugin's code runs.
    const fn of_code(name: &'static str, misbehave: &'static str, reason: &'static str) -> Self {
        Self {
            name,
            misbehave,
            file: |_| plugin("plugin-misbehaving"),
            reason,
            from_file: false,
        }
    }

    /// A fault that the file alone shows.
    const fn of_file(
        name: &'static str,
        file: fn(&Sandbox) -> PathBuf,
        reason: &'static str,
    ) -> Self {
        Self {
            name,
            // Code that ran would end the program.
            misbehave: "abort",
            file,
            reason,
            from_file: true,
        }
    }

    fn reason(&self) -> String {
        self.reason
            .replace("{target}", TARGET)
            .replace("{arch}", std::env::consts::ARCH)
            .replace("{foreign}", FOREIGN_MACHINE.1)
            .replace("{feature}", FOREIGN_FEATURE)
    }
}

const FAULTS: &[Fault] = &[
    Fault::of_file(
        "missing",
        |sandbox| sandbox.path("plugins/missing.so"),
        "the file can't be found: No such file or directory (os error 2)",
    ),
    Fault::of_file(
        "not_a_library",
        |sandbox| sandbox.write("plugins/text.so", b"#!/bin/sh\nexit 0\n"),
        "the file is no library: it is neither ELF nor PE nor Mach-O",
    ),
    Fault::of_file(
        "no_manifest",
        |sandbox| compiled(sandbox, "int auralis_plugin_v1 = 1;"),
        "the library has no manifest: it lacks the section `.auralis`",
    ),
    Fault::of_file(
        "newer_abi",
        |sandbox| patched(sandbox, r#""abi":1,"#, r#""abi":2,"#),
        "the plugin speaks ABI 2, this host ABI 1",
    ),
    Fault::of_file(
        "panic_abort",
        |sandbox| patched(sandbox, r#""panic":"unwind""#, r#""panic":"abort""#),
        "the plugin was built with panic = \"abort\", so that a panic of it ends the whole process; `allow_abort = true` beside its file allows that",
    ),
    Fault::of_file(
        "another_target",
        |sandbox| patched(sandbox, TARGET, "m68k-unknown-linux-gnu"),
        "the plugin was built for m68k-unknown-linux-gnu, this host for {target}",
    ),
    Fault::of_file(
        "missing_cpu_feature",
        |sandbox| {
            patched(
                sandbox,
                r#""requires":[]"#,
                &format!(r#""requires":["{FOREIGN_FEATURE}"]"#),
            )
        },
        "every backend of the plugin needs CPU features that this CPU lacks (features: {feature})",
    ),
    Fault::of_file(
        "another_machine",
        |sandbox| {
            let mut bytes = std::fs::read(plugin("plugin-misbehaving")).unwrap();
            // The machine in the ELF header: System V ABI, chapter 4.
            bytes[18..20].copy_from_slice(&FOREIGN_MACHINE.0.to_le_bytes());
            sandbox.write("plugins/foreign.so", &bytes)
        },
        "the file is an ELF library for {foreign}, this process needs an ELF library for {arch}",
    ),
    Fault::of_file(
        "forged_manifest_over_an_alien_library",
        |sandbox| compiled(sandbox, &forged("int alien(void) { return 1; }")),
        "the library is no plugin of auralis: it does not export `auralis_plugin_v1`",
    ),
    Fault {
        from_file: false,
        ..Fault::of_file(
            "forged_manifest_and_root_over_an_alien_library",
            |sandbox| compiled(sandbox, &forged(EMPTY_ROOT)),
            "put in quarantine: the plugin was built for , this host for {target}",
        )
    },
    Fault::of_code(
        "aborts_at_load",
        "abort",
        "put in quarantine: it aborted (SIGABRT)",
    ),
    Fault::of_code(
        "segfaults_at_load",
        "segfault",
        "put in quarantine: killed by SIGSEGV",
    ),
    Fault::of_code(
        "overflows_the_stack_at_load",
        "stack-overflow",
        "put in quarantine: it overflowed the stack (SIGABRT)",
    ),
    Fault::of_code(
        "exits_at_load",
        "exit",
        "put in quarantine: it ended the process with exit status 0 before it answered",
    ),
    Fault::of_code(
        "loops_at_load",
        "loop",
        "put in quarantine: no answer within 10 s",
    ),
    Fault::of_code(
        "allocates_at_load",
        "allocate",
        "put in quarantine: it used more than the memory limit of 512 MiB (SIGABRT)",
    ),
    Fault::of_code(
        "illegal_instruction",
        "illegal-instruction",
        "put in quarantine: killed by SIGILL: it uses an instruction that this CPU lacks although it claims to need no CPU feature",
    ),
    Fault::of_code(
        "panics_in_build",
        "panic-in-build",
        "put in quarantine: the backend accelerator/misbehaving can't be built: a panic in the plugin: told to panic in build (backend: accelerator/misbehaving)",
    ),
    Fault::of_code(
        "panics_in_a_kernel",
        "panic-in-kernel",
        "put in quarantine: its self-test failed: accelerator::misbehaving::scale: length 1: failed: a panic in the plugin: told to panic in a kernel (backend: accelerator/misbehaving) (at offset 1 from a cache line)",
    ),
    Fault::of_code(
        "returns_nan",
        "nan",
        "put in quarantine: its self-test failed: accelerator::misbehaving::scale: length 1: sample 0 is NaN, expected 0.3451662 (at offset 1 from a cache line)",
    ),
    Fault::of_code(
        "returns_wrong_results",
        "wrong",
        "put in quarantine: its self-test failed: accelerator::misbehaving::scale: length 1: sample 0 is 0.5951662, expected 0.3451662 (at offset 1 from a cache line)",
    ),
    Fault::of_code(
        "off_by_one_in_the_tail",
        "off-by-one",
        "put in quarantine: its self-test failed: accelerator::misbehaving::scale: length 31: sample 30 is -0.62979865, expected 1.0706577 (at offset 1 from a cache line)",
    ),
    Fault::of_code(
        "writes_past_the_slice",
        "overrun",
        "put in quarantine: its self-test failed: accelerator::misbehaving::scale: length 1: wrote 0.5 over a guard outside the slice, at index 1 (at offset 1 from a cache line)",
    ),
    #[cfg(target_env = "gnu")]
    Fault::of_code(
        "writes_past_the_heap",
        "past-the-heap",
        "put in quarantine: it aborted (SIGABRT)",
    ),
    #[cfg(target_env = "gnu")]
    Fault::of_code(
        "reads_what_nobody_wrote",
        "unwritten",
        "put in quarantine: its self-test failed: accelerator::misbehaving::scale: length 1: sample 0 is 0.5951662, expected 0.3451662 (at offset 1 from a cache line)",
    ),
    Fault::of_code(
        "writes_to_the_stack_of_others",
        "past-the-stack",
        "put in quarantine: killed by SIGSEGV",
    ),
    Fault::of_code(
        "never_returns_from_a_kernel",
        "never-returns",
        "put in quarantine: no answer within 10 s",
    ),
];

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = FAULTS
        .iter()
        .map(|fault| {
            trial(format!("misbehaving::{}", fault.name), || {
                turned_away(fault)
            })
        })
        .collect();
    trials.extend([
        trial("misbehaving::without_a_fault_it_works", works),
        trial(
            "misbehaving::inspection_runs_no_code",
            inspection_runs_no_code,
        ),
        trial("misbehaving::panics_in_drop", || harmless("panic-in-drop")),
        trial("misbehaving::sets_flush_to_zero_at_load", || {
            harmless("flush-to-zero");
        }),
        trial("misbehaving::options_of_the_wrong_shape", wrong_options),
        trial("misbehaving::two_with_one_id", two_with_one_id),
        trial("misbehaving::a_relative_path", relative_path),
        trial("misbehaving::a_relative_folder", relative_folder),
        trial("misbehaving::replaced_amid_a_batch", replaced_amid_a_batch),
        trial("misbehaving::a_folder_writable_by_others", writable_folder),
        trial("misbehaving::a_link_out_of_the_folder", link_out),
        trial("misbehaving::quarantine_is_kept_and_lifted", quarantine),
    ]);
    trials
}

/// The program in the sandbox, with a plugin that is told to misbehave.
fn run(sandbox: &Sandbox, misbehave: &str, line: &str, more: &[&str]) -> Run {
    let mut command = sandbox.command(PROGRAM);
    command.env("MISBEHAVE", misbehave);
    command.args(line.split_whitespace()).args(more);
    Run::of(&mut command, line)
}

/// A song, and a configuration that allows `files`.
fn allowing(files: &[&Path], accelerator: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.4));
    allow(&sandbox, files, accelerator);
    sandbox
}

fn allow(sandbox: &Sandbox, files: &[&Path], accelerator: &str) {
    let files: Vec<_> = files.iter().map(|file| pinned(file)).collect();
    sandbox.configure(&format!(
        "[plugins]\nallow = [{}]\n[accelerator]\nbackend = {accelerator}\n",
        files.join(", ")
    ));
}

/// What a linked backend alone makes of the sandbox's song.
fn by_scalar_alone(sandbox: &Sandbox) -> Vec<u8> {
    sandbox.write("alone.toml", b"[accelerator]\nbackend = \"scalar\"\n");
    let alone = ["--config", "alone.toml"];
    run(sandbox, "", "process song.wav -o scalar.wav", &alone).exits(0);
    sandbox.read("scalar.wav")
}

fn turned_away(fault: &Fault) {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.4));
    let file = (fault.file)(&sandbox);
    allow(&sandbox, &[&file], r#"["misbehaving", "scalar"]"#);
    let name = file.file_name().unwrap().to_str().unwrap();
    let reason = fault.reason();

    if file.exists() {
        let seen = run(
            &sandbox,
            fault.misbehave,
            "plugin inspect --json",
            &[file.to_str().unwrap()],
        );
        if fault.from_file {
            let seen = seen.exits(5).object();
            assert_eq!(seen["verdict"], "rejected");
            // What to do about it may follow.
            let found = seen["reason"].as_str().unwrap();
            assert!(found.starts_with(&reason), "{found}");
        } else {
            seen.exits(0);
        }
    }

    // The song is mastered by the next of the list, and the user hears why.
    let line = "process song.wav -o out.wav --json";
    let delivered = run(&sandbox, fault.misbehave, line, &[]).exits(0);
    let delivered = delivered.says(&[name, &reason]);
    let object = delivered.object();
    assert_eq!(object["backends"]["accelerator"], "scalar");
    assert_eq!(object["plugins_rejected"][0]["reason"], reason.as_str());
    assert_eq!(sandbox.read("out.wav"), by_scalar_alone(&sandbox));

    // Named alone, it is that or nothing.
    allow(&sandbox, &[&file], r#""misbehaving""#);
    let line = "process song.wav -o strict.wav";
    let refused = run(&sandbox, fault.misbehave, line, &[]).exits(5);
    // By now it is in quarantine, if that was the verdict.
    let fact = reason.trim_start_matches("put in quarantine: ");
    refused.says(&[name, fact]);
    assert!(!sandbox.path("strict.wav").exists());
}

fn works() {
    let sandbox = allowing(&[&plugin("plugin-misbehaving")], r#""auto""#);
    let object = run(&sandbox, "", "process song.wav -o out.wav --json", &[])
        .exits(0)
        .object();
    assert_eq!(object["backends"]["accelerator"], "misbehaving");
}

/// A library whose constructor leaves a file behind is inspected, listed and pinned: the file does not
/// appear until it is opened.
fn inspection_runs_no_code() {
    let sandbox = allowing(&[], r#""auto""#);
    let trace = sandbox.path("constructor-ran");
    let source = format!(
        "#include <stdio.h>\n{}\n__attribute__((constructor)) static void ran(void) {{\n\
         FILE *file = fopen({trace:?}, \"w\");\nif (file) fclose(file);\n}}\n",
        forged(EMPTY_ROOT)
    );
    let library = compiled(&sandbox, &source);
    let file = library.to_str().unwrap();
    let inspected = run(&sandbox, "", "plugin inspect --json", &[file])
        .exits(0)
        .object();
    assert_eq!(inspected["name"], "forged");
    assert_eq!(inspected["backends"][0]["id"], "misbehaving");
    run(&sandbox, "", "plugin pin", &[file]).exits(0);
    run(&sandbox, "", "plugin list", &[]).exits(0).says(&[file]);
    run(
        &sandbox,
        "",
        "process song.wav -o out.wav --no-plugins",
        &[],
    )
    .exits(0);
    assert!(!trace.exists(), "code of the plugin ran");
    run(&sandbox, "", "process song.wav -o out.wav --force", &[]).exits(0);
    assert!(
        trace.exists(),
        "the constructor would not have been noticed"
    );
}

/// A fault that is contained: the plugin is used, and the song is what it is without the fault.
fn harmless(misbehave: &str) {
    let sandbox = allowing(
        &[&plugin("plugin-misbehaving")],
        r#"["misbehaving", "scalar"]"#,
    );
    run(&sandbox, "", "process song.wav -o sound.wav", &[]).exits(0);
    run(&sandbox, "", "plugin quarantine clear --all", &[]).exits(0);
    let told = run(
        &sandbox,
        misbehave,
        "process song.wav -o out.wav --json",
        &[],
    );
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(told.object()["backends"]["accelerator"], "misbehaving");
    assert_eq!(sandbox.read("out.wav"), sandbox.read("sound.wav"));
}

fn wrong_options() {
    let sandbox = allowing(&[&plugin("plugin-misbehaving")], r#""misbehaving""#);
    for (options, says) in [
        ("{ quiet = \"yes\" }", ["quiet", "boolean"]),
        ("{ quiett = true }", ["quiett", "quiet"]),
        ("3", ["options", "table"]),
    ] {
        let set = format!("accelerator.options={options}");
        run(
            &sandbox,
            "",
            "process song.wav -o out.wav",
            &["--set", &set],
        )
        .exits(3)
        .says(&says);
    }
    assert_eq!(sandbox.files(), ["song.wav"]);
}

fn two_with_one_id() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.4));
    let bytes = std::fs::read(plugin("plugin-misbehaving")).unwrap();
    let first = sandbox.write("plugins/first.so", &bytes);
    let second = sandbox.write("plugins/second.so", &bytes);
    allow(&sandbox, &[&first, &second], r#"["misbehaving", "scalar"]"#);
    let both = ["misbehaving", "first.so", "second.so"];
    let delivered = run(&sandbox, "", "process song.wav -o out.wav --json", &[]);
    let object = delivered.exits(0).says(&both).object();
    assert_eq!(object["backends"]["accelerator"], "scalar");
    allow(&sandbox, &[&first, &second], r#""misbehaving""#);
    run(&sandbox, "", "process song.wav -o strict.wav", &[])
        .exits(5)
        .says(&both);
}

fn relative_path() {
    let sandbox = allowing(&[Path::new("plugins/relative.so")], r#""misbehaving""#);
    sandbox.write(
        "plugins/relative.so",
        &std::fs::read(plugin("plugin-misbehaving")).unwrap(),
    );
    run(&sandbox, "abort", "process song.wav -o out.wav", &[])
        .exits(3)
        .says(&["relative.so", "absolute path"]);
}

/// A folder of the environment that is no absolute path: the song is mastered without it.
fn relative_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.4));
    sandbox.write("plugins/plugin.so", &sealed("plugin-misbehaving"));
    let mut command = sandbox.command(PROGRAM);
    command
        .args(["process", "song.wav", "-o", "out.wav", "--json"])
        .env("AURALIS_PLUGIN_PATH", "plugins")
        .env("MISBEHAVE", "abort");
    let delivered = Run::of(&mut command, "process").exits(0).object();
    let rejected = &delivered["plugins_rejected"][0];
    assert_eq!(rejected["file"], "plugins");
    let reason = "a folder of plugins must be named by an absolute path";
    assert_eq!(rejected["reason"], reason);
}

/// The file is overwritten while a batch runs: what runs is a private copy, so every song is what it is
/// without that. The next run finds that the file is another.
fn replaced_amid_a_batch() {
    const SONGS: usize = 100;
    let sandbox = Sandbox::new();
    for number in 0..SONGS {
        sandbox.write(&format!("songs/{number:03}.wav"), &song(1, 1.0));
    }
    let bytes = std::fs::read(plugin("plugin-misbehaving")).unwrap();
    let file = sandbox.write("plugins/plugin.so", &bytes);
    allow(&sandbox, &[&file], r#""misbehaving""#);
    run(&sandbox, "", "process songs/000.wav -o whole.wav", &[]).exits(0);

    let mut command = sandbox.command(PROGRAM);
    command
        .args(["process", "songs", "--output-dir", "out", "--jobs", "1"])
        .stdout(Stdio::null());
    let mut batch = command.spawn().unwrap();
    let done = || std::fs::read_dir(sandbox.path("out")).map_or(0, Iterator::count);
    while done() < 2 && batch.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::fs::write(&file, b"another file").unwrap();
    let at_that_time = done();
    assert!(batch.wait().unwrap().success());
    assert!((1..SONGS).contains(&at_that_time), "{at_that_time} songs");
    let whole = sandbox.read("whole.wav");
    for number in 0..SONGS {
        let song = sandbox.read(&format!("out/{number:03}.wav"));
        assert!(song == whole, "song {number}");
    }
    run(&sandbox, "", "process songs/000.wav -o next.wav", &[])
        .exits(5)
        .says(&["the file is not the one that was pinned by its SHA-256"]);
}

#[cfg(unix)]
fn writable_folder() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.4));
    let bytes = std::fs::read(plugin("plugin-misbehaving")).unwrap();
    let file = sandbox.write("open/plugins/plugin.so", &bytes);
    allow(&sandbox, &[&file], r#"["misbehaving", "scalar"]"#);
    for (path, mode) in [
        ("open", 0o777),
        ("open/plugins", 0o777),
        ("open/plugins/plugin.so", 0o666),
    ] {
        let path = sandbox.path(path);
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let told = ["others", path.to_str().unwrap()];
        let delivered = run(
            &sandbox,
            "abort",
            "process song.wav -o out.wav --force",
            &[],
        );
        delivered.exits(0).says(&told);
        set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    run(
        &sandbox,
        "",
        "process song.wav -o out.wav --force --json",
        &[],
    )
    .exits(0);
}

#[cfg(not(unix))]
fn writable_folder() {}

#[cfg(unix)]
fn link_out() {
    let sandbox = Sandbox::new();
    sandbox.write("song.wav", &song(1, 0.4));
    let bytes = std::fs::read(plugin("plugin-misbehaving")).unwrap();
    let outside = sandbox.write("outside/plugin.so", &bytes);
    std::fs::create_dir(sandbox.path("plugins")).unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.path("plugins/link.so")).unwrap();
    sandbox.configure(&format!(
        "[plugins]\ndirectories = [{:?}]\n",
        sandbox.path("plugins")
    ));
    run(&sandbox, "abort", "process song.wav -o out.wav", &[])
        .exits(0)
        .says(&["link.so", "outside/plugin.so"]);
}

#[cfg(not(unix))]
fn link_out() {}

fn quarantine() {
    let file = plugin("plugin-misbehaving");
    let sandbox = allowing(&[&file], r#"["misbehaving", "scalar"]"#);
    run(&sandbox, "segfault", "process song.wav -o 1.wav", &[])
        .exits(0)
        .says(&["SIGSEGV"]);
    // It would work now, but nobody tries: what is known of this hash holds.
    let again = run(&sandbox, "", "process song.wav -o 2.wav --json", &[]).exits(0);
    let again = again.says(&["quarantine", "SIGSEGV"]);
    assert_eq!(again.object()["backends"]["accelerator"], "scalar");
    let inspected = run(
        &sandbox,
        "",
        "plugin inspect --json",
        &[file.to_str().unwrap()],
    )
    .exits(5);
    assert_eq!(inspected.object()["verdict"], "quarantined");
    let listed = run(&sandbox, "", "plugin quarantine list --json", &[]).exits(0);
    let record = listed.object();
    assert!(
        record["reason"].as_str().unwrap().contains("SIGSEGV"),
        "{record}"
    );
    assert_eq!(record["sha256"], inspected.object()["sha256"]);
    run(
        &sandbox,
        "",
        "plugin quarantine clear",
        &[file.to_str().unwrap()],
    )
    .exits(0);
    let lifted = run(&sandbox, "", "process song.wav -o 3.wav --json", &[]).exits(0);
    assert_eq!(lifted.object()["backends"]["accelerator"], "misbehaving");
}

/// The fixture's file with something else in its manifest, of the same length: the summary makes room
/// for what is longer, and spaces fill up what is shorter.
fn patched(sandbox: &Sandbox, from: &str, to: &str) -> PathBuf {
    const SUMMARY: &str = "Breaks as it is told";

    let mut bytes = std::fs::read(plugin("plugin-misbehaving")).unwrap();
    let mut places = 0;
    for start in found(&bytes, b"auralis-plugin {").chain(found(&bytes, b"auralis-backend {")) {
        let len = bytes[start..].iter().position(|b| *b == 0).unwrap();
        let Ok(text) = std::str::from_utf8(&bytes[start..start + len]) else {
            continue;
        };
        if !text.contains(from) {
            continue;
        }
        let mut text = text.replace(from, to);
        let excess = text.len().saturating_sub(len);
        text = text.replace(SUMMARY, &SUMMARY[excess..]);
        bytes[start..start + len].copy_from_slice(format!("{text:len$}").as_bytes());
        places += 1;
    }
    assert!(places > 0, "no manifest holds {from}");
    sandbox.write("plugins/patched.so", &bytes)
}

/// Where `text` stands.
fn found(bytes: &[u8], text: &[u8]) -> std::vec::IntoIter<usize> {
    let windows = bytes.windows(text.len()).enumerate();
    let places: Vec<_> = windows
        .filter(|(_, w)| *w == text)
        .map(|(at, _)| at)
        .collect();
    places.into_iter()
}

/// A root symbol that begins like one, over zeros.
const EMPTY_ROOT: &str = "const struct { char magic[8]; unsigned size, abi; char zeros[240]; } \
    auralis_plugin_v1 = { \"auralis\", 256, 1 };";

/// A manifest as a plugin of this host would have it, over `code`.
fn forged(code: &str) -> String {
    let plugin = format!(
        r#"auralis-plugin {{"abi":1,"name":"forged","version":"1.0.0","target":"{}","panic":"unwind"}}"#,
        TARGET
    );
    let backend = r#"auralis-backend {"kind":"accelerator","id":"misbehaving","summary":"","version":"1.0.0","rank":0,"requires":[],"capabilities":["scale"],"options_schema":{}}"#;
    format!(
        "__attribute__((used, section(\".auralis\"))) static const char a[] = {plugin:?};\n\
         __attribute__((used, section(\".auralis\"))) static const char b[] = {backend:?};\n\
         {code}\n"
    )
}

/// A library of this C source.
fn compiled(sandbox: &Sandbox, source: &str) -> PathBuf {
    let source = sandbox.write("plugins/source.c", source.as_bytes());
    let library = sandbox.path("plugins/compiled.so");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let status = Command::new(compiler)
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status()
        .unwrap();
    assert!(status.success());
    library
}
