//! `auralis plugin list`: every plugin that the configuration and the environment name.

use auralis_core::Result;
use auralis_registry::Registry;

use super::Allowed;
use super::inspect::Plugin;
use crate::cli::{Global, Outcome, output};

/// Runs the verb.
pub fn run(global: &Global) -> Outcome {
    let Allowed { files, rejected } = Allowed::find(global)?;
    if files.is_empty() && rejected.is_empty() {
        let nothing = "no plugin is named: neither `[plugins]` in the configuration nor \
                       AURALIS_PLUGIN_PATH has any";
        output::remark(global, nothing);
    }
    let files = files
        .into_iter()
        .map(|(file, allowance)| Plugin::inspected(file, &allowance));
    let folders = rejected.into_iter().map(Plugin::rejected);
    let mut plugins: Vec<_> = files.chain(folders).collect();
    let clashes = clashes(&plugins)?;
    for (plugin, clashes) in plugins.iter_mut().zip(clashes) {
        clashes.into_iter().for_each(|clash| plugin.note(clash));
    }
    for (index, plugin) in plugins.iter().enumerate() {
        if index > 0 && !global.json {
            output::line("")?;
        }
        plugin.print(global)?;
    }
    Ok(())
}

/// For each plugin, the ids that a linked backend or another of the plugins has too, as far as their
/// manifests say: none of them will be loaded.
fn clashes(plugins: &[Plugin]) -> Result<Vec<Vec<String>>> {
    let linked = Registry::linked()?;
    let clashes = plugins.iter().map(|plugin| {
        let of_id = |(kind, id): (&str, &str)| {
            let is_linked = linked.facts().any(|(k, facts)| k == kind && facts.id == id);
            let linked = is_linked.then(|| {
                format!("{kind}/{id} is linked into Auralis too: the plugin will be rejected")
            });
            let others = plugins.iter().filter(|other| !std::ptr::eq(*other, plugin));
            let rivals = others.filter(|other| other.brings().any(|b| b == (kind, id)));
            let rivals = rivals.map(|rival| {
                let file = rival.file().display();
                format!("{kind}/{id} is brought by {file} too: both plugins will be rejected")
            });
            linked.into_iter().chain(rivals).collect::<Vec<_>>()
        };
        plugin.brings().flat_map(of_id).collect()
    });
    Ok(clashes.collect())
}
