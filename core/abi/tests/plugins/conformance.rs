//! The trials of the conformance suite over a plugin.

use std::sync::Arc;

use auralis_abi::{Plugin, PluginBackend};
use auralis_core::{Accelerator, BuildContext, CpuFeatures, Kernel, Result};
use auralis_testkit::{Subject, accelerator};

/// Runs every trial that applies to an accelerator of this id, and returns their names.
pub fn accelerator(plugin: &Plugin, id: &str) -> Vec<&'static str> {
    let backend = backend(plugin, id);
    // What this host does not know is no business of its trials.
    let known: Vec<&str> = backend
        .capabilities
        .iter()
        .map(String::as_str)
        .filter(|name| Kernel::parse(name).is_some())
        .collect();
    let build = |context: &BuildContext<'_, dyn Accelerator>| -> Result<Arc<dyn Accelerator>> {
        backend.build(context)
    };
    let cpu = CpuFeatures::detect();
    let subject = Subject::new(id, &known, &backend.options_schema, cpu, &build);
    let trials = accelerator::trials();
    let applicable = trials
        .iter()
        .filter(|trial| trial.needs.is_none_or(|needed| known.contains(&needed)));
    applicable
        .map(|trial| {
            if let Err(reason) = (trial.run)(&subject) {
                panic!("{id} fails the trial `{}`: {reason}", trial.name);
            }
            trial.name
        })
        .collect()
}

/// The backend of this id.
pub fn backend(plugin: &Plugin, id: &str) -> PluginBackend {
    let mut backends = plugin.backends().iter();
    backends.find(|backend| backend.id == id).unwrap().clone()
}
