//! Where numbers begin in memory.

/// What begins a cache line: a vector that was just written to two of them would be waited for.
#[repr(align(64))]
pub(super) struct Aligned<T>(pub(super) T);
