//! Vectors of AVX2 with FMA.

use std::arch::asm;
use std::arch::x86_64::*;

use super::x86::{self, join, pair};
use super::{Exponents, THREE_QUARTERS, Vectors};
use crate::generic::ROUND;
use crate::isa::Avx2;

const TWO_15: f32 = 32_768.0;
const TWO_23: f32 = 8_388_608.0;
const TWO_31: f32 = 2_147_483_648.0;

/// The first `count` lanes.
///
/// # Safety
///
/// The CPU has AVX, and `count` is at most 8.
#[inline(always)]
unsafe fn first(count: usize) -> __m256i {
    const ONES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the caller's promise: so eight integers stand from there on.
    unsafe { _mm256_loadu_si256(ONES.as_ptr().add(8 - count).cast()) }
}

/// `x * scale`, NaN turned into 0.
#[inline(always)]
fn scaled(v: Avx2, x: __m256, scale: f32) -> __m256 {
    let x = v.mul(x, v.splat(scale));
    // SAFETY: the token proves AVX2.
    unsafe { _mm256_and_ps(x, _mm256_cmp_ps::<_CMP_ORD_Q>(x, x)) }
}

/// `x * 2^15`, rounded, of which what is out of range saturates to `i16` as it should; 0 for NaN.
#[inline(always)]
fn to_i16_range(v: Avx2, x: __m256) -> __m256i {
    // What lies below becomes the least i32.
    let limited = v.lesser(scaled(v, x, TWO_15), v.splat(TWO_15));
    // SAFETY: the token proves AVX2.
    unsafe { _mm256_cvtps_epi32(limited) }
}

impl Vectors for Avx2 {
    type F32 = __m256;
    type Narrow = Self;

    const LANES: usize = 8;
    const AROUND: usize = 2;

    // Zen takes two addresses to load from and one to store to in a cycle, and only in this order.
    const TOGETHER: usize = 1;

    proven! {
        fn splat(self, x: f32) -> __m256 {
            _mm256_set1_ps(x)
        }

        fn splat_two(self, pair: [f32; 2]) -> __m256 {
            _mm256_castpd_ps(_mm256_set1_pd(x86::both(pair)))
        }

        fn splat_f64(self, [even, odd]: [f64; 2]) -> __m256 {
            _mm256_castpd_ps(_mm256_setr_pd(even, odd, even, odd))
        }

        fn same(self, a: [__m256; 4], b: [__m256; 4]) -> bool {
            let mut equal = _mm256_set1_epi32(-1);
            for k in 0..4 {
                let (a, b) = (_mm256_castps_si256(a[k]), _mm256_castps_si256(b[k]));
                equal = _mm256_and_si256(equal, _mm256_cmpeq_epi32(a, b));
            }
            _mm256_movemask_epi8(equal) == -1
        }

        fn add(self, a: __m256, b: __m256) -> __m256 {
            _mm256_add_ps(a, b)
        }

        fn mul(self, a: __m256, b: __m256) -> __m256 {
            _mm256_mul_ps(a, b)
        }

        fn mul_f64(self, a: __m256, b: __m256) -> __m256 {
            _mm256_castpd_ps(_mm256_mul_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)))
        }

        fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
            _mm256_fmadd_ps(a, b, c)
        }

        fn abs(self, x: __m256) -> __m256 {
            _mm256_andnot_ps(_mm256_set1_ps(-0.0), x)
        }

        fn greater(self, m: __m256, x: __m256) -> __m256 {
            _mm256_max_ps(x, m)
        }

        fn lesser(self, m: __m256, x: __m256) -> __m256 {
            _mm256_min_ps(x, m)
        }

        fn sum(self, x: __m256) -> f32 {
            let half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            join(half, #[inline(always)] |a, b| _mm_add_ps(a, b))
        }

        fn extremes(self, least: __m256, greatest: __m256) -> (f32, f32) {
            // The greatest lane of the negative is the least one: so both go the same way.
            let negative = _mm256_xor_ps(least, _mm256_set1_ps(-0.0));
            let low = _mm256_permute2f128_ps::<0x20>(negative, greatest);
            let high = _mm256_permute2f128_ps::<0x31>(negative, greatest);
            let halves = _mm256_max_ps(low, high);
            let negative = _mm256_castps256_ps128(halves);
            let greatest = _mm256_extractf128_ps::<1>(halves);
            let low = _mm_unpacklo_ps(negative, greatest);
            let high = _mm_unpackhi_ps(negative, greatest);
            let pairs = _mm_max_ps(low, high);
            let both = _mm_max_ps(pairs, _mm_movehl_ps(pairs, pairs));
            pair(both)
        }

        fn greatest_magnitude(self, [a, b, c, d]: [__m256; 4]) -> f32 {
            let x = _mm256_max_ps(_mm256_max_ps(a, b), _mm256_max_ps(c, d));
            let half = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            join(half, #[inline(always)] |a, b| _mm_max_ps(a, b))
        }

        fn copy_sign(self, a: __m256, b: __m256) -> __m256 {
            let sign = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, b))
        }

        fn ratio(self, a: __m256, b: __m256) -> __m256 {
            _mm256_div_ps(a, b)
        }

        fn power(self, sum: __m256) -> __m256 {
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(sum)))
        }

        fn swapped(self, x: __m256, _turn: usize) -> __m256 {
            _mm256_permute_ps::<0xb1>(x)
        }

        fn complex_mul(self, [a, same]: [__m256; 2], [b, swapped]: [__m256; 2]) -> __m256 {
            let crossed = _mm256_mul_ps(_mm256_movehdup_ps(same), swapped);
            _mm256_fmaddsub_ps(_mm256_moveldup_ps(a), b, crossed)
        }

        fn complex_mul_add(
            self,
            d: __m256,
            [a, same]: [__m256; 2],
            [b, swapped]: [__m256; 2]
        ) -> __m256 {
            let crossed = _mm256_fmaddsub_ps(_mm256_movehdup_ps(same), swapped, d);
            _mm256_fmaddsub_ps(_mm256_moveldup_ps(a), b, crossed)
        }

        fn interleave(self, left: __m256, right: __m256) -> [__m256; 2] {
            // With AVX-512 the compiler would make two steps within lanes one across them, which takes
            // twice as long as both.
            let low = kept(_mm256_unpacklo_ps(left, right));
            let high = kept(_mm256_unpackhi_ps(left, right));
            [
                _mm256_permute2f128_ps::<0x20>(low, high),
                _mm256_permute2f128_ps::<0x31>(low, high),
            ]
        }

        fn deinterleave(self, [low, high]: [__m256; 2]) -> [__m256; 2] {
            let first = _mm256_permute2f128_ps::<0x20>(low, high);
            let second = _mm256_permute2f128_ps::<0x31>(low, high);
            [
                _mm256_shuffle_ps::<0x88>(first, second),
                _mm256_shuffle_ps::<0xdd>(first, second),
            ]
        }
    }

    #[inline(always)]
    fn narrow(self) -> Self {
        self
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        x86::prefetch(at);
    }

    #[inline(always)]
    fn unknown(self, pointer: *const f32) -> *const f32 {
        x86::unknown(pointer)
    }

    #[inline(always)]
    fn greater_magnitude(self, m: __m256, [a, b]: [__m256; 2]) -> __m256 {
        self.greater(self.greater(m, self.abs(a)), self.abs(b))
    }

    given! {
        fn load(self, from: *const f32) -> __m256 {
            _mm256_loadu_ps(from)
        }

        fn store(self, to: *mut f32, x: __m256) {
            _mm256_storeu_ps(to, x)
        }

        fn load_first(self, from: *const f32, count: usize, rest: __m256) -> __m256 {
            let lanes = first(count);
            let loaded = _mm256_maskload_ps(from, lanes);
            _mm256_blendv_ps(rest, loaded, _mm256_castsi256_ps(lanes))
        }

        fn store_first(self, to: *mut f32, count: usize, x: __m256) {
            _mm256_maskstore_ps(to, first(count), x)
        }

        fn load_part<const COUNT: usize>(self, from: *const f32) -> __m256 {
            // With AVX-512 the compiler would make use of the zeros.
            kept(match COUNT {
                4 => _mm256_castps128_ps256(_mm_loadu_ps(from)),
                2 => _mm256_castps128_ps256(_mm_castpd_ps(_mm_load_sd(from.cast()))),
                _ => _mm256_castps128_ps256(_mm_load_ss(from)),
            })
        }

        fn store_part<const COUNT: usize>(self, to: *mut f32, x: __m256) {
            let low = _mm256_castps256_ps128(x);
            match COUNT {
                4 => _mm_storeu_ps(to, low),
                2 => _mm_store_sd(to.cast(), _mm_castps_pd(low)),
                _ => _mm_store_ss(to, low),
            }
        }

        fn load_i16(self, from: *const i16) -> __m256 {
            let wide = _mm256_cvtepi16_epi32(_mm_loadu_si128(from.cast()));
            let whole = _mm256_cvtepi32_ps(wide);
            self.mul(whole, self.splat(1.0 / TWO_15))
        }

        fn load_i24(self, from: *const [u8; 3]) -> __m256 {
            let bytes: *const u8 = from.cast();
            // The bytes 0 to 15 and 8 to 23, of which the first and the last twelve are used.
            let halves = _mm256_inserti128_si256::<1>(
                _mm256_castsi128_si256(_mm_loadu_si128(bytes.cast())),
                _mm_loadu_si128(bytes.add(8).cast()),
            );
            // Three to each integer, from its second byte on: so the sign is in place, and the
            // integer is 2^8 times its value.
            let spread = _mm256_setr_epi8(
                -1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, //
                -1, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15,
            );
            let wide = _mm256_shuffle_epi8(halves, spread);
            self.mul(_mm256_cvtepi32_ps(wide), self.splat(1.0 / TWO_31))
        }

        fn load_amid_i24(self, from: *const [u8; 3]) -> __m256 {
            // Four bytes, the 24 that are asked for, and four more: so that each half has its twelve.
            let bytes = _mm256_loadu_si256(from.cast::<u8>().sub(4).cast());
            let spread = _mm256_setr_epi8(
                -1, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, //
                -1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11,
            );
            let wide = _mm256_shuffle_epi8(bytes, spread);
            self.mul(_mm256_cvtepi32_ps(wide), self.splat(1.0 / TWO_31))
        }

        fn load_i32(self, from: *const i32) -> __m256 {
            let whole = _mm256_cvtepi32_ps(_mm256_loadu_si256(from.cast()));
            self.mul(whole, self.splat(1.0 / TWO_31))
        }

        fn store_i16(self, to: *mut i16, [low, high]: [__m256; 2]) {
            store_packed(to, to_i16_range(self, low), to_i16_range(self, high));
        }

        fn store_near_i16<const COUNT: usize, const TOGETHER: usize>(
            self,
            to: *mut i16,
            from: *const f32,
            groups: usize
        ) -> usize {
            let scale = _mm256_set1_ps(TWO_15);
            // The highest bit of the exponent, which no magnitude below 2 has.
            let bit = _mm256_set1_epi32(0x4000_0000);
            for group in 0..groups {
                let i = group * COUNT * Self::LANES;
                let x: [__m256; COUNT] = x86::loaded(self, from.add(i));
                let mut any = x[0];
                for x in &x[1..] {
                    any = _mm256_or_ps(any, *x);
                }
                if _mm256_testz_si256(_mm256_castps_si256(any), bit) == 0 {
                    return group / TOGETHER * TOGETHER;
                }
                for k in (0..COUNT).step_by(2) {
                    let low = _mm256_cvtps_epi32(_mm256_mul_ps(x[k], scale));
                    let high = _mm256_cvtps_epi32(_mm256_mul_ps(x[k + 1], scale));
                    store_packed(to.add(i + k * Self::LANES), low, high);
                }
            }
            groups
        }

        fn store_i24(self, to: *mut [u8; 3], x: __m256) {
            let raised = self.greater(scaled(self, x, TWO_23), self.splat(-TWO_23));
            let limited = self.lesser(raised, self.splat(TWO_23 - 1.0));
            let gather = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
            let packed =
                _mm256_shuffle_epi8(_mm256_cvtps_epi32(limited), _mm256_broadcastsi128_si256(gather));
            let quarters = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 3);
            let joined = _mm256_permutevar8x32_epi32(packed, quarters);
            let bytes: *mut u8 = to.cast();
            _mm_storeu_si128(bytes.cast(), _mm256_castsi256_si128(joined));
            _mm_storel_epi64(bytes.add(16).cast(), _mm256_extracti128_si256::<1>(joined));
        }

        fn store_i32(self, to: *mut i32, x: __m256) {
            let x = scaled(self, x, TWO_31);
            // What lies beyond the range becomes the least i32: above it, all of its bits are wrong.
            let above = _mm256_cmp_ps::<_CMP_GE_OQ>(x, self.splat(TWO_31));
            let whole = _mm256_xor_si256(_mm256_cvtps_epi32(x), _mm256_castps_si256(above));
            _mm256_storeu_si256(to.cast(), whole);
        }
    }
}

impl Exponents for Avx2 {
    proven! {
        fn scale_by_power(self, x: __m256, sum: __m256) -> __m256 {
            let origin = _mm256_set1_epi32(ROUND.to_bits().cast_signed());
            let exponent = _mm256_sub_epi32(_mm256_castps_si256(sum), origin);
            let half = _mm256_srai_epi32::<1>(exponent);
            let rest = _mm256_sub_epi32(exponent, half);
            _mm256_mul_ps(_mm256_mul_ps(x, two_to(half)), two_to(rest))
        }

        fn split(self, x: __m256) -> [__m256; 2] {
            let denormal = _mm256_cmp_ps::<_CMP_LT_OQ>(x, _mm256_set1_ps(f32::MIN_POSITIVE));
            let raised = _mm256_mul_ps(x, _mm256_set1_ps(TWO_23));
            let normal = _mm256_castps_si256(_mm256_blendv_ps(x, raised, denormal));
            let least = _mm256_set1_epi32(THREE_QUARTERS);
            let exponent = _mm256_srai_epi32::<23>(_mm256_sub_epi32(normal, least));
            let mantissa = _mm256_sub_epi32(normal, _mm256_slli_epi32::<23>(exponent));
            let lowered = _mm256_and_ps(denormal, _mm256_set1_ps(23.0));
            let exponent = _mm256_sub_ps(_mm256_cvtepi32_ps(exponent), lowered);

            let (zero, infinity) = (_mm256_setzero_ps(), _mm256_set1_ps(f32::INFINITY));
            let infinite = _mm256_cmp_ps::<_CMP_EQ_OQ>(x, infinity);
            let none = _mm256_cmp_ps::<_CMP_EQ_OQ>(x, zero);
            let exponent = _mm256_blendv_ps(exponent, infinity, infinite);
            let exponent = _mm256_blendv_ps(exponent, _mm256_set1_ps(f32::NEG_INFINITY), none);
            // All bits set are a NaN.
            let unreal = _mm256_cmp_ps::<_CMP_NGE_UQ>(x, zero);
            [_mm256_or_ps(_mm256_castsi256_ps(mantissa), unreal), exponent]
        }
    }
}

/// The same vector, of which the compiler knows nothing.
#[inline]
#[target_feature(enable = "avx")]
fn kept(mut x: __m256) -> __m256 {
    // SAFETY: there are no instructions.
    unsafe {
        asm!("/* {0} */", inout(ymm_reg) x, options(pure, nomem, nostack, preserves_flags));
    }
    x
}

/// Stores two vectors of integers in their order, limited.
///
/// # Safety
///
/// The CPU has AVX2, and as many integers can be written.
#[inline(always)]
unsafe fn store_packed(to: *mut i16, low: __m256i, high: __m256i) {
    // SAFETY: the caller's promise.
    unsafe {
        let packed = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi32(low, high));
        _mm256_storeu_si256(to.cast(), packed);
    }
}

/// Two to the power of the lowest bits of each integer.
///
/// # Safety
///
/// The CPU has AVX2.
#[inline(always)]
unsafe fn two_to(exponent: __m256i) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let one = _mm256_set1_epi32(0x3f80_0000);
        _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32::<23>(exponent), one))
    }
}
