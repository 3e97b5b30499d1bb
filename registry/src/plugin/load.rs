//! Opening a library, and the way there: every check in its order.

#![allow(unsafe_code, reason = "opening a library runs its code")]

use std::mem;
use std::path::{Path, PathBuf};

use auralis_abi::{FloatControl, Plugin, PluginBackend, PluginHeader, ROOT_SYMBOL, Remote};
use auralis_core::{Accelerator, BufferPool, Cache, Executor, Profiler, Result};

use super::inspect::Examined;
use super::probe::Failure;
use super::{
    Allowance, LibraryFile, Manifest, Probe, Store, Verdict, architecture, file, rejected,
};
use crate::{
    Candidate, Facts, KernelCandidate, Offer, Registry, RegistryKind, RejectedPlugin, Source,
};

/// A kind whose backends may come from a plugin: all five.
pub trait PluginKind: RegistryKind + Remote {}

impl<K: RegistryKind + Remote + ?Sized> PluginKind for K {}

/// Hands the traits of all kinds that a plugin may bring to a macro.
macro_rules! for_each_plugin_kind {
    ($callback:ident) => {
        $callback!(Accelerator BufferPool Cache Executor Profiler)
    };
}
pub(super) use for_each_plugin_kind;

/// A plugin that fits this host. Its library stays open for ever: unloading native code that may
/// have left threads and thread-locals behind is not sound.
#[derive(Debug)]
pub struct LoadedPlugin {
    file: PathBuf,
    opened: PathBuf,
    sha256: String,
    plugin: Plugin,
    changed_floats: bool,
}

impl LoadedPlugin {
    /// The file that it came from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file that was opened: a private copy, unless [`open`] was asked for the file itself.
    pub fn opened(&self) -> &Path {
        &self.opened
    }

    /// The SHA-256 of that file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The name of the plugin's crate.
    pub fn name(&self) -> &str {
        self.plugin.name()
    }

    /// The version of the plugin's crate.
    pub fn version(&self) -> &str {
        self.plugin.version()
    }

    /// The kernels of authors' own that it offers, by name.
    pub fn kernels(&self) -> Vec<KernelCandidate> {
        let kernels = self.plugin.kernels().iter();
        kernels
            .map(|kernel| {
                let (facts, source) = (kernel.facts().clone(), Source::Dylib(self.file.clone()));
                let kernel = kernel.clone();
                KernelCandidate::new(facts, source, move |variant| kernel.prepare(variant))
            })
            .collect()
    }

    /// The backends of a kind that it offers, by id.
    pub fn candidates<K: PluginKind + ?Sized>(&self) -> Vec<Candidate<K>> {
        let candidate = |backend: &PluginBackend| {
            let facts = Facts {
                id: backend.id.clone(),
                summary: backend.summary.clone(),
                version: backend.version.clone(),
                source: Source::Dylib(self.file.clone()),
                rank: backend.rank,
                requires: backend.requires,
                capabilities: backend.capabilities.clone(),
                options_schema: backend.options_schema.clone(),
            };
            let backend = backend.clone();
            Candidate::new(facts, move |context| backend.build(context))
        };
        let backends = self.plugin.backends().iter();
        backends
            .filter(|b| b.kind == K::NAME)
            .map(candidate)
            .collect()
    }

    /// Adds its backends and kernels to a registry, all or none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin): an id that can't be asked for, or that
    /// another backend has, see [`Registry::insert`]. If that one is another plugin's, that plugin is
    /// taken out again and noted as rejected, because nobody can say which of the two was meant.
    pub fn insert_into(&self, registry: &mut Registry) -> Result<()> {
        let mut with_plugin = registry.clone();
        with_plugin.note_hash(&self.file, &self.sha256);
        macro_rules! insert {
            ($($kind:ident)*) => {$(
                for candidate in self.candidates::<dyn $kind>() {
                    let offer = Offer::of(&candidate);
                    if let Some(rival) = registry.rival(&offer) {
                        return Err(registry.withdraw(&rival, &offer, &self.file));
                    }
                    with_plugin.insert(candidate)?;
                }
            )*};
        }
        for_each_plugin_kind!(insert);
        for kernel in self.kernels() {
            let offer = Offer::kernel(&kernel.facts.name);
            if let Some(rival) = registry.rival(&offer) {
                return Err(registry.withdraw(&rival, &offer, &self.file));
            }
            with_plugin.insert_kernel(kernel)?;
        }
        *registry = with_plugin;
        Ok(())
    }

    pub(super) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let changed = self.changed_floats.then(|| {
            "it changed the floating-point control when it was opened; the host undid that"
                .to_owned()
        });
        changed.into_iter().collect()
    }
}

/// Loads plugins: every check in its order, a test run for what is not known yet, the library.
#[derive(Clone, Debug)]
pub struct Loader {
    store: Store,
    probe: Option<Probe>,
}

impl Loader {
    /// A loader that keeps what it finds out in `store`, and has test runs made by `probe`. Without
    /// one, it loads only what is known already.
    pub fn new(store: Store, probe: Option<Probe>) -> Self {
        Self { store, probe }
    }

    /// Where it keeps what it finds out.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Loads the plugin in the file `path`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that names the file and says what does
    /// not fit.
    ///
    /// # What it trusts
    ///
    /// The file's code runs from here on: its constructors, and everything that it exports.
    pub fn load(&self, path: &Path, allowance: &Allowance) -> Result<LoadedPlugin> {
        self.try_load(path, allowance).1
    }

    /// Loads a plugin and adds what it brings to a registry, or notes there why it was rejected. Says
    /// whether it was loaded.
    pub fn load_into(&self, registry: &mut Registry, path: &Path, allowance: &Allowance) -> bool {
        let (manifest, outcome) = self.try_load(path, allowance);
        let outcome = outcome.and_then(|plugin| plugin.insert_into(registry));
        if let Err(error) = &outcome {
            registry.reject_plugin(RejectedPlugin {
                file: path.into(),
                reason: error.report(),
                offers: manifest.map(|m| m.offers()).unwrap_or_default(),
            });
        }
        outcome.is_ok()
    }

    fn try_load(
        &self,
        path: &Path,
        allowance: &Allowance,
    ) -> (Option<Manifest>, Result<LoadedPlugin>) {
        tracing::info!(file = %path.display(), "loading a plugin");
        let Examined {
            file,
            manifest,
            record,
            outcome,
            ..
        } = Examined::of(path, allowance, Some(&self.store));
        let known = record.is_some_and(|record| record.verdict == Verdict::Accepted);
        let loaded = outcome.and_then(|()| match (&file, &manifest) {
            (Some(file), Some(manifest)) => self.open(file, manifest, known, allowance.abort),
            // What was examined without a fault has both.
            _ => Err(rejected("the file can't be read")),
        });
        match &loaded {
            Ok(_) => tracing::info!(file = %path.display(), "loaded the plugin"),
            Err(reason) => {
                tracing::info!(file = %path.display(), reason = %reason.report(), "rejected the plugin");
            }
        }
        (manifest, loaded.map_err(|e| e.with("file", path.display())))
    }

    fn open(
        &self,
        file: &LibraryFile,
        manifest: &Manifest,
        known: bool,
        abort: bool,
    ) -> Result<LoadedPlugin> {
        let copy = self.store.copy(file)?;
        if !known {
            self.test(file, manifest, &copy, abort)?;
        }
        let plugin = open_copy(&file.path, &copy, file.sha256.clone(), abort)?;
        manifest.compare(&plugin.plugin)?;
        Ok(plugin)
    }

    /// Has a test run made, and keeps what it shows.
    fn test(
        &self,
        file: &LibraryFile,
        manifest: &Manifest,
        copy: &Path,
        abort: bool,
    ) -> Result<()> {
        let Some(probe) = &self.probe else {
            return Err(rejected(
                "the file is not known yet, and there is no program that could test it first: name \
                 one with `probe_program`, or begin `main` with `auralis::plugins::probe_if_asked()`",
            ));
        };
        tracing::info!(
            file = %file.path.display(),
            program = %probe.program().display(),
            "testing a plugin in a child process"
        );
        match probe
            .clone()
            .allow_abort(abort)
            .run_described(copy, manifest)
        {
            Ok(notes) => {
                for note in &notes {
                    tracing::warn!(file = %file.path.display(), "plugin: {note}");
                }
                tracing::info!(file = %file.path.display(), "the plugin passed its test");
                self.keep(file, None, notes);
                Ok(())
            }
            Err(Failure::NotRun(error)) => Err(error),
            Err(Failure::Failed { mut reason, signal }) => {
                if signal.as_deref() == Some("SIGILL") {
                    reason += &illegal(manifest);
                }
                tracing::info!(file = %file.path.display(), %reason, "the plugin failed its test");
                self.keep(file, Some((&reason, signal.as_deref())), Vec::new());
                Err(rejected(format!("put in quarantine: {reason}")))
            }
        }
    }
}

impl Loader {
    /// What can't be kept is found out anew the next time; it changes nothing now.
    fn keep(&self, file: &LibraryFile, failure: Option<(&str, Option<&str>)>, notes: Vec<String>) {
        if let Err(error) = self.store.keep(file, failure, notes) {
            tracing::warn!(file = %file.path.display(), "{}", error.report());
        }
    }
}

fn illegal(manifest: &Manifest) -> String {
    let needs = match manifest.requires().as_slice() {
        [] => "no CPU feature".to_owned(),
        names => format!("only {}", names.join(", ")),
    };
    format!(": it uses an instruction that this CPU lacks although it claims to need {needs}")
}

/// Opens the plugin in `path`, an absolute path, without any check but that it is a library for this
/// machine and serves tables that fit: for the child of a test run and for conformance tests.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that names the file and says what does not
/// fit.
///
/// # What it trusts
///
/// Everything: the file's code runs here, untested.
pub fn open(path: &Path) -> Result<LoadedPlugin> {
    let opened = LibraryFile::read(path, None).and_then(|library| {
        architecture::check(&library.bytes)?;
        open_copy(path, path, file::sha256(&library.bytes), false)
    });
    opened.map_err(|e| e.with("file", path.display()))
}

/// Opens a library that [`inspect`](super::inspect) has accepted, and compares what its code serves
/// with what its file says. `abort`: its panics may end the process.
///
/// # Errors
///
/// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that says what does not fit.
///
/// # What it trusts
///
/// As for [`open`].
pub fn open_as_described(library: &Path, abort: bool) -> Result<LoadedPlugin> {
    let file = LibraryFile::read(library, None)?;
    let manifest = Manifest::read(&file.bytes)?;
    let plugin = open_copy(library, library, file.sha256, abort)?;
    manifest.compare(&plugin.plugin)?;
    Ok(plugin)
}

/// Opens `copy`, which has passed for a library of this machine, in the name of `file`.
pub(super) fn open_copy(
    file: &Path,
    copy: &Path,
    sha256: String,
    abort: bool,
) -> Result<LoadedPlugin> {
    let (header, changed_floats) = header(copy)?;
    if changed_floats {
        tracing::debug!(file = %file.display(), "the plugin changed the floating-point control");
    }
    // SAFETY: the library is open for ever, and exports what it calls a header of auralis; that it
    // keeps the rules of its ABI is what trusting a plugin means.
    let plugin = unsafe {
        match abort {
            true => Plugin::read_allowing_abort(header),
            false => Plugin::read(header),
        }
    }?;
    Ok(LoadedPlugin {
        file: file.into(),
        opened: copy.into(),
        sha256,
        plugin,
        changed_floats,
    })
}

/// The header of the library in this file, and whether opening it changed the floating-point control,
/// which is as it was again.
fn header(path: &Path) -> Result<(*const PluginHeader, bool)> {
    let floats = FloatControl::read();
    let library = open_library(path);
    let changed = floats.restore();
    let library = library.map_err(|e| rejected("the system can't open the library").because(e))?;
    // SAFETY: a symbol of this name is the static header of a plugin; only its address is taken.
    let symbol = unsafe { library.get::<*const PluginHeader>(ROOT_SYMBOL.as_bytes()) };
    let header = symbol.map(|symbol| *symbol).map_err(|_| {
        rejected(format!(
            "the library is no plugin of auralis: it does not export `{ROOT_SYMBOL}`"
        ))
    });
    // Its constructors have run, so that even a library that is no plugin stays.
    mem::forget(library);
    Ok((header?, changed))
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<libloading::os::unix::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

    // <dlfcn.h>: libloading has no name for it.
    const RTLD_NODELETE: std::ffi::c_int = match () {
        () if cfg!(target_os = "linux") => 0x1000,
        () if cfg!(target_vendor = "apple") => 0x80,
        () => 0,
    };
    // SAFETY: the file is a library for this machine, named by an absolute path; that its
    // constructors do no harm is what trusting a plugin means.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) }
}

#[cfg(not(unix))]
fn open_library(path: &Path) -> Result<libloading::Library, libloading::Error> {
    // SAFETY: as on unix.
    unsafe { libloading::Library::new(path) }
}
