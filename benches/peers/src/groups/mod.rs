//! What is compared, group by group.

pub mod convolution;
pub mod dispatch;
pub mod filters;
pub mod limits;
pub mod loudness;
pub mod slices;
pub mod transforms;

use std::sync::Arc;

use auralis::Optimizer;
use auralis::core::Accelerator;

use crate::cell::{Effort, Measured};
use crate::peers::python::Python;

/// What all groups work with.
pub struct Context {
    /// Ours: chosen as for any program.
    pub optimizer: Optimizer,
    /// The Python process, or why there is none.
    pub python: Result<Python, String>,
    /// How long cells are measured.
    pub effort: Effort,
}

impl Context {
    /// Our accelerator.
    pub fn accelerator(&self) -> Arc<dyn Accelerator> {
        Arc::clone(&self.optimizer.parts().accelerator)
    }
}

/// A figure that is no ratio to a peer.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What is aimed at.
    pub goal: &'static str,
}

/// What a run has found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The cells, in the order of the table.
    pub cells: Vec<Measured>,
    /// The figures beside them.
    pub figures: Vec<Figure>,
}

type Run = fn(&Context, &mut Findings);

/// The groups by the names that `--only` takes.
pub const GROUPS: &[(&str, Run)] = &[
    ("slices", slices::run),
    ("limits", limits::run),
    ("dispatch", dispatch::run),
    ("transforms", transforms::run),
    ("filters", filters::run),
    ("convolution", convolution::run),
    ("loudness", loudness::run),
];
