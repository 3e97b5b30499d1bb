//! Vectors of NEON.

use std::arch::aarch64::*;

use super::{Exponents, THREE_QUARTERS, Vectors};
use crate::generic::ROUND;
use crate::isa::Neon;

impl Vectors for Neon {
    type F32 = float32x4_t;
    type Narrow = Self;

    const LANES: usize = 4;
    const TOGETHER: usize = 4;

    proven! {
        fn splat(self, x: f32) -> float32x4_t {
            vdupq_n_f32(x)
        }

        fn splat_two(self, pair: [f32; 2]) -> float32x4_t {
            let pair = vld1_f32(pair.as_ptr());
            vcombine_f32(pair, pair)
        }

        fn splat_f64(self, pair: [f64; 2]) -> float32x4_t {
            vreinterpretq_f32_f64(vld1q_f64(pair.as_ptr()))
        }

        fn same(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> bool {
            let mut differ = vdupq_n_u32(0);
            for k in 0..4 {
                let (a, b) = (vreinterpretq_u32_f32(a[k]), vreinterpretq_u32_f32(b[k]));
                differ = vorrq_u32(differ, veorq_u32(a, b));
            }
            vmaxvq_u32(differ) == 0
        }

        fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vaddq_f32(a, b)
        }

        fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vmulq_f32(a, b)
        }

        fn mul_f64(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            let (a, b) = (vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b));
            vreinterpretq_f32_f64(vmulq_f64(a, b))
        }

        fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
            vfmaq_f32(c, a, b)
        }

        fn abs(self, x: float32x4_t) -> float32x4_t {
            vabsq_f32(x)
        }

        // Comparisons rather than `fmaxnm` and `fminnm`: those answer a signalling NaN with NaN.

        fn greater(self, m: float32x4_t, x: float32x4_t) -> float32x4_t {
            vbslq_f32(vcgtq_f32(x, m), x, m)
        }

        fn lesser(self, m: float32x4_t, x: float32x4_t) -> float32x4_t {
            vbslq_f32(vcltq_f32(x, m), x, m)
        }

        fn sum(self, x: float32x4_t) -> f32 {
            vaddvq_f32(x)
        }

        fn extremes(self, least: float32x4_t, greatest: float32x4_t) -> (f32, f32) {
            (vminvq_f32(least), vmaxvq_f32(greatest))
        }

        fn greatest_magnitude(self, [a, b, c, d]: [float32x4_t; 4]) -> f32 {
            vmaxvq_f32(vmaxq_f32(vmaxq_f32(a, b), vmaxq_f32(c, d)))
        }

        fn copy_sign(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vbslq_f32(vdupq_n_u32(0x8000_0000), b, a)
        }

        fn ratio(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vdivq_f32(a, b)
        }

        fn power(self, sum: float32x4_t) -> float32x4_t {
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(vreinterpretq_s32_f32(sum)))
        }

        fn swapped(self, x: float32x4_t, _turn: usize) -> float32x4_t {
            vrev64q_f32(x)
        }

        fn complex_mul(
            self,
            [a, _]: [float32x4_t; 2],
            [b, swapped]: [float32x4_t; 2]
        ) -> float32x4_t {
            vfmaq_f32(vmulq_f32(vtrn1q_f32(a, a), b), crossing(a), swapped)
        }

        fn complex_mul_add(
            self,
            d: float32x4_t,
            [a, _]: [float32x4_t; 2],
            [b, swapped]: [float32x4_t; 2]
        ) -> float32x4_t {
            vfmaq_f32(vfmaq_f32(d, vtrn1q_f32(a, a), b), crossing(a), swapped)
        }

        fn interleave(self, left: float32x4_t, right: float32x4_t) -> [float32x4_t; 2] {
            [vzip1q_f32(left, right), vzip2q_f32(left, right)]
        }

        fn deinterleave(self, [low, high]: [float32x4_t; 2]) -> [float32x4_t; 2] {
            [vuzp1q_f32(low, high), vuzp2q_f32(low, high)]
        }
    }

    #[inline(always)]
    fn prefetch(self, _: *const u8) {}

    /// There is nothing to be gained: its conversions limit by themselves.
    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }

    #[inline(always)]
    fn unknown(self, pointer: *const f32) -> *const f32 {
        pointer
    }

    #[inline(always)]
    fn greater_magnitude(self, m: float32x4_t, [a, b]: [float32x4_t; 2]) -> float32x4_t {
        self.greater(self.greater(m, self.abs(a)), self.abs(b))
    }

    given! {
        fn load(self, from: *const f32) -> float32x4_t {
            vld1q_f32(from)
        }

        fn store(self, to: *mut f32, x: float32x4_t) {
            vst1q_f32(to, x)
        }

        fn load_first(self, from: *const f32, count: usize, rest: float32x4_t) -> float32x4_t {
            let mut x = rest;
            if count > 0 {
                x = vld1q_lane_f32::<0>(from, x);
            }
            if count > 1 {
                x = vld1q_lane_f32::<1>(from.add(1), x);
            }
            if count > 2 {
                x = vld1q_lane_f32::<2>(from.add(2), x);
            }
            x
        }

        fn store_first(self, to: *mut f32, count: usize, x: float32x4_t) {
            if count > 0 {
                vst1q_lane_f32::<0>(to, x);
            }
            if count > 1 {
                vst1q_lane_f32::<1>(to.add(1), x);
            }
            if count > 2 {
                vst1q_lane_f32::<2>(to.add(2), x);
            }
        }

        fn load_part<const COUNT: usize>(self, from: *const f32) -> float32x4_t {
            match COUNT {
                2 => vcombine_f32(vld1_f32(from), vdup_n_f32(0.0)),
                _ => vld1q_lane_f32::<0>(from, vdupq_n_f32(0.0)),
            }
        }

        fn store_part<const COUNT: usize>(self, to: *mut f32, x: float32x4_t) {
            match COUNT {
                2 => vst1_f32(to, vget_low_f32(x)),
                _ => vst1q_lane_f32::<0>(to, x),
            }
        }

        fn load_i16(self, from: *const i16) -> float32x4_t {
            vcvtq_n_f32_s32::<15>(vmovl_s16(vld1_s16(from)))
        }

        fn load_i24(self, from: *const [u8; 3]) -> float32x4_t {
            // Three bytes to each integer, from its second byte on: so the sign is in place, and the
            // integer is 2^8 times its value. An index out of range gives 0.
            const SPREAD: [u8; 16] = [99, 0, 1, 2, 99, 3, 4, 5, 99, 6, 7, 8, 99, 9, 10, 11];
            let low = vld1_u8(from.cast());
            let high = vld1_lane_u32::<0>(from.cast::<u32>().add(2), vdup_n_u32(0));
            let packed = vcombine_u8(low, vreinterpret_u8_u32(high));
            let wide = vqtbl1q_u8(packed, vld1q_u8(SPREAD.as_ptr()));
            vcvtq_n_f32_s32::<31>(vreinterpretq_s32_u8(wide))
        }

        fn load_i32(self, from: *const i32) -> float32x4_t {
            vcvtq_n_f32_s32::<31>(vld1q_s32(from))
        }

        // `fcvtns` rounds ties to even, saturates and turns NaN into 0.

        fn store_i16(self, to: *mut i16, [low, high]: [float32x4_t; 2]) {
            let low = vcvtnq_s32_f32(vmulq_n_f32(low, 32_768.0));
            let high = vcvtnq_s32_f32(vmulq_n_f32(high, 32_768.0));
            vst1q_s16(to, vqmovn_high_s32(vqmovn_s32(low), high));
        }

        fn store_i24(self, to: *mut [u8; 3], x: float32x4_t) {
            const GATHER: [u8; 16] = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 99, 99, 99, 99];
            let whole = vcvtnq_s32_f32(vmulq_n_f32(x, 8_388_608.0));
            let raised = vmaxq_s32(whole, vdupq_n_s32(-8_388_608));
            let limited = vminq_s32(raised, vdupq_n_s32(8_388_607));
            let packed = vqtbl1q_u8(vreinterpretq_u8_s32(limited), vld1q_u8(GATHER.as_ptr()));
            vst1_u8(to.cast(), vget_low_u8(packed));
            vst1q_lane_u32::<2>(to.cast::<u32>().add(2), vreinterpretq_u32_u8(packed));
        }

        fn store_i32(self, to: *mut i32, x: float32x4_t) {
            vst1q_s32(to, vcvtnq_s32_f32(vmulq_n_f32(x, 2_147_483_648.0)))
        }
    }
}

impl Exponents for Neon {
    proven! {
        fn scale_by_power(self, x: float32x4_t, sum: float32x4_t) -> float32x4_t {
            let origin = vdupq_n_s32(ROUND.to_bits().cast_signed());
            let exponent = vsubq_s32(vreinterpretq_s32_f32(sum), origin);
            let half = vshrq_n_s32::<1>(exponent);
            let rest = vsubq_s32(exponent, half);
            vmulq_f32(vmulq_f32(x, two_to(half)), two_to(rest))
        }

        fn split(self, x: float32x4_t) -> [float32x4_t; 2] {
            let denormal = vcltq_f32(x, vdupq_n_f32(f32::MIN_POSITIVE));
            let raised = vmulq_n_f32(x, 8_388_608.0);
            let normal = vreinterpretq_s32_f32(vbslq_f32(denormal, raised, x));
            let exponent = vshrq_n_s32::<23>(vsubq_s32(normal, vdupq_n_s32(THREE_QUARTERS)));
            let mantissa = vsubq_s32(normal, vshlq_n_s32::<23>(exponent));
            let mantissa = vreinterpretq_f32_s32(mantissa);
            let lowered = vbslq_f32(denormal, vdupq_n_f32(23.0), vdupq_n_f32(0.0));
            let exponent = vsubq_f32(vcvtq_f32_s32(exponent), lowered);

            let infinity = vdupq_n_f32(f32::INFINITY);
            let exponent = vbslq_f32(vceqq_f32(x, infinity), infinity, exponent);
            let none = vceqzq_f32(x);
            let exponent = vbslq_f32(none, vdupq_n_f32(f32::NEG_INFINITY), exponent);
            let mantissa = vbslq_f32(vcgezq_f32(x), mantissa, vdupq_n_f32(f32::NAN));
            [mantissa, exponent]
        }
    }
}

/// The imaginary parts twice, the first of each pair negated.
///
/// # Safety
///
/// The CPU has NEON.
#[inline(always)]
unsafe fn crossing(x: float32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe {
        let signs = vreinterpretq_u32_u64(vdupq_n_u64(0x8000_0000));
        let imaginary = vreinterpretq_u32_f32(vtrn2q_f32(x, x));
        vreinterpretq_f32_u32(veorq_u32(imaginary, signs))
    }
}

/// Two to the power of the lowest bits of each integer.
///
/// # Safety
///
/// The CPU has NEON.
#[inline(always)]
unsafe fn two_to(exponent: int32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe {
        let one = vdupq_n_s32(0x3f80_0000);
        vreinterpretq_f32_s32(vaddq_s32(vshlq_n_s32::<23>(exponent), one))
    }
}
