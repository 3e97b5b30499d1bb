//! What is planned for a size once, and then runs per block.

use std::fmt::Debug;

use num_complex::Complex;

use crate::{AudioBlockMut, Error, ErrorKind, Result};

/// Fourier transforms of a fixed number of complex points.
pub trait ComplexFft<T>: Debug + Send {
    /// The number of points.
    fn len(&self) -> usize;

    /// Whether there are no points: never, a plan has at least one.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `X[k] = sum x[n] exp(-2πi kn/N)`, in place. Within `8 log2(2N)` ε of the largest magnitude of
    /// the result.
    fn forward(&mut self, data: &mut [Complex<T>]) -> Result<()>;

    /// The inverse, scaled by `1/N`: `inverse(forward(x))` is `x`. With the accuracy of
    /// [`forward`](Self::forward).
    fn inverse(&mut self, data: &mut [Complex<T>]) -> Result<()>;
}

/// Fourier transforms of a fixed number of real samples.
pub trait RealFft<T>: Debug + Send {
    /// The number of samples, `N`. A spectrum has `N / 2 + 1` bins.
    fn len(&self) -> usize;

    /// Whether there are no samples: never, a plan has at least one.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of bins of a spectrum.
    fn bins(&self) -> usize {
        self.len() / 2 + 1
    }

    /// The bins 0 to `N / 2` of the transform of `samples`, with the accuracy of
    /// [`ComplexFft::forward`].
    fn forward(&mut self, spectrum: &mut [Complex<T>], samples: &[T]) -> Result<()>;

    /// The inverse, scaled by `1/N`, with the same accuracy. The imaginary part of bin 0, and of bin
    /// `N / 2` where `N` is even, is taken as 0.
    fn inverse(&mut self, samples: &mut [T], spectrum: &[Complex<T>]) -> Result<()>;
}

/// A streaming convolution of one channel.
pub trait Convolver: Debug + Send {
    /// The frames by which the output lies behind the input.
    fn latency(&self) -> usize;

    /// Convolves the next samples: any number of them.
    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()>;

    /// Forgets what came before.
    fn reset(&mut self);
}

/// What a [`Convolver`] is planned for.
#[derive(Clone, Copy, Debug)]
pub struct ConvolverSpec<'a> {
    /// The impulse response, at least one tap.
    pub impulse: &'a [f32],
    /// The number of samples that calls will mostly bring: what the partitions are chosen for. At
    /// least 1. Other numbers are right too, but cost more.
    pub block: usize,
    /// Whether the output may lie one block behind.
    pub latency: Latency,
}

/// How far the output of a convolver may lie behind its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Not at all.
    Zero,
    /// By [`ConvolverSpec::block`] samples, exactly.
    OneBlock,
}

/// A cascade of second-order sections over the channels of a block.
pub trait BiquadCascade: Debug + Send {
    /// The number of channels that it was planned for.
    fn channels(&self) -> usize;

    /// Filters the next frames in place. The block must have the planned channels.
    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()>;

    /// Forgets what came before.
    fn reset(&mut self);
}

/// A streaming finite impulse response filter of one channel.
pub trait Fir: Debug + Send {
    /// Filters the next samples: any number of them.
    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()>;

    /// Forgets what came before.
    fn reset(&mut self);
}

/// Streaming finite impulse response filters over one signal: the phases of an interpolator.
pub trait FirBank: Debug + Send {
    /// Filters the next samples: any number of them. The block must have a channel for each filter,
    /// and as many frames as there are samples.
    fn process(&mut self, block: &mut AudioBlockMut<'_>, src: &[f32]) -> Result<()>;

    /// Forgets what came before.
    fn reset(&mut self);
}

/// Filters that run one after the other.
#[derive(Debug)]
pub struct OneByOne(Vec<Box<dyn Fir>>);

impl OneByOne {
    /// A bank of these filters.
    pub fn new(filters: Vec<Box<dyn Fir>>) -> Self {
        Self(filters)
    }
}

impl FirBank for OneByOne {
    fn process(&mut self, block: &mut AudioBlockMut<'_>, src: &[f32]) -> Result<()> {
        if block.channels() != self.0.len() || block.frames() != src.len() {
            let message = "the block has not a channel for each filter and a frame for each sample";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let mut filters = self.0.iter_mut().zip(block.planes_mut());
        filters.try_for_each(|(filter, plane)| filter.process(plane, src))
    }

    fn reset(&mut self) {
        self.0.iter_mut().for_each(|filter| filter.reset());
    }
}

/// A second-order section `(b0 + b1 z⁻¹ + b2 z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²)`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Biquad {
    /// Feed-forward coefficient of the sample itself.
    pub b0: f64,
    /// Feed-forward coefficient of the sample before.
    pub b1: f64,
    /// Feed-forward coefficient of the sample before that.
    pub b2: f64,
    /// Feedback coefficient of the last output.
    pub a1: f64,
    /// Feedback coefficient of the output before.
    pub a2: f64,
}

/// Which part of a convolution is wanted. The names and meanings are those of
/// `scipy.signal.convolve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum ConvolutionMode {
    /// As long as the signal, centred with respect to the full one.
    Same,
    /// Every sample that the two touch: `signal + kernel - 1`.
    Full,
    /// Where the kernel lies wholly within the signal: `signal - kernel + 1`, and nothing if the
    /// kernel is longer.
    Valid,
}

impl ConvolutionMode {
    /// The length of the output.
    pub fn output_len(self, signal: usize, kernel: usize) -> usize {
        match self {
            Self::Same => signal,
            Self::Full => (signal + kernel).saturating_sub(1),
            Self::Valid => (signal + 1).saturating_sub(kernel),
        }
    }

    /// The index within the full convolution at which the output begins.
    pub fn offset(self, kernel: usize) -> usize {
        match self {
            Self::Same => kernel.saturating_sub(1) / 2,
            Self::Full => 0,
            Self::Valid => kernel.saturating_sub(1),
        }
    }

    /// Checks the lengths of a whole-signal convolution.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the signal or the kernel is empty, or `dst` is not as long as
    /// [`output_len`](Self::output_len) says.
    pub fn check(self, dst: usize, signal: usize, kernel: usize) -> Result<()> {
        if signal == 0 || kernel == 0 {
            let message = "a convolution needs a signal and a kernel of at least one sample";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        if dst != self.output_len(signal, kernel) {
            let message = "the output is not as long as this convolution";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(())
    }
}

/// The shape of a window of `n` samples, symmetric: sample `i` lies at `x = i / (n - 1)`. A window
/// of one sample is 1. Harris, "On the Use of Windows for Harmonic Analysis", Proc. IEEE 66 (1978).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window {
    /// `0.5 - 0.5 cos 2πx`.
    Hann,
    /// `0.54 - 0.46 cos 2πx`.
    Hamming,
    /// `0.42 - 0.5 cos 2πx + 0.08 cos 4πx`.
    Blackman,
    /// `0.35875 - 0.48829 cos 2πx + 0.14128 cos 4πx - 0.01168 cos 6πx`.
    BlackmanHarris,
}

impl Window {
    /// The coefficients of `1, -cos 2πx, cos 4πx, -cos 6πx`.
    pub const fn coefficients(self) -> [f64; 4] {
        match self {
            Self::Hann => [0.5, 0.5, 0.0, 0.0],
            Self::Hamming => [0.54, 0.46, 0.0, 0.0],
            Self::Blackman => [0.42, 0.5, 0.08, 0.0],
            Self::BlackmanHarris => [0.35875, 0.48829, 0.14128, 0.01168],
        }
    }
}
