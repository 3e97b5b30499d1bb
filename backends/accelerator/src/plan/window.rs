//! Window functions.

use std::f64::consts::TAU;

use auralis_core::{Result, Window};

use crate::isa::Isa;

/// Fills `dst` with a window, computed in double precision. The multiples of the angle come from
/// `cos 2a = 2 cos² a - 1` and `cos 3a = 4 cos³ a - 3 cos a`.
pub(crate) fn window<I: Isa>(_: I, dst: &mut [f32], window: Window) -> Result<()> {
    let n = dst.len();
    if n == 1 {
        dst[0] = 1.0;
        return Ok(());
    }
    let [a0, a1, a2, a3] = window.coefficients();
    for i in 0..n.div_ceil(2) {
        let c = (TAU * i as f64 / (n - 1) as f64).cos();
        let value = a0 - a1 * c + a2 * (2.0 * c * c - 1.0) - a3 * c * (4.0 * c * c - 3.0);
        dst[i] = value as f32;
        dst[n - 1 - i] = value as f32;
    }
    Ok(())
}
