//! Vectors of eight numbers in double precision, for recursions.

use std::arch::x86_64::*;

use crate::isa::{Avx512, Isa};

/// Frames of two channels.
pub(in crate::plan) type Frames = [[f64; 2]; 8];

/// What an instruction set does with eight numbers.
///
/// It is implemented for a token of [`crate::isa`]: holding one proves that the instructions may run.
/// With AVX2 the sections side by side were slower than runs of samples in blocks of 64 frames.
pub(in crate::plan) trait Eight: Isa {
    /// The numbers.
    type F64: Copy;

    fn load(self, from: &[f64; 8]) -> Self::F64;

    fn store(self, to: &mut [f64; 8], x: Self::F64);

    /// Two numbers, and anything.
    fn pair(self, from: &[f64; 2]) -> Self::F64;

    fn store_pair(self, to: &mut [f64; 2], x: Self::F64);

    fn mul(self, a: Self::F64, b: Self::F64) -> Self::F64;

    /// `a * b + c` with one rounding.
    fn fused(self, a: Self::F64, b: Self::F64, c: Self::F64) -> Self::F64;

    /// All but the first pair of `a`, and then the first pair of `b`.
    fn follow(self, a: Self::F64, b: Self::F64) -> Self::F64;

    /// `a` where the bit of the lane is set, else `b`.
    fn choose(self, bits: u8, a: Self::F64, b: Self::F64) -> Self::F64;

    /// Eight frames of two channels.
    fn widen(self, left: &[f32; 8], right: &[f32; 8]) -> Frames;

    /// The two channels of the first eight frames.
    fn narrow(self, frames: &[[f64; 2]; 16]) -> [[f32; 8]; 2];
}

impl Eight for Avx512 {
    type F64 = __m512d;

    #[inline(always)]
    fn load(self, from: &[f64; 8]) -> __m512d {
        // SAFETY: the token proves AVX-512, and a reference is there to be read.
        unsafe { _mm512_loadu_pd(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; 8], x: __m512d) {
        // SAFETY: the token proves AVX-512, and a reference is there to be written.
        unsafe { _mm512_storeu_pd(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn pair(self, from: &[f64; 2]) -> __m512d {
        // SAFETY: the token proves AVX-512, and a reference is there to be read.
        unsafe { _mm512_zextpd128_pd512(_mm_loadu_pd(from.as_ptr())) }
    }

    #[inline(always)]
    fn store_pair(self, to: &mut [f64; 2], x: __m512d) {
        // SAFETY: the token proves AVX-512, and a reference is there to be written.
        unsafe { _mm_storeu_pd(to.as_mut_ptr(), _mm512_castpd512_pd128(x)) }
    }

    #[inline(always)]
    fn mul(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_mul_pd(a, b) }
    }

    #[inline(always)]
    fn fused(self, a: __m512d, b: __m512d, c: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_fmadd_pd(a, b, c) }
    }

    #[inline(always)]
    fn follow(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let (a, b) = (_mm512_castpd_si512(a), _mm512_castpd_si512(b));
            _mm512_castsi512_pd(_mm512_alignr_epi64::<2>(b, a))
        }
    }

    #[inline(always)]
    fn choose(self, bits: u8, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_mask_mov_pd(b, bits, a) }
    }

    #[inline(always)]
    fn widen(self, left: &[f32; 8], right: &[f32; 8]) -> Frames {
        let mut frames = [[0.0; 2]; 8];
        let to = frames.as_mut_ptr().cast::<f64>();
        // SAFETY: the token proves AVX-512; eight frames are sixteen numbers.
        unsafe {
            let left = _mm512_cvtps_pd(_mm256_loadu_ps(left.as_ptr()));
            let right = _mm512_cvtps_pd(_mm256_loadu_ps(right.as_ptr()));
            let first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let last = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            _mm512_storeu_pd(to, _mm512_permutex2var_pd(left, first, right));
            _mm512_storeu_pd(to.add(8), _mm512_permutex2var_pd(left, last, right));
        }
        frames
    }

    #[inline(always)]
    fn narrow(self, frames: &[[f64; 2]; 16]) -> [[f32; 8]; 2] {
        let mut planes = [[0.0; 8]; 2];
        let from = frames.as_ptr().cast::<f64>();
        // SAFETY: the token proves AVX-512; the first eight frames are sixteen
        // numbers.
        unsafe {
            let (first, last) = (_mm512_loadu_pd(from), _mm512_loadu_pd(from.add(8)));
            for (plane, odd) in planes.iter_mut().zip(0..) {
                let every_other = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
                let indices = _mm512_add_epi64(every_other, _mm512_set1_epi64(odd));
                let wide = _mm512_permutex2var_pd(first, indices, last);
                _mm256_storeu_ps(plane.as_mut_ptr(), _mm512_cvtpd_ps(wide));
            }
        }
        planes
    }
}
