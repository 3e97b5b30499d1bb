//! What the parts of a convolution cost, in nanoseconds of single precision.
//!
//! Measured with AVX-512 on a Xeon of the Sapphire Rapids generation. Only the proportions matter,
//! and those hold for double precision and other CPUs well enough: around the best choice the sum is
//! flat.

/// Of a transform there or back, copies included: per `n log2 n`, and once.
const TRANSFORM: [f64; 2] = [0.07, 80.0];

/// Up to so many samples, what a transform works on stays in the second-level cache; longer ones
/// take half as much time again.
const CACHED: usize = 1 << 16;

/// Of planning transforms, per sample: mostly sines and cosines.
const PLAN: f64 = 25.0;

/// Per bin of a partition; the time goes into reading spectra from the second-level cache.
const PRODUCT: f64 = 0.4;

/// Of a pair of windows there and back in one go, per `n log2 n`, and once.
const WINDOWS: [f64; 2] = [0.157, 200.0];

/// Up to so many samples, what such a pair works on stays in the second-level cache; longer ones take a
/// third as much time again.
const WINDOWS_CACHED: usize = 1 << 15;

/// Of planning windows, the spectrum of the response included, per sample.
const WINDOWS_PLAN: f64 = 5.0;

/// One transform of `len` samples, there or back.
pub(super) fn transform(len: usize) -> f64 {
    let n = len as f64;
    let slower = if len > CACHED { 1.5 } else { 1.0 };
    slower * TRANSFORM[0] * n * n.log2() + TRANSFORM[1]
}

/// The planning of transforms of `len` samples.
pub(super) fn plan(len: usize) -> f64 {
    PLAN * len as f64
}

/// The products of a partition of `block` samples.
pub(super) fn products(block: usize) -> f64 {
    PRODUCT * block as f64
}

/// So many pairs of windows of `len` samples.
pub(super) fn windows(len: usize, pairs: usize) -> f64 {
    let n = len as f64;
    let slower = if len > WINDOWS_CACHED { 4.0 / 3.0 } else { 1.0 };
    pairs as f64 * (slower * WINDOWS[0] * n * n.log2() + WINDOWS[1])
}

/// The planning of windows of `len` samples.
pub(super) fn plan_windows(len: usize) -> f64 {
    WINDOWS_PLAN * len as f64
}
