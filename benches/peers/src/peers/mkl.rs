//! Intel's Math Kernel Library, from its PyPI wheel, on one thread.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::ptr::null_mut;

use libloading::Library;
use rustfft::num_complex::Complex;

use super::{library, symbol};

/// `VML_LA`: the middle one of the three accuracies.
pub const LOW_ACCURACY: i64 = 1;
const DOMAIN_COMPLEX: c_int = 32;
const DOMAIN_REAL: c_int = 33;
const BACKWARD_SCALE: c_int = 5;
const CONJUGATE_EVEN_STORAGE: c_int = 10;
const PLACEMENT: c_int = 11;
const COMPLEX_COMPLEX: c_int = 39;
const NOT_INPLACE: c_int = 44;
const THREADING_SEQUENTIAL: c_int = 1;

library! {
    /// The vector, BLAS and transform functions.
    Mkl from &["libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1"];
    fn scale = "cblas_sscal" (c_int, f32, *mut f32, c_int);
    fn mul = "vsMul" (c_int, *const f32, *const f32, *mut f32);
    fn mix = "cblas_saxpy" (c_int, f32, *const f32, c_int, *mut f32, c_int);
    fn dot = "cblas_sdot" (c_int, *const f32, c_int, *const f32, c_int) -> f32;
    fn index_of_peak = "cblas_isamax" (c_int, *const f32, c_int) -> usize;
    fn complex_mul = "vcMul"
        (c_int, *const Complex<f32>, *const Complex<f32>, *mut Complex<f32>);
    fn tanh = "vmsTanh" (c_int, *const f32, *mut f32, i64);
    fn exp = "vmsExp" (c_int, *const f32, *mut f32, i64);
    fn ln = "vmsLn" (c_int, *const f32, *mut f32, i64);
    fn new_transform = "DftiCreateDescriptor_s_1d" (*mut *mut c_void, c_int, c_long) -> c_long;
    fn set = "DftiSetValue" (*mut c_void, c_int; ...) -> c_long;
    fn commit = "DftiCommitDescriptor" (*mut c_void) -> c_long;
    fn forward = "DftiComputeForward" (*mut c_void, *mut c_void; ...) -> c_long;
    fn inverse = "DftiComputeBackward" (*mut c_void, *mut c_void; ...) -> c_long;
}

impl Mkl {
    fn begin(&mut self, library: &'static Library) -> Result<(), String> {
        let threading: unsafe extern "C" fn(c_int) -> c_int =
            symbol(library, "MKL_Set_Threading_Layer")?;
        let version: unsafe extern "C" fn(*mut c_char, c_int) =
            symbol(library, "MKL_Get_Version_String")?;
        let mut text = [0u8; 256];
        // SAFETY: the layer is chosen before any other call; the second function writes at most as
        // many bytes as it is told.
        unsafe {
            threading(THREADING_SEQUENTIAL);
            version(text.as_mut_ptr().cast(), text.len() as c_int);
        }
        let text = String::from_utf8_lossy(&text);
        let text = text.trim_end_matches(['\0', ' ']);
        self.version = format!("MKL: {}", text.split(" for ").next().unwrap_or(text));
        Ok(())
    }

    /// A plan of real transforms into another buffer, whose inverse divides by the length.
    pub fn real_transform(&self, len: usize) -> *mut c_void {
        let plan = self.transform(DOMAIN_REAL, len);
        // SAFETY: the plan is a new one; the values are the documented constants.
        unsafe {
            (self.set)(plan, PLACEMENT, NOT_INPLACE);
            (self.set)(plan, CONJUGATE_EVEN_STORAGE, COMPLEX_COMPLEX);
        }
        self.committed(plan)
    }

    /// A plan of complex transforms in place, whose inverse divides by the length.
    pub fn complex_transform(&self, len: usize) -> *mut c_void {
        self.committed(self.transform(DOMAIN_COMPLEX, len))
    }

    fn transform(&self, domain: c_int, len: usize) -> *mut c_void {
        let mut plan = null_mut();
        // SAFETY: the handle is written to a variable of this function; the scale of a transform in
        // single precision is passed as the variadic convention has it, as a double.
        unsafe {
            let status = (self.new_transform)(&mut plan, domain, len as c_long);
            assert_eq!(status, 0, "the library has no transform of {len} points");
            (self.set)(plan, BACKWARD_SCALE, 1.0 / len as f64);
        }
        plan
    }

    fn committed(&self, plan: *mut c_void) -> *mut c_void {
        // SAFETY: the plan is a new one.
        let status = unsafe { (self.commit)(plan) };
        assert_eq!(status, 0, "the library made no transform");
        plan
    }
}
