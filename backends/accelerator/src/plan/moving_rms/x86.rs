//! The runs of a stretch in the vectors of AVX-512.

use std::arch::x86_64::*;

use super::lanes::Lanes;
use super::{RUN, STRETCH};
use crate::isa::Avx512;
use crate::plan::Float;

/// Samples that are turned: those of a stretch run by run, to and from one of each run.
///
/// # Safety
///
/// The CPU has AVX-512.
pub(crate) trait Turned: Float {
    unsafe fn columns(stretch: &[Self; STRETCH]) -> [__m512d; RUN];

    unsafe fn rows(stretch: &mut [Self; STRETCH], columns: [__m512d; RUN]);
}

impl Turned for f32 {
    #[inline(always)]
    unsafe fn columns(stretch: &[f32; STRETCH]) -> [__m512d; RUN] {
        let from = stretch.as_ptr();
        // SAFETY: the caller's promise; four vectors are a stretch.
        unsafe {
            let [a, b, c, d] = turned([
                _mm512_loadu_ps(from),
                _mm512_loadu_ps(from.add(16)),
                _mm512_loadu_ps(from.add(32)),
                _mm512_loadu_ps(from.add(48)),
            ]);
            [
                _mm512_cvtps_pd(_mm512_castps512_ps256(a)),
                _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(a)),
                _mm512_cvtps_pd(_mm512_castps512_ps256(b)),
                _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(b)),
                _mm512_cvtps_pd(_mm512_castps512_ps256(c)),
                _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(c)),
                _mm512_cvtps_pd(_mm512_castps512_ps256(d)),
                _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(d)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn rows(stretch: &mut [f32; STRETCH], columns: [__m512d; RUN]) {
        let to = stretch.as_mut_ptr();
        let [a, b, c, d, e, f, g, h] = columns;
        // SAFETY: the caller's promise; four vectors are a stretch.
        unsafe {
            let rows = turned([narrow(a, b), narrow(c, d), narrow(e, f), narrow(g, h)]);
            for (i, row) in rows.into_iter().enumerate() {
                _mm512_storeu_ps(to.add(16 * i), row);
            }
        }
    }
}

/// Two vectors rounded, one after the other.
///
/// # Safety
///
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn narrow(low: __m512d, high: __m512d) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        let low = _mm512_castps256_ps512(_mm512_cvtpd_ps(low));
        _mm512_insertf32x8::<1>(low, _mm512_cvtpd_ps(high))
    }
}

/// A square of eight by eight transposed: two rows are a vector.
///
/// # Safety
///
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn turned([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        // A half of each column: that of four rows.
        let low = _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
        let high = _mm512_setr_epi32(4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
        let first = [
            _mm512_castps_pd(_mm512_permutex2var_ps(a, low, b)),
            _mm512_castps_pd(_mm512_permutex2var_ps(a, high, b)),
        ];
        let last = [
            _mm512_castps_pd(_mm512_permutex2var_ps(c, low, d)),
            _mm512_castps_pd(_mm512_permutex2var_ps(c, high, d)),
        ];
        let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
        [
            _mm512_castpd_ps(_mm512_permutex2var_pd(first[0], low, last[0])),
            _mm512_castpd_ps(_mm512_permutex2var_pd(first[0], high, last[0])),
            _mm512_castpd_ps(_mm512_permutex2var_pd(first[1], low, last[1])),
            _mm512_castpd_ps(_mm512_permutex2var_pd(first[1], high, last[1])),
        ]
    }
}

impl Turned for f64 {
    #[inline(always)]
    unsafe fn columns(stretch: &[f64; STRETCH]) -> [__m512d; RUN] {
        let from = stretch.as_ptr();
        // SAFETY: the caller's promise; eight vectors are a stretch.
        unsafe {
            turned_f64([
                _mm512_loadu_pd(from),
                _mm512_loadu_pd(from.add(8)),
                _mm512_loadu_pd(from.add(16)),
                _mm512_loadu_pd(from.add(24)),
                _mm512_loadu_pd(from.add(32)),
                _mm512_loadu_pd(from.add(40)),
                _mm512_loadu_pd(from.add(48)),
                _mm512_loadu_pd(from.add(56)),
            ])
        }
    }

    #[inline(always)]
    unsafe fn rows(stretch: &mut [f64; STRETCH], columns: [__m512d; RUN]) {
        let to = stretch.as_mut_ptr();
        // SAFETY: the caller's promise; eight vectors are a stretch.
        unsafe {
            for (i, row) in turned_f64(columns).into_iter().enumerate() {
                _mm512_storeu_pd(to.add(RUN * i), row);
            }
        }
    }
}

/// A square of eight by eight transposed.
///
/// # Safety
///
/// The CPU has AVX-512.
#[inline(always)]
unsafe fn turned_f64(rows: [__m512d; 8]) -> [__m512d; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    // SAFETY: the caller's promise.
    unsafe {
        // Pairs of columns of two rows, of four, and of all.
        let pairs = [
            [_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b)],
            [_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d)],
            [_mm512_unpacklo_pd(e, f), _mm512_unpackhi_pd(e, f)],
            [_mm512_unpacklo_pd(g, h), _mm512_unpackhi_pd(g, h)],
        ];
        let mut columns = rows;
        for odd in 0..2 {
            let [a, b, c, d] = [pairs[0][odd], pairs[1][odd], pairs[2][odd], pairs[3][odd]];
            let (even_ab, odd_ab) = (
                _mm512_shuffle_f64x2::<0x88>(a, b),
                _mm512_shuffle_f64x2::<0xdd>(a, b),
            );
            let (even_cd, odd_cd) = (
                _mm512_shuffle_f64x2::<0x88>(c, d),
                _mm512_shuffle_f64x2::<0xdd>(c, d),
            );
            columns[odd] = _mm512_shuffle_f64x2::<0x88>(even_ab, even_cd);
            columns[odd + 2] = _mm512_shuffle_f64x2::<0x88>(odd_ab, odd_cd);
            columns[odd + 4] = _mm512_shuffle_f64x2::<0xdd>(even_ab, even_cd);
            columns[odd + 6] = _mm512_shuffle_f64x2::<0xdd>(odd_ab, odd_cd);
        }
        columns
    }
}

impl<T: Turned> Lanes<T> for Avx512 {
    type F64 = __m512d;

    #[inline(always)]
    fn splat(self, x: f64) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_set1_pd(x) }
    }

    #[inline(always)]
    fn add(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_add_pd(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_mul_pd(a, b) }
    }

    #[inline(always)]
    fn add_square(self, sum: __m512d, x: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_fmadd_pd(x, x, sum) }
    }

    #[inline(always)]
    fn sums_before(self, x: __m512d) -> (__m512d, f64) {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let zero = _mm512_setzero_si512();
            let one = _mm512_alignr_epi64::<7>(_mm512_castpd_si512(x), zero);
            let x = _mm512_add_pd(x, _mm512_castsi512_pd(one));
            let two = _mm512_alignr_epi64::<6>(_mm512_castpd_si512(x), zero);
            let x = _mm512_add_pd(x, _mm512_castsi512_pd(two));
            let four = _mm512_alignr_epi64::<4>(_mm512_castpd_si512(x), zero);
            let x = _mm512_add_pd(x, _mm512_castsi512_pd(four));
            let before = _mm512_alignr_epi64::<7>(_mm512_castpd_si512(x), zero);
            let last = _mm512_permutexvar_pd(_mm512_set1_epi64(7), x);
            (_mm512_castsi512_pd(before), _mm512_cvtsd_f64(last))
        }
    }

    #[inline(always)]
    fn sums_after(self, x: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let zero = _mm512_setzero_si512();
            let after = _mm512_alignr_epi64::<1>(zero, _mm512_castpd_si512(x));
            let one = _mm512_alignr_epi64::<1>(zero, after);
            let x = _mm512_add_pd(_mm512_castsi512_pd(after), _mm512_castsi512_pd(one));
            let two = _mm512_alignr_epi64::<2>(zero, _mm512_castpd_si512(x));
            let x = _mm512_add_pd(x, _mm512_castsi512_pd(two));
            let four = _mm512_alignr_epi64::<4>(zero, _mm512_castpd_si512(x));
            _mm512_add_pd(x, _mm512_castsi512_pd(four))
        }
    }

    #[inline(always)]
    fn columns(self, stretch: &[T; STRETCH]) -> [__m512d; RUN] {
        // SAFETY: the token proves AVX-512.
        unsafe { T::columns(stretch) }
    }

    #[inline(always)]
    fn rows(self, stretch: &mut [T; STRETCH], columns: [__m512d; RUN]) {
        // SAFETY: the token proves AVX-512.
        unsafe { T::rows(stretch, columns) }
    }

    #[inline(always)]
    fn root(self, x: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_sqrt_pd(x) }
    }
}
