//! The mathematical functions of Intel's Integrated Performance Primitives.

use std::ffi::c_int;

use libloading::Library;

use super::ipp::Ipp;
use super::library;

library! {
    /// Functions of vectors with 21 right bits, which is what ours have: the next better ones have 24,
    /// the next worse ones 11.
    Ippvm from &["libippvm.so.12", "libippvm.so", "libippvm.so.11"];
    fn tanh = "ippsTanh_32f_A21" (*const f32, *mut f32, c_int) -> c_int;
    fn exp = "ippsExp_32f_A21" (*const f32, *mut f32, c_int) -> c_int;
    fn ln = "ippsLn_32f_A21" (*const f32, *mut f32, c_int) -> c_int;
}

impl Ippvm {
    fn begin(&mut self, _: &'static Library) -> Result<(), String> {
        // That has the common core choose its code for this CPU.
        self.version.clone_from(&Ipp::get()?.version);
        Ok(())
    }
}
