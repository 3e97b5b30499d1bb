//! A soft clipper with a drive, mixed with a dry signal: a kernel of an application's own.

use auralis_core::{Bound, kernel};

/// `x / (1 + |x|)` of the driven sample, then `dry * mix` on top. `#[inline(always)]` lets each
/// variant compile it for the features of its own.
#[inline(always)]
fn clip(data: &mut [f32], sources: &[&[f32]], parameters: &[f32]) {
    let (dry, drive, mix) = (sources[0], parameters[0], parameters[1]);
    for (x, dry) in data.iter_mut().zip(dry) {
        let driven = *x * drive;
        *x = driven / (1.0 + driven.abs()) + *dry * mix;
    }
}

/// The same with fused multiplications, which round once: close to the reference, not equal.
#[inline(always)]
fn clip_fused(data: &mut [f32], sources: &[&[f32]], parameters: &[f32]) {
    let (dry, drive, mix) = (sources[0], parameters[0], parameters[1]);
    for (x, dry) in data.iter_mut().zip(dry) {
        let driven = *x * drive;
        *x = dry.mul_add(mix, driven / (1.0 + driven.abs()));
    }
}

kernel! {
    name: "acme.soft-clip",
    summary: "Clips softly and mixes a dry signal in",
    sources: 1,
    parameters: [drive: 0.5..=8.0, mix: 0.0..=1.0],
    reference: clip,
    variants: [
        #[cfg(target_arch = "x86_64")] "avx2": ["avx2", "fma"] => clip_fused,
        #[cfg(target_arch = "x86_64")] "avx512": ["avx512f", "avx2", "fma"] => clip_fused,
        #[cfg(target_arch = "aarch64")] "neon": ["neon"] => clip_fused,
    ],
    bound: Bound { relative: 1e-5, absolute: 1e-6 },
}
