//! The list of every candidate of every kind, for `auralis backends`.

use serde::Serialize;

use crate::select::{Cpu, Rejected, Selection, cpu_obstacle};
use crate::{Facts, Offer, Registry, RejectedPlugin, Source};

/// One candidate, or one backend of a rejected plugin: one object of `backends --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "schema", rename = "auralis.backend/1")]
pub struct Backend {
    /// The kind's name in the configuration; `None` if the plugin was rejected before it was read.
    pub kind: Option<String>,
    /// The backend's id; `None` if the plugin was rejected before it was read.
    pub id: Option<String>,
    /// The version of the crate that brings it; `None` if the plugin was rejected before it was read.
    pub version: Option<String>,
    /// `linked`, or the file.
    pub source: String,
    /// Its rank; `None` if the plugin was rejected before it was read.
    pub rank: Option<i32>,
    /// The CPU features that it needs.
    pub requires: Vec<String>,
    /// Whether it can be had here if it is asked for by name.
    pub available: bool,
    /// Whether it was chosen for its kind.
    pub selected: bool,
    /// Why it was not chosen or can't be had; `None` if it was chosen, or if nothing was selected
    /// and nothing speaks against it.
    pub reason: Option<String>,
}

/// Every candidate of `registry`, kind by kind and best rank first, then the rejected plugins.
/// `selections` are those made of this registry on this `cpu`, at most one of a kind.
pub fn listing(registry: &Registry, cpu: Cpu, selections: &[Selection]) -> Vec<Backend> {
    let candidates = registry.facts().map(|(kind, facts)| {
        let selection = selections.iter().find(|s| s.kind == kind);
        candidate(kind, facts, cpu, selection)
    });
    candidates
        .chain(registry.rejected().iter().flat_map(rejected))
        .collect()
}

fn candidate(kind: &str, facts: &Facts, cpu: Cpu, selection: Option<&Selection>) -> Backend {
    let obstacle = cpu_obstacle(facts, cpu);
    let rejected = selection.and_then(|s| s.rejected.iter().find(|r| r.id == facts.id));
    Backend {
        kind: Some(kind.to_owned()),
        id: Some(facts.id.clone()),
        version: Some(facts.version.clone()),
        source: facts.source.to_string(),
        rank: Some(facts.rank),
        requires: facts.requires.names().map(str::to_owned).collect(),
        available: obstacle.is_none() && rejected.is_none_or(|r| r.available),
        selected: selection.is_some_and(|s| s.chosen == facts.id),
        reason: match (selection, rejected) {
            (Some(selection), Some(rejected)) => Some(reason(selection, rejected)),
            _ => obstacle,
        },
    }
}

/// Why a candidate was not chosen, and which kernels it runs nevertheless.
fn reason(selection: &Selection, rejected: &Rejected) -> String {
    let kernels = selection
        .kernels
        .iter()
        .flatten()
        .filter(|(_, id)| **id == rejected.id);
    let kernels: Vec<_> = kernels.map(|(kernel, _)| *kernel).collect();
    match kernels.as_slice() {
        [] => rejected.reason.clone(),
        kernels => format!("{}; runs {}", rejected.reason, kernels.join(", ")),
    }
}

/// A row for each backend that the plugin would have brought, or one for the file.
fn rejected(plugin: &RejectedPlugin) -> Vec<Backend> {
    let row = |offer: Option<&Offer>| Backend {
        kind: offer.map(|o| o.kind.clone()),
        id: offer.map(|o| o.id.clone()),
        version: offer.and_then(|o| o.version.clone()),
        source: Source::Dylib(plugin.file.clone()).to_string(),
        rank: offer.and_then(|o| o.rank),
        requires: offer.map(|o| o.requires.clone()).unwrap_or_default(),
        available: false,
        selected: false,
        reason: Some(plugin.reason.clone()),
    };
    match plugin.offers.as_slice() {
        [] => vec![row(None)],
        offers => offers.iter().map(|o| row(Some(o))).collect(),
    }
}
