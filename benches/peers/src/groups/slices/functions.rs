//! Exponential functions. Ours are within 2 ε of themselves; peers are called in the mode that is next
//! to it: IPP with 21 bits, MKL with low accuracy (4 steps at most), VOLK as it is.
//!
//! Ours work in place, and doing so again and again would leave nothing to compute: so ours copy the
//! samples first, block by block, which the peers need not.

use std::ffi::c_int;

use auralis::core::Accelerator;

use super::Slices;
use crate::cell::Cell;
use crate::groups::{Context, Findings};
use crate::peers::Peer;
use crate::peers::ippvm::Ippvm;
use crate::peers::mkl::{LOW_ACCURACY, Mkl};
use crate::peers::volk::{Variable, Volk};

/// Four steps, relative to each result.
const CLOSE: f64 = 4.0 * f32::EPSILON as f64;

/// What ours copy at once.
const BLOCK: usize = 256;

type ToOther = unsafe extern "C" fn(*mut f32, *const f32, u32);

/// A function, ours and the peers'.
struct Function {
    name: &'static str,
    ours: fn(&dyn Accelerator, &mut [f32]),
    ipp: fn(&Ippvm) -> unsafe extern "C" fn(*const f32, *mut f32, c_int) -> c_int,
    mkl: fn(&Mkl) -> unsafe extern "C" fn(c_int, *const f32, *mut f32, i64),
    volk: fn(&Volk) -> &Variable<ToOther>,
    volk_name: &'static str,
    /// The results, as parts of the exact ones.
    read: fn(&Slices) -> Vec<f64>,
    volk_read: fn(&Slices) -> Vec<f64>,
}

pub(super) fn tanh(context: &Context, findings: &mut Findings, len: usize) {
    let function = Function {
        name: "tanh",
        ours: |ours, data| ours.tanh(data).unwrap(),
        ipp: |ipp| ipp.tanh,
        mkl: |mkl| mkl.tanh,
        volk: |volk| &volk.tanh,
        volk_name: "VOLK",
        read: |d| parts(d, f64::tanh),
        volk_read: |d| parts(d, f64::tanh),
    };
    // Where it bends.
    compare(function, |x| 3.0 * x, context, findings, len);
}

pub(super) fn exp(context: &Context, findings: &mut Findings, len: usize) {
    let function = Function {
        name: "exp",
        ours: |ours, data| ours.exp(data).unwrap(),
        ipp: |ipp| ipp.exp,
        mkl: |mkl| mkl.exp,
        volk: |volk| &volk.exp,
        volk_name: "VOLK",
        read: |d| parts(d, f64::exp),
        volk_read: |d| parts(d, f64::exp),
    };
    compare(function, |x| 3.0 * x, context, findings, len);
}

pub(super) fn ln(context: &Context, findings: &mut Findings, len: usize) {
    let function = Function {
        name: "ln",
        ours: |ours, data| ours.ln(data).unwrap(),
        ipp: |ipp| ipp.ln,
        mkl: |mkl| mkl.ln,
        volk: |volk| &volk.log2,
        volk_name: "VOLK log2",
        read: |d| parts(d, f64::ln),
        volk_read: |d| parts(d, f64::log2),
    };
    compare(function, |x| 3.0 * x.abs(), context, findings, len);
}

fn parts(d: &Slices, exact: fn(f64) -> f64) -> Vec<f64> {
    let part = |(&x, &y): (&f32, &f32)| f64::from(y) / exact(x.into());
    d.a.iter().zip(d.b.iter()).map(part).collect()
}

fn compare(
    function: Function,
    range: fn(f32) -> f32,
    context: &Context,
    findings: &mut Findings,
    len: usize,
) {
    let (n, mut data) = (len as c_int, Slices::new(len));
    data.a.iter_mut().for_each(|x| *x = range(*x));
    let expected = vec![1.0; len];
    let cell = Cell::new(function.name, len, data, expected, CLOSE, function.read)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Slices| {
                for (to, from) in d.b.chunks_mut(BLOCK).zip(d.a.chunks(BLOCK)) {
                    to.copy_from_slice(from);
                    (function.ours)(&*ours, to);
                }
            }
        })
        .peer(
            "IPP A21",
            Ippvm::get().map(|ipp| {
                let call = (function.ipp)(ipp);
                // SAFETY: both pointers are to `n` samples.
                move |d: &mut Slices| unsafe {
                    call(d.a.as_ptr(), d.b.as_mut_ptr(), n);
                }
            }),
        )
        .peer(
            "MKL LA",
            Mkl::get().map(|mkl| {
                let call = (function.mkl)(mkl);
                // SAFETY: both pointers are to `n` samples.
                move |d: &mut Slices| unsafe {
                    call(n, d.a.as_ptr(), d.b.as_mut_ptr(), LOW_ACCURACY);
                }
            }),
        )
        .peer_read(
            function.volk_name,
            volk(function.volk).map(|call| {
                // SAFETY: both pointers are to `len` samples.
                move |d: &mut Slices| unsafe {
                    (call.get())(d.b.as_mut_ptr(), d.a.as_ptr(), len as u32);
                }
            }),
            function.volk_read,
        );
    findings.cells.push(cell.measure(context.effort));
}

fn volk(kernel: fn(&Volk) -> &Variable<ToOther>) -> Peer<Variable<ToOther>> {
    Volk::get().map(kernel)
}
