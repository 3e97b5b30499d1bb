//! Kernels of authors' own: which there are, and which variant of each runs.

use std::fmt;
use std::sync::Arc;

use auralis_core::{
    Error, ErrorKind, KernelDescriptor, KernelFacts, Result, UserKernel, VariantFacts,
};
use serde::Serialize;

use crate::select::{listed, obstacle_of, refusal_of, slower, suggestion};
use crate::tuning::SizeTimes;
use crate::{Authority, Cpu, Rejected, Source};

/// Prepares a kernel in one of its variants, by number.
type Prepare = dyn Fn(usize) -> Result<UserKernel> + Send + Sync;

/// A kernel that may be called in one of its variants.
#[derive(Clone)]
pub struct KernelCandidate {
    /// What is known of it.
    pub facts: Arc<KernelFacts>,
    /// Where its code comes from.
    pub source: Source,
    prepare: Arc<Prepare>,
}

impl KernelCandidate {
    /// A kernel of these facts: `prepare` gives it in the variant of this number.
    pub fn new(
        facts: KernelFacts,
        source: Source,
        prepare: impl Fn(usize) -> Result<UserKernel> + Send + Sync + 'static,
    ) -> Self {
        Self {
            facts: Arc::new(facts),
            source,
            prepare: Arc::new(prepare),
        }
    }

    /// The kernel in the variant of this number, counted as in [`KernelFacts::variants`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if this CPU can't run it, [`ErrorKind::NotFound`] if there is no
    /// such variant.
    pub fn prepare(&self, variant: usize) -> Result<UserKernel> {
        (self.prepare)(variant)
    }

    /// Chooses a variant: the one that is `asked` for, else the one that was `measured` fastest, else
    /// the last one that `cpu` can run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if no variant has that id, [`ErrorKind::Unavailable`] if it can't run
    /// here: the error says what can.
    pub fn select(
        &self,
        asked: Option<(&str, Authority)>,
        cpu: Cpu,
        measured: &SizeTimes,
    ) -> Result<(UserKernel, KernelSelection)> {
        let variants = &self.facts.variants;
        let fastest = || {
            let timed = variants.iter().enumerate().filter_map(|(index, variant)| {
                let time = measured.get(&variant.id)?;
                obstacle(variant, cpu).is_none().then_some((index, *time))
            });
            timed.min_by(|a, b| a.1.total_cmp(&b.1))
        };
        let (chosen, decided_by) = match (asked, fastest()) {
            (Some((id, by)), _) => (self.named(id, cpu)?, by),
            (None, Some((fastest, _))) => (fastest, Authority::Measured),
            (None, None) => {
                let best = variants
                    .iter()
                    .rposition(|v| obstacle(v, cpu).is_none())
                    .unwrap_or(0);
                (best, Authority::Rank)
            }
        };
        let best = &variants[chosen].id;
        let others = variants
            .iter()
            .enumerate()
            .rev()
            .filter(|(i, _)| *i != chosen);
        let rejected = others.map(|(_, variant)| {
            let obstacle = obstacle(variant, cpu);
            let available = obstacle.is_none();
            let reason = obstacle.unwrap_or_else(|| match asked {
                Some((_, by)) => format!("not asked for: {} names {best}", by.subject()),
                None if decided_by == Authority::Measured => match measured.get(&variant.id) {
                    Some(time) => slower(time / measured[best], best),
                    None => format!("not measured, and {best} was"),
                },
                None => format!("listed before {best}: variants stand from plain to best"),
            });
            Rejected {
                id: variant.id.clone(),
                reason,
                available,
            }
        });
        let selection = KernelSelection {
            kind: format!("kernel/{}", self.facts.name),
            chosen: best.clone(),
            decided_by,
            rejected: rejected.collect(),
            source: self.source.to_string(),
        };
        Ok((self.prepare(chosen)?, selection))
    }

    fn named(&self, id: &str, cpu: Cpu) -> Result<usize> {
        let variants = &self.facts.variants;
        let name = &self.facts.name;
        let ids = || variants.iter().map(|v| v.id.as_str());
        let Some(index) = variants.iter().position(|v| v.id == id) else {
            let near = suggestion(id, ids());
            let all = listed("there are", ids());
            let message = format!("the kernel {name:?} has no variant {id:?}{near} ({all})");
            return Err(
                Error::new(ErrorKind::Config, message).with("section", "[accelerator.kernels]")
            );
        };
        if let Some(cause) = refusal(&variants[index], cpu) {
            let here = variants.iter().filter(|v| obstacle(v, cpu).is_none());
            let here = listed("available", here.map(|v| v.id.as_str()));
            let message = format!(
                "the variant {id:?} of the kernel {name:?} is unavailable: {cause} ({here})"
            );
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        Ok(index)
    }
}

impl From<&'static KernelDescriptor> for KernelCandidate {
    fn from(descriptor: &'static KernelDescriptor) -> Self {
        Self::new(descriptor.into(), Source::Linked, move |variant| {
            descriptor.kernel(variant)
        })
    }
}

impl fmt::Debug for KernelCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kernel/{} ({})", self.facts.name, self.source)
    }
}

/// Which variant of a kernel runs and why: one object of `explain --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "schema", rename = "auralis.selection/1")]
pub struct KernelSelection {
    /// `kernel/` and the kernel's name.
    pub kind: String,
    /// The id of the chosen variant.
    pub chosen: String,
    /// Who decided: `rank` stands for the order of the variants.
    pub decided_by: Authority,
    /// Every other variant, best first.
    pub rejected: Vec<Rejected>,
    /// `linked`, or the file that brings it.
    pub source: String,
}

/// Why this variant can't run here, in the words of a rejection.
fn obstacle(variant: &VariantFacts, cpu: Cpu) -> Option<String> {
    unknown(variant).or_else(|| obstacle_of(variant.requires, cpu))
}

/// The same in the words of an error.
fn refusal(variant: &VariantFacts, cpu: Cpu) -> Option<String> {
    unknown(variant).or_else(|| refusal_of(variant.requires, cpu))
}

fn unknown(variant: &VariantFacts) -> Option<String> {
    let names = variant.requires_unknown.join(", ");
    (!names.is_empty()).then(|| format!("needs {names}, which this program does not know"))
}
