//! The plugins that a configuration allows, and the program that tests them first.

#[cfg(all(feature = "cli", feature = "plugins"))]
pub(crate) use allowed::files as allowed_files;
#[cfg(feature = "plugins")]
pub use tested::{probe_if_asked, self_test};

use std::path::Path;

use auralis_registry::Registry;
use auralis_registry::config::{Plugins, Sources};

/// Without plugin support, plugins that are asked for are rejected.
#[cfg(not(feature = "plugins"))]
pub(crate) fn load(
    registry: &mut Registry,
    plugins: &Plugins,
    _: &Sources,
    _: Option<&Path>,
) -> bool {
    for plugin in &plugins.allow {
        registry.reject(
            &plugin.file,
            "this program was built without the feature `plugins`",
        );
    }
    !plugins.allow.is_empty()
}

/// Adds to `registry` what the allowed plugins bring, and notes those that are rejected.
/// `probe_program` tests what is not known yet; without one, this program or one beside it does. Says
/// whether any plugin was named.
#[cfg(feature = "plugins")]
pub(crate) fn load(
    registry: &mut Registry,
    plugins: &Plugins,
    sources: &Sources,
    probe_program: Option<&Path>,
) -> bool {
    use auralis_registry::plugin::{Loader, Store};

    let files = allowed::files(registry, plugins, sources);
    if files.is_empty() {
        return !registry.rejected().is_empty();
    }
    match Store::for_user() {
        Ok(store) => {
            let loader = Loader::new(store, tested::probe(probe_program));
            for (file, allowance) in files {
                loader.load_into(registry, &file, &allowance);
            }
        }
        Err(error) => {
            for (file, _) in files {
                registry.reject(file, error.report());
            }
        }
    }
    true
}

#[cfg(feature = "plugins")]
mod tested {
    use std::env;
    use std::path::{Path, PathBuf};
    use std::process;
    use std::sync::atomic::{AtomicBool, Ordering};

    use auralis_core::Result;
    use auralis_registry::Registry;
    use auralis_registry::plugin::{Probe, child, only_ours};

    /// Whether this program serves test runs when it is asked to.
    static SERVES: AtomicBool = AtomicBool::new(false);

    /// Lets this program test the plugins that it loads: the first statement of a `main`.
    ///
    /// A plugin that this machine does not know is first opened in a child process, which may crash
    /// in its place. The child is this program, started anew with an argument that this function
    /// recognises: then it serves the test run and ends the process. Else it returns at once.
    ///
    /// ```no_run
    /// auralis::plugins::probe_if_asked();
    /// // What the program does.
    /// ```
    #[allow(
        clippy::needless_doctest_main,
        reason = "where the call stands is what the example shows"
    )]
    pub fn probe_if_asked() {
        if let Some(file) = child::asked(env::args_os()) {
            // What the plugin has registered to run at the end belongs to the test: it runs here.
            process::exit(child::serve(&file, &self_test));
        }
        SERVES.store(true, Ordering::Relaxed);
    }

    /// Runs the quick part of the conformance suite over every backend of a registry that this CPU can
    /// run: what a plugin must pass before it is used.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) with the first failure: its trial, the length, the first wrong sample.
    pub fn self_test(registry: &Registry) -> Result<()> {
        crate::conformance::quick(registry)
    }

    /// What tests the plugins: the named program, else this one, else an `auralis` beside it or, for a
    /// test or an example, in the folder above, where cargo puts it. One that was only found must
    /// be nobody else's to change.
    pub(super) fn probe(named: Option<&Path>) -> Option<Probe> {
        let program = named.map(Path::to_owned).or_else(|| {
            let this = env::current_exe().ok()?;
            if SERVES.load(Ordering::Relaxed) {
                return Some(this);
            }
            places(&this).into_iter().find(|program| is_ours(program))
        });
        match &program {
            Some(program) => tracing::debug!(program = %program.display(), "tests the plugins"),
            None => tracing::debug!("there is no program that could test plugins"),
        }
        program.map(Probe::new)
    }

    /// Where an `auralis` may lie that belongs to this program.
    fn places(this: &Path) -> Vec<PathBuf> {
        let name = format!("auralis{}", env::consts::EXE_SUFFIX);
        let Some(folder) = this.parent() else {
            return Vec::new();
        };
        let built = folder.ends_with("deps") || folder.ends_with("examples");
        let above = folder.parent().filter(|_| built);
        [Some(folder), above]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(&name))
            .collect()
    }

    fn is_ours(program: &Path) -> bool {
        if !program.is_file() {
            return false;
        }
        let ours = only_ours(program);
        if let Err(error) = &ours {
            let program = program.display();
            tracing::warn!(%program, "tests no plugins: {}", error.report());
        }
        ours.is_ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_folder_above_is_searched_only_where_cargo_builds() {
            let cases: [(&str, &[&str]); 3] = [
                ("/usr/bin/editor", &["/usr/bin"]),
                ("/t/debug/deps/test-1", &["/t/debug/deps", "/t/debug"]),
                ("/t/debug/examples/gain", &["/t/debug/examples", "/t/debug"]),
            ];
            let name = format!("auralis{}", env::consts::EXE_SUFFIX);
            for (this, folders) in cases {
                let expected: Vec<_> = folders.iter().map(|f| Path::new(f).join(&name)).collect();
                assert_eq!(places(Path::new(this)), expected);
            }
        }
    }
}

#[cfg(feature = "plugins")]
mod allowed {
    use std::collections::HashSet;
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};

    use auralis_registry::Registry;
    use auralis_registry::config::{Plugins, Sources};
    use auralis_registry::plugin::{Allowance, Voucher, only_ours, secure_execution};

    const VARIABLE: &str = "AURALIS_PLUGIN_PATH";

    /// The files that are allowed: those that are named, then those in the named folders and in the
    /// folders of the environment. A folder that can't be used is noted as rejected.
    pub(crate) fn files(
        registry: &mut Registry,
        plugins: &Plugins,
        sources: &Sources,
    ) -> Vec<(PathBuf, Allowance)> {
        if let Some(config) = foreign(sources) {
            let reason = format!(
                "the configuration {} was found, not named, and others may change it: it can't allow \
                 plugins (`--config` names it)",
                config.display()
            );
            let named = plugins.allow.iter().map(|plugin| &plugin.file);
            for path in named.chain(&plugins.directories) {
                registry.reject(path, reason.clone());
            }
            return Vec::new();
        }
        let named = plugins.allow.iter().map(|plugin| {
            let allowance = Allowance {
                voucher: plugin.sha256.clone().map_or(Voucher::Seal, Voucher::Pin),
                abort: plugin.allow_abort,
                within: None,
            };
            (plugin.file.clone(), allowance)
        });
        // What is named comes first, so that its pin counts.
        let mut known = HashSet::new();
        let mut files: Vec<_> = named
            .filter(|(file, _)| known.insert(resolved(file)))
            .collect();
        for folder in plugins
            .directories
            .iter()
            .cloned()
            .chain(of_environment(sources))
        {
            match listed(&folder) {
                Ok(found) => {
                    for file in found {
                        if known.insert(resolved(&file)) {
                            let allowance = Allowance {
                                within: Some(folder.clone()),
                                ..Allowance::default()
                            };
                            files.push((file, allowance));
                        }
                    }
                }
                Err(reason) => registry.reject(folder, reason),
            }
        }
        files
    }

    /// The configuration file, if it was found by a search and is not the user's alone.
    fn foreign(sources: &Sources) -> Option<PathBuf> {
        let found = sources.file().filter(|_| sources.explicit.is_none())?;
        only_ours(&found).is_err().then_some(found)
    }

    /// The file that a path leads to, by which it is known.
    fn resolved(file: &Path) -> PathBuf {
        file.canonicalize().unwrap_or_else(|_| file.into())
    }

    /// The folders that the environment names, unless it is another user's.
    fn of_environment(sources: &Sources) -> Vec<PathBuf> {
        let variable = sources
            .environment
            .iter()
            .find(|(name, _)| name == VARIABLE);
        let Some((_, value)) = variable else {
            return Vec::new();
        };
        if secure_execution() {
            tracing::warn!(
                "{VARIABLE} is ignored: the program runs with more rights than its user"
            );
            return Vec::new();
        }
        env::split_paths(value)
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect()
    }

    /// The libraries in a folder, in order.
    fn listed(folder: &Path) -> Result<Vec<PathBuf>, String> {
        if !folder.is_absolute() {
            return Err("a folder of plugins must be named by an absolute path".into());
        }
        if folder.is_file() {
            return Err(
                "this is a file: AURALIS_PLUGIN_PATH takes folders, as `[plugins] directories` \
                 does; `auralis plugin pin FILE` allows a file"
                    .into(),
            );
        }
        let entries = fs::read_dir(folder).map_err(|e| format!("can't list the folder: {e}"))?;
        let mut files: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|e| e == env::consts::DLL_EXTENSION)
            })
            .collect();
        files.sort();
        Ok(files)
    }
}
