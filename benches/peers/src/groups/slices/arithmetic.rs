//! Gains, products and limits, sample by sample.

use std::ffi::c_int;

use auralis::core::Complex;

use super::{EXACT, ROUNDED, Slices, complex, first, float_dsp};
use crate::cell::Cell;
use crate::groups::{Context, Findings};
use crate::peers::ipp::Ipp;
use crate::peers::mkl::Mkl;
use crate::peers::volk::Volk;

pub(super) fn scale(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn mul(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn mix(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn clip(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn complex_mul(context: &Context, findings: &mut Findings, len: usize) {
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
