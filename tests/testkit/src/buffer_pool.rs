//! Trials of buffer pools.
