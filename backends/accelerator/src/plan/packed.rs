//! An even number of real samples, transformed as half as many complex points.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use auralis_core::Complex;
use rustfft::{Fft, FftPlannerAvx, FftPlannerNeon, FftPlannerScalar, FftPlannerSse};

use super::parts::{Span, Split, spans};
use super::radix::{Fast, flat, flat_mut};
use super::{Float, complex_mul, rounded};
use crate::isa::{FftLevel, Isa};

/// A forward and an inverse transform of `rustfft`, both without scaling.
pub(super) type Pair<T> = [Arc<dyn Fft<T>>; 2];

/// Plans `len` complex points with the planner of the instruction set. Never with the planner that
/// detects one by itself: the host may have masked what it would find.
pub(super) fn plan_pair<I: Isa, T: Float>(len: usize) -> Pair<T> {
    macro_rules! pair {
        ($planner:expr) => {{
            let mut planner = $planner;
            Some([planner.plan_fft_forward(len), planner.plan_fft_inverse(len)])
        }};
    }
    let pair: Option<Pair<T>> = match I::FFT {
        FftLevel::Scalar => None,
        FftLevel::Sse => FftPlannerSse::new().ok().and_then(|p| pair!(p)),
        FftLevel::Avx => FftPlannerAvx::new().ok().and_then(|p| pair!(p)),
        FftLevel::Neon => FftPlannerNeon::new().ok().and_then(|p| pair!(p)),
    };
    pair.or_else(|| pair!(FftPlannerScalar::new()))
        .expect("the scalar planner plans any length")
}

/// Transforms of complex points.
enum Transforms<T> {
    Ours(Box<dyn Fast<T>>),
    Theirs {
        pair: Pair<T>,
        scratch: Vec<Complex<T>>,
    },
}

impl<T: Float> Transforms<T> {
    fn new<I: Isa>(isa: I, len: usize) -> Self {
        if let Some(fast) = T::plan_radix(isa, len) {
            return Self::Ours(fast);
        }
        let pair = plan_pair::<I, T>(len);
        let scratch = pair
            .iter()
            .map(|fft| fft.get_outofplace_scratch_len())
            .max();
        Self::Theirs {
            scratch: vec![Complex::default(); scratch.unwrap_or(0)],
            pair,
        }
    }
}

/// Samples `2n` and `2n + 1` as the real and the imaginary part of point `n`, and their transform.
pub(super) struct Packed<T> {
    transforms: Transforms<T>,
    /// The samples; spoilt by [`forward`](Self::forward).
    time: Vec<Complex<T>>,
    /// The transform of the points; spoilt by [`inverse`](Self::inverse).
    pub(super) points: Vec<Complex<T>>,
}

impl<T: Float> Packed<T> {
    /// For `samples` samples, an even number.
    pub(super) fn new<I: Isa>(isa: I, samples: usize) -> Self {
        let len = samples / 2;
        Self {
            transforms: Transforms::new(isa, len),
            time: vec![Complex::default(); len],
            points: vec![Complex::default(); len],
        }
    }

    /// The number of samples.
    pub(super) fn len(&self) -> usize {
        2 * self.time.len()
    }

    /// Places samples at index `at`.
    #[inline]
    pub(super) fn write(&mut self, at: usize, samples: &[T]) {
        let (odd, samples) = samples.split_at(samples.len().min(at % 2));
        if let &[im] = odd {
            self.time[at / 2].im = im;
        }
        let time = &mut self.time[at.div_ceil(2)..];
        let (pairs, last) = samples.as_chunks();
        for (point, &[re, im]) in time.iter_mut().zip(pairs) {
            *point = Complex { re, im };
        }
        if let &[re] = last {
            time[pairs.len()].re = re;
        }
    }

    /// Silences the samples from index `from` on.
    pub(super) fn silence(&mut self, from: usize) {
        if from % 2 == 1 {
            self.time[from / 2].im = T::zero();
        }
        self.time[from.div_ceil(2)..].fill(Complex::default());
    }

    /// Takes samples from index `at` on.
    #[inline]
    pub(super) fn read(&self, dst: &mut [T], at: usize) {
        let (odd, dst) = dst.split_at_mut(dst.len().min(at % 2));
        if let [im] = odd {
            *im = self.time[at / 2].im;
        }
        let time = &self.time[at.div_ceil(2)..];
        let (pairs, last) = dst.as_chunks_mut();
        for ([re, im], point) in pairs.iter_mut().zip(time) {
            (*re, *im) = (point.re, point.im);
        }
        if let [re] = last {
            *re = time[pairs.len()].re;
        }
    }

    /// Makes [`points`](Self::points) from the samples.
    pub(super) fn forward(&mut self) {
        match &mut self.transforms {
            Transforms::Ours(fast) => {
                fast.forward(flat_mut(&mut self.points), Some(flat(&self.time)));
            }
            Transforms::Theirs { pair, scratch } => {
                pair[0].process_outofplace_with_scratch(&mut self.time, &mut self.points, scratch);
            }
        }
    }

    /// Makes the samples from [`points`](Self::points), without scaling.
    pub(super) fn inverse(&mut self) {
        match &mut self.transforms {
            Transforms::Ours(fast) => {
                let points = Some(flat(&self.points));
                fast.inverse(flat_mut(&mut self.time), points, T::one());
            }
            Transforms::Theirs { pair, scratch } => {
                pair[1].process_outofplace_with_scratch(&mut self.points, &mut self.time, scratch);
            }
        }
    }
}

impl<T> fmt::Debug for Packed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed")
            .field("points", &self.time.len())
            .finish_non_exhaustive()
    }
}

/// The number of pairs of bins `k` and `samples / 2 - k`, bin 0 and a middle one apart.
pub(super) fn pairs(samples: usize) -> usize {
    (samples / 2 - 1) / 2
}

/// `exp(-2πi k / samples)` for `k` from 1, one for each of [`pairs`].
pub(super) fn twiddles(samples: usize) -> impl Iterator<Item = Complex<f64>> {
    let step = -std::f64::consts::TAU / samples as f64;
    (1..=pairs(samples)).map(move |k| Complex::cis(step * k as f64))
}

/// The same, rounded.
pub(super) fn rounded_twiddles<T: Float>(samples: usize) -> Split<T> {
    twiddles(samples).map(rounded).collect()
}

/// Where bins 1 and on, and those from the last but one downwards, lie among `count` points.
#[inline(always)]
pub(super) fn pair_of_ranges(span: &Range<usize>, count: usize) -> [Range<usize>; 2] {
    [
        1 + span.start..1 + span.end,
        count - span.end..count - span.start,
    ]
}

/// Makes the bins of a real signal from the transform of its packed points.
///
/// With `E` and `O` the transforms of the even and the odd samples, `Z = E + iO`,
/// `X[k] = E[k] + w^k O[k]` and `X[M-k] = conj(E[k] - w^k O[k])`. Sorensen et al., "Real-Valued Fast
/// Fourier Transform Algorithms", IEEE Trans. ASSP 35 (1987).
#[inline(always)]
pub(super) fn unpack<I: Isa, T: Float>(
    bins: &mut [Complex<T>],
    points: &[Complex<T>],
    twiddles: &Split<T>,
) {
    let count = points.len();
    let half = T::of(0.5);
    let first = points[0];
    bins[0] = Complex::new(first.re + first.im, T::zero());
    bins[count] = Complex::new(first.re - first.im, T::zero());
    if count.is_multiple_of(2) {
        bins[count / 2] = points[count / 2].conj();
    }
    let (mut low, mut high) = (Span::new(), Span::new());
    for span in spans(twiddles.re.len()) {
        let n = span.len();
        let [below, above] = pair_of_ranges(&span, count);
        low.load(&points[below.clone()]);
        high.load_mirrored(&points[above.clone()]);
        let ((a_re, a_im), (b_re, b_im)) = (low.parts(n), high.parts(n));
        let (w_re, w_im) = twiddles.range(span);
        for i in 0..n {
            let (a, b) = (
                Complex::new(a_re[i], a_im[i]),
                Complex::new(b_re[i], b_im[i]),
            );
            let even = Complex::new((a.re + b.re) * half, (a.im + b.im) * half);
            // -i / 2 times the difference.
            let odd = Complex::new((a.im - b.im) * half, (b.re - a.re) * half);
            let turned = complex_mul::<I, T>(odd, Complex::new(w_re[i], w_im[i]));
            (a_re[i], a_im[i]) = (even.re + turned.re, even.im + turned.im);
            (b_re[i], b_im[i]) = (even.re - turned.re, even.im - turned.im);
        }
        low.store(&mut bins[below]);
        high.store_mirrored(&mut bins[above]);
    }
}

/// The reverse of [`unpack`], times `scale` times the number of samples: the packed points whose
/// unscaled inverse transform is the signal, if `scale` is one over that number.
#[inline(always)]
pub(super) fn pack<I: Isa, T: Float>(
    points: &mut [Complex<T>],
    bins: &[Complex<T>],
    twiddles: &Split<T>,
    scale: T,
) {
    let count = points.len();
    let (zero, last) = (bins[0].re * scale, bins[count].re * scale);
    points[0] = Complex::new(zero + last, zero - last);
    if count.is_multiple_of(2) {
        let middle = bins[count / 2].conj();
        points[count / 2] = (middle + middle).scale(scale);
    }
    let (mut low, mut high) = (Span::new(), Span::new());
    for span in spans(twiddles.re.len()) {
        let n = span.len();
        let [below, above] = pair_of_ranges(&span, count);
        low.load(&bins[below.clone()]);
        high.load_mirrored(&bins[above.clone()]);
        let ((a_re, a_im), (b_re, b_im)) = (low.parts(n), high.parts(n));
        let (w_re, w_im) = twiddles.range(span);
        for i in 0..n {
            let (a, b) = (
                Complex::new(a_re[i], a_im[i]),
                Complex::new(b_re[i], b_im[i]),
            );
            let even = Complex::new((a.re + b.re) * scale, (a.im + b.im) * scale);
            let difference = Complex::new((a.re - b.re) * scale, (a.im - b.im) * scale);
            let odd = complex_mul::<I, T>(difference, Complex::new(w_re[i], -w_im[i]));
            (a_re[i], a_im[i]) = (even.re - odd.im, even.im + odd.re);
            (b_re[i], b_im[i]) = (even.re + odd.im, even.im - odd.re);
        }
        low.store(&mut points[below]);
        high.store_mirrored(&mut points[above]);
    }
}
