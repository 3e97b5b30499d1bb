//! zita-convolver through `zita.cpp`, which run.sh compiles: the library's interface is C++.

use std::ffi::{c_int, c_void};

use libloading::Library;

use super::library;

library! {
    /// The convolver.
    Zita from &["libzita_shim.so"];
    fn new = "zita_shim_new" (*const f32, c_int, c_int) -> *mut c_void;
    fn process = "zita_shim_process" (*mut c_void, *mut f32, *const f32);
    fn free = "zita_shim_free" (*mut c_void);
    fn major = "zita_shim_major" () -> c_int;
    fn minor = "zita_shim_minor" () -> c_int;
}

impl Zita {
    fn begin(&mut self, _: &'static Library) -> Result<(), String> {
        // SAFETY: they take nothing.
        let (major, minor) = unsafe { ((self.major)(), (self.minor)()) };
        self.version = format!("zita-convolver {major}.{minor}");
        Ok(())
    }
}
