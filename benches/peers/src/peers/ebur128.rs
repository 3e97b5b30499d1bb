//! libebur128, the loudness meter that most programs use.

use std::ffi::{c_int, c_uint, c_ulong, c_void};

use libloading::Library;

use super::{library, symbol};

const INTEGRATED: c_int = 0b101;
const TRUE_PEAK: c_int = 0b11_0001;

library! {
    /// The meter.
    Ebur128 from &["libebur128.so.1"];
    fn new = "ebur128_init" (c_uint, c_ulong, c_int) -> *mut c_void;
    fn add = "ebur128_add_frames_float" (*mut c_void, *const f32, usize) -> c_int;
    fn loudness = "ebur128_loudness_global" (*mut c_void, *mut f64) -> c_int;
    fn true_peak = "ebur128_true_peak" (*mut c_void, c_uint, *mut f64) -> c_int;
    fn free = "ebur128_destroy" (*mut *mut c_void);
}

impl Ebur128 {
    fn begin(&mut self, library: &'static Library) -> Result<(), String> {
        let version: unsafe extern "C" fn(*mut c_int, *mut c_int, *mut c_int) =
            symbol(library, "ebur128_get_version")?;
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: it writes to three variables of this function.
        unsafe { version(&mut major, &mut minor, &mut patch) };
        self.version = format!("libebur128 {major}.{minor}.{patch}");
        Ok(())
    }

    /// Loudness in LUFS and true peak, linear, of interleaved audio.
    pub fn measure(&self, interleaved: &[f32], channels: usize, rate: u32) -> (f64, f64) {
        let (mut loudness, mut highest) = (0.0, 0.0f64);
        // SAFETY: the meter is made here for these channels and given whole frames of them, and freed.
        unsafe {
            let mode = INTEGRATED | TRUE_PEAK;
            let mut meter = (self.new)(channels as c_uint, rate.into(), mode);
            (self.add)(meter, interleaved.as_ptr(), interleaved.len() / channels);
            (self.loudness)(meter, &mut loudness);
            for channel in 0..channels {
                let mut peak = 0.0;
                (self.true_peak)(meter, channel as c_uint, &mut peak);
                highest = highest.max(peak);
            }
            (self.free)(&mut meter);
        }
        (loudness, highest)
    }
}
