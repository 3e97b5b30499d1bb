//! Trials of buffer pools.
use crate::Trial;
use auralis_core::BufferPool;
/// Trials.
pub fn trials() -> Vec<Trial<dyn BufferPool>> {
    Vec::new()
}
