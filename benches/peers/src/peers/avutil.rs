//! FFmpeg's float kernels in libavutil, which its decoders use.
//!
//! The table is private to FFmpeg, but exported; its order is that of FFmpeg 4 to 7.

use std::ffi::c_int;

use libloading::Library;

use super::{library, symbol, text};

library! {
    /// What makes the table.
    Avutil from &["libavutil.so.57", "libavutil.so.58", "libavutil.so.59"];
    fn new = "avpriv_float_dsp_alloc" (c_int) -> *const FloatDsp;
}

impl Avutil {
    fn begin(&mut self, library: &'static Library) -> Result<(), String> {
        let version: unsafe extern "C" fn() -> *const std::ffi::c_char =
            symbol(library, "av_version_info")?;
        // SAFETY: it takes nothing and returns a constant.
        self.version = format!("FFmpeg {}", text(unsafe { version() }));
        Ok(())
    }

    /// The kernels for this CPU.
    pub fn kernels(&self) -> &'static FloatDsp {
        // SAFETY: the table is allocated by the library, complete, and never freed here.
        unsafe { &*(self.new)(0) }
    }
}

/// `AVFloatDSPContext`: lengths must be multiples of 16, buffers aligned to 32 bytes.
#[repr(C)]
pub struct FloatDsp {
    pub mul: unsafe extern "C" fn(*mut f32, *const f32, *const f32, c_int),
    pub mix: unsafe extern "C" fn(*mut f32, *const f32, f32, c_int),
    pub mix_f64: unsafe extern "C" fn(*mut f64, *const f64, f64, c_int),
    pub scale: unsafe extern "C" fn(*mut f32, *const f32, f32, c_int),
    pub scale_f64: unsafe extern "C" fn(*mut f64, *const f64, f64, c_int),
    pub mul_window: unsafe extern "C" fn(*mut f32, *const f32, *const f32, *const f32, c_int),
    pub mul_add: unsafe extern "C" fn(*mut f32, *const f32, *const f32, *const f32, c_int),
    pub mul_reverse: unsafe extern "C" fn(*mut f32, *const f32, *const f32, c_int),
    pub butterflies: unsafe extern "C" fn(*mut f32, *mut f32, c_int),
    pub dot: unsafe extern "C" fn(*const f32, *const f32, c_int) -> f32,
}
