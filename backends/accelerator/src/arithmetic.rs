//! How an instruction set computes: what the one source of the kernels leaves open.

use std::fmt::Debug;

/// How products are added, and how many sums a reduction keeps at once.
pub(crate) trait Arithmetic: Copy + Debug + Default + Send + Sync + 'static {
    /// The running sums of a reduction: four vectors' worth, so that the latency of an addition is
    /// hidden behind the other three.
    const LANES: usize;

    /// `a * b + c`, with one rounding or with two.
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32;
}

/// One rounding, where the CPU has an instruction for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fused<const LANES: usize>;

/// Two roundings: `f32::mul_add` would be a call into the C library here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Separate<const LANES: usize>;

impl<const LANES: usize> Arithmetic for Fused<LANES> {
    const LANES: usize = LANES;

    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

impl<const LANES: usize> Arithmetic for Separate<LANES> {
    const LANES: usize = LANES;

    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}
