//! Executor backends of Auralis.
