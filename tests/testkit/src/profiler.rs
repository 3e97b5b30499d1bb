//! Trials of profilers.
use crate::Trial;
use auralis_core::Profiler;
/// Trials.
pub fn trials() -> Vec<Trial<dyn Profiler>> {
    Vec::new()
}
