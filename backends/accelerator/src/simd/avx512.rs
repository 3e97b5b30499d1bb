//! Vectors of AVX-512.

use std::arch::asm;
use std::arch::x86_64::*;

use super::x86::{self, join, pair};
use super::{Tables, Vectors};
use crate::isa::{Avx2, Avx512, Isa};

const TWO_15: f32 = 32_768.0;
const TWO_23: f32 = 8_388_608.0;
const TWO_31: f32 = 2_147_483_648.0;

/// The first `count` lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1_u32 << count) - 1) as __mmask16
}

/// The lanes that are not NaN.
#[inline(always)]
fn numbers(_: Avx512, x: __m512) -> __mmask16 {
    // SAFETY: the token proves AVX-512.
    unsafe { _mm512_cmp_ps_mask::<_CMP_ORD_Q>(x, x) }
}

/// `x * 2^15`, rounded, of which what is out of range saturates to `i16` as it should; 0 for NaN.
#[inline(always)]
fn to_i16_range(v: Avx512, x: __m512) -> __m512i {
    // What lies below becomes the least i32.
    let limited = v.lesser(v.mul(x, v.splat(TWO_15)), v.splat(TWO_15));
    // SAFETY: the token proves AVX-512.
    unsafe { _mm512_maskz_cvtps_epi32(numbers(v, x), limited) }
}

/// `x * 2^23`, rounded and limited to 24 bits; 0 for NaN.
#[inline(always)]
fn to_i24_range(v: Avx512, x: __m512) -> __m512i {
    let raised = v.greater(v.mul(x, v.splat(TWO_23)), v.splat(-TWO_23));
    let limited = v.lesser(raised, v.splat(TWO_23 - 1.0));
    // SAFETY: the token proves AVX-512.
    unsafe { _mm512_maskz_cvtps_epi32(numbers(v, x), limited) }
}

impl Vectors for Avx512 {
    type F32 = __m512;
    type Narrow = Avx2;

    const LANES: usize = 16;
    const TOGETHER: usize = 4;

    proven! {
        fn splat(self, x: f32) -> __m512 {
            _mm512_set1_ps(x)
        }

        fn splat_two(self, pair: [f32; 2]) -> __m512 {
            _mm512_castpd_ps(_mm512_set1_pd(x86::both(pair)))
        }

        fn splat_f64(self, [even, odd]: [f64; 2]) -> __m512 {
            _mm512_castpd_ps(_mm512_broadcast_f64x2(_mm_setr_pd(even, odd)))
        }

        fn same(self, a: [__m512; 4], b: [__m512; 4]) -> bool {
            let mut differ = 0;
            for k in 0..4 {
                let (a, b) = (_mm512_castps_si512(a[k]), _mm512_castps_si512(b[k]));
                differ |= _mm512_cmpneq_epi32_mask(a, b);
            }
            differ == 0
        }

        fn add(self, a: __m512, b: __m512) -> __m512 {
            _mm512_add_ps(a, b)
        }

        fn mul(self, a: __m512, b: __m512) -> __m512 {
            _mm512_mul_ps(a, b)
        }

        fn mul_f64(self, a: __m512, b: __m512) -> __m512 {
            _mm512_castpd_ps(_mm512_mul_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))
        }

        fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            _mm512_fmadd_ps(a, b, c)
        }

        fn abs(self, x: __m512) -> __m512 {
            _mm512_abs_ps(x)
        }

        fn greater(self, m: __m512, x: __m512) -> __m512 {
            _mm512_max_ps(x, m)
        }

        fn lesser(self, m: __m512, x: __m512) -> __m512 {
            _mm512_min_ps(x, m)
        }

        fn sum(self, x: __m512) -> f32 {
            let half = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x));
            let quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half));
            join(quarter, #[inline(always)] |a, b| _mm_add_ps(a, b))
        }

        fn extremes(self, least: __m512, greatest: __m512) -> (f32, f32) {
            // The greatest lane of the negative is the least one: so both go the same way.
            let negative = _mm512_xor_ps(least, _mm512_set1_ps(-0.0));
            let low = _mm512_shuffle_f32x4::<0x44>(negative, greatest);
            let high = _mm512_shuffle_f32x4::<0xee>(negative, greatest);
            let halves = _mm512_max_ps(low, high);
            let swapped = _mm512_shuffle_f32x4::<0xb1>(halves, halves);
            let quarters = _mm512_max_ps(halves, swapped);
            let negative = _mm512_castps512_ps128(quarters);
            let greatest = _mm512_extractf32x4_ps::<2>(quarters);
            let low = _mm_unpacklo_ps(negative, greatest);
            let high = _mm_unpackhi_ps(negative, greatest);
            let pairs = _mm_max_ps(low, high);
            let both = _mm_max_ps(pairs, _mm_movehl_ps(pairs, pairs));
            pair(both)
        }

        fn greater_magnitude(self, m: __m512, [a, b]: [__m512; 2]) -> __m512 {
            // One instruction for the two: the greater magnitude, without its sign. Of a number and
            // a quiet NaN it is the number; else it is NaN, which as an integer is above all numbers.
            let both = _mm512_castps_si512(_mm512_range_ps::<0xb>(a, b));
            _mm512_castsi512_ps(_mm512_max_epu32(both, _mm512_castps_si512(m)))
        }

        fn greatest_magnitude(self, m: [__m512; 4]) -> f32 {
            let first = _mm512_max_epu32(_mm512_castps_si512(m[0]), _mm512_castps_si512(m[1]));
            let second = _mm512_max_epu32(_mm512_castps_si512(m[2]), _mm512_castps_si512(m[3]));
            let x = _mm512_max_epu32(first, second);
            let half = _mm256_max_epu32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x));
            let quarter =
                _mm_max_epu32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
            let pair = _mm_max_epu32(quarter, _mm_shuffle_epi32::<0xee>(quarter));
            let one = _mm_max_epu32(pair, _mm_shuffle_epi32::<0x55>(pair));
            f32::from_bits(_mm_cvtsi128_si32(one).cast_unsigned())
        }

        fn copy_sign(self, a: __m512, b: __m512) -> __m512 {
            let sign = _mm512_set1_epi32(i32::MIN);
            let (a, b) = (_mm512_castps_si512(a), _mm512_castps_si512(b));
            // Of the three bits, that of `b` where `sign` is set, else that of `a`.
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xd8>(a, b, sign))
        }

        fn ratio(self, a: __m512, b: __m512) -> __m512 {
            if self.halves() {
                return _mm512_div_ps(a, b);
            }
            // The unit that divides takes 16 cycles. The remainder of an approximation to 14 bits
            // brings as many more.
            let inverse = _mm512_rcp14_ps(b);
            let near = _mm512_mul_ps(a, inverse);
            _mm512_fmadd_ps(_mm512_fnmadd_ps(near, b, a), inverse, near)
        }

        fn power(self, sum: __m512) -> __m512 {
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(sum)))
        }

        fn swapped(self, x: __m512, turn: usize) -> __m512 {
            let x = _mm512_castps_si512(x);
            _mm512_castsi512_ps(if turn.is_multiple_of(2) {
                _mm512_shuffle_epi32::<0xb1>(x)
            } else {
                _mm512_rol_epi64::<32>(x)
            })
        }

        fn complex_mul(self, [a, same]: [__m512; 2], [b, swapped]: [__m512; 2]) -> __m512 {
            let crossed = _mm512_mul_ps(_mm512_movehdup_ps(same), swapped);
            _mm512_fmaddsub_ps(_mm512_moveldup_ps(a), b, crossed)
        }

        fn complex_mul_add(
            self,
            d: __m512,
            [a, same]: [__m512; 2],
            [b, swapped]: [__m512; 2]
        ) -> __m512 {
            let crossed = _mm512_fmaddsub_ps(_mm512_movehdup_ps(same), swapped, d);
            _mm512_fmaddsub_ps(_mm512_moveldup_ps(a), b, crossed)
        }

        fn interleave(self, left: __m512, right: __m512) -> [__m512; 2] {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high =
                _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            [
                _mm512_permutex2var_ps(left, low, right),
                _mm512_permutex2var_ps(left, high, right),
            ]
        }

        fn deinterleave(self, [low, high]: [__m512; 2]) -> [__m512; 2] {
            let even =
                _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            [
                _mm512_permutex2var_ps(low, even, high),
                _mm512_permutex2var_ps(low, odd, high),
            ]
        }
    }

    #[inline(always)]
    fn narrow(self) -> Avx2 {
        self.avx2()
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        x86::prefetch(at);
    }

    #[inline(always)]
    fn unknown(self, pointer: *const f32) -> *const f32 {
        // Where a load of a whole line takes a cycle, a second one costs more than it saves.
        pointer
    }

    given! {
        fn load(self, from: *const f32) -> __m512 {
            _mm512_loadu_ps(from)
        }

        fn store(self, to: *mut f32, x: __m512) {
            _mm512_storeu_ps(to, x)
        }

        fn load_first(self, from: *const f32, count: usize, rest: __m512) -> __m512 {
            _mm512_mask_loadu_ps(rest, first(count), from)
        }

        fn store_first(self, to: *mut f32, count: usize, x: __m512) {
            _mm512_mask_storeu_ps(to, first(count), x)
        }

        fn load_part<const COUNT: usize>(self, from: *const f32) -> __m512 {
            // The compiler would make use of the zeros.
            kept(match COUNT {
                8 => _mm512_castps256_ps512(_mm256_loadu_ps(from)),
                4 => _mm512_castps128_ps512(_mm_loadu_ps(from)),
                2 => _mm512_castps128_ps512(_mm_castpd_ps(_mm_load_sd(from.cast()))),
                _ => _mm512_castps128_ps512(_mm_load_ss(from)),
            })
        }

        fn store_part<const COUNT: usize>(self, to: *mut f32, x: __m512) {
            let low = _mm512_castps512_ps128(x);
            match COUNT {
                8 => _mm256_storeu_ps(to, _mm512_castps512_ps256(x)),
                4 => _mm_storeu_ps(to, low),
                2 => _mm_store_sd(to.cast(), _mm_castps_pd(low)),
                _ => _mm_store_ss(to, low),
            }
        }

        fn load_i16(self, from: *const i16) -> __m512 {
            let wide = _mm512_cvtepi16_epi32(_mm256_loadu_si256(from.cast()));
            let whole = _mm512_cvtepi32_ps(wide);
            self.mul(whole, self.splat(1.0 / TWO_15))
        }

        fn load_i24(self, from: *const [u8; 3]) -> __m512 {
            let packed = _mm512_maskz_loadu_epi32(0x0fff, from.cast());
            let quarters = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
            from_quarters(self, _mm512_permutexvar_epi32(quarters, packed))
        }

        fn load_four_i24(self, from: *const [u8; 3]) -> [__m512; 4] {
            // Whole lines: three that begin elsewhere would be half as many again.
            let lines: *const __m512i = from.cast();
            let a = _mm512_loadu_si512(lines);
            let b = _mm512_loadu_si512(lines.add(1));
            let c = _mm512_loadu_si512(lines.add(2));
            let first = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
            let second =
                _mm512_setr_epi32(12, 13, 14, 0, 15, 16, 17, 0, 18, 19, 20, 0, 21, 22, 23, 0);
            let third = _mm512_setr_epi32(8, 9, 10, 0, 11, 12, 13, 0, 14, 15, 16, 0, 17, 18, 19, 0);
            let fourth = _mm512_setr_epi32(4, 5, 6, 0, 7, 8, 9, 0, 10, 11, 12, 0, 13, 14, 15, 0);
            [
                from_quarters(self, _mm512_permutexvar_epi32(first, a)),
                from_quarters(self, _mm512_permutex2var_epi32(a, second, b)),
                from_quarters(self, _mm512_permutex2var_epi32(b, third, c)),
                from_quarters(self, _mm512_permutexvar_epi32(fourth, c)),
            ]
        }

        fn load_i32(self, from: *const i32) -> __m512 {
            let whole = _mm512_cvtepi32_ps(_mm512_loadu_si512(from.cast()));
            self.mul(whole, self.splat(1.0 / TWO_31))
        }

        fn store_i16(self, to: *mut i16, [low, high]: [__m512; 2]) {
            store_packed(to, to_i16_range(self, low), to_i16_range(self, high));
        }

        fn store_near_i16<const COUNT: usize, const TOGETHER: usize>(
            self,
            to: *mut i16,
            from: *const f32,
            groups: usize
        ) -> usize {
            if self.halves() {
                return store_sums::<COUNT, TOGETHER>(self, to, from, groups);
            }
            let scale = _mm512_set1_ps(TWO_15);
            for group in 0..groups {
                let i = group * COUNT * Self::LANES;
                let x: [__m512; COUNT] = x86::loaded(self, from.add(i));
                let mut any = _mm512_castps_si512(x[0]);
                for k in (1..COUNT - 1).step_by(2) {
                    let (a, b) = (_mm512_castps_si512(x[k]), _mm512_castps_si512(x[k + 1]));
                    any = _mm512_ternarylogic_epi32::<0xfe>(any, a, b);
                }
                any = _mm512_or_si512(any, _mm512_castps_si512(x[COUNT - 1]));
                // The highest bit of the exponent, which no magnitude below 2 has.
                if _mm512_test_epi32_mask(any, _mm512_set1_epi32(0x4000_0000)) != 0 {
                    return group / TOGETHER * TOGETHER;
                }
                for k in (0..COUNT).step_by(2) {
                    let low = _mm512_cvtps_epi32(_mm512_mul_ps(x[k], scale));
                    let high = _mm512_cvtps_epi32(_mm512_mul_ps(x[k + 1], scale));
                    store_packed(to.add(i + k * Self::LANES), low, high);
                }
            }
            groups
        }

        fn store_i24(self, to: *mut [u8; 3], x: __m512) {
            let quarters = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3);
            let joined = _mm512_permutexvar_epi32(quarters, to_quarters(to_i24_range(self, x)));
            _mm512_mask_storeu_epi32(to.cast(), 0x0fff, joined);
        }

        fn store_four_i24(self, to: *mut [u8; 3], x: [__m512; 4]) {
            let mut packed = [_mm512_setzero_si512(); 4];
            if below_full_scale(x) {
                let scale = self.splat(TWO_23);
                for k in 0..4 {
                    // NaN becomes the least i32, of which the lower three bytes are 0.
                    packed[k] = to_quarters(_mm512_cvtps_epi32(self.mul(x[k], scale)));
                }
            } else {
                for k in 0..4 {
                    packed[k] = to_quarters(to_i24_range(self, x[k]));
                }
            }
            let [a, b, c, d] = packed;
            let first = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20);
            let second = _mm512_setr_epi32(5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25);
            let third =
                _mm512_setr_epi32(10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30);
            let lines: *mut __m512i = to.cast();
            _mm512_storeu_si512(lines, _mm512_permutex2var_epi32(a, first, b));
            _mm512_storeu_si512(lines.add(1), _mm512_permutex2var_epi32(b, second, c));
            _mm512_storeu_si512(lines.add(2), _mm512_permutex2var_epi32(c, third, d));
        }

        fn store_i32(self, to: *mut i32, x: __m512) {
            let scaled = self.mul(x, self.splat(TWO_31));
            // What lies beyond the range becomes the least i32, which is right on one side.
            let above = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(scaled, self.splat(TWO_31));
            let greatest = _mm512_set1_epi32(i32::MAX);
            let whole = _mm512_maskz_cvtps_epi32(numbers(self, x), scaled);
            _mm512_storeu_si512(to.cast(), _mm512_mask_mov_epi32(whole, above, greatest));
        }
    }
}

impl Tables for Avx512 {
    proven! {
        fn pick(self, from: &[f32; 16], by: __m512) -> __m512 {
            _mm512_permutexvar_ps(_mm512_castps_si512(by), _mm512_loadu_ps(from.as_ptr()))
        }

        fn scale_by_floor(self, x: __m512, power: __m512) -> __m512 {
            _mm512_scalef_ps(x, power)
        }

        fn dissect(self, x: __m512) -> [__m512; 3] {
            let mantissa = _mm512_getmant_ps::<_MM_MANT_NORM_P75_1P5, _MM_MANT_SIGN_NAN>(x);
            let highest = _mm512_srli_epi32::<19>(_mm512_castps_si512(mantissa));
            [mantissa, _mm512_castsi512_ps(highest), _mm512_getexp_ps(x)]
        }
    }
}

/// The same vector, of which the compiler knows nothing.
#[inline]
#[target_feature(enable = "avx512f")]
fn kept(mut x: __m512) -> __m512 {
    // SAFETY: there are no instructions.
    unsafe {
        asm!("/* {0} */", inout(zmm_reg) x, options(pure, nomem, nostack, preserves_flags));
    }
    x
}

/// The same vector, made before anything that follows is stored: the compiler would put it off, and with it
/// all that it is made of.
#[inline]
#[target_feature(enable = "avx512f")]
fn settled(mut x: __m512i) -> __m512i {
    // SAFETY: there are no instructions.
    unsafe {
        asm!("/* {0} */", inout(zmm_reg) x, options(nostack, preserves_flags));
    }
    x
}

/// Stores two vectors of integers in their order, limited.
///
/// # Safety
///
/// The CPU has AVX-512, and as many integers can be written.
#[inline(always)]
unsafe fn store_packed(to: *mut i16, low: __m512i, high: __m512i) {
    // SAFETY: the caller's promise.
    unsafe {
        let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
        let packed = _mm512_permutexvar_epi64(order, _mm512_packs_epi32(low, high));
        _mm512_storeu_si512(to.cast(), packed);
    }
}

/// Stores groups of `COUNT` vectors of fractions of full scale as integers, and says how many groups are done
/// before `TOGETHER` of which one rounds to what is beyond it or is NaN.
///
/// # Safety
///
/// The CPU has AVX-512, as many samples can be read and as many integers can be written.
#[inline(always)]
unsafe fn store_sums<const COUNT: usize, const TOGETHER: usize>(
    v: Avx512,
    to: *mut i16,
    from: *const f32,
    groups: usize,
) -> usize {
    // The sums have a unit in the last place of 2^-15, and from 384 on a lower half that counts from
    // negative full scale. Up to positive full scale, their upper half is that of 384.
    const MIDDLE: f32 = 385.0;
    const UPPER: i32 = 384.0_f32.to_bits().cast_signed();
    // SAFETY: the caller's promise.
    unsafe {
        let upper = _mm512_set1_epi32(UPPER);
        let lower = _mm512_loadu_si512(LOWER.as_ptr().cast());
        let sign = _mm512_set1_epi16(i16::MIN);
        for first in (0..groups).step_by(TOGETHER) {
            let mut any = _mm512_setzero_si512();
            for group in first..groups.min(first + TOGETHER) {
                let i = group * COUNT * Avx512::LANES;
                let x: [__m512; COUNT] = x86::loaded(v, from.add(i));
                let mut sums = [_mm512_setzero_si512(); COUNT];
                for k in 0..COUNT {
                    sums[k] = _mm512_castps_si512(v.add(x[k], v.splat(MIDDLE)));
                }
                for k in (0..COUNT).step_by(4) {
                    // Where three bits are not the same.
                    let two = _mm512_ternarylogic_epi32::<0x7e>(sums[k], sums[k + 1], upper);
                    let more = _mm512_ternarylogic_epi32::<0x7e>(sums[k + 2], sums[k + 3], upper);
                    any = _mm512_ternarylogic_epi32::<0xfe>(any, two, more);
                }
                any = settled(any);
                for k in (0..COUNT).step_by(2) {
                    let packed = _mm512_permutex2var_epi16(sums[k], lower, sums[k + 1]);
                    let at = to.add(i + k * Avx512::LANES);
                    _mm512_storeu_si512(at.cast(), _mm512_xor_si512(packed, sign));
                }
            }
            if _mm512_test_epi32_mask(any, _mm512_set1_epi32(-0x1_0000)) != 0 {
                return first;
            }
        }
    }
    groups
}

/// The lower halves of the integers of two vectors.
const LOWER: [i16; 32] = {
    let mut indices = [0; 32];
    let mut k = 0;
    while k < 32 {
        indices[k] = 2 * k as i16;
        k += 1;
    }
    indices
};

/// Fractions of full scale from packed 24-bit integers, twelve bytes of them in each quarter.
///
/// # Safety
///
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn from_quarters(v: Avx512, x: __m512i) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        // Three bytes to each integer, from its second one on: so the sign is in place, and the
        // integer is 2^8 times its value.
        let spread = _mm_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11);
        let wide = _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(spread));
        v.mul(_mm512_cvtepi32_ps(wide), v.splat(1.0 / TWO_31))
    }
}

/// The lower three bytes of each integer, packed within each quarter.
///
/// # Safety
///
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn to_quarters(x: __m512i) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe {
        let gather = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
        _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(gather))
    }
}

/// Whether all magnitudes but those of NaN are at most one step of 24 bits below 1.
///
/// # Safety
///
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn below_full_scale([a, b, c, d]: [__m512; 4]) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        // The greater magnitude of two: of a number and a quiet NaN the number.
        let first = _mm512_castps_si512(_mm512_range_ps::<0xb>(a, b));
        let second = _mm512_castps_si512(_mm512_range_ps::<0xb>(c, d));
        let limit = _mm512_castps_si512(_mm512_set1_ps(1.0 - 1.0 / TWO_23));
        _mm512_cmpgt_epu32_mask(_mm512_max_epu32(first, second), limit) == 0
    }
}
