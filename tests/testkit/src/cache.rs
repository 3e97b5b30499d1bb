//! Trials of caches.
use crate::Trial;
use auralis_core::Cache;
/// Trials.
pub fn trials() -> Vec<Trial<dyn Cache>> {
    Vec::new()
}
