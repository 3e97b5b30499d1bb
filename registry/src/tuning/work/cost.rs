//! What a call moves and computes: what its time is held against.

/// What one call of a kernel moves and computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes read.
    pub loads: usize,
    /// Bytes written.
    pub stores: usize,
    /// Additions and multiplications; for a Fourier transform the customary `5 N log2 N`, or half of
    /// that for a real one.
    pub operations: usize,
    /// Whether they are in double precision.
    pub double: bool,
}

impl Cost {
    /// The bytes that lie in memory at once: what is changed in place counts once.
    pub fn footprint(&self) -> usize {
        self.loads.max(self.stores)
    }

    /// Of `n` samples: bytes read, bytes written and operations for each.
    pub(super) const fn each(n: usize, loads: usize, stores: usize, operations: usize) -> Self {
        Self {
            loads: n * loads,
            stores: n * stores,
            operations: n * operations,
            double: false,
        }
    }

    pub(super) const fn in_double(self) -> Self {
        Self {
            double: true,
            ..self
        }
    }
}
