//! Vectors of eight numbers in double precision, for recursions.

use std::arch::x86_64::*;

use crate::isa::{Avx2, Avx512, Isa};

/// The frames of four steps.
pub(in crate::plan) type Frames<const F: usize> = [[f32; F]; 4];

/// What an instruction set does with eight numbers.
///
/// It is implemented for a token of [`crate::isa`]: holding one proves that the instructions may run.
pub(in crate::plan) trait Eight: Isa {
    /// The numbers.
    type F64: Copy;

    fn load(self, from: &[f64; 8]) -> Self::F64;

    fn store(self, to: &mut [f64; 8], x: Self::F64);

    fn add(self, a: Self::F64, b: Self::F64) -> Self::F64;

    fn mul(self, a: Self::F64, b: Self::F64) -> Self::F64;

    /// `a * b + c` with one rounding.
    fn fused(self, a: Self::F64, b: Self::F64, c: Self::F64) -> Self::F64;

    /// All but the first `P` of `a`, and then the first `P` of `b`: two or four.
    fn follow<const P: usize>(self, a: Self::F64, b: Self::F64) -> Self::F64;

    /// Steps of `F` frames in the first `P` lanes, and anything: of the left channel, and of the right
    /// one if there is room.
    fn widen<const P: usize, const F: usize>(
        self,
        left: &Frames<F>,
        right: &Frames<F>,
    ) -> [Self::F64; 4];

    /// The two channels of such steps times `gain`, or the left one and anything.
    fn narrow<const P: usize, const F: usize>(
        self,
        steps: [Self::F64; 4],
        gain: f64,
    ) -> [Frames<F>; 2];

    /// Of each pair, the second of `a` and the first of `b`.
    fn between(self, a: Self::F64, b: Self::F64) -> Self::F64;
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
    fn widen<const P: usize, const F: usize>(
        self,
        left: &Frames<F>,
        right: &Frames<F>,
    ) -> [__m512d; 4] {
        // SAFETY: the token proves AVX-512, with which comes AVX.
        unsafe { widen::<P, F>(left, right).map(|x| _mm512_zextpd256_pd512(x)) }
    }

    #[inline(always)]
    fn narrow<const P: usize, const F: usize>(
        self,
        steps: [__m512d; 4],
        gain: f64,
    ) -> [Frames<F>; 2] {
        // SAFETY: the token proves AVX-512, with which comes AVX.
        unsafe { narrow::<P, F>(steps.map(|x| _mm512_castpd512_pd256(x)), gain) }
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
    fn fused(self, a: __m512d, b: __m512d, c: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_fmadd_pd(a, b, c) }
    }

    #[inline(always)]
    fn follow<const P: usize>(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe {
            let (a, b) = (_mm512_castpd_si512(a), _mm512_castpd_si512(b));
            _mm512_castsi512_pd(match P {
                2 => _mm512_alignr_epi64::<2>(b, a),
                4 => _mm512_alignr_epi64::<4>(b, a),
                _ => unreachable!(),
            })
        }
    }

    #[inline(always)]
    fn between(self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the token proves AVX-512.
        unsafe { _mm512_shuffle_pd::<0b0101_0101>(a, b) }
    }
}

/// The first four numbers and the last four.
impl Eight for Avx2 {
    type F64 = [__m256d; 2];

    #[inline(always)]
    fn load(self, from: &[f64; 8]) -> [__m256d; 2] {
        let (halves, _) = from.as_chunks::<4>();
        // SAFETY: the token proves AVX2, and a reference is there to be read.
        [0, 1].map(|i| unsafe { _mm256_loadu_pd(halves[i].as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; 8], x: [__m256d; 2]) {
        let (halves, _) = to.as_chunks_mut::<4>();
        for (half, x) in halves.iter_mut().zip(x) {
            // SAFETY: the token proves AVX2, and a reference is there to be written.
            unsafe { _mm256_storeu_pd(half.as_mut_ptr(), x) }
        }
    }

    #[inline(always)]
    fn widen<const P: usize, const F: usize>(
        self,
        left: &Frames<F>,
        right: &Frames<F>,
    ) -> [[__m256d; 2]; 4] {
        // SAFETY: the token proves AVX2, with which comes AVX.
        unsafe { widen::<P, F>(left, right).map(|x| [x, x]) }
    }

    #[inline(always)]
    fn narrow<const P: usize, const F: usize>(
        self,
        steps: [[__m256d; 2]; 4],
        gain: f64,
    ) -> [Frames<F>; 2] {
        // SAFETY: the token proves AVX2, with which comes AVX.
        unsafe { narrow::<P, F>(steps.map(|[x, _]| x), gain) }
    }

    #[inline(always)]
    fn add(self, a: [__m256d; 2], b: [__m256d; 2]) -> [__m256d; 2] {
        // SAFETY: the token proves AVX2.
        unsafe { [_mm256_add_pd(a[0], b[0]), _mm256_add_pd(a[1], b[1])] }
    }

    #[inline(always)]
    fn mul(self, a: [__m256d; 2], b: [__m256d; 2]) -> [__m256d; 2] {
        // SAFETY: the token proves AVX2.
        unsafe { [_mm256_mul_pd(a[0], b[0]), _mm256_mul_pd(a[1], b[1])] }
    }

    #[inline(always)]
    fn fused(self, a: [__m256d; 2], b: [__m256d; 2], c: [__m256d; 2]) -> [__m256d; 2] {
        // SAFETY: the token proves AVX2 and FMA.
        unsafe {
            [
                _mm256_fmadd_pd(a[0], b[0], c[0]),
                _mm256_fmadd_pd(a[1], b[1], c[1]),
            ]
        }
    }

    #[inline(always)]
    fn follow<const P: usize>(self, a: [__m256d; 2], b: [__m256d; 2]) -> [__m256d; 2] {
        match P {
            // SAFETY: the token proves AVX2.
            2 => unsafe {
                [
                    _mm256_permute2f128_pd::<0x21>(a[0], a[1]),
                    _mm256_permute2f128_pd::<0x21>(a[1], b[0]),
                ]
            },
            4 => [a[1], b[0]],
            _ => unreachable!(),
        }
    }

    #[inline(always)]
    fn between(self, a: [__m256d; 2], b: [__m256d; 2]) -> [__m256d; 2] {
        // SAFETY: the token proves AVX2.
        unsafe {
            [
                _mm256_shuffle_pd::<0b0101>(a[0], b[0]),
                _mm256_shuffle_pd::<0b0101>(a[1], b[1]),
            ]
        }
    }
}

/// [`Eight::widen`] for the first four lanes.
///
/// # Safety
///
/// The CPU has AVX.
#[inline(always)]
unsafe fn widen<const P: usize, const F: usize>(
    left: &Frames<F>,
    right: &Frames<F>,
) -> [__m256d; 4] {
    let (left, right) = (left.as_ptr().cast::<f32>(), right.as_ptr().cast::<f32>());
    // SAFETY: the caller's promise; steps of two frames are eight of them, else there are four.
    unsafe {
        let halves = |x| [_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x)];
        let [low, high] = match (P, F) {
            // Two channels of one frame.
            (2, 1) => {
                let (left, right) = (_mm_loadu_ps(left), _mm_loadu_ps(right));
                [_mm_unpacklo_ps(left, right), _mm_unpackhi_ps(left, right)]
            }
            // One channel of two frames.
            (2, 2) => halves(_mm256_loadu_ps(left)),
            (4, 2) => {
                let left = _mm256_castps_pd(_mm256_loadu_ps(left));
                let right = _mm256_castps_pd(_mm256_loadu_ps(right));
                let [a, c] = halves(_mm256_castpd_ps(_mm256_unpacklo_pd(left, right)));
                let [b, d] = halves(_mm256_castpd_ps(_mm256_unpackhi_pd(left, right)));
                return [a, b, c, d].map(|x| _mm256_cvtps_pd(x));
            }
            _ => unreachable!(),
        };
        let (low, high) = (_mm256_cvtps_pd(low), _mm256_cvtps_pd(high));
        let second = |x| _mm256_zextpd128_pd256(_mm256_extractf128_pd::<1>(x));
        [low, second(low), high, second(high)]
    }
}

/// [`Eight::narrow`] for the first four lanes.
///
/// # Safety
///
/// The CPU has AVX.
#[inline(always)]
unsafe fn narrow<const P: usize, const F: usize>(
    [a, b, c, d]: [__m256d; 4],
    gain: f64,
) -> [Frames<F>; 2] {
    let mut planes = [[[0.0; F]; 4]; 2];
    let [left, right] = planes
        .each_mut()
        .map(|plane| plane.as_mut_ptr().cast::<f32>());
    // SAFETY: the caller's promise; steps of two frames are eight of them, else there are four.
    unsafe {
        let gain = _mm256_set1_pd(gain);
        if P == 4 {
            let [a, b, c, d] = [a, b, c, d].map(|x| _mm256_cvtpd_ps(_mm256_mul_pd(x, gain)));
            let first = _mm256_castps_pd(_mm256_set_m128(c, a));
            let second = _mm256_castps_pd(_mm256_set_m128(d, b));
            _mm256_storeu_ps(left, _mm256_castpd_ps(_mm256_unpacklo_pd(first, second)));
            _mm256_storeu_ps(right, _mm256_castpd_ps(_mm256_unpackhi_pd(first, second)));
            return planes;
        }
        let low = _mm256_mul_pd(_mm256_permute2f128_pd::<0x20>(a, b), gain);
        let high = _mm256_mul_pd(_mm256_permute2f128_pd::<0x20>(c, d), gain);
        let (low, high) = (_mm256_cvtpd_ps(low), _mm256_cvtpd_ps(high));
        if F == 2 {
            _mm256_storeu_ps(left, _mm256_set_m128(high, low));
        } else {
            _mm_storeu_ps(left, _mm_shuffle_ps::<0b10_00_10_00>(low, high));
            _mm_storeu_ps(right, _mm_shuffle_ps::<0b11_01_11_01>(low, high));
        }
    }
    planes
}
