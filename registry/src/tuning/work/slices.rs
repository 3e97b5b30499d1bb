//! How each kernel on slices is called, and what a call costs.

use auralis_core::{ConvolutionMode, Window};

use super::cost::Cost;
use super::{Repeat, SliceWork};

/// Close to 1, so that thousands of calls in place leave the samples well above the denormal numbers.
const GAIN: f32 = 0.9999;
const GAINS: [f32; 2] = [GAIN, -GAIN];
const GAINS_F64: [f64; 2] = [0.9999, -0.9999];

/// What one sample costs: bytes read, bytes written, operations.
macro_rules! slices {
    ($($method:ident $loads:literal $stores:literal $operations:literal
       |$accelerator:ident, $operands:ident| $call:expr;)*) => {$(
        pub(super) fn $method() -> SliceWork {
            let run: Repeat = |$accelerator, operands, calls| {
                let $operands = operands.view();
                for _ in 0..calls {
                    $call?;
                }
                Ok(())
            };
            SliceWork {
                cost: |[n, _]| Cost::each(n, $loads, $stores, $operations),
                run,
            }
        }
    )*};
}

slices! {
    scale 4 4 1 |a, o| a.scale(o.data, GAIN);
    ramp 4 4 2 |a, o| a.ramp(o.data, GAIN, 1.0);
    channel_gains 4 4 1 |a, o| a.channel_gains(o.data, &GAINS);
    add 8 4 1 |a, o| a.add(o.data, o.other);
    mix 8 4 2 |a, o| a.mix(o.data, o.other, GAIN);
    mul 8 4 1 |a, o| a.mul(o.data, o.near_one);
    dot 8 0 2 |a, o| a.dot(o.data, o.other);
    sum_squares 4 0 2 |a, o| a.sum_squares(o.data);
    peak 4 0 1 |a, o| a.peak(o.data);
    min_max 4 0 2 |a, o| a.min_max(o.data);
    clip 4 4 2 |a, o| a.clip(o.data, -0.5, 0.5);
    interleave 4 4 0 |a, o| {
        let (left, right) = o.other.split_at(o.other.len() / 2);
        a.interleave(o.data, &[left, right])
    };
    deinterleave 4 4 0 |a, o| {
        let (left, right) = o.data.split_at_mut(o.other.len() / 2);
        a.deinterleave(&mut [left, right], o.other)
    };
    f32_from_i16 2 4 1 |a, o| a.f32_from_i16(o.data, o.i16s);
    f32_from_i24 3 4 1 |a, o| a.f32_from_i24(o.data, o.i24s);
    f32_from_i32 4 4 1 |a, o| a.f32_from_i32(o.data, o.i32s);
    i16_from_f32 4 2 1 |a, o| a.i16_from_f32(o.i16s, o.data);
    i24_from_f32 4 3 1 |a, o| a.i24_from_f32(o.i24s, o.data);
    i32_from_f32 4 4 1 |a, o| a.i32_from_f32(o.i32s, o.data);
    complex_mul 16 8 6 |a, o| a.complex_mul(o.complex, o.complex_a, o.complex_b);
    complex_mul_add 24 8 8 |a, o| a.complex_mul_add(o.complex, o.complex_a, o.complex_b);
    window 0 4 1 |a, o| a.window(o.data, Window::Hann);
    tanh 4 4 1 |a, o| a.tanh(o.data);
    // In place, one call after the other would leave nothing but infinities: each begins anew.
    exp 4 4 1 |a, o| {
        o.data.copy_from_slice(o.other);
        a.exp(o.data)
    };
    ln 4 4 1 |a, o| {
        o.data.copy_from_slice(o.near_one);
        a.ln(o.data)
    };
}

/// What a sample costs in double precision.
macro_rules! doubles {
    ($($method:ident |$accelerator:ident, $operands:ident| $call:expr;)*) => {$(
        pub(super) fn $method() -> SliceWork {
            SliceWork {
                cost: |[n, _]| Cost::each(n, 8, 8, 1).in_double(),
                run: |$accelerator, operands, calls| {
                    let $operands = operands.view();
                    for _ in 0..calls {
                        $call?;
                    }
                    Ok(())
                },
            }
        }
    )*};
}

doubles! {
    scale_f64 |a, o| a.scale_f64(o.doubles, GAIN.into());
    channel_gains_f64 |a, o| a.channel_gains_f64(o.doubles, &GAINS_F64);
}

pub(super) fn moving_rms() -> SliceWork {
    SliceWork {
        cost: |[n, _]| Cost::each(n, 4, 4, 4),
        run: |a, operands, calls| {
            let o = operands.view();
            let src = &o.other[..o.data.len() + o.second - 1];
            (0..calls).try_for_each(|_| a.moving_rms(o.data, src, o.second))
        },
    }
}

pub(super) fn moving_rms_f64() -> SliceWork {
    SliceWork {
        cost: |[n, _]| Cost::each(n, 8, 8, 4).in_double(),
        run: |a, operands, calls| {
            let o = operands.view();
            let src = &o.more_doubles[..o.doubles.len() + o.second - 1];
            (0..calls).try_for_each(|_| a.moving_rms_f64(o.doubles, src, o.second))
        },
    }
}

/// Directly every tap costs two operations per sample; a faster way may seem faster than the machine.
pub(super) fn convolve() -> SliceWork {
    SliceWork {
        cost: |[n, taps]| Cost::each(n, 4, 4, 2 * taps),
        run: |a, operands, calls| {
            let o = operands.view();
            let signal = &o.other[..o.data.len()];
            let mode = ConvolutionMode::Same;
            (0..calls).try_for_each(|_| a.convolve(o.data, signal, o.taps, mode))
        },
    }
}

pub(super) fn convolve_f64() -> SliceWork {
    SliceWork {
        cost: |[n, taps]| Cost::each(n, 8, 8, 2 * taps).in_double(),
        run: |a, operands, calls| {
            let o = operands.view();
            let signal = &o.more_doubles[..o.doubles.len()];
            let mode = ConvolutionMode::Same;
            (0..calls).try_for_each(|_| a.convolve_f64(o.doubles, signal, o.more_taps, mode))
        },
    }
}
