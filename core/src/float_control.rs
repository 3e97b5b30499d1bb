//! The control bits of the floating-point unit: what is set for audio, and set again afterwards.

#![allow(
    unsafe_code,
    reason = "the register of the control bits is read and written by instructions of its own"
)]

use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

thread_local! {
    static RESTORATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The rounding mode, the flush-to-zero bits and the exception masks of this thread.
///
/// Foreign code may change them: a library linked with `-ffast-math` switches denormals off in the
/// thread that opens it. Exception flags, which every operation may set, are not part of it.
#[derive(Clone, Copy, Debug)]
pub struct FloatControl(u64);

impl PartialEq for FloatControl {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // The register's flags are masked here alone: one instruction for two readings.
        (self.0 ^ other.0) & CONTROL == 0
    }
}

impl Eq for FloatControl {}

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
            self.write();
        }
        changed
    }

    #[cold]
    fn write(self) {
        write(self.0);
        RESTORATIONS.set(RESTORATIONS.get() + 1);
    }

    /// Runs foreign code, and says what was set before if that is no longer so: then it is the caller's
    /// to [restore](Self::restore). Cheaper than to read before and restore after, because the first
    /// reading stays in memory, where the instruction leaves it.
    #[inline(always)]
    pub fn around<T>(foreign: impl FnOnce() -> T) -> (T, Option<Self>) {
        let mut before = Register::uninit();
        store(&mut before);
        let answer = foreign();
        let mut after = Register::uninit();
        store(&mut after);
        // SAFETY: both were just stored.
        let (before, after) = unsafe { (before.assume_init(), after.assume_init()) };
        let (before, after) = (Self(before.into()), Self(after.into()));
        (answer, (before != after).then_some(before))
    }

    /// How often it had to be set again in this thread: a trial that sees the number grow has found
    /// a backend that changes what is the host's own.
    pub fn restorations() -> u64 {
        RESTORATIONS.get()
    }
}

/// Denormal numbers count as zero in this thread while it lives; then everything is as it was before,
/// also where a panic unwinds through. Real-time safe.
///
/// A recursive filter or a reverberation decays into numbers so small that many CPUs compute with
/// them a hundred times slower. The engine holds one of these around every block; kernels, which
/// leave the control bits as they are, keep denormals where nobody does. On other architectures than
/// x86-64 and 64-bit Arm it changes nothing.
#[derive(Debug)]
#[must_use = "denormals are kept again as soon as it is dropped"]
pub struct FlushToZero {
    before: FloatControl,
    /// The register is that of the thread.
    this_thread: PhantomData<*const ()>,
}

impl FlushToZero {
    /// Sets the bits in this thread.
    #[inline]
    pub fn new() -> Self {
        let before = FloatControl::read();
        if before.0 & FLUSH_TO_ZERO != FLUSH_TO_ZERO {
            write(before.0 | FLUSH_TO_ZERO);
        }
        Self {
            before,
            this_thread: PhantomData,
        }
    }
}

impl Default for FlushToZero {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for FlushToZero {
    #[inline]
    fn drop(&mut self) {
        if FloatControl::read() != self.before {
            write(self.before.0);
        }
    }
}

/// Results to zero, and operands as zero (FTZ and DAZ): Intel SDM volume 1, section 10.2.3.
#[cfg(target_arch = "x86_64")]
const FLUSH_TO_ZERO: u64 = 1 << 15 | 1 << 6;

/// FPCR.FZ: Arm Architecture Reference Manual, C5.2.8.
#[cfg(target_arch = "aarch64")]
const FLUSH_TO_ZERO: u64 = 1 << 24;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const FLUSH_TO_ZERO: u64 = 0;

/// The bits of MXCSR that are control: Intel SDM volume 1, section 10.2.3.
#[cfg(target_arch = "x86_64")]
const CONTROL: u64 = 0xFFC0;

/// FPCR holds nothing else.
#[cfg(not(target_arch = "x86_64"))]
const CONTROL: u64 = u64::MAX;

/// Room for what the register holds.
#[cfg(target_arch = "x86_64")]
type Register = MaybeUninit<u32>;
#[cfg(not(target_arch = "x86_64"))]
type Register = MaybeUninit<u64>;

#[inline]
fn read() -> u64 {
    let mut register = Register::uninit();
    store(&mut register);
    // SAFETY: it was just stored.
    unsafe { register.assume_init() }.into()
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn store(place: &mut Register) {
    // SAFETY: stmxcsr writes 4 bytes to the address, which is that of a u32, and reads nothing.
    unsafe {
        std::arch::asm!(
            "stmxcsr [{}]",
            in(reg) place.as_mut_ptr(),
            options(nostack, preserves_flags)
        );
    }
}

#[cfg(target_arch = "x86_64")]
fn write(control: u64) {
    let mxcsr = control as u32;
    // SAFETY: ldmxcsr reads 4 bytes from a local u32; only bits that were read from the
    // register before are set, and FTZ and DAZ, which every x86-64 has, so no reserved bit faults.
    // What Rust assumes of the register is its default: code that runs under FTZ and DAZ may see
    // denormals as they are or as zero, which audio allows for.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack)) };
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn store(place: &mut Register) {
    let fpcr: u64;
    // SAFETY: FPCR may be read at every exception level; nothing else is touched.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack)) };
    place.write(fpcr);
}

#[cfg(target_arch = "aarch64")]
fn write(control: u64) {
    // SAFETY: FPCR may be written at every exception level, with a value that was read from it,
    // and FZ, which every 64-bit Arm with floating point has.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) control, options(nomem, nostack)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn store(place: &mut Register) {
    place.write(0);
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn write(_: u64) {}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;

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
        let (answer, changed) = FloatControl::around(|| halved(1.0));
        assert_eq!((answer, changed), (0.5, None));
        let (_, changed) = FloatControl::around(|| write(before.0 | FLUSH_TO_ZERO));
        assert_eq!(changed, Some(before));
        assert!(before.restore());
    }

    fn halved(smallest: f32) -> f32 {
        std::hint::black_box(smallest) * std::hint::black_box(0.5)
    }

    #[test]
    fn denormals_are_zero_while_it_lives() {
        let before = FloatControl::read();
        let restorations = FloatControl::restorations();
        assert!(halved(f32::MIN_POSITIVE) > 0.0);
        {
            let _outer = FlushToZero::new();
            assert_eq!(halved(f32::MIN_POSITIVE), 0.0);
            drop(FlushToZero::new());
            assert_eq!(halved(f32::MIN_POSITIVE), 0.0);
        }
        assert_eq!(FloatControl::read(), before);
        let panicked = std::panic::catch_unwind(|| {
            let _flush = FlushToZero::new();
            panic!("within");
        });
        assert!(panicked.is_err());
        assert_eq!(FloatControl::read(), before);
        assert!(halved(f32::MIN_POSITIVE) > 0.0);
        assert_eq!(FloatControl::restorations(), restorations);
    }
}
