//! Profiler backends of Auralis.
