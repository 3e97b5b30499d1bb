//! Kernels on slices.

use auralis_abi::{Instance, Message, Slice, SliceMut, SlicesV1, Status};

use crate::call::{contain, read, same_length, write};

pub static TABLE: SlicesV1 = SlicesV1 {
    scale: Some(scale),
    add: Some(add),
    dot: Some(dot),
    peak: Some(peak),
    ..SlicesV1::NONE
};

// SAFETY of all: the host keeps the rules of the wire.

unsafe extern "C" fn scale(
    _: *const Instance,
    data: SliceMut<f32>,
    gain: f32,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            write(data).iter_mut().for_each(|x| *x *= gain);
            Ok(())
        })
    }
}

unsafe extern "C" fn add(
    _: *const Instance,
    dst: SliceMut<f32>,
    src: Slice<f32>,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            same_length(dst.len, src.len)?;
            write(dst)
                .iter_mut()
                .zip(read(src))
                .for_each(|(y, x)| *y += x);
            Ok(())
        })
    }
}

unsafe extern "C" fn dot(
    _: *const Instance,
    a: Slice<f32>,
    b: Slice<f32>,
    result: *mut f32,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            same_length(a.len, b.len)?;
            let products = read(a)
                .iter()
                .zip(read(b))
                .map(|(a, b)| f64::from(*a) * f64::from(*b));
            result.write(products.sum::<f64>() as f32);
            Ok(())
        })
    }
}

unsafe extern "C" fn peak(
    _: *const Instance,
    data: Slice<f32>,
    result: *mut f32,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            result.write(read(data).iter().fold(0.0, |peak, x| x.abs().max(peak)));
            Ok(())
        })
    }
}
