//! Who may be measured: what runs here and gives right answers.

use std::sync::Arc;

use auralis_core::{Accelerator, CpuFeatures, Kernel, UserKernel};
use auralis_registry::tuning::Wrong;
use auralis_registry::{Facts, KernelCandidate};

use super::Field;
use crate::conformance;

/// An accelerator that takes part.
#[derive(Clone, Debug)]
pub struct Contestant {
    /// Its id.
    pub id: String,
    /// It, as the configuration sets it up.
    pub accelerator: Arc<dyn Accelerator>,
    /// The kernels that it has, and that gave right answers.
    pub kernels: Vec<Kernel>,
}

/// The accelerators that can run here and that `takes_part` lets in, best rank first; and their kernels
/// that are wrong.
pub fn contestants(
    field: &Field<'_>,
    takes_part: impl Fn(&Facts) -> bool,
) -> (Vec<Contestant>, Vec<Wrong>) {
    let cpu = field.cpu.available();
    let mut contestants = Vec::new();
    let mut wrong = Vec::new();
    for candidate in field.registry.candidates::<dyn Accelerator>() {
        let facts = &candidate.facts;
        if !facts.requires.missing_from(cpu).is_empty() || !takes_part(facts) {
            continue;
        }
        let Some(accelerator) = field.built(facts) else {
            continue;
        };
        let mut kernels = Kernel::ALL.to_vec();
        kernels.retain(|kernel| {
            let has = facts.offers(kernel.name());
            let found = has.then(|| conformance::gate(candidate, *kernel, cpu));
            if let Some(Err(reason)) = &found {
                wrong.push(Wrong {
                    kernel: kernel.name().to_owned(),
                    id: facts.id.clone(),
                    reason: reason.clone(),
                });
            }
            found == Some(Ok(()))
        });
        contestants.push(Contestant {
            id: facts.id.clone(),
            accelerator,
            kernels,
        });
    }
    (contestants, wrong)
}

/// The variants of a kernel of an author's own that can run here; and those that are wrong.
pub fn variants(kernel: &KernelCandidate, cpu: CpuFeatures) -> (Vec<UserKernel>, Vec<Wrong>) {
    let mut variants = Vec::new();
    let mut wrong = Vec::new();
    for (index, variant) in kernel.facts.variants.iter().enumerate() {
        if !variant.missing(cpu).is_empty() {
            continue;
        }
        let prepared = kernel.prepare(index).map_err(|error| error.report());
        let right = prepared.and_then(|v| conformance::gate_of_kernel(kernel, index).map(|()| v));
        match right {
            Ok(variant) => variants.push(variant),
            Err(reason) => wrong.push(Wrong {
                kernel: kernel.facts.name.clone(),
                id: variant.id.clone(),
                reason,
            }),
        }
    }
    (variants, wrong)
}
