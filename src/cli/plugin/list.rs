//! `auralis plugin list`: every plugin that the configuration and the environment name.

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
    for (index, plugin) in files.chain(folders).enumerate() {
        if index > 0 && !global.json {
            output::line("")?;
        }
        plugin.print(global)?;
    }
    Ok(())
}
