//! Other layouts and sample formats.

use std::ffi::c_int;

use auralis::core::Complex;

use super::{EXACT, ONE_STEP, Slices, both, complex, first, ints};
use crate::cell::Cell;
use crate::groups::{Context, Findings};
use crate::peers::ipp::{Ipp, ROUND_NEAR};
use crate::peers::volk::Volk;

pub(super) fn deinterleave(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn interleave(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn f32_from_i16(context: &Context, findings: &mut Findings, len: usize) {
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

pub(super) fn i16_from_f32(context: &Context, findings: &mut Findings, len: usize) {
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
