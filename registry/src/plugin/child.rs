//! The child's side of a test run: opens a plugin, compares it with its manifest, tries it, answers.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use auralis_core::{
    Accelerator, BufferPool, BuildContext, Cache, CpuFeatures, Error, ErrorKind, Executor, Options,
    Profiler, Result,
};

use super::load::{for_each_plugin_kind, open_copy};
use super::probe::{ANSWER, ARGUMENT, Answer, READY, Request};
use super::{LoadedPlugin, Manifest, PluginKind, moat, platform, rejected};
use crate::{Candidate, Registry};

/// The file to be tested, if this program was started for that. A program that runs with more rights
/// than its user is never: whoever starts it chooses its arguments.
pub fn asked(arguments: impl IntoIterator<Item = OsString>) -> Option<PathBuf> {
    if platform::secure_execution() {
        return None;
    }
    let mut arguments = arguments.into_iter().skip(1);
    let asked = arguments.next()? == ARGUMENT;
    let file = arguments.next()?;
    (asked && arguments.next().is_none()).then(|| file.into())
}

/// Serves the test run that a [`Probe`](super::Probe) has asked for: the request comes on standard
/// input. The process is good for nothing else afterwards: it must
/// [exit](std::process::exit) with the status that this gives.
///
/// `self_test` is called with a registry of the backends of the plugin that can be built here; an
/// error of it fails the plugin.
pub fn serve(file: &Path, self_test: &dyn Fn(&Registry) -> Result<()>) -> i32 {
    match answer(file, self_test) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{}", error.report());
            2
        }
    }
}

fn answer(file: &Path, self_test: &dyn Fn(&Registry) -> Result<()>) -> Result<()> {
    let refused = |e: io::Error| Error::new(ErrorKind::Io, "can't serve a test run").because(e);
    let request = io::read_to_string(io::stdin()).map_err(refused)?;
    let request: Request = serde_json::from_str(&request).map_err(|e| refused(e.into()))?;
    platform::limit(request.limits).map_err(refused)?;
    if !platform::is_child_of(request.host) {
        return Err(refused(io::Error::other("who asked for it is gone")));
    }
    say(&request.nonce, READY).map_err(refused)?;
    let test = || test(file, &request.manifest, request.abort, self_test);
    let tested = match request.watched {
        None => test(),
        Some(fill) => moat::below(fill, test),
    };
    let (rejected, notes) = match tested {
        Ok(notes) => (None, notes),
        Err(error) => (Some(error.report()), Vec::new()),
    };
    let answer =
        serde_json::to_string(&Answer { rejected, notes }).map_err(|e| refused(e.into()))?;
    say(&request.nonce, &answer).map_err(refused)
}

fn say(nonce: &str, what: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    // The plugin may have left a line unfinished.
    writeln!(stdout, "\n{ANSWER} {nonce} {what}")?;
    stdout.flush()
}

fn test(
    file: &Path,
    manifest: &Manifest,
    abort: bool,
    self_test: &dyn Fn(&Registry) -> Result<()>,
) -> Result<Vec<String>> {
    let plugin = open_copy(file, file, String::new(), abort)?;
    manifest.compare(plugin.plugin())?;
    let built = buildable(&plugin, manifest)?;
    self_test(&built).map_err(|e| rejected(format!("its self-test failed: {}", e.report())))?;
    Ok(plugin.notes())
}

/// A registry of the backends that can be built here, after each was, and of the kernels.
fn buildable(plugin: &LoadedPlugin, manifest: &Manifest) -> Result<Registry> {
    let mut built = Registry::empty();
    macro_rules! try_kinds {
        ($($kind:ident)*) => { $(try_kind::<dyn $kind>(plugin, manifest, &mut built)?;)* };
    }
    for_each_plugin_kind!(try_kinds);
    for kernel in plugin.kernels() {
        built.insert_kernel(kernel)?;
    }
    Ok(built)
}

fn try_kind<K: PluginKind + ?Sized>(
    plugin: &LoadedPlugin,
    manifest: &Manifest,
    built: &mut Registry,
) -> Result<()> {
    let cpu = CpuFeatures::detect();
    let runs = |c: &Candidate<K>| cpu.contains(c.facts.requires);
    for candidate in plugin.candidates::<K>().into_iter().filter(runs) {
        let context = BuildContext {
            options: &Options::default(),
            settings: &K::Settings::default(),
            cpu,
        };
        match candidate.build(&context) {
            Ok(_) => built.insert(candidate)?,
            Err(error) if is_no_fault::<K>(&error, &candidate.facts.id, manifest) => {}
            Err(error) => {
                let id = &candidate.facts.id;
                let message = format!(
                    "the backend {}/{id} can't be built: {}",
                    K::NAME,
                    error.report()
                );
                return Err(rejected(message));
            }
        }
    }
    Ok(())
}

/// A backend may need options that only the user knows, or something that is not to be had today.
fn is_no_fault<K: PluginKind + ?Sized>(error: &Error, id: &str, manifest: &Manifest) -> bool {
    let needs_options = || {
        let record = manifest
            .backends
            .iter()
            .find(|b| (b.kind.as_str(), b.id.as_str()) == (K::NAME, id));
        let required = record.and_then(|record| record.options_schema["required"].as_array());
        required.is_some_and(|required| !required.is_empty())
    };
    match error.kind() {
        ErrorKind::Unavailable => true,
        ErrorKind::Config => needs_options(),
        _ => false,
    }
}
