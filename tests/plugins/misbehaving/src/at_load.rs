//! Faults of a constructor: they run when the library is opened, before anybody can ask it anything.

use std::hint::black_box;
use std::process;
use std::ptr;

use crate::fault;

#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    if fault::is("abort") {
        process::abort();
    }
    if fault::is("segfault") {
        // SAFETY: none: this is the fault.
        unsafe { ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
    }
    if fault::is("stack-overflow") {
        black_box(deeper(1));
    }
    if fault::is("exit") {
        process::exit(0);
    }
    if fault::is("loop") {
        loop {
            std::hint::spin_loop();
        }
    }
    if fault::is("allocate") {
        let mut hoard = Vec::new();
        loop {
            hoard.push(black_box(vec![1u8; 16 << 20]));
        }
    }
    if fault::is("flush-to-zero") {
        flush_to_zero();
    }
}

#[allow(unconditional_recursion, reason = "this is the fault")]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    deeper(frame[0] + 1) + frame[63]
}

#[cfg(target_arch = "x86_64")]
fn flush_to_zero() {
    let mxcsr = 0x9FC0u32;
    // SAFETY: the value is the default with FTZ and DAZ; a host under test undoes it.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack)) };
}

#[cfg(target_arch = "aarch64")]
fn flush_to_zero() {
    let fpcr = 1u64 << 24;
    // SAFETY: the value is the default with FZ; a host under test undoes it.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) fpcr, options(nomem, nostack)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn flush_to_zero() {}
