//! The trials of the conformance suite over a plugin.

use auralis_abi::{Plugin, PluginBackend, Remote};
use auralis_core::{Accelerator, BuildContext, CpuFeatures, Kernel};
use auralis_testkit::{Subject, Trial};

/// Runs every trial that applies to the backend of this id, and returns their names.
pub fn conforms<K: Remote + ?Sized>(
    plugin: &Plugin,
    id: &str,
    trials: Vec<Trial<K>>,
) -> Vec<&'static str> {
    let backend = backend(plugin, K::NAME, id);
    let known: Vec<&str> = backend
        .capabilities
        .iter()
        .map(String::as_str)
        .filter(|name| is_known(K::NAME, name))
        .collect();
    let build = |context: &BuildContext<'_, K>| backend.build(context);
    let cpu = CpuFeatures::detect();
    let subject = Subject::new(id, &known, &backend.options_schema, cpu, &build);
    let applicable = trials
        .iter()
        .filter(|trial| trial.needs.is_none_or(|needed| known.contains(&needed)));
    applicable
        .map(|trial| {
            if let Err(reason) = (trial.run)(&subject) {
                panic!(
                    "{} {id} fails the trial `{}`: {reason}",
                    K::NAME,
                    trial.name
                );
            }
            trial.name
        })
        .collect()
}

/// A host passes over a kernel that it does not know, and so do its trials.
fn is_known(kind: &str, capability: &str) -> bool {
    kind != <dyn Accelerator as auralis_core::Kind>::NAME || Kernel::parse(capability).is_some()
}

/// The backend of this kind and id.
pub fn backend(plugin: &Plugin, kind: &str, id: &str) -> PluginBackend {
    let mut backends = plugin.backends().iter();
    let found = backends.find(|backend| (backend.kind.as_str(), backend.id.as_str()) == (kind, id));
    found.unwrap().clone()
}
