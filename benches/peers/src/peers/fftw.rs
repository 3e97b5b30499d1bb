//! FFTW in single precision, with plans that it measured patiently.

use std::ffi::{c_int, c_uint, c_void};

use libloading::Library;
use rustfft::num_complex::Complex;

use super::{library, symbol, text};

const FORWARD: c_int = -1;
const BACKWARD: c_int = 1;
const PATIENT: c_uint = 1 << 5;
const DESTROY_INPUT: c_uint = 1;

type Plan = *mut c_void;

library! {
    /// The transforms.
    Fftw from &["libfftw3f.so.3"];
    fn plan_forward = "fftwf_plan_dft_r2c_1d" (c_int, *mut f32, *mut Complex<f32>, c_uint) -> Plan;
    fn plan_inverse = "fftwf_plan_dft_c2r_1d" (c_int, *mut Complex<f32>, *mut f32, c_uint) -> Plan;
    fn plan_complex = "fftwf_plan_dft_1d"
        (c_int, *mut Complex<f32>, *mut Complex<f32>, c_int, c_uint) -> Plan;
    fn forward = "fftwf_execute_dft_r2c" (Plan, *mut f32, *mut Complex<f32>);
    fn inverse = "fftwf_execute_dft_c2r" (Plan, *mut Complex<f32>, *mut f32);
    fn complex = "fftwf_execute_dft" (Plan, *mut Complex<f32>, *mut Complex<f32>);
}

impl Fftw {
    fn begin(&mut self, library: &'static Library) -> Result<(), String> {
        self.version = text(symbol(library, "fftwf_version")?);
        Ok(())
    }

    /// Plans for buffers of these lengths that begin at a cache line: forward and inverse of real
    /// samples. The inverse may destroy its input.
    pub fn real(&self, len: usize) -> (Plan, Plan) {
        let mut samples = crate::aligned::Aligned::<f32>::zeroed(len);
        let mut bins = crate::aligned::Aligned::<Complex<f32>>::zeroed(len / 2 + 1);
        let (samples, bins) = (samples.as_mut_ptr(), bins.as_mut_ptr());
        // SAFETY: both buffers have the lengths of the transform; planning writes nothing else.
        unsafe {
            (
                (self.plan_forward)(len as c_int, samples, bins, PATIENT),
                (self.plan_inverse)(len as c_int, bins, samples, PATIENT | DESTROY_INPUT),
            )
        }
    }

    /// Plans in place for a buffer of complex points: forward and inverse.
    pub fn complex(&self, len: usize) -> (Plan, Plan) {
        let mut points = crate::aligned::Aligned::<Complex<f32>>::zeroed(len);
        let points = points.as_mut_ptr();
        let plan = |direction| {
            // SAFETY: the buffer has the length of the transform; planning writes nothing else.
            unsafe { (self.plan_complex)(len as c_int, points, points, direction, PATIENT) }
        };
        (plan(FORWARD), plan(BACKWARD))
    }
}
