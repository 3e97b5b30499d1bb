//! Fingerprints: what a measurement holds for.

use std::collections::BTreeMap;

use auralis_core::{Accelerator, Kind};
use serde::{Deserialize, Serialize};

use super::cpu_model::cpu_model;
use crate::{Cpu, Registry, Source};

/// The machine and the code that were measured. What was measured with another one does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The model of the CPU, as the operating system names it.
    pub cpu: String,
    /// The CPU features that backends may use: those detected, less those that the configuration
    /// hides.
    pub features: Vec<String>,
    /// The accelerators by id: the version, and for one of a plugin the SHA-256 of its file.
    pub backends: BTreeMap<String, String>,
    /// The kernels of authors' own by name: the same, and their variants.
    pub kernels: BTreeMap<String, String>,
}

impl Fingerprint {
    /// That of the accelerators and kernels of `registry` on this `cpu`.
    pub fn of(registry: &Registry, cpu: Cpu) -> Self {
        let code = |version: &str, source: &Source| match registry.plugin_hash(source) {
            Some(sha256) => format!("{version} sha256 {sha256}"),
            None => version.to_owned(),
        };
        let accelerators = registry
            .facts()
            .filter(|(kind, _)| *kind == <dyn Accelerator as Kind>::NAME)
            .map(|(_, facts)| (facts.id.clone(), code(&facts.version, &facts.source)));
        let kernels = registry.kernels().iter().map(|kernel| {
            let variants = kernel.facts.variants.iter().map(|v| v.id.as_str());
            let variants = variants.collect::<Vec<_>>().join(", ");
            let code = code(&kernel.facts.version, &kernel.source);
            (kernel.facts.name.clone(), format!("{code} ({variants})"))
        });
        Self {
            cpu: cpu_model(),
            features: cpu.available().names().map(str::to_owned).collect(),
            backends: accelerators.collect(),
            kernels: kernels.collect(),
        }
    }

    /// In what `here` differs from this one, which was measured: a clause each. Nothing if they are
    /// alike.
    pub fn differences(&self, here: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.cpu != here.cpu {
            let (was, is) = (&self.cpu, &here.cpu);
            differences.push(format!("the CPU was {was:?} and is {is:?}"));
        }
        let only = |some: &[String], others: &[String]| {
            let only = some.iter().filter(|f| !others.contains(f));
            only.map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let gone = only(&self.features, &here.features);
        if !gone.is_empty() {
            differences.push(format!("the CPU feature {gone} is no longer used"));
        }
        let new = only(&here.features, &self.features);
        if !new.is_empty() {
            differences.push(format!("the CPU feature {new} is used now"));
        }
        compare(
            "accelerator",
            &self.backends,
            &here.backends,
            &mut differences,
        );
        compare("kernel", &self.kernels, &here.kernels, &mut differences);
        differences
    }
}

fn compare(
    what: &str,
    was: &BTreeMap<String, String>,
    is: &BTreeMap<String, String>,
    differences: &mut Vec<String>,
) {
    for (id, then) in was {
        match is.get(id) {
            None => differences.push(format!("the {what} {id:?} is missing")),
            Some(now) if now != then => {
                differences.push(format!("the {what} {id:?} was {then} and is {now}"));
            }
            Some(_) => {}
        }
    }
    for id in is.keys().filter(|id| !was.contains_key(*id)) {
        differences.push(format!("the {what} {id:?} is new"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_compared() {
        let codes = |codes: &[(&str, &str)]| {
            let codes = codes.iter();
            codes.map(|(id, c)| ((*id).into(), (*c).into())).collect()
        };
        let was = Fingerprint {
            cpu: "Old".into(),
            features: vec!["avx2".into(), "fma".into()],
            backends: codes(&[("a", "1"), ("b", "1"), ("c", "1")]),
            kernels: codes(&[("acme.k", "1")]),
        };
        let is = Fingerprint {
            cpu: "New".into(),
            features: vec!["fma".into(), "avx512f".into()],
            backends: codes(&[("a", "1"), ("b", "2"), ("d", "1")]),
            kernels: codes(&[]),
        };
        assert!(was.differences(&was).is_empty());
        assert_eq!(
            was.differences(&is),
            [
                "the CPU was \"Old\" and is \"New\"",
                "the CPU feature avx2 is no longer used",
                "the CPU feature avx512f is used now",
                "the accelerator \"b\" was 1 and is 2",
                "the accelerator \"c\" is missing",
                "the accelerator \"d\" is new",
                "the kernel \"acme.k\" is missing",
            ]
        );
    }
}
