//! Accelerators: kernels on slices of samples, and objects planned for a size.

mod kernel;
mod plan;

use std::fmt::Debug;
use std::sync::Arc;

pub use kernel::Kernel;
pub use num_complex::Complex;
use serde::{Deserialize, Serialize};

pub use plan::{
    Biquad, BiquadCascade, ComplexFft, ConvolutionMode, Convolver, ConvolverSpec, Fir, FirBank,
    Latency, OneByOne, RealFft, Window,
};

use crate::{Error, Kind, Result};

/// Signal-processing kernels on `f32` slices, some on `f64`, and planned objects.
///
/// # Contract
///
/// - A backend lists the kernels it has in its descriptor ([`Kernel`]). A method that it leaves to
///   its default answers [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported); the registry
///   fills what a backend lacks from the next candidate, kernel by kernel.
/// - Any length, zero included, and any alignment. Slices that must be of equal length and are not
///   are an [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput), and nothing is written.
/// - Kernels on slices are real-time safe: they do not allocate, lock, log or panic. `plan_*`,
///   `convolve*`, `moving_rms*` and `window` may allocate and belong before the audio starts; what a
///   plan returns is real-time safe again.
/// - Results agree with the `scalar` backend within the bound that each method states; ε is
///   2⁻²³ (`f32::EPSILON`), or 2⁻⁵² for the `f64` group. "Exact" means the same bits, NaN payloads
///   aside. Denormal numbers are kept.
/// - The floating-point environment is left as it was found.
pub trait Accelerator: Debug + Send + Sync {
    /// Multiplies every sample by `gain`. Exact.
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        let _ = (data, gain);
        Err(Error::unsupported("scale"))
    }

    /// Multiplies sample `i` of `n` by `from + (to - from) * i / n`: a gain that runs on evenly from
    /// one block to the next. Within 4 ε of `|x| * max(|from|, |to|)`.
    fn ramp(&self, data: &mut [f32], from: f32, to: f32) -> Result<()> {
        let _ = (data, from, to);
        Err(Error::unsupported("ramp"))
    }

    /// Multiplies channel `c` of interleaved audio by `gains[c]`. The length of `interleaved` must
    /// be a multiple of the number of gains. Exact.
    fn channel_gains(&self, interleaved: &mut [f32], gains: &[f32]) -> Result<()> {
        let _ = (interleaved, gains);
        Err(Error::unsupported("channel_gains"))
    }

    /// `dst[i] += src[i]`. Exact.
    fn add(&self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("add"))
    }

    /// `dst[i] += src[i] * gain`, fused or not. Within 1 ε of `|dst| + |src * gain|`.
    fn mix(&self, dst: &mut [f32], src: &[f32], gain: f32) -> Result<()> {
        let _ = (dst, src, gain);
        Err(Error::unsupported("mix"))
    }

    /// `dst[i] *= src[i]`. Exact.
    fn mul(&self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("mul"))
    }

    /// The sum of `a[i] * b[i]`. Within `n` ε of the sum of `|a[i] * b[i]|`.
    fn dot(&self, a: &[f32], b: &[f32]) -> Result<f32> {
        let _ = (a, b);
        Err(Error::unsupported("dot"))
    }

    /// The sum of squares. Within `n` ε of itself.
    fn sum_squares(&self, data: &[f32]) -> Result<f32> {
        let _ = data;
        Err(Error::unsupported("sum_squares"))
    }

    /// The largest absolute value; 0 of nothing. NaN is passed over. Exact.
    fn peak(&self, data: &[f32]) -> Result<f32> {
        let _ = data;
        Err(Error::unsupported("peak"))
    }

    /// The smallest and the largest sample; `(inf, -inf)` of nothing. NaN is passed over. Exact, but
    /// for the sign of a zero.
    fn min_max(&self, data: &[f32]) -> Result<(f32, f32)> {
        let _ = data;
        Err(Error::unsupported("min_max"))
    }

    /// Limits every sample to `low..=high`; NaN stays NaN. `low > high` or a NaN bound is an error.
    /// Exact, but for the sign of a zero.
    fn clip(&self, data: &mut [f32], low: f32, high: f32) -> Result<()> {
        let _ = (data, low, high);
        Err(Error::unsupported("clip"))
    }

    /// Interleaves planes of equal length into `dst`, whose length is their sum. Exact.
    fn interleave(&self, dst: &mut [f32], planes: &[&[f32]]) -> Result<()> {
        let _ = (dst, planes);
        Err(Error::unsupported("interleave"))
    }

    /// The reverse of [`interleave`](Self::interleave). Exact.
    fn deinterleave(&self, planes: &mut [&mut [f32]], src: &[f32]) -> Result<()> {
        let _ = (planes, src);
        Err(Error::unsupported("deinterleave"))
    }

    /// `dst[i] = src[i] / 2^15`. Exact.
    fn f32_from_i16(&self, dst: &mut [f32], src: &[i16]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("f32_from_i16"))
    }

    /// `dst[i] = src[i] / 2^23`, from packed little-endian 24-bit integers. Exact.
    fn f32_from_i24(&self, dst: &mut [f32], src: &[[u8; 3]]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("f32_from_i24"))
    }

    /// `dst[i] = src[i] / 2^31`, rounded to the nearest `f32`. Exact.
    fn f32_from_i32(&self, dst: &mut [f32], src: &[i32]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("f32_from_i32"))
    }

    /// `src[i] * 2^15`, rounded to nearest (ties to even), limited to the range of `i16`; NaN
    /// becomes 0. Exact.
    fn i16_from_f32(&self, dst: &mut [i16], src: &[f32]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("i16_from_f32"))
    }

    /// `src[i] * 2^23`, rounded to nearest (ties to even), limited to 24 bits, packed
    /// little-endian; NaN becomes 0. Exact.
    fn i24_from_f32(&self, dst: &mut [[u8; 3]], src: &[f32]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("i24_from_f32"))
    }

    /// `src[i] * 2^31`, rounded to nearest (ties to even), limited to the range of `i32`; NaN
    /// becomes 0. Exact.
    fn i32_from_f32(&self, dst: &mut [i32], src: &[f32]) -> Result<()> {
        let _ = (dst, src);
        Err(Error::unsupported("i32_from_f32"))
    }

    /// `dst[i] = a[i] * b[i]`. Real and imaginary part within 2 ε of `|a| * |b|`.
    fn complex_mul(
        &self,
        dst: &mut [Complex<f32>],
        a: &[Complex<f32>],
        b: &[Complex<f32>],
    ) -> Result<()> {
        let _ = (dst, a, b);
        Err(Error::unsupported("complex_mul"))
    }

    /// `dst[i] += a[i] * b[i]`. Real and imaginary part within 3 ε of `|dst| + |a| * |b|`.
    fn complex_mul_add(
        &self,
        dst: &mut [Complex<f32>],
        a: &[Complex<f32>],
        b: &[Complex<f32>],
    ) -> Result<()> {
        let _ = (dst, a, b);
        Err(Error::unsupported("complex_mul_add"))
    }

    /// The hyperbolic tangent of every sample. Within 2 ε of itself, down to the denormal numbers; ±1
    /// from 9.02 on. The sign of a zero stays; NaN stays NaN.
    fn tanh(&self, data: &mut [f32]) -> Result<()> {
        let _ = data;
        Err(Error::unsupported("tanh"))
    }

    /// e to the power of every sample. Within 2 ε of itself, and below the normal numbers within one
    /// step of 2⁻¹⁴⁹. Infinity from 88.73 on, 0 from -103.98 down; NaN stays NaN.
    fn exp(&self, data: &mut [f32]) -> Result<()> {
        let _ = data;
        Err(Error::unsupported("exp"))
    }

    /// The natural logarithm of every sample, denormal numbers included. Within 2 ε of itself, near 1
    /// too. Negative infinity of a zero of either sign, infinity of infinity, NaN of what is
    /// negative; NaN stays NaN.
    fn ln(&self, data: &mut [f32]) -> Result<()> {
        let _ = data;
        Err(Error::unsupported("ln"))
    }

    /// Fills `dst` with a window, see [`Window`]. Within 2 ε.
    fn window(&self, dst: &mut [f32], window: Window) -> Result<()> {
        let _ = (dst, window);
        Err(Error::unsupported("window"))
    }

    /// The root of the mean square over every stretch of `window` samples: `dst[i]` is over
    /// `src[i..i + window]`, so `dst` is `src.len() - window + 1` long. A window of 0 or longer than
    /// `src` is an error.
    ///
    /// Sound: no running difference is kept, so that a quiet tail after loud audio keeps its level
    /// and a NaN spoils only the windows that hold it. Within 4 ε of itself.
    fn moving_rms(&self, dst: &mut [f32], src: &[f32], window: usize) -> Result<()> {
        let _ = (dst, src, window);
        Err(Error::unsupported("moving_rms"))
    }

    /// Plans complex Fourier transforms of `len` points, at least 1.
    fn plan_complex_fft(&self, len: usize) -> Result<Box<dyn ComplexFft<f32>>> {
        let _ = len;
        Err(Error::unsupported("complex_fft"))
    }

    /// Plans Fourier transforms of `len` real samples, at least 1.
    fn plan_real_fft(&self, len: usize) -> Result<Box<dyn RealFft<f32>>> {
        let _ = len;
        Err(Error::unsupported("real_fft"))
    }

    /// Plans a streaming convolution with a fixed impulse response. Within 16 ε of the largest
    /// input sample times the sum of `|impulse|`.
    fn plan_convolver(&self, spec: &ConvolverSpec<'_>) -> Result<Box<dyn Convolver>> {
        let _ = spec;
        Err(Error::unsupported("convolver"))
    }

    /// Convolves a whole signal with a kernel: `dst` is as long as [`ConvolutionMode::output_len`]
    /// says. Exact in alignment for even kernels and for kernels longer than the signal. An empty
    /// signal or kernel is an error. Within 16 ε of the largest sample times the sum of `|kernel|`.
    fn convolve(
        &self,
        dst: &mut [f32],
        signal: &[f32],
        kernel: &[f32],
        mode: ConvolutionMode,
    ) -> Result<()> {
        let _ = (dst, signal, kernel, mode);
        Err(Error::unsupported("convolve"))
    }

    /// Plans a cascade of second-order sections for `channels` channels, at least 1, each with a
    /// state of its own. Coefficients and states are double precision: within 4 ε of the largest
    /// output sample. A state that has decayed below 1e-30 may be set to 0 between calls. A sample that is
    /// not finite spoils what comes after it, and may spoil up to 7 samples before it.
    fn plan_biquads(&self, sections: &[Biquad], channels: usize) -> Result<Box<dyn BiquadCascade>> {
        let _ = (sections, channels);
        Err(Error::unsupported("biquads"))
    }

    /// Plans a streaming finite impulse response filter in direct form, for short responses: at
    /// least 1 tap. Within `taps` ε of the largest input sample times the sum of `|taps|`.
    fn plan_fir(&self, taps: &[f32]) -> Result<Box<dyn Fir>> {
        let _ = taps;
        Err(Error::unsupported("fir"))
    }

    /// Plans several filters, as of [`plan_fir`](Self::plan_fir) and within the same bound, over one
    /// signal. By default they run [one after the other](OneByOne); a backend may share the work.
    fn plan_firs(&self, taps: &[&[f32]]) -> Result<Box<dyn FirBank>> {
        let filters = taps.iter().map(|taps| self.plan_fir(taps));
        Ok(Box::new(OneByOne::new(filters.collect::<Result<_>>()?)))
    }

    /// [`scale`](Self::scale) in double precision.
    fn scale_f64(&self, data: &mut [f64], gain: f64) -> Result<()> {
        let _ = (data, gain);
        Err(Error::unsupported("scale_f64"))
    }

    /// [`channel_gains`](Self::channel_gains) in double precision.
    fn channel_gains_f64(&self, interleaved: &mut [f64], gains: &[f64]) -> Result<()> {
        let _ = (interleaved, gains);
        Err(Error::unsupported("channel_gains_f64"))
    }

    /// [`moving_rms`](Self::moving_rms) in double precision: within `window + 4` ε of itself, where
    /// no square leaves the range of normal numbers.
    fn moving_rms_f64(&self, dst: &mut [f64], src: &[f64], window: usize) -> Result<()> {
        let _ = (dst, src, window);
        Err(Error::unsupported("moving_rms_f64"))
    }

    /// [`plan_complex_fft`](Self::plan_complex_fft) in double precision.
    fn plan_complex_fft_f64(&self, len: usize) -> Result<Box<dyn ComplexFft<f64>>> {
        let _ = len;
        Err(Error::unsupported("complex_fft_f64"))
    }

    /// [`plan_real_fft`](Self::plan_real_fft) in double precision.
    fn plan_real_fft_f64(&self, len: usize) -> Result<Box<dyn RealFft<f64>>> {
        let _ = len;
        Err(Error::unsupported("real_fft_f64"))
    }

    /// [`convolve`](Self::convolve) in double precision.
    fn convolve_f64(
        &self,
        dst: &mut [f64],
        signal: &[f64],
        kernel: &[f64],
        mode: ConvolutionMode,
    ) -> Result<()> {
        let _ = (dst, signal, kernel, mode);
        Err(Error::unsupported("convolve_f64"))
    }

    /// What this instance runs, where that is not plain from its id: the instruction set that a
    /// portable backend picked.
    fn variant(&self) -> &'static str {
        ""
    }

    /// This backend for the kernels of [one length](Kernel::has_one_length), and `others` for
    /// everything else. It saves calls of short kernels the way through a table, if they run the very
    /// functions that they run without `others`; a backend need not care.
    fn with_others(&self, others: Arc<dyn Accelerator>) -> Option<Arc<dyn Accelerator>> {
        let _ = others;
        None
    }
}

/// What the configuration says to every accelerator: nothing beyond the CPU's features.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceleratorSettings {}

impl Kind for dyn Accelerator {
    const NAME: &'static str = "accelerator";
    type Settings = AcceleratorSettings;
}
