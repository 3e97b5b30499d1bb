//! Roots of unity, at less cost than a sine and a cosine each.

use auralis_core::Complex;

/// The roots `exp(-2πi k / n)` of a power of two: products of two of the square root of as many, in
/// double precision.
pub(super) struct Roots {
    fine: Vec<Complex<f64>>,
    coarse: Vec<Complex<f64>>,
}

impl Roots {
    pub(super) fn new(n: usize) -> Self {
        let count = 1 << n.ilog2().div_ceil(2);
        let step = -std::f64::consts::TAU / n as f64;
        let every = |step: f64, count: usize| {
            (0..count)
                .map(|k| Complex::cis(step * k as f64))
                .collect::<Vec<_>>()
        };
        Self {
            fine: every(step, count),
            coarse: every(step * count as f64, n / count),
        }
    }

    /// How many there are.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.fine.len() * self.coarse.len()
    }

    /// `exp(-2πi k / n)`.
    #[inline(always)]
    pub(super) fn get(&self, k: usize) -> Complex<f64> {
        let k = k & (self.len() - 1);
        let count = self.fine.len();
        self.coarse[k / count] * self.fine[k % count]
    }
}
