//! Trials of accelerators: every kernel against a double-precision reference.

pub mod plans;
mod samples;
