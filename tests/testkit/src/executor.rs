//! Trials of executors.
