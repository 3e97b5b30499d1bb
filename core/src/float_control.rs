//! The control bits of the floating-point unit: what is set for audio, and set again afterwards.

#![allow(
    unsafe_code,
    reason = "the register of the control bits is read and written by instructions of its own"
)]

use std::cell::Cell;
use std::marker::PhantomData;

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

    /// Runs foreign code, and says what was set before if results come out otherwise since: then it is
    /// the caller's to [restore](Self::restore).
    ///
    /// What is compared is what the bits do, to rounding and to denormal numbers: that costs next to
    /// nothing, while to read the register is to wait for all that was computed before (Zen 4: 4 ns,
    /// twice a call). Exception masks change no result; who needs them compared reads and restores.
    #[inline(always)]
    pub fn around<T>(foreign: impl FnOnce() -> T) -> (T, Option<Self>) {
        let before = Effect::now();
        let answer = foreign();
        let changed = !Effect::now().is(before);
        (answer, changed.then(|| before.control()))
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

/// What the control bits do to results.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Effect(std::arch::x86_64::__m128i);

#[cfg(target_arch = "x86_64")]
impl Effect {
    /// Four pairs of numbers, and the bits of MXCSR that decide how the sum of each comes out: 1 and -1
    /// with three quarters of their last place, as the lower and the higher bit of the rounding mode
    /// say; two normal numbers whose sum is denormal (FTZ); a denormal number in a normal sum (DAZ).
    const PAIRS: [(f32, f32, u32); 4] = [
        (1.0, 0.75 * f32::EPSILON, 1 << 13),
        (-1.0, -0.75 * f32::EPSILON, 1 << 14),
        (f32::MIN_POSITIVE, -1.5 * f32::MIN_POSITIVE, 1 << 15),
        (f32::MIN_POSITIVE, f32::from_bits(1), 1 << 6),
    ];

    /// The sums to nearest, with denormal numbers as they are.
    const PLAIN: [f32; 4] = [
        1.0 + f32::EPSILON,
        -1.0 - f32::EPSILON,
        -0.5 * f32::MIN_POSITIVE,
        f32::from_bits(f32::MIN_POSITIVE.to_bits() + 1),
    ];

    #[inline(always)]
    fn now() -> Self {
        use std::arch::x86_64::{_mm_castps_si128, _mm_setr_ps};
        let [a, b, c, d] = Self::PAIRS;
        // SAFETY: every x86-64 has SSE2; the sum is of two registers, by an instruction that the
        // compiler can't work out beforehand.
        unsafe {
            let mut sums = _mm_setr_ps(a.0, b.0, c.0, d.0);
            std::arch::asm!(
                "addps {}, {}",
                inout(xmm_reg) sums,
                in(xmm_reg) _mm_setr_ps(a.1, b.1, c.1, d.1),
                options(nostack, preserves_flags)
            );
            Self(_mm_castps_si128(sums))
        }
    }

    /// Which sums are the same, a bit each.
    #[inline(always)]
    fn common(self, other: Self) -> i32 {
        use std::arch::x86_64::{_mm_castsi128_ps, _mm_cmpeq_epi32, _mm_movemask_ps};
        // SAFETY: every x86-64 has SSE2.
        unsafe { _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(self.0, other.0))) }
    }

    #[inline(always)]
    fn is(self, other: Self) -> bool {
        self.common(other) == 0b1111
    }

    /// The control that has this effect, and the exception masks of now.
    #[cold]
    fn control(self) -> FloatControl {
        use std::arch::x86_64::{_mm_castps_si128, _mm_setr_ps};
        let [a, b, c, d] = Self::PLAIN;
        // SAFETY: every x86-64 has SSE2.
        let plain = unsafe { _mm_castps_si128(_mm_setr_ps(a, b, c, d)) };
        let plain = self.common(Self(plain));
        let mut control = read();
        for (lane, (_, _, bit)) in Self::PAIRS.into_iter().enumerate() {
            control &= !u64::from(bit);
            if plain & 1 << lane == 0 {
                control |= u64::from(bit);
            }
        }
        FloatControl(control)
    }
}

/// The register, where reading it is cheap.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy)]
struct Effect(FloatControl);

#[cfg(not(target_arch = "x86_64"))]
impl Effect {
    #[inline(always)]
    fn now() -> Self {
        Self(FloatControl::read())
    }

    #[inline(always)]
    fn is(self, other: Self) -> bool {
        self.0 == other.0
    }

    fn control(self) -> FloatControl {
        self.0
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn read() -> u64 {
    let mut mxcsr = 0_u32;
    // SAFETY: stmxcsr writes 4 bytes to the address, which is that of a local u32.
    unsafe {
        std::arch::asm!(
            "stmxcsr [{}]",
            in(reg) &raw mut mxcsr,
            options(nostack, preserves_flags)
        );
    }
    mxcsr.into()
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
#[inline]
fn read() -> u64 {
    let fpcr: u64;
    // SAFETY: FPCR may be read at every exception level; nothing else is touched.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack)) };
    fpcr
}

#[cfg(target_arch = "aarch64")]
fn write(control: u64) {
    // SAFETY: FPCR may be written at every exception level, with a value that was read from it,
    // and FZ, which every 64-bit Arm with floating point has.
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
    }

    #[test]
    fn every_change_of_what_results_are_is_noticed() {
        let before = FloatControl::read();
        let settings: Vec<_> = (0..=SHAPING)
            .filter(|bits| bits & !SHAPING == 0)
            .map(|bits| before.0 & !SHAPING | bits)
            .collect();
        assert!(settings.len() >= 8);
        for &was in &settings {
            for &becomes in &settings {
                write(was);
                let (_, changed) = FloatControl::around(|| write(becomes));
                if let Some(was) = changed {
                    was.restore();
                }
                let restored = FloatControl::read();
                write(before.0);
                assert_eq!(changed.is_some(), was != becomes, "{was:#x}, {becomes:#x}");
                assert_eq!(restored, FloatControl(was), "{was:#x}, {becomes:#x}");
            }
        }
    }

    /// The bits that results depend on.
    #[cfg(target_arch = "x86_64")]
    const SHAPING: u64 = 0b11 << 13 | FLUSH_TO_ZERO;

    /// FPCR.RMode and FPCR.FZ.
    #[cfg(target_arch = "aarch64")]
    const SHAPING: u64 = 0b11 << 22 | FLUSH_TO_ZERO;

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
