//! Trials of accelerators: every kernel against a double-precision reference.
