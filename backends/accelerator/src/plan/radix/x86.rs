//! The vectors of AVX2 and AVX-512.

use std::arch::x86_64::*;

use super::butterfly::{Radix8, Radix16};
use super::lanes::{Folded, Lanes, Paired};
use crate::isa::{Avx2, Avx512, Isa};

macro_rules! arithmetic {
    ($lanes:literal $vector:ident $square:ident: $splat:ident $load:ident $store:ident $add:ident $sub:ident
     $mul:ident $mul_add:ident $mul_sub:ident $neg_mul_add:ident) => {
        type Vector = $vector;
        type Square = $square;

        #[inline(always)]
        fn splat(self, value: f32) -> $vector {
            // SAFETY: the token proves that the CPU has the instruction.
            unsafe { $splat(value) }
        }

        #[inline(always)]
        fn load(self, src: &[f32]) -> $vector {
            let src = &src[..$lanes];
            // SAFETY: as `splat`; all lanes lie in the slice.
            unsafe { $load(src.as_ptr()) }
        }

        #[inline(always)]
        fn store(self, dst: &mut [f32], vector: $vector) {
            let dst = &mut dst[..$lanes];
            // SAFETY: as `splat`; all lanes lie in the slice.
            unsafe { $store(dst.as_mut_ptr(), vector) }
        }

        #[inline(always)]
        fn prefetch(self, place: *const f32) {
            // SAFETY: as `splat`; prefetching never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) }
        }

        #[inline(always)]
        fn add(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: as `splat`.
            unsafe { $add(a, b) }
        }

        #[inline(always)]
        fn sub(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: as `splat`.
            unsafe { $sub(a, b) }
        }

        #[inline(always)]
        fn mul(self, a: $vector, b: $vector) -> $vector {
            // SAFETY: as `splat`.
            unsafe { $mul(a, b) }
        }

        #[inline(always)]
        fn mul_add(self, a: $vector, b: $vector, c: $vector) -> $vector {
            // SAFETY: as `splat`.
            unsafe { $mul_add(a, b, c) }
        }

        #[inline(always)]
        fn mul_sub(self, a: $vector, b: $vector, c: $vector) -> $vector {
            // SAFETY: as `splat`.
            unsafe { $mul_sub(a, b, c) }
        }

        #[inline(always)]
        fn neg_mul_add(self, a: $vector, b: $vector, c: $vector) -> $vector {
            // SAFETY: as `splat`.
            unsafe { $neg_mul_add(a, b, c) }
        }
    };
}

impl Lanes<16> for Avx512 {
    arithmetic! {
        16 __m512 Radix16: _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps
        _mm512_mul_ps _mm512_fmadd_ps _mm512_fmsub_ps _mm512_fnmadd_ps
    }

    #[inline(always)]
    fn separate(self, low: __m512, high: __m512) -> (__m512, __m512) {
        // SAFETY: as `splat`.
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            (
                _mm512_permutex2var_ps(low, even, high),
                _mm512_permutex2var_ps(low, odd, high),
            )
        }
    }

    #[inline(always)]
    fn interleave(self, even: __m512, odd: __m512) -> (__m512, __m512) {
        // SAFETY: as `splat`.
        unsafe {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high =
                _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            (
                _mm512_permutex2var_ps(even, low, odd),
                _mm512_permutex2var_ps(even, high, odd),
            )
        }
    }

    #[inline(always)]
    fn clear_first(self, vector: __m512) -> __m512 {
        // SAFETY: as `splat`.
        unsafe { _mm512_maskz_mov_ps(0xfffe, vector) }
    }

    #[inline(always)]
    fn reverse(self, vector: __m512) -> __m512 {
        // SAFETY: as `splat`.
        unsafe {
            let order = _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
            _mm512_permutexvar_ps(order, vector)
        }
    }

    #[inline(always)]
    fn mirror(self, vector: __m512, next: __m512) -> __m512 {
        // SAFETY: as `splat`.
        unsafe {
            let order = _mm512_setr_epi32(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
            _mm512_permutex2var_ps(vector, order, next)
        }
    }

    #[inline(always)]
    fn transpose(self, r: [__m512; 16]) -> [__m512; 16] {
        // SAFETY: as `splat`.
        unsafe {
            // Blocks of 4x4 are turned in place, then exchanged among each other. Macros, as the
            // compiler might leave closures out of line.
            macro_rules! turn {
                ($n:literal) => {{
                    let (a, b, c, d) = (r[$n], r[$n + 1], r[$n + 2], r[$n + 3]);
                    let (ab0, ab1) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                    let (cd0, cd1) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                    [
                        _mm512_shuffle_ps::<0x44>(ab0, cd0),
                        _mm512_shuffle_ps::<0xee>(ab0, cd0),
                        _mm512_shuffle_ps::<0x44>(ab1, cd1),
                        _mm512_shuffle_ps::<0xee>(ab1, cd1),
                    ]
                }};
            }
            let q = [turn!(0), turn!(4), turn!(8), turn!(12)];
            macro_rules! exchange {
                ($i:literal) => {{
                    let low = _mm512_shuffle_f32x4::<0x88>(q[0][$i], q[1][$i]);
                    let high = _mm512_shuffle_f32x4::<0xdd>(q[0][$i], q[1][$i]);
                    let low2 = _mm512_shuffle_f32x4::<0x88>(q[2][$i], q[3][$i]);
                    let high2 = _mm512_shuffle_f32x4::<0xdd>(q[2][$i], q[3][$i]);
                    [
                        _mm512_shuffle_f32x4::<0x88>(low, low2),
                        _mm512_shuffle_f32x4::<0x88>(high, high2),
                        _mm512_shuffle_f32x4::<0xdd>(low, low2),
                        _mm512_shuffle_f32x4::<0xdd>(high, high2),
                    ]
                }};
            }
            let [a, b, c, d] = [exchange!(0), exchange!(1), exchange!(2), exchange!(3)];
            [
                a[0], b[0], c[0], d[0], a[1], b[1], c[1], d[1], a[2], b[2], c[2], d[2], a[3], b[3],
                c[3], d[3],
            ]
        }
    }
}

impl Folded for Avx512 {
    #[inline(always)]
    fn fold(self, r: [__m512; 8]) -> [__m512; 8] {
        // SAFETY: the token proves that the CPU has the instructions.
        unsafe {
            let even = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
            let odd = _mm512_setr_epi32(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
            // Blocks of 4x4 are turned in place, then exchanged among each other.
            macro_rules! turn {
                ($n:literal) => {{
                    let (a, b, c, d) = (r[$n], r[$n + 1], r[$n + 2], r[$n + 3]);
                    let (ab0, ab1) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                    let (cd0, cd1) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
                    [
                        _mm512_shuffle_ps::<0x44>(ab0, cd0),
                        _mm512_shuffle_ps::<0xee>(ab0, cd0),
                        _mm512_shuffle_ps::<0x44>(ab1, cd1),
                        _mm512_shuffle_ps::<0xee>(ab1, cd1),
                    ]
                }};
            }
            let (low, high) = (turn!(0), turn!(4));
            [
                _mm512_permutex2var_ps(low[0], even, high[0]),
                _mm512_permutex2var_ps(low[1], even, high[1]),
                _mm512_permutex2var_ps(low[2], even, high[2]),
                _mm512_permutex2var_ps(low[3], even, high[3]),
                _mm512_permutex2var_ps(low[0], odd, high[0]),
                _mm512_permutex2var_ps(low[1], odd, high[1]),
                _mm512_permutex2var_ps(low[2], odd, high[2]),
                _mm512_permutex2var_ps(low[3], odd, high[3]),
            ]
        }
    }

    #[inline(always)]
    fn exchange(self, vector: __m512) -> __m512 {
        // SAFETY: as `fold`.
        unsafe { _mm512_shuffle_f32x4::<0x4e>(vector, vector) }
    }
}

/// Tokens that prove AVX2 and FMA.
pub(crate) trait Avx2AndLater: Isa {}

impl Avx2AndLater for Avx2 {}
impl Avx2AndLater for Avx512 {}

impl<I: Avx2AndLater> Lanes<8> for I {
    arithmetic! {
        8 __m256 Radix8: _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps
        _mm256_sub_ps _mm256_mul_ps _mm256_fmadd_ps _mm256_fmsub_ps _mm256_fnmadd_ps
    }

    #[inline(always)]
    fn separate(self, low: __m256, high: __m256) -> (__m256, __m256) {
        // SAFETY: as `splat`.
        unsafe {
            let a = _mm256_permute2f128_ps::<0x20>(low, high);
            let b = _mm256_permute2f128_ps::<0x31>(low, high);
            (
                _mm256_shuffle_ps::<0x88>(a, b),
                _mm256_shuffle_ps::<0xdd>(a, b),
            )
        }
    }

    #[inline(always)]
    fn interleave(self, even: __m256, odd: __m256) -> (__m256, __m256) {
        // SAFETY: as `splat`.
        unsafe {
            let (a, b) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
            (
                _mm256_permute2f128_ps::<0x20>(a, b),
                _mm256_permute2f128_ps::<0x31>(a, b),
            )
        }
    }

    #[inline(always)]
    fn clear_first(self, vector: __m256) -> __m256 {
        // SAFETY: as `splat`.
        unsafe { _mm256_blend_ps::<1>(vector, _mm256_setzero_ps()) }
    }

    #[inline(always)]
    fn reverse(self, vector: __m256) -> __m256 {
        // SAFETY: as `splat`.
        unsafe {
            let order = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
            _mm256_permutevar8x32_ps(vector, order)
        }
    }

    #[inline(always)]
    fn mirror(self, vector: __m256, next: __m256) -> __m256 {
        // SAFETY: as `splat`.
        unsafe {
            let order = _mm256_setr_epi32(0, 7, 6, 5, 4, 3, 2, 1);
            _mm256_blend_ps::<1>(_mm256_permutevar8x32_ps(vector, order), next)
        }
    }

    #[inline(always)]
    fn transpose(self, r: [__m256; 8]) -> [__m256; 8] {
        // SAFETY: as `splat`.
        unsafe {
            let (a0, a1) = (
                _mm256_unpacklo_ps(r[0], r[1]),
                _mm256_unpackhi_ps(r[0], r[1]),
            );
            let (b0, b1) = (
                _mm256_unpacklo_ps(r[2], r[3]),
                _mm256_unpackhi_ps(r[2], r[3]),
            );
            let (c0, c1) = (
                _mm256_unpacklo_ps(r[4], r[5]),
                _mm256_unpackhi_ps(r[4], r[5]),
            );
            let (d0, d1) = (
                _mm256_unpacklo_ps(r[6], r[7]),
                _mm256_unpackhi_ps(r[6], r[7]),
            );
            let low = [
                _mm256_shuffle_ps::<0x44>(a0, b0),
                _mm256_shuffle_ps::<0xee>(a0, b0),
                _mm256_shuffle_ps::<0x44>(a1, b1),
                _mm256_shuffle_ps::<0xee>(a1, b1),
            ];
            let high = [
                _mm256_shuffle_ps::<0x44>(c0, d0),
                _mm256_shuffle_ps::<0xee>(c0, d0),
                _mm256_shuffle_ps::<0x44>(c1, d1),
                _mm256_shuffle_ps::<0xee>(c1, d1),
            ];
            [
                _mm256_permute2f128_ps::<0x20>(low[0], high[0]),
                _mm256_permute2f128_ps::<0x20>(low[1], high[1]),
                _mm256_permute2f128_ps::<0x20>(low[2], high[2]),
                _mm256_permute2f128_ps::<0x20>(low[3], high[3]),
                _mm256_permute2f128_ps::<0x31>(low[0], high[0]),
                _mm256_permute2f128_ps::<0x31>(low[1], high[1]),
                _mm256_permute2f128_ps::<0x31>(low[2], high[2]),
                _mm256_permute2f128_ps::<0x31>(low[3], high[3]),
            ]
        }
    }
}

impl<I: Avx2AndLater> Paired for I {
    #[inline(always)]
    fn separate_pairs(self, low: __m256, high: __m256) -> (__m256, __m256) {
        // SAFETY: the token proves that the CPU has the instructions.
        unsafe {
            (
                _mm256_shuffle_ps::<0x88>(low, high),
                _mm256_shuffle_ps::<0xdd>(low, high),
            )
        }
    }

    #[inline(always)]
    fn interleave_pairs(self, even: __m256, odd: __m256) -> (__m256, __m256) {
        // SAFETY: as `separate_pairs`.
        unsafe { (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd)) }
    }
}
