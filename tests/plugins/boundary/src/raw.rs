//! The kernels as raw functions: no guard, no status, no message.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use auralis_core::{Convolver, ConvolverSpec, CpuFeatures, Latency};

use crate::{backend, kernels};

/// Scales `len` samples.
///
/// # Safety
///
/// `data` is that of `len` samples that nobody else uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn raw_scale(data: *mut f32, len: usize, gain: f32) {
    // SAFETY: the caller's promise.
    kernels::scale(unsafe { from_raw_parts_mut(data, len) }, gain);
}

/// Mixes `len` samples.
///
/// # Safety
///
/// Both pointers are those of `len` samples that nobody changes during the call, and nobody else
/// uses those of `dst`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn raw_mix(dst: *mut f32, src: *const f32, len: usize, gain: f32) {
    // SAFETY: the caller's promise.
    let (dst, src) = unsafe { (from_raw_parts_mut(dst, len), from_raw_parts(src, len)) };
    kernels::mix(dst, src, gain);
}

/// Plans a convolver of `taps` for blocks of `block` frames, without latency; it is never freed.
/// NULL if it can't be had.
///
/// # Safety
///
/// `impulse` is that of `taps` samples that nobody changes during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn raw_convolver(
    impulse: *const f32,
    taps: usize,
    block: usize,
) -> *mut Box<dyn Convolver> {
    let spec = ConvolverSpec {
        // SAFETY: the caller's promise.
        impulse: unsafe { from_raw_parts(impulse, taps) },
        block,
        latency: Latency::Zero,
    };
    let plan = backend::convolving(CpuFeatures::detect()).and_then(|a| a.plan_convolver(&spec));
    plan.map_or(std::ptr::null_mut(), |plan| Box::into_raw(Box::new(plan)))
}

/// Convolves a block of `len` frames; says whether that went well.
///
/// # Safety
///
/// `plan` came from [`raw_convolver`] and nobody else uses it; the rest as for [`raw_mix`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn raw_convolve(
    plan: *mut Box<dyn Convolver>,
    dst: *mut f32,
    src: *const f32,
    len: usize,
) -> bool {
    // SAFETY: the caller's promise.
    let (plan, dst, src) = unsafe {
        (
            &mut *plan,
            from_raw_parts_mut(dst, len),
            from_raw_parts(src, len),
        )
    };
    plan.process(dst, src).is_ok()
}
