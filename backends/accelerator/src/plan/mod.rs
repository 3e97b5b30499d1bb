//! Planned objects and kernels over whole signals, written once for every instruction set.

mod biquads;
mod convolve;
mod convolver;
mod correlate;
mod fft;
mod fir;
mod moving_rms;
mod overlap_save;
mod packed;
mod partitioned;
#[cfg(test)]
mod tests;
mod window;

use auralis_core::{Complex, Error, ErrorKind, Result};
use rustfft::FftNum;

use crate::isa::{FftLevel, Isa};

pub(crate) use biquads::plan_biquads;
pub(crate) use convolve::convolve;
pub(crate) use convolver::plan_convolver;
pub(crate) use fft::{plan_complex_fft, plan_real_fft};
pub(crate) use fir::plan_fir;
pub(crate) use moving_rms::moving_rms;
pub(crate) use window::window;

/// The methods of [`Accelerator`](auralis_core::Accelerator) for all that is planned or runs over a
/// whole signal. `$isa` is an expression over `self` that gives the instruction set's token.
macro_rules! planned_methods {
    ($self:ident => $isa:expr) => {
        fn window(&self, dst: &mut [f32], window: auralis_core::Window) -> auralis_core::Result<()> {
            crate::plan::window(dst, window);
            Ok(())
        }

        fn moving_rms(
            &$self,
            dst: &mut [f32],
            src: &[f32],
            window: usize,
        ) -> auralis_core::Result<()> {
            crate::plan::moving_rms($isa, dst, src, window)
        }

        fn moving_rms_f64(
            &$self,
            dst: &mut [f64],
            src: &[f64],
            window: usize,
        ) -> auralis_core::Result<()> {
            crate::plan::moving_rms($isa, dst, src, window)
        }

        fn convolve(
            &$self,
            dst: &mut [f32],
            signal: &[f32],
            kernel: &[f32],
            mode: auralis_core::ConvolutionMode,
        ) -> auralis_core::Result<()> {
            crate::plan::convolve($isa, dst, signal, kernel, mode)
        }

        fn convolve_f64(
            &$self,
            dst: &mut [f64],
            signal: &[f64],
            kernel: &[f64],
            mode: auralis_core::ConvolutionMode,
        ) -> auralis_core::Result<()> {
            crate::plan::convolve($isa, dst, signal, kernel, mode)
        }

        fn plan_complex_fft(
            &$self,
            len: usize,
        ) -> auralis_core::Result<Box<dyn auralis_core::ComplexFft<f32>>> {
            crate::plan::plan_complex_fft($isa, len)
        }

        fn plan_complex_fft_f64(
            &$self,
            len: usize,
        ) -> auralis_core::Result<Box<dyn auralis_core::ComplexFft<f64>>> {
            crate::plan::plan_complex_fft($isa, len)
        }

        fn plan_real_fft(
            &$self,
            len: usize,
        ) -> auralis_core::Result<Box<dyn auralis_core::RealFft<f32>>> {
            crate::plan::plan_real_fft($isa, len)
        }

        fn plan_real_fft_f64(
            &$self,
            len: usize,
        ) -> auralis_core::Result<Box<dyn auralis_core::RealFft<f64>>> {
            crate::plan::plan_real_fft($isa, len)
        }

        fn plan_convolver(
            &$self,
            spec: &auralis_core::ConvolverSpec<'_>,
        ) -> auralis_core::Result<Box<dyn auralis_core::Convolver>> {
            crate::plan::plan_convolver($isa, spec)
        }

        fn plan_biquads(
            &$self,
            sections: &[auralis_core::Biquad],
            channels: usize,
        ) -> auralis_core::Result<Box<dyn auralis_core::BiquadCascade>> {
            crate::plan::plan_biquads($isa, sections, channels)
        }

        fn plan_fir(&$self, taps: &[f32]) -> auralis_core::Result<Box<dyn auralis_core::Fir>> {
            crate::plan::plan_fir($isa, taps)
        }
    };
}
pub(crate) use planned_methods;

/// The longest transform and the largest block that are planned: above it, a length is taken for a
/// mistake rather than tried for memory.
const MAX_LEN: usize = 1 << 28;

/// The two sample types.
pub(crate) trait Float: FftNum + Default {
    /// The nearest value.
    fn of(value: f64) -> Self;

    /// The same value in double precision.
    fn double(self) -> f64;

    /// `self * a + b`, rounded once.
    fn fused(self, a: Self, b: Self) -> Self;
}

macro_rules! float {
    ($($float:ident)*) => {
        $(
            impl Float for $float {
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
            }
        )*
    };
}
float!(f32 f64);

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

/// Fails unless two slices are of equal length. Does not allocate.
fn same_len(dst: usize, src: usize) -> Result<()> {
    if dst == src {
        Ok(())
    } else {
        let message = "the input and the output differ in length";
        Err(Error::new(ErrorKind::InvalidInput, message))
    }
}
