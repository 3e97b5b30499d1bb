//! Trials of caches.
