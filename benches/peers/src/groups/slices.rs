//! Kernels on slices at short, usual and long lengths.

use std::ffi::c_int;

use auralis::core::Complex;

use super::{Context, Findings};
use crate::aligned::{Aligned, noise, wide};
use crate::cell::Cell;
use crate::peers::avutil::{Avutil, FloatDsp};
use crate::peers::ipp::{Ipp, ROUND_NEAR};
use crate::peers::mkl::Mkl;
use crate::peers::volk::Volk;

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
            x: Aligned::from_fn(len, |i| Complex::new(a[i], b[i])),
            y: Aligned::from_fn(len, |i| Complex::new(b[i], -a[len - 1 - i])),
            z: Aligned::zeroed(len),
            ints: Aligned::from_fn(len, |i| (a[i] * 32767.0) as i16),
            a,
            b,
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
    let kernels: [Make; 13] = [
        scale,
        mul,
        mix,
        dot,
        sum_squares,
        peak,
        min_max,
        complex_mul,
        deinterleave,
        interleave,
        f32_from_i16,
        i16_from_f32,
        clip,
    ];
    for kernel in kernels {
        for len in LENGTHS {
            kernel(context, findings, len);
        }
    }
}

fn scale(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let expected = data.a.iter().map(|&x| -f64::from(x)).collect();
    let cell = Cell::new("scale", len, data, expected, EXACT, first)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| ours.scale(&mut d.a, -1.0).unwrap()
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: both pointers are to `len` samples; VOLK's kernels work in place.
                move |d: &mut Slices| unsafe {
                    (volk.scale.get())(d.a.as_mut_ptr(), d.a.as_ptr(), -1.0, len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: the pointer is to `n` samples.
                move |d: &mut Slices| unsafe {
                    (ipp.scale)(-1.0, d.a.as_mut_ptr(), n);
                }
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                // SAFETY: the pointer is to `n` samples.
                move |d: &mut Slices| unsafe { (mkl.scale)(n, -1.0, d.a.as_mut_ptr(), 1) }
            }),
        )
        .peer(
            "FFmpeg",
            float_dsp(len).map(|dsp| {
                // SAFETY: both pointers are to `n` aligned samples, a multiple of 16.
                move |d: &mut Slices| unsafe {
                    (dsp.scale)(d.a.as_mut_ptr(), d.a.as_ptr(), -1.0, n);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn mul(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::with_signs(len));
    let expected = data
        .a
        .iter()
        .zip(data.b.iter())
        .map(|(&a, &b)| (a * b).into())
        .collect();
    let cell = Cell::new("mul", len, data, expected, EXACT, first)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| ours.mul(&mut d.a, &d.b).unwrap()
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: all pointers are to `len` samples; VOLK's kernels work in place.
                move |d: &mut Slices| unsafe {
                    (volk.mul.get())(d.a.as_mut_ptr(), d.a.as_ptr(), d.b.as_ptr(), len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: both pointers are to `n` samples.
                move |d: &mut Slices| unsafe {
                    (ipp.mul)(d.b.as_ptr(), d.a.as_mut_ptr(), n);
                }
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                // SAFETY: all pointers are to `n` samples; the function works in place.
                move |d: &mut Slices| unsafe {
                    (mkl.mul)(n, d.a.as_ptr(), d.b.as_ptr(), d.a.as_mut_ptr());
                }
            }),
        )
        .peer(
            "FFmpeg",
            float_dsp(len).map(|dsp| {
                // SAFETY: all pointers are to `n` aligned samples, a multiple of 16.
                move |d: &mut Slices| unsafe {
                    (dsp.mul)(d.a.as_mut_ptr(), d.a.as_ptr(), d.b.as_ptr(), n);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn mix(context: &Context, findings: &mut Findings, len: usize) {
    const GAIN: f32 = 1.0 / 64.0;
    let (n, data) = (len as c_int, Slices::new(len));
    let mixed = |(&a, &b): (&f32, &f32)| f64::from(a) + f64::from(b) * f64::from(GAIN);
    let expected = data.a.iter().zip(data.b.iter()).map(mixed).collect();
    let cell = Cell::new("mix", len, data, expected, ROUNDED, first)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| ours.mix(&mut d.a, &d.b, GAIN).unwrap()
        })
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: both pointers are to `n` samples.
                move |d: &mut Slices| unsafe {
                    (ipp.mix)(d.b.as_ptr(), GAIN, d.a.as_mut_ptr(), n);
                }
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                // SAFETY: both pointers are to `n` samples.
                move |d: &mut Slices| unsafe {
                    (mkl.mix)(n, GAIN, d.b.as_ptr(), 1, d.a.as_mut_ptr(), 1);
                }
            }),
        )
        .peer(
            "FFmpeg",
            float_dsp(len).map(|dsp| {
                // SAFETY: both pointers are to `n` aligned samples, a multiple of 16.
                move |d: &mut Slices| unsafe {
                    (dsp.mix)(d.a.as_mut_ptr(), d.b.as_ptr(), GAIN, n);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn dot(context: &Context, findings: &mut Findings, len: usize) {
    // Positive, so that the sum is as large as what was summed.
    let mut data = Slices::new(len);
    data.a
        .iter_mut()
        .chain(data.b.iter_mut())
        .for_each(|x| *x = x.abs());
    let n = len as c_int;
    let product = |(&a, &b): (&f32, &f32)| f64::from(a) * f64::from(b);
    let expected = vec![data.a.iter().zip(data.b.iter()).map(product).sum()];
    let cell = Cell::new("dot", len, data, expected, SUMS, result)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| d.results[0] = ours.dot(&d.a, &d.b).unwrap()
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: the inputs are `len` samples, the output is one.
                move |d: &mut Slices| unsafe {
                    let to = d.results.as_mut_ptr();
                    (volk.dot.get())(to, d.a.as_ptr(), d.b.as_ptr(), len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: the inputs are `n` samples, the output is one.
                move |d: &mut Slices| unsafe {
                    (ipp.dot)(d.a.as_ptr(), d.b.as_ptr(), n, d.results.as_mut_ptr());
                }
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                // SAFETY: both pointers are to `n` samples.
                move |d: &mut Slices| unsafe {
                    d.results[0] = (mkl.dot)(n, d.a.as_ptr(), 1, d.b.as_ptr(), 1);
                }
            }),
        )
        .peer(
            "FFmpeg",
            float_dsp(len).map(|dsp| {
                // SAFETY: both pointers are to `n` aligned samples, a multiple of 16.
                move |d: &mut Slices| unsafe {
                    d.results[0] = (dsp.dot)(d.a.as_ptr(), d.b.as_ptr(), n);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn sum_squares(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let expected = vec![data.a.iter().map(|&x| f64::from(x) * f64::from(x)).sum()];
    let cell = Cell::new("sum of squares", len, data, expected, SUMS, result)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| d.results[0] = ours.sum_squares(&d.a).unwrap()
        })
        .peer(
            "VOLK dot",
            Volk::get().map(|volk| {
                // SAFETY: the inputs are `len` samples, the output is one.
                move |d: &mut Slices| unsafe {
                    let to = d.results.as_mut_ptr();
                    (volk.dot.get())(to, d.a.as_ptr(), d.a.as_ptr(), len as u32);
                }
            }),
        )
        .peer(
            "IPP dot",
            Ipp::get().map(|ipp| {
                // SAFETY: the inputs are `n` samples, the output is one.
                move |d: &mut Slices| unsafe {
                    (ipp.dot)(d.a.as_ptr(), d.a.as_ptr(), n, d.results.as_mut_ptr());
                }
            }),
        )
        .peer(
            "IPP norm",
            Ipp::get().map(|ipp| {
                // SAFETY: the input is `n` samples, the output is one.
                move |d: &mut Slices| unsafe {
                    (ipp.norm_l2)(d.a.as_ptr(), n, d.results.as_mut_ptr());
                    d.results[0] *= d.results[0];
                }
            }),
        )
        .peer(
            "MKL dot",
            Mkl::get().map(|mkl| {
                // SAFETY: both pointers are to `n` samples.
                move |d: &mut Slices| unsafe {
                    d.results[0] = (mkl.dot)(n, d.a.as_ptr(), 1, d.a.as_ptr(), 1);
                }
            }),
        )
        .peer(
            "FFmpeg dot",
            float_dsp(len).map(|dsp| {
                // SAFETY: both pointers are to `n` aligned samples, a multiple of 16.
                move |d: &mut Slices| unsafe {
                    d.results[0] = (dsp.dot)(d.a.as_ptr(), d.a.as_ptr(), n);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn peak(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let expected = vec![
        data.a
            .iter()
            .fold(0.0f64, |m, &x| m.max(f64::from(x).abs())),
    ];
    let cell = Cell::new("peak", len, data, expected, EXACT, magnitude)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| d.results[0] = ours.peak(&d.a).unwrap()
        })
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: the input is `n` samples, the output is one.
                move |d: &mut Slices| unsafe {
                    (ipp.peak)(d.a.as_ptr(), n, d.results.as_mut_ptr());
                }
            }),
        )
        .peer(
            "IPP norm",
            Ipp::get().map(|ipp| {
                // SAFETY: the input is `n` samples, the output is one.
                move |d: &mut Slices| unsafe {
                    (ipp.norm_inf)(d.a.as_ptr(), n, d.results.as_mut_ptr());
                }
            }),
        )
        .peer(
            "IPP min/max",
            Ipp::get().map(|ipp| {
                // SAFETY: the input is `n` samples, the outputs are one each.
                move |d: &mut Slices| unsafe {
                    let to = d.results.as_mut_ptr();
                    (ipp.min_max)(d.a.as_ptr(), n, to, to.add(1));
                    d.results[0] = d.results[1].max(-d.results[0]);
                }
            }),
        )
        .peer(
            "MKL index",
            Mkl::get().map(|mkl| {
                // SAFETY: the pointer is to `n` samples.
                move |d: &mut Slices| unsafe {
                    d.results[0] = d.a[(mkl.index_of_peak)(n, d.a.as_ptr(), 1)];
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn min_max(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let least = data.a.iter().fold(f32::INFINITY, |m, &x| m.min(x));
    let most = data.a.iter().fold(f32::NEG_INFINITY, |m, &x| m.max(x));
    let cell = Cell::new("min/max", len, data, wide(&[least, most]), EXACT, results)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| d.results = ours.min_max(&d.a).unwrap().into()
        })
        .peer(
            "VOLK indices",
            Volk::get().map(|volk| {
                move |d: &mut Slices| {
                    let (mut low, mut high) = (0, 0);
                    // SAFETY: the input is `len` samples, the outputs are one each.
                    unsafe {
                        (volk.index_min.get())(&mut low, d.a.as_ptr(), len as u32);
                        (volk.index_max.get())(&mut high, d.a.as_ptr(), len as u32);
                    }
                    d.results = [d.a[low as usize], d.a[high as usize]];
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: the input is `n` samples, the outputs are one each.
                move |d: &mut Slices| unsafe {
                    let to = d.results.as_mut_ptr();
                    (ipp.min_max)(d.a.as_ptr(), n, to, to.add(1));
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn complex_mul(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let product = |(x, y): (&Complex<f32>, &Complex<f32>)| {
        let [xr, xi, yr, yi] = [x.re, x.im, y.re, y.im].map(f64::from);
        [xr * yr - xi * yi, xr * yi + xi * yr]
    };
    let expected = data.x.iter().zip(data.y.iter()).flat_map(product).collect();
    let cell = Cell::new("complex multiply", len, data, expected, ROUNDED, complex)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| ours.complex_mul(&mut d.z, &d.x, &d.y).unwrap()
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: all pointers are to `len` complex numbers.
                move |d: &mut Slices| unsafe {
                    let to = d.z.as_mut_ptr();
                    (volk.complex_mul.get())(to, d.x.as_ptr(), d.y.as_ptr(), len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: all pointers are to `n` complex numbers.
                move |d: &mut Slices| unsafe {
                    (ipp.complex_mul)(d.x.as_ptr(), d.y.as_ptr(), d.z.as_mut_ptr(), n);
                }
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                // SAFETY: all pointers are to `n` complex numbers.
                move |d: &mut Slices| unsafe {
                    (mkl.complex_mul)(n, d.x.as_ptr(), d.y.as_ptr(), d.z.as_mut_ptr());
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

/// Stereo frames as single samples.
fn flat(frames: &[Complex<f32>]) -> &[f32] {
    // SAFETY: a complex number is `repr(C)` of two samples without padding.
    unsafe { std::slice::from_raw_parts(frames.as_ptr().cast(), frames.len() * 2) }
}

/// The same, to be changed.
fn flat_mut(frames: &mut [Complex<f32>]) -> &mut [f32] {
    // SAFETY: a complex number is `repr(C)` of two samples without padding.
    unsafe { std::slice::from_raw_parts_mut(frames.as_mut_ptr().cast(), frames.len() * 2) }
}

fn deinterleave(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let left = data.x.iter().map(|x| f64::from(x.re));
    let expected = left.chain(data.x.iter().map(|x| f64::from(x.im))).collect();
    let cell = Cell::new("deinterleave", len, data, expected, EXACT, both)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| {
                ours.deinterleave(&mut [&mut d.a[..], &mut d.b[..]], flat(&d.x))
                    .unwrap();
            }
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: the input is `len` frames, the outputs are `len` samples each.
                move |d: &mut Slices| unsafe {
                    let (left, right) = (d.a.as_mut_ptr(), d.b.as_mut_ptr());
                    (volk.deinterleave.get())(left, right, d.x.as_ptr(), len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: the input is `n` frames, the outputs are `n` samples each.
                move |d: &mut Slices| unsafe {
                    let (left, right) = (d.a.as_mut_ptr(), d.b.as_mut_ptr());
                    (ipp.real_and_imaginary)(d.x.as_ptr(), left, right, n);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn interleave(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let frame = |(&a, &b): (&f32, &f32)| [f64::from(a), f64::from(b)];
    let expected = data.a.iter().zip(data.b.iter()).flat_map(frame).collect();
    let cell = Cell::new("interleave", len, data, expected, EXACT, complex)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| {
                ours.interleave(flat_mut(&mut d.z), &[&d.a[..], &d.b[..]])
                    .unwrap();
            }
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: the inputs are `len` samples each, the output is `len` frames.
                move |d: &mut Slices| unsafe {
                    let to = d.z.as_mut_ptr();
                    (volk.interleave.get())(to, d.a.as_ptr(), d.b.as_ptr(), len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: the inputs are `n` samples each, the output is `n` frames.
                move |d: &mut Slices| unsafe {
                    (ipp.complex_of)(d.a.as_ptr(), d.b.as_ptr(), d.z.as_mut_ptr(), n);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn f32_from_i16(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let expected = data.ints.iter().map(|&x| f64::from(x) / 32768.0).collect();
    let cell = Cell::new("i16 to f32", len, data, expected, EXACT, first)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| ours.f32_from_i16(&mut d.a, &d.ints).unwrap()
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: input and output are `len` samples.
                move |d: &mut Slices| unsafe {
                    let to = d.a.as_mut_ptr();
                    (volk.f32_from_i16.get())(to, d.ints.as_ptr(), 32768.0, len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: input and output are `n` samples.
                move |d: &mut Slices| unsafe {
                    (ipp.f32_from_i16)(d.ints.as_ptr(), d.a.as_mut_ptr(), n, 15);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn i16_from_f32(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let whole = |&x: &f32| {
        (x * 32768.0)
            .round_ties_even()
            .clamp(-32768.0, 32767.0)
            .into()
    };
    let expected = data.a.iter().map(whole).collect();
    let cell = Cell::new("f32 to i16", len, data, expected, ONE_STEP, ints)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| ours.i16_from_f32(&mut d.ints, &d.a).unwrap()
        })
        .peer(
            "VOLK",
            Volk::get().map(|volk| {
                // SAFETY: input and output are `len` samples.
                move |d: &mut Slices| unsafe {
                    let to = d.ints.as_mut_ptr();
                    (volk.i16_from_f32.get())(to, d.a.as_ptr(), 32768.0, len as u32);
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: input and output are `n` samples.
                move |d: &mut Slices| unsafe {
                    (ipp.i16_from_f32)(d.a.as_ptr(), d.ints.as_mut_ptr(), n, ROUND_NEAR, -15);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn clip(context: &Context, findings: &mut Findings, len: usize) {
    let (n, data) = (len as c_int, Slices::new(len));
    let expected = data.a.iter().map(|&x| x.clamp(-0.5, 0.5).into()).collect();
    let cell = Cell::new("clip", len, data, expected, EXACT, first)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| ours.clip(&mut d.a, -0.5, 0.5).unwrap()
        })
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                // SAFETY: the pointer is to `n` samples.
                move |d: &mut Slices| unsafe {
                    (ipp.clip)(d.a.as_mut_ptr(), n, -0.5, -0.5, 0.5, 0.5);
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}
