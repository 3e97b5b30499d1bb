//! Planned objects and kernels over whole signals, written once for every instruction set.

mod aligned;
mod biquads;
mod circular;
mod convolve;
mod convolver;
mod correlate;
mod cost;
#[cfg(target_arch = "x86_64")]
mod eight;
mod fast;
mod fft;
mod fir;
mod firs;
mod head;
mod levels;
mod moving_rms;
mod overlap_save;
mod packed;
mod partitioned;
mod parts;
pub(crate) mod radix;
mod schedule;
mod spectra;
mod window;

use std::ops::RangeInclusive;

use auralis_core::Complex;
use rustfft::FftNum;

use crate::isa::{FftLevel, Isa};

pub(crate) use biquads::plan_biquads;
pub(crate) use convolve::{convolve, convolve as convolve_f64};
pub(crate) use convolver::plan_convolver;
pub(crate) use fft::{
    plan_complex_fft, plan_complex_fft as plan_complex_fft_f64, plan_real_fft,
    plan_real_fft as plan_real_fft_f64,
};
pub(crate) use fir::plan_fir;
pub(crate) use firs::plan_firs;
pub(crate) use moving_rms::{moving_rms, moving_rms as moving_rms_f64};
pub(crate) use window::window;

/// Calls `$callback!` with every method of [`Accelerator`](auralis_core::Accelerator) that plans or
/// works on a whole signal, [`window`] aside: its name, its arguments and its result. The function of
/// this module that does it has the same name, and takes the instruction set's token first.
macro_rules! for_each_planned {
    ($callback:ident) => {
        $callback! {
            moving_rms(dst: &mut [f32], src: &[f32], window: usize) -> ();
            moving_rms_f64(dst: &mut [f64], src: &[f64], window: usize) -> ();
            convolve(
                dst: &mut [f32],
                signal: &[f32],
                kernel: &[f32],
                mode: auralis_core::ConvolutionMode
            ) -> ();
            convolve_f64(
                dst: &mut [f64],
                signal: &[f64],
                kernel: &[f64],
                mode: auralis_core::ConvolutionMode
            ) -> ();
            plan_complex_fft(len: usize) -> Box<dyn auralis_core::ComplexFft<f32>>;
            plan_complex_fft_f64(len: usize) -> Box<dyn auralis_core::ComplexFft<f64>>;
            plan_real_fft(len: usize) -> Box<dyn auralis_core::RealFft<f32>>;
            plan_real_fft_f64(len: usize) -> Box<dyn auralis_core::RealFft<f64>>;
            plan_convolver(spec: &auralis_core::ConvolverSpec<'_>)
                -> Box<dyn auralis_core::Convolver>;
            plan_biquads(sections: &[auralis_core::Biquad], channels: usize)
                -> Box<dyn auralis_core::BiquadCascade>;
            plan_fir(taps: &[f32]) -> Box<dyn auralis_core::Fir>;
            plan_firs(taps: &[&[f32]]) -> Box<dyn auralis_core::FirBank>;
        }
    };
}
pub(crate) use for_each_planned;

/// The longest transform and the largest block that are planned: above it, a length is taken for a
/// mistake rather than tried for memory.
const MAX_LEN: usize = 1 << 28;

/// The two sample types.
pub(crate) trait Float: FftNum + Default {
    /// The smallest and the largest positive value of full precision.
    const NORMAL: RangeInclusive<f64>;

    /// The nearest value.
    fn of(value: f64) -> Self;

    /// The same value in double precision.
    fn double(self) -> f64;

    /// `self * a + b`, rounded once.
    fn fused(self, a: Self, b: Self) -> Self;

    /// A plan of ours, as of [`Isa::plan_radix`].
    fn plan_radix<I: Isa>(isa: I, points: usize) -> Option<Box<dyn radix::Fast<Self>>>;

    /// A plan of ours, as of [`Isa::plan_real`].
    fn plan_real<I: Isa>(isa: I, samples: usize) -> Option<Box<dyn radix::Real<Self>>>;

    /// A circular convolution of ours, as of [`Isa::plan_circular`].
    fn plan_circular<I: Isa>(
        isa: I,
        len: usize,
        taps: &[Self],
        at: usize,
    ) -> Option<Box<dyn radix::Circular<Self>>>;

    /// The square root.
    fn root(self) -> Self;
}

macro_rules! float {
    ($($float:ident: $points:expr, $real:expr, $circular:expr;)*) => {
        $(
            impl Float for $float {
                const NORMAL: RangeInclusive<f64> =
                    $float::MIN_POSITIVE as f64..=$float::MAX as f64;

                fn plan_radix<I: Isa>(isa: I, points: usize) -> Option<Box<dyn radix::Fast<Self>>> {
                    $points(isa, points)
                }

                fn plan_real<I: Isa>(isa: I, samples: usize) -> Option<Box<dyn radix::Real<Self>>> {
                    $real(isa, samples)
                }

                fn plan_circular<I: Isa>(
                    isa: I,
                    len: usize,
                    taps: &[Self],
                    at: usize,
                ) -> Option<Box<dyn radix::Circular<Self>>> {
                    $circular(isa, len, taps, at)
                }

                #[inline(always)]
                fn of(value: f64) -> Self {
                    value as $float
                }

                #[inline(always)]
                fn double(self) -> f64 {
                    self.into()
                }

                #[inline(always)]
                fn fused(self, a: Self, b: Self) -> Self {
                    self.mul_add(a, b)
                }

                #[inline(always)]
                fn root(self) -> Self {
                    self.sqrt()
                }
            }
        )*
    };
}
float! {
    f32: Isa::plan_radix, Isa::plan_real, Isa::plan_circular;
    f64: |_, _| None, |_, _| None, |_, _, _, _| None;
}

/// `a * b + c`, fused where the instruction set can: elsewhere a fused one is a slow library call.
#[inline(always)]
fn mul_add<I: Isa, T: Float>(a: T, b: T, c: T) -> T {
    if matches!(I::FFT, FftLevel::Avx | FftLevel::Neon) {
        a.fused(b, c)
    } else {
        a * b + c
    }
}

/// `a * b`.
#[inline(always)]
fn complex_mul<I: Isa, T: Float>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    Complex {
        re: mul_add::<I, T>(a.re, b.re, -(a.im * b.im)),
        im: mul_add::<I, T>(a.re, b.im, a.im * b.re),
    }
}

/// `a * b + c`.
#[inline(always)]
fn complex_mul_add<I: Isa, T: Float>(a: Complex<T>, b: Complex<T>, c: Complex<T>) -> Complex<T> {
    Complex {
        re: mul_add::<I, T>(a.re, b.re, mul_add::<I, T>(-a.im, b.im, c.re)),
        im: mul_add::<I, T>(a.re, b.im, mul_add::<I, T>(a.im, b.re, c.im)),
    }
}

/// A complex number rounded from double precision.
fn rounded<T: Float>(value: Complex<f64>) -> Complex<T> {
    Complex::new(T::of(value.re), T::of(value.im))
}
