//! Intel's Integrated Performance Primitives, from their PyPI wheel.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;

use libloading::Library;
use rustfft::num_complex::Complex;

use super::{library, open, symbol, text};

/// `ipp32f` of `IppDataType`.
pub const DATA_F32: c_int = 13;
/// `ippAlgAuto` and `ippAlgFFT` of `IppAlgType`.
pub const ALGORITHM_AUTO: c_int = 0;
/// As above.
pub const ALGORITHM_FFT: c_int = 2;
/// `ippRndNear`: to nearest, ties to even.
pub const ROUND_NEAR: c_int = 1;
const DIVIDE_INVERSE: c_int = 2;

library! {
    /// The signal-processing functions.
    Ipp from &["libipps.so.12", "libipps.so", "libipps.so.11"];
    fn scale = "ippsMulC_32f_I" (f32, *mut f32, c_int) -> c_int;
    fn mul = "ippsMul_32f_I" (*const f32, *mut f32, c_int) -> c_int;
    fn mix = "ippsAddProductC_32f" (*const f32, f32, *mut f32, c_int) -> c_int;
    fn dot = "ippsDotProd_32f" (*const f32, *const f32, c_int, *mut f32) -> c_int;
    fn norm_l2 = "ippsNorm_L2_32f" (*const f32, c_int, *mut f32) -> c_int;
    fn norm_inf = "ippsNorm_Inf_32f" (*const f32, c_int, *mut f32) -> c_int;
    fn peak = "ippsMaxAbs_32f" (*const f32, c_int, *mut f32) -> c_int;
    fn min_max = "ippsMinMax_32f" (*const f32, c_int, *mut f32, *mut f32) -> c_int;
    fn complex_mul = "ippsMul_32fc"
        (*const Complex<f32>, *const Complex<f32>, *mut Complex<f32>, c_int) -> c_int;
    fn real_and_imaginary = "ippsCplxToReal_32fc"
        (*const Complex<f32>, *mut f32, *mut f32, c_int) -> c_int;
    fn complex_of = "ippsRealToCplx_32f"
        (*const f32, *const f32, *mut Complex<f32>, c_int) -> c_int;
    fn f32_from_i16 = "ippsConvert_16s32f_Sfs" (*const i16, *mut f32, c_int, c_int) -> c_int;
    fn i16_from_f32 = "ippsConvert_32f16s_Sfs"
        (*const f32, *mut i16, c_int, c_int, c_int) -> c_int;
    fn clip = "ippsThreshold_LTValGTVal_32f_I"
        (*mut f32, c_int, f32, f32, f32, f32) -> c_int;
    fn real_fft_size = "ippsFFTGetSize_R_32f"
        (c_int, c_int, c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int;
    fn real_fft_init = "ippsFFTInit_R_32f"
        (*mut *mut c_void, c_int, c_int, c_int, *mut u8, *mut u8) -> c_int;
    fn real_fft_forward = "ippsFFTFwd_RToCCS_32f"
        (*const f32, *mut f32, *const c_void, *mut u8) -> c_int;
    fn real_fft_inverse = "ippsFFTInv_CCSToR_32f"
        (*const f32, *mut f32, *const c_void, *mut u8) -> c_int;
    fn complex_fft_size = "ippsFFTGetSize_C_32fc"
        (c_int, c_int, c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int;
    fn complex_fft_init = "ippsFFTInit_C_32fc"
        (*mut *mut c_void, c_int, c_int, c_int, *mut u8, *mut u8) -> c_int;
    fn complex_fft_forward = "ippsFFTFwd_CToC_32fc_I"
        (*mut Complex<f32>, *const c_void, *mut u8) -> c_int;
    fn complex_fft_inverse = "ippsFFTInv_CToC_32fc_I"
        (*mut Complex<f32>, *const c_void, *mut u8) -> c_int;
    fn convolve_size = "ippsConvolveGetBufferSize"
        (c_int, c_int, c_int, c_int, *mut c_int) -> c_int;
    fn convolve = "ippsConvolve_32f"
        (*const f32, c_int, *const f32, c_int, *mut f32, c_int, *mut u8) -> c_int;
    fn fir_size = "ippsFIRSRGetSize" (c_int, c_int, *mut c_int, *mut c_int) -> c_int;
    fn fir_init = "ippsFIRSRInit_32f" (*const f32, c_int, c_int, *mut c_void) -> c_int;
    fn fir = "ippsFIRSR_32f"
        (*const f32, *mut f32, c_int, *mut c_void, *const f32, *mut f32, *mut u8) -> c_int;
    fn biquads_size = "ippsIIRGetStateSize_BiQuad_32f" (c_int, *mut c_int) -> c_int;
    fn biquads_init = "ippsIIRInit_BiQuad_32f"
        (*mut *mut c_void, *const f32, c_int, *const f32, *mut u8) -> c_int;
    fn biquads = "ippsIIR_32f" (*const f32, *mut f32, c_int, *mut c_void) -> c_int;
}

/// What begins the record that `ippsGetLibVersion` returns: `IppLibraryVersion`.
#[repr(C)]
struct Version {
    numbers: [c_int; 4],
    target: [c_char; 4],
    name: *const c_char,
    version: *const c_char,
}

impl Ipp {
    /// Has the library choose its code for this CPU, and asks which that is.
    fn begin(&mut self, library: &'static Library) -> Result<(), String> {
        let core = open(&["libippcore.so.12", "libippcore.so", "libippcore.so.11"])?;
        let init: unsafe extern "C" fn() -> c_int = symbol(core, "ippInit")?;
        // SAFETY: it takes nothing.
        let status = unsafe { init() };
        if status < 0 {
            return Err(format!("ippInit answered {status}"));
        }
        let version: unsafe extern "C" fn() -> *const Version =
            symbol(library, "ippsGetLibVersion")?;
        // SAFETY: the function returns a record of the library that is never freed.
        let record = unsafe { &*version() };
        self.version = format!("IPP {} {}", text(record.version), text(record.name));
        Ok(())
    }
}

/// Memory that begins at a cache line, as `ippsMalloc` would give it.
pub type Memory = crate::aligned::Aligned<u8>;

/// Memory of a size that the library has asked for.
pub fn memory(size: c_int) -> Memory {
    Memory::zeroed(usize::try_from(size).unwrap_or(0).max(64))
}

type Sizes = unsafe extern "C" fn(c_int, c_int, c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int;
type Init = unsafe extern "C" fn(*mut *mut c_void, c_int, c_int, c_int, *mut u8, *mut u8) -> c_int;

/// A plan of a Fourier transform of a power of two points, whose inverse divides by their number.
pub struct Transform {
    ipp: &'static Ipp,
    plan: *const c_void,
    work: Memory,
    /// Where the plan lies.
    _specification: Memory,
}

impl Transform {
    /// Of real samples.
    pub fn real(ipp: &'static Ipp, len: usize) -> Self {
        Self::new(ipp, ipp.real_fft_size, ipp.real_fft_init, len)
    }

    /// Of complex points.
    pub fn complex(ipp: &'static Ipp, len: usize) -> Self {
        Self::new(ipp, ipp.complex_fft_size, ipp.complex_fft_init, len)
    }

    fn new(ipp: &'static Ipp, sizes: Sizes, init: Init, len: usize) -> Self {
        let order = len.ilog2() as c_int;
        let (mut specification, mut begin, mut work) = (0, 0, 0);
        // SAFETY: the three sizes are written to variables of this function.
        let status = unsafe {
            sizes(
                order,
                DIVIDE_INVERSE,
                0,
                &mut specification,
                &mut begin,
                &mut work,
            )
        };
        assert_eq!(status, 0, "the library has no transform of {len} points");
        let (mut specification, mut begin) = (memory(specification), memory(begin));
        let mut plan = null_mut();
        // SAFETY: both memories have the sizes that the library has just asked for.
        let status = unsafe {
            init(
                &mut plan,
                order,
                DIVIDE_INVERSE,
                0,
                specification.as_mut_ptr(),
                begin.as_mut_ptr(),
            )
        };
        assert_eq!(status, 0, "the library made no transform of {len} points");
        Self {
            ipp,
            plan,
            work: memory(work),
            _specification: specification,
        }
    }

    /// Of as many samples as were planned, to half as many bins and one.
    pub fn real_forward(&mut self, samples: &[f32], bins: &mut [Complex<f32>]) {
        let (from, to) = (samples.as_ptr(), bins.as_mut_ptr().cast());
        // SAFETY: the caller's buffers are as long as the plan says; `len + 2` floats are the bins.
        unsafe { (self.ipp.real_fft_forward)(from, to, self.plan, self.work.as_mut_ptr()) };
    }

    /// The reverse.
    pub fn real_inverse(&mut self, samples: &mut [f32], bins: &[Complex<f32>]) {
        let (from, to) = (bins.as_ptr().cast(), samples.as_mut_ptr());
        // SAFETY: as above.
        unsafe { (self.ipp.real_fft_inverse)(from, to, self.plan, self.work.as_mut_ptr()) };
    }

    /// Of as many points as were planned, in place.
    pub fn complex_forward(&mut self, points: &mut [Complex<f32>]) {
        let at = points.as_mut_ptr();
        // SAFETY: the caller's buffer is as long as the plan says.
        unsafe { (self.ipp.complex_fft_forward)(at, self.plan, self.work.as_mut_ptr()) };
    }

    /// The reverse.
    pub fn complex_inverse(&mut self, points: &mut [Complex<f32>]) {
        let at = points.as_mut_ptr();
        // SAFETY: as above.
        unsafe { (self.ipp.complex_fft_inverse)(at, self.plan, self.work.as_mut_ptr()) };
    }
}
