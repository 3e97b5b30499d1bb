//! Trials of profilers.
