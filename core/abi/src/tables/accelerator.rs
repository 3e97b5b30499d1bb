//! The tables of accelerators: kernels on slices, and planned objects.
//!
//! Meaning, errors and bounds of every function are those of the method of the same name in
//! [`auralis_core::Accelerator`].

use abi_stable::StableAbi;

use super::Interface;
use crate::kernel_table;
use crate::wire::{
    Biquad, Block, Complex, ConvolutionModeCode, Instance, LatencyCode, Message, MinMax, Plan,
    Planes, PlanesMut, Slice, SliceMut, Status, WindowCode,
};

/// Calls `$callback!` with the functions of `accelerator.slices/1`.
#[doc(hidden)]
#[macro_export]
macro_rules! accelerator_slices_v1 {
    ($callback:ident) => {
        $callback! {
            /// Kernels on `f32` slices.
            SlicesV1 "accelerator.slices/1" {
                scale(data: SliceMut<f32>, gain: f32);
                ramp(data: SliceMut<f32>, from: f32, to: f32);
                channel_gains(interleaved: SliceMut<f32>, gains: Slice<f32>);
                add(dst: SliceMut<f32>, src: Slice<f32>);
                mix(dst: SliceMut<f32>, src: Slice<f32>, gain: f32);
                mul(dst: SliceMut<f32>, src: Slice<f32>);
                dot(a: Slice<f32>, b: Slice<f32>) -> f32;
                sum_squares(data: Slice<f32>) -> f32;
                peak(data: Slice<f32>) -> f32;
                min_max(data: Slice<f32>) -> MinMax;
                clip(data: SliceMut<f32>, low: f32, high: f32);
                interleave(dst: SliceMut<f32>, planes: Planes);
                deinterleave(planes: PlanesMut, src: Slice<f32>);
                f32_from_i16(dst: SliceMut<f32>, src: Slice<i16>);
                f32_from_i24(dst: SliceMut<f32>, src: Slice<[u8; 3]>);
                f32_from_i32(dst: SliceMut<f32>, src: Slice<i32>);
                i16_from_f32(dst: SliceMut<i16>, src: Slice<f32>);
                i24_from_f32(dst: SliceMut<[u8; 3]>, src: Slice<f32>);
                i32_from_f32(dst: SliceMut<i32>, src: Slice<f32>);
                complex_mul(
                    dst: SliceMut<Complex<f32>>,
                    a: Slice<Complex<f32>>,
                    b: Slice<Complex<f32>>
                );
                complex_mul_add(
                    dst: SliceMut<Complex<f32>>,
                    a: Slice<Complex<f32>>,
                    b: Slice<Complex<f32>>
                );
                window(dst: SliceMut<f32>, window: WindowCode);
                moving_rms(dst: SliceMut<f32>, src: Slice<f32>, window: usize);
            }
        }
    };
}

macro_rules! accelerator_math_v1 {
    ($callback:ident) => {
        $callback! {
            /// Functions of single samples.
            MathV1 "accelerator.math/1" {
                tanh(data: SliceMut<f32>);
                exp(data: SliceMut<f32>);
                ln(data: SliceMut<f32>);
            }
        }
    };
}

macro_rules! accelerator_convolve_v1 {
    ($callback:ident) => {
        $callback! {
            /// Whole-signal convolution.
            ConvolveV1 "accelerator.convolve/1" {
                convolve(
                    dst: SliceMut<f32>,
                    signal: Slice<f32>,
                    kernel: Slice<f32>,
                    mode: ConvolutionModeCode
                );
            }
        }
    };
}

macro_rules! accelerator_f64_v1 {
    ($callback:ident) => {
        $callback! {
            /// Kernels in double precision.
            F64V1 "accelerator.f64/1" {
                scale_f64(data: SliceMut<f64>, gain: f64);
                channel_gains_f64(interleaved: SliceMut<f64>, gains: Slice<f64>);
                moving_rms_f64(dst: SliceMut<f64>, src: Slice<f64>, window: usize);
                convolve_f64(
                    dst: SliceMut<f64>,
                    signal: Slice<f64>,
                    kernel: Slice<f64>,
                    mode: ConvolutionModeCode
                );
            }
        }
    };
}

pub(crate) use {accelerator_convolve_v1, accelerator_f64_v1, accelerator_math_v1};

accelerator_slices_v1!(kernel_table);
accelerator_math_v1!(kernel_table);
accelerator_convolve_v1!(kernel_table);
accelerator_f64_v1!(kernel_table);

/// The functions of one sort of complex Fourier transform.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct ComplexFftFunctions<T> {
    /// Plans transforms of `len` points.
    pub create: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            len: usize,
            plan: *mut *mut Plan,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::ComplexFft::forward`].
    pub forward: Option<
        unsafe extern "C" fn(
            plan: *mut Plan,
            data: SliceMut<Complex<T>>,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::ComplexFft::inverse`].
    pub inverse: Option<
        unsafe extern "C" fn(
            plan: *mut Plan,
            data: SliceMut<Complex<T>>,
            message: *mut Message,
        ) -> Status,
    >,
    /// Destroys a plan; NULL is passed over.
    pub destroy: Option<unsafe extern "C" fn(plan: *mut Plan)>,
}

/// The functions of one sort of real Fourier transform.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct RealFftFunctions<T> {
    /// Plans transforms of `len` samples.
    pub create: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            len: usize,
            plan: *mut *mut Plan,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::RealFft::forward`].
    pub forward: Option<
        unsafe extern "C" fn(
            plan: *mut Plan,
            spectrum: SliceMut<Complex<T>>,
            samples: Slice<T>,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::RealFft::inverse`].
    pub inverse: Option<
        unsafe extern "C" fn(
            plan: *mut Plan,
            samples: SliceMut<T>,
            spectrum: Slice<Complex<T>>,
            message: *mut Message,
        ) -> Status,
    >,
    /// Destroys a plan; NULL is passed over.
    pub destroy: Option<unsafe extern "C" fn(plan: *mut Plan)>,
}

/// Complex Fourier transforms of `f32`.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct ComplexFftV1 {
    /// The functions.
    pub functions: ComplexFftFunctions<f32>,
}

impl Interface for ComplexFftV1 {
    const ID: &'static str = "accelerator.complex-fft/1";
}

/// Real Fourier transforms of `f32`.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct RealFftV1 {
    /// The functions.
    pub functions: RealFftFunctions<f32>,
}

impl Interface for RealFftV1 {
    const ID: &'static str = "accelerator.real-fft/1";
}

/// Fourier transforms of `f64`.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct FftF64V1 {
    /// The functions of complex transforms.
    pub complex: ComplexFftFunctions<f64>,
    /// The functions of real transforms.
    pub real: RealFftFunctions<f64>,
}

impl Interface for FftF64V1 {
    const ID: &'static str = "accelerator.fft-f64/1";
}

/// Streaming convolution.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct ConvolverV1 {
    /// Plans a convolver, see [`auralis_core::ConvolverSpec`]. `frames_behind` receives its latency.
    pub create: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            impulse: Slice<f32>,
            block: usize,
            latency: LatencyCode,
            plan: *mut *mut Plan,
            frames_behind: *mut usize,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::Convolver::process`].
    pub process: Option<
        unsafe extern "C" fn(
            plan: *mut Plan,
            dst: SliceMut<f32>,
            src: Slice<f32>,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::Convolver::reset`].
    pub reset: Option<unsafe extern "C" fn(plan: *mut Plan, message: *mut Message) -> Status>,
    /// Destroys a plan; NULL is passed over.
    pub destroy: Option<unsafe extern "C" fn(plan: *mut Plan)>,
}

impl Interface for ConvolverV1 {
    const ID: &'static str = "accelerator.convolver/1";
}

/// Cascades of second-order sections.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct BiquadsV1 {
    /// Plans a cascade.
    pub create: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            sections: Slice<Biquad>,
            channels: usize,
            plan: *mut *mut Plan,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::BiquadCascade::process`].
    pub process: Option<
        unsafe extern "C" fn(plan: *mut Plan, block: Block, message: *mut Message) -> Status,
    >,
    /// [`auralis_core::BiquadCascade::reset`].
    pub reset: Option<unsafe extern "C" fn(plan: *mut Plan, message: *mut Message) -> Status>,
    /// Destroys a plan; NULL is passed over.
    pub destroy: Option<unsafe extern "C" fn(plan: *mut Plan)>,
}

impl Interface for BiquadsV1 {
    const ID: &'static str = "accelerator.biquads/1";
}

/// Streaming filters in direct form.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct FirV1 {
    /// Plans a filter.
    pub create: Option<
        unsafe extern "C" fn(
            instance: *const Instance,
            taps: Slice<f32>,
            plan: *mut *mut Plan,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::Fir::process`].
    pub process: Option<
        unsafe extern "C" fn(
            plan: *mut Plan,
            dst: SliceMut<f32>,
            src: Slice<f32>,
            message: *mut Message,
        ) -> Status,
    >,
    /// [`auralis_core::Fir::reset`].
    pub reset: Option<unsafe extern "C" fn(plan: *mut Plan, message: *mut Message) -> Status>,
    /// Destroys a plan; NULL is passed over.
    pub destroy: Option<unsafe extern "C" fn(plan: *mut Plan)>,
}

impl Interface for FirV1 {
    const ID: &'static str = "accelerator.fir/1";
}
