//! Trials of accelerators: every kernel against a double-precision reference.

mod environment;
mod guarded;
mod listed;
mod plans;
mod reference;
mod samples;
mod slices;
pub mod user_kernel;

use auralis_core::Accelerator;

use crate::{Trial, options};

/// At least one trial for each kernel, named as the kernel is, and one for what a backend lists.
pub fn trials() -> Vec<Trial<dyn Accelerator>> {
    let mut trials = slices::trials();
    trials.extend(plans::trials());
    trials.push(listed::TRIAL);
    trials.push(options::trial());
    trials
}
