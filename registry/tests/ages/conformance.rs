//! The trials of the conformance suite over a plugin.

use auralis_core::{Accelerator, BuildContext, CpuFeatures, Kernel, Kind};
use auralis_registry::Candidate;
use auralis_registry::plugin::{LoadedPlugin, PluginKind};
use auralis_testkit::{Subject, Trial};

/// Runs every trial that applies to the backend of this id, and returns their names.
pub fn conforms<K: PluginKind + ?Sized>(
    plugin: &LoadedPlugin,
    id: &str,
    trials: Vec<Trial<K>>,
) -> Vec<&'static str> {
    let candidate = candidate::<K>(plugin, id);
    let facts = &candidate.facts;
    let known: Vec<&str> = facts
        .capabilities
        .iter()
        .map(String::as_str)
        .filter(|name| is_known(K::NAME, name))
        .collect();
    let build = |context: &BuildContext<'_, K>| candidate.build(context);
    let cpu = CpuFeatures::detect();
    let subject = Subject::new(id, &known, &facts.options_schema, cpu, &build);
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
    kind != <dyn Accelerator>::NAME || Kernel::parse(capability).is_some()
}

/// The backend of this kind and id.
pub fn candidate<K: PluginKind + ?Sized>(plugin: &LoadedPlugin, id: &str) -> Candidate<K> {
    let mut candidates = plugin.candidates::<K>().into_iter();
    candidates
        .find(|candidate| candidate.facts.id == id)
        .unwrap()
}
