//! Vectors of an instruction set, for the kernels that are written by hand.

/// Methods of [`Vectors`] that are unsafe by their instructions alone.
macro_rules! proven {
    ($(fn $name:ident($($argument:tt)*) -> $result:ty { $($body:tt)* })*) => {$(
        #[inline(always)]
        fn $name($($argument)*) -> $result {
            // SAFETY: the token proves that the CPU has the instructions.
            unsafe { $($body)* }
        }
    )*};
}

/// Methods of [`Vectors`] that are unsafe by their pointers too.
macro_rules! given {
    ($(
        fn $name:ident$(<$(const $count:ident: usize),+>)?($($argument:tt)*) $(-> $result:ty)? {
            $($body:tt)*
        }
    )*) => {$(
        #[inline(always)]
        unsafe fn $name$(<$(const $count: usize),+>)?($($argument)*) $(-> $result)? {
            // SAFETY: the token proves that the CPU has the instructions; the pointers are the
            // caller's promise.
            unsafe { $($body)* }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::in_halves;

use crate::isa::Isa;

/// The bits of the least number whose exponent is counted as that of 1.
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    allow(dead_code, reason = "no vectors are there to use it")
)]
const THREE_QUARTERS: i32 = 0.75_f32.to_bits().cast_signed();

/// What an instruction set does with a vector of samples.
///
/// It is implemented for the tokens of [`crate::isa`]: holding one proves that the instructions may
/// run.
///
/// # Safety
///
/// What is unsafe here is so for its pointers: as many elements as the vector has lanes (or `count`)
/// must be there to be read or written, and nobody else may use them. No alignment is asked for.
pub(crate) trait Vectors: Isa {
    /// Samples.
    type F32: Copy;

    /// Vectors for what moves more than it computes: not wider than what the first cache takes and
    /// gives at once.
    type Narrow: Vectors;

    /// How many of them.
    const LANES: usize;

    /// How many 24-bit integers [`load_amid_i24`](Self::load_amid_i24) and
    /// [`load_four_i24`](Self::load_four_i24) may read before those that are asked for, and behind them.
    const AROUND: usize = 0;

    /// How many vectors are loaded before the first of them is stored.
    const TOGETHER: usize;

    fn narrow(self) -> Self::Narrow;

    /// The same in every lane.
    fn splat(self, x: f32) -> Self::F32;

    /// The one in even lanes and the other in odd ones.
    fn splat_two(self, pair: [f32; 2]) -> Self::F32;

    /// The one in even lanes of double precision, each of them in the place of two of single precision, and
    /// the other in odd ones.
    fn splat_f64(self, pair: [f64; 2]) -> Self::F32;

    unsafe fn load(self, from: *const f32) -> Self::F32;

    unsafe fn store(self, to: *mut f32, x: Self::F32);

    /// The first `count` lanes, fewer than all of them, from memory; `rest` in the others.
    unsafe fn load_first(self, from: *const f32, count: usize, rest: Self::F32) -> Self::F32;

    /// Stores the first `count` lanes, fewer than all of them.
    unsafe fn store_first(self, to: *mut f32, count: usize, x: Self::F32);

    /// The first `COUNT` lanes, a power of two less than all of them, from memory; what is in the
    /// others is not said.
    unsafe fn load_part<const COUNT: usize>(self, from: *const f32) -> Self::F32;

    /// Stores the first `COUNT` lanes, likewise.
    unsafe fn store_part<const COUNT: usize>(self, to: *mut f32, x: Self::F32);

    /// Whether four vectors are the same bits as four others.
    fn same(self, a: [Self::F32; 4], b: [Self::F32; 4]) -> bool;

    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;

    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// The products of lanes of double precision.
    fn mul_f64(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// `a * b + c` with one rounding.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;

    fn abs(self, x: Self::F32) -> Self::F32;

    /// `x` where it is greater than `m`, else `m`: also where either is NaN.
    fn greater(self, m: Self::F32, x: Self::F32) -> Self::F32;

    /// `x` where it is less than `m`, else `m`: also where either is NaN.
    fn lesser(self, m: Self::F32, x: Self::F32) -> Self::F32;

    /// The sum of the lanes.
    fn sum(self, x: Self::F32) -> f32;

    /// The least lane of the one and the greatest of the other; none is NaN.
    fn extremes(self, least: Self::F32, greatest: Self::F32) -> (f32, f32);

    /// The greatest of `m`, which is positive, and the magnitudes of both. NaN is passed over, or it
    /// makes the result NaN whatever comes after it.
    fn greater_magnitude(self, m: Self::F32, both: [Self::F32; 2]) -> Self::F32;

    /// The greatest lane of such results; NaN if one is.
    fn greatest_magnitude(self, m: [Self::F32; 4]) -> f32;

    /// `a` with the sign of `b`.
    fn copy_sign(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// `a / b` within 1 ε; `b` is from 1 to 2^32 and `a` less.
    fn ratio(self, a: Self::F32, b: Self::F32) -> Self::F32;

    /// The number whose exponent is in the lowest bits of `sum`, with its bias.
    fn power(self, sum: Self::F32) -> Self::F32;

    /// A hint that memory at an address, wherever that points, will soon be stored to.
    fn prefetch(self, at: *const u8);

    /// The same pointer; where a load can duplicate real or imaginary parts at no cost, the compiler
    /// does not know that it is the same.
    fn unknown(self, pointer: *const f32) -> *const f32;

    /// Real and imaginary parts exchanged. Units that differ for odd and even `turn` may do it, so that
    /// none has all of it to do.
    fn swapped(self, x: Self::F32, turn: usize) -> Self::F32;

    /// Products of interleaved complex numbers; the first factor is given twice, the second as it is
    /// and [`swapped`](Self::swapped).
    fn complex_mul(self, a: [Self::F32; 2], b: [Self::F32; 2]) -> Self::F32;

    /// `d + a * b` of interleaved complex numbers, likewise.
    fn complex_mul_add(self, d: Self::F32, a: [Self::F32; 2], b: [Self::F32; 2]) -> Self::F32;

    /// Frames of left and right, in order.
    fn interleave(self, left: Self::F32, right: Self::F32) -> [Self::F32; 2];

    /// Left and right of frames in order.
    fn deinterleave(self, frames: [Self::F32; 2]) -> [Self::F32; 2];

    /// Loads integers as fractions of full scale.
    unsafe fn load_i16(self, from: *const i16) -> Self::F32;

    /// The same of packed little-endian 24-bit integers.
    unsafe fn load_i24(self, from: *const [u8; 3]) -> Self::F32;

    /// The same, where [`AROUND`](Self::AROUND) more can be read on both sides.
    #[inline(always)]
    unsafe fn load_amid_i24(self, from: *const [u8; 3]) -> Self::F32 {
        // SAFETY: the caller's promise.
        unsafe { self.load_i24(from) }
    }

    /// The same, of four vectors.
    #[inline(always)]
    unsafe fn load_four_i24(self, from: *const [u8; 3]) -> [Self::F32; 4] {
        // SAFETY: the caller's promise.
        unsafe {
            [
                self.load_amid_i24(from),
                self.load_amid_i24(from.add(Self::LANES)),
                self.load_amid_i24(from.add(2 * Self::LANES)),
                self.load_amid_i24(from.add(3 * Self::LANES)),
            ]
        }
    }

    /// The same of 32-bit integers.
    unsafe fn load_i32(self, from: *const i32) -> Self::F32;

    /// Stores two vectors of fractions of full scale as integers: to nearest, ties to even, limited, 0
    /// for NaN.
    unsafe fn store_i16(self, to: *mut i16, x: [Self::F32; 2]);

    /// As [`store_i16`](Self::store_i16), of so many `groups` of `COUNT` vectors from memory, a multiple of
    /// four, in a shorter way: for `TOGETHER` groups that hold what is far beyond full scale, or NaN, there
    /// is none. Says how many groups are done before those.
    #[inline(always)]
    unsafe fn store_near_i16<const COUNT: usize, const TOGETHER: usize>(
        self,
        _to: *mut i16,
        _from: *const f32,
        _groups: usize,
    ) -> usize {
        0
    }

    /// As `store_i16`, of one vector, as packed little-endian 24-bit integers.
    unsafe fn store_i24(self, to: *mut [u8; 3], x: Self::F32);

    /// As `store_i24`, of four vectors.
    #[inline(always)]
    unsafe fn store_four_i24(self, to: *mut [u8; 3], x: [Self::F32; 4]) {
        for (k, x) in x.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { self.store_i24(to.add(k * Self::LANES), x) };
        }
    }

    /// The same as 32-bit integers.
    unsafe fn store_i32(self, to: *mut i32, x: Self::F32);
}

/// How an instruction set takes exponents apart and puts them together by integers.
pub(crate) trait Exponents: Vectors {
    /// `x` times two to the power of the integer in the lowest bits of `sum`, which is that integer
    /// added to [`ROUND`](crate::generic::ROUND). The power may be out of range.
    fn scale_by_power(self, x: Self::F32, sum: Self::F32) -> Self::F32;

    /// A mantissa from 0.75 to 1.5, and the exponent. Of infinity the exponent is
    /// infinite, of zero negatively so; where `x` is negative or NaN, the mantissa is NaN.
    fn split(self, x: Self::F32) -> [Self::F32; 2];
}

/// How an instruction set does so that has instructions for it, and picks from a table as fast as it
/// computes.
#[cfg(target_arch = "x86_64")]
pub(crate) trait Tables: Vectors {
    /// The numbers whose indices are in the lowest four bits of each lane.
    fn pick(self, from: &[f32; 16], by: Self::F32) -> Self::F32;

    /// `x * 2^floor(power)`; positive infinity if the power is, even of NaN.
    fn scale_by_floor(self, x: Self::F32, power: Self::F32) -> Self::F32;

    /// A mantissa from 0.75 to 1.5, its four highest bits as the lowest, and the exponent of the mantissa
    /// from 1 to 2. Of infinity the exponent is infinite, of zero negatively so; where `x` is negative or
    /// NaN, the mantissa is NaN.
    fn dissect(self, x: Self::F32) -> [Self::F32; 3];
}
