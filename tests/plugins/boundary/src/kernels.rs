//! The kernels themselves: what both ways end in.

/// Multiplies every sample.
pub fn scale(data: &mut [f32], gain: f32) {
    data.iter_mut().for_each(|sample| *sample *= gain);
}

/// Adds `src` times `gain`. The lengths are equal.
pub fn mix(dst: &mut [f32], src: &[f32], gain: f32) {
    for (to, from) in dst.iter_mut().zip(src) {
        *to += from * gain;
    }
}
