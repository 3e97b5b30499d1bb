//! A tuning file as selection finds it: used, or ignored and why.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Fingerprint, SizeTimes, Tuning};
use crate::{Cpu, Measured, Registry};

/// A tuning file that was looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Consulted {
    /// Where it is, or would be.
    pub file: PathBuf,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of looking for a tuning file.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// There is none.
    Absent,
    /// It does not count: why, in a clause.
    Ignored(String),
    /// It counts.
    Used(Tuning),
}

/// The same in reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TuningReport {
    /// The file.
    pub file: PathBuf,
    /// Whether it counts.
    pub used: bool,
    /// Why it does not; `None` if it does.
    pub reason: Option<String>,
}

impl Consulted {
    /// Reads `file` and holds it to the accelerators and kernels of `registry` on this `cpu`.
    pub fn at(file: &Path, registry: &Registry, cpu: Cpu) -> Self {
        let outcome = match Tuning::read(file) {
            Ok(None) => Outcome::Absent,
            Err(error) => Outcome::Ignored(error.report()),
            Ok(Some(tuning)) => {
                let here = Fingerprint::of(registry, cpu);
                match tuning.fingerprint.differences(&here).join("; ") {
                    none if none.is_empty() => Outcome::Used(tuning),
                    differences => Outcome::Ignored(format!(
                        "it was measured with another fingerprint: {differences}"
                    )),
                }
            }
        };
        if let Outcome::Ignored(reason) = &outcome {
            tracing::warn!(file = %file.display(), reason, "tuning file ignored");
        }
        Self {
            file: file.to_owned(),
            outcome,
        }
    }

    /// What was measured, if the file counts.
    pub fn tuning(&self) -> Option<&Tuning> {
        match &self.outcome {
            Outcome::Used(tuning) => Some(tuning),
            Outcome::Absent | Outcome::Ignored(_) => None,
        }
    }

    /// What selection goes by: nothing where the file does not count.
    pub fn measured(&self) -> Measured {
        self.tuning().map(Tuning::measured).unwrap_or_default()
    }

    /// The time of each variant of a kernel of an author's own; nothing where the file does not count.
    pub fn variants(&self, kernel: &str) -> SizeTimes {
        let tuning = self.tuning();
        tuning.map(|t| t.variants(kernel)).unwrap_or_default()
    }

    /// For reports; `None` if there is no file.
    pub fn report(&self) -> Option<TuningReport> {
        let reason = match &self.outcome {
            Outcome::Absent => return None,
            Outcome::Ignored(reason) => Some(reason.clone()),
            Outcome::Used(_) => None,
        };
        Some(TuningReport {
            file: self.file.clone(),
            used: reason.is_none(),
            reason,
        })
    }
}
