//! The kernels themselves: what both ways end in, the very same code, so none is put in line.

/// Multiplies every sample.
#[inline(never)]
pub fn scale(data: &mut [f32], gain: f32) {
    data.iter_mut().for_each(|sample| *sample *= gain);
}

/// Adds `src` times `gain`. The lengths are equal.
#[inline(never)]
pub fn mix(dst: &mut [f32], src: &[f32], gain: f32) {
    for (to, from) in dst.iter_mut().zip(src) {
        *to += from * gain;
    }
}
