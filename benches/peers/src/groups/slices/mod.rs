//! Kernels on slices at short, usual and long lengths.

mod arithmetic;
mod functions;
mod layout;
mod reductions;

use auralis::core::Complex;

use super::{Context, Findings};
use crate::aligned::{Aligned, noise, wide};
use crate::peers::avutil::{Avutil, FloatDsp};

const LENGTHS: [usize; 7] = [64, 256, 1024, 4096, 65536, 63, 65];
/// Rounding of a sum differs by its order: relative to what was summed.
const SUMS: f64 = 1e-5;
const EXACT: f64 = 0.0;
const ROUNDED: f64 = 2e-7;
/// One step of 16 bits, for those that round halves otherwise.
const ONE_STEP: f64 = 1.0 / 32767.0;

/// The buffers, which all entries share: none is luckier with its addresses.
#[derive(Clone)]
struct Slices {
    a: Aligned<f32>,
    b: Aligned<f32>,
    x: Aligned<Complex<f32>>,
    y: Aligned<Complex<f32>>,
    z: Aligned<Complex<f32>>,
    ints: Aligned<i16>,
    results: [f32; 2],
}

impl Slices {
    fn new(len: usize) -> Self {
        let (a, b) = (noise(len, 1), noise(len, 2));
        Self {
            z: Aligned::in_page(0, len, |_| Complex::default()),
            a: Aligned::in_page(4, len, |i| a[i]),
            b: Aligned::in_page(8, len, |i| b[i]),
            x: Aligned::in_page(12, len, |i| Complex::new(a[i], b[i])),
            y: Aligned::in_page(16, len, |i| Complex::new(b[i], -a[len - 1 - i])),
            ints: Aligned::in_page(20, len, |i| (a[i] * 32767.0) as i16),
            results: [0.0; 2],
        }
    }

    /// Signs that leave the magnitudes of what they are multiplied with as they are, however often.
    fn with_signs(len: usize) -> Self {
        let mut this = Self::new(len);
        this.b.iter_mut().for_each(|b| *b = 1f32.copysign(*b));
        this
    }
}

fn first(d: &Slices) -> Vec<f64> {
    wide(&d.a)
}

fn both(d: &Slices) -> Vec<f64> {
    d.a.iter().chain(d.b.iter()).map(|&x| x.into()).collect()
}

fn complex(d: &Slices) -> Vec<f64> {
    d.z.iter()
        .flat_map(|z| [f64::from(z.re), f64::from(z.im)])
        .collect()
}

fn ints(d: &Slices) -> Vec<f64> {
    d.ints.iter().map(|&x| x.into()).collect()
}

fn result(d: &Slices) -> Vec<f64> {
    vec![d.results[0].into()]
}

fn magnitude(d: &Slices) -> Vec<f64> {
    vec![f64::from(d.results[0]).abs()]
}

fn results(d: &Slices) -> Vec<f64> {
    wide(&d.results)
}

/// FFmpeg's kernels for this length.
fn float_dsp(len: usize) -> Result<&'static FloatDsp, String> {
    if !len.is_multiple_of(16) {
        return Err("takes multiples of 16 only".into());
    }
    Ok(Avutil::get()?.kernels())
}

/// All kernels at all lengths.
pub fn run(context: &Context, findings: &mut Findings) {
    type Make = fn(&Context, &mut Findings, usize);
    let kernels: [Make; 16] = [
        arithmetic::scale,
        arithmetic::mul,
        arithmetic::mix,
        reductions::dot,
        reductions::sum_squares,
        reductions::peak,
        reductions::min_max,
        arithmetic::complex_mul,
        layout::deinterleave,
        layout::interleave,
        layout::f32_from_i16,
        layout::i16_from_f32,
        arithmetic::clip,
        functions::tanh,
        functions::exp,
        functions::ln,
    ];
    for kernel in kernels {
        for len in LENGTHS {
            kernel(context, findings, len);
        }
    }
}
