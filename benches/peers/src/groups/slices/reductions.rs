//! What makes one or two figures of a slice.

use std::ffi::c_int;

use super::{EXACT, SUMS, Slices, float_dsp, magnitude, result, results};
use crate::aligned::wide;
use crate::cell::Cell;
use crate::groups::{Context, Findings};
use crate::peers::ipp::Ipp;
use crate::peers::mkl::Mkl;
use crate::peers::volk::Volk;

pub(super) fn dot(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn sum_squares(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn peak(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn min_max(context: &Context, findings: &mut Findings, len: usize) {
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
