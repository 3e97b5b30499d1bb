//! The control bits of the floating-point unit, which are the host's own.

use std::cell::Cell;
#[cfg(target_arch = "x86_64")]
use std::mem::MaybeUninit;

thread_local! {
    static RESTORATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The rounding mode, the flush-to-zero bits and the exception masks of this thread.
///
/// Foreign code may change them: a library linked with `-ffast-math` switches denormals off in the
/// thread that opens it. Exception flags, which every operation may set, are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatControl(u64);

impl FloatControl {
    /// What is set in this thread.
    #[inline]
    pub fn read() -> Self {
        Self(read())
    }

    /// Sets it again, if it is no longer so. Says whether it was changed.
    #[inline]
    pub fn restore(self) -> bool {
        let changed = Self::read() != self;
        if changed {
            write(self.0);
            RESTORATIONS.set(RESTORATIONS.get() + 1);
        }
        changed
    }

    /// How often it had to be set again in this thread: a trial that sees the number grow has found
    /// a backend that changes what is the host's own.
    pub fn restorations() -> u64 {
        RESTORATIONS.get()
    }
}

/// The bits of MXCSR that are control: Intel SDM volume 1, section 10.2.3.
#[cfg(target_arch = "x86_64")]
const CONTROL: u32 = 0xFFC0;

#[cfg(target_arch = "x86_64")]
#[inline]
fn read() -> u64 {
    let mut mxcsr = MaybeUninit::<u32>::uninit();
    // SAFETY: stmxcsr writes 4 bytes to the address, which is that of a local u32, and reads nothing.
    let mxcsr = unsafe {
        std::arch::asm!(
            "stmxcsr [{}]",
            in(reg) mxcsr.as_mut_ptr(),
            options(nostack, preserves_flags)
        );
        mxcsr.assume_init()
    };
    u64::from(mxcsr & CONTROL)
}

#[cfg(target_arch = "x86_64")]
#[cold]
fn write(control: u64) {
    let mxcsr = control as u32;
    // SAFETY: ldmxcsr reads 4 bytes from a local u32; only control bits that were read from the
    // register before are set, so no reserved bit faults. What Rust assumes of the register is what
    // it held then.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack)) };
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn read() -> u64 {
    let fpcr: u64;
    // SAFETY: FPCR may be read at every exception level; nothing else is touched.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack)) };
    fpcr
}

#[cfg(target_arch = "aarch64")]
#[cold]
fn write(control: u64) {
    // SAFETY: FPCR may be written at every exception level, with a value that was read from it.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) control, options(nomem, nostack)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn read() -> u64 {
    0
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn write(_: u64) {}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;

    #[cfg(target_arch = "x86_64")]
    const FLUSH_TO_ZERO: u64 = 1 << 15;
    #[cfg(target_arch = "aarch64")]
    const FLUSH_TO_ZERO: u64 = 1 << 24;

    #[test]
    fn a_change_is_noticed_and_undone() {
        let before = FloatControl::read();
        assert!(!before.restore());
        write(before.0 | FLUSH_TO_ZERO);
        assert_ne!(FloatControl::read(), before);
        let restorations = FloatControl::restorations();
        assert!(before.restore());
        assert_eq!(FloatControl::restorations(), restorations + 1);
        assert_eq!(FloatControl::read(), before);
    }
}
