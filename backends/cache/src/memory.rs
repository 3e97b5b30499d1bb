//! What the caches in memory have in common: the cost of an entry, and when it dies.

use std::time::{Duration, Instant};

use auralis_core::Bytes;

/// What an entry costs beside the bytes of its value: its key (32 bytes), the handle of the value
/// and its shared count, deadline, links, and its part of the tables, rounded up.
pub const ENTRY_OVERHEAD: u64 = 192;

/// The bytes that a value takes of the budget.
pub fn cost(value: &Bytes) -> u64 {
    value.len() as u64 + ENTRY_OVERHEAD
}

/// When an entry dies; `None`: never.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline of an entry that is put now and lives for `ttl`; zero: without end.
    pub fn after(ttl: Duration) -> Self {
        Self(if ttl.is_zero() {
            None
        } else {
            Instant::now().checked_add(ttl)
        })
    }

    /// Whether the entry is dead.
    pub fn is_over(self) -> bool {
        self.0.is_some_and(|deadline| Instant::now() >= deadline)
    }
}
