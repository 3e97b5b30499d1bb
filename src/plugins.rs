//! The plugins that a configuration allows.

use auralis_registry::Registry;
use auralis_registry::config::{Plugins, Sources};

/// Adds to `registry` what the allowed plugins bring, and notes those that are rejected. Says whether
/// any plugin was named.
#[cfg(feature = "plugins")]
pub(crate) fn load(registry: &mut Registry, plugins: &Plugins, sources: &Sources) -> bool {
    let mut named = false;
    for (file, pin) in allowed(registry, plugins, sources) {
        named = true;
        tracing::debug!(file = %file.display(), "loading a plugin");
        let outcome = auralis_registry::dylib::load(&file, pin.as_deref()).and_then(|plugin| {
            // All or nothing: a plugin with one backend that clashes brings none.
            let mut with_plugin = registry.clone();
            for candidate in plugin.accelerators() {
                with_plugin.insert(candidate)?;
            }
            *registry = with_plugin;
            Ok(())
        });
        if let Err(error) = outcome {
            tracing::warn!(file = %file.display(), "rejected: {}", error.report());
            registry.reject(file, error.report());
        }
    }
    named || !registry.rejected().is_empty()
}

/// Without plugin support, plugins that are asked for are rejected.
#[cfg(not(feature = "plugins"))]
pub(crate) fn load(registry: &mut Registry, plugins: &Plugins, _: &Sources) -> bool {
    for plugin in &plugins.allow {
        registry.reject(
            &plugin.file,
            "this program was built without the feature `plugins`",
        );
    }
    !plugins.allow.is_empty()
}

/// The files that are allowed, each with its pin: those that are named, then those in the named
/// folders and in the folders of `AURALIS_PLUGIN_PATH`.
#[cfg(feature = "plugins")]
fn allowed(
    registry: &mut Registry,
    plugins: &Plugins,
    sources: &Sources,
) -> Vec<(std::path::PathBuf, Option<String>)> {
    let mut files: Vec<_> = plugins
        .allow
        .iter()
        .map(|p| (p.file.clone(), p.sha256.clone()))
        .collect();
    let path = sources
        .environment
        .iter()
        .find(|(name, _)| name == "AURALIS_PLUGIN_PATH");
    let of_environment = path
        .iter()
        .flat_map(|(_, value)| std::env::split_paths(value));
    let folders = plugins.directories.iter().cloned();
    for folder in folders.chain(of_environment.filter(|p| !p.as_os_str().is_empty())) {
        match listed(&folder) {
            Ok(found) => {
                for file in found {
                    if !files.iter().any(|(known, _)| *known == file) {
                        files.push((file, None));
                    }
                }
            }
            Err(reason) => registry.reject(folder, reason),
        }
    }
    files
}

/// The libraries in a folder, in order.
#[cfg(feature = "plugins")]
fn listed(folder: &std::path::Path) -> Result<Vec<std::path::PathBuf>, String> {
    if !folder.is_absolute() {
        return Err("a folder of plugins must be named by an absolute path".into());
    }
    let entries = std::fs::read_dir(folder).map_err(|e| format!("can't list the folder: {e}"))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|e| e == std::env::consts::DLL_EXTENSION)
        })
        .collect();
    files.sort();
    Ok(files)
}
