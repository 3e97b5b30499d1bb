//! Overlap-save convolution with one impulse response, within a single transform.

use std::marker::PhantomData;

use auralis_core::Complex;

use super::packed::{Packed, pair_of_ranges, twiddles, unpack};
use super::parts::{Span, Split, spans};
use super::{Float, complex_mul, complex_mul_add, rounded};
use crate::isa::{Body, Isa};

/// The smallest length that is at least `at_least`, even, and has no prime factors but 2 and a few
/// 3s: those are the fast ones.
pub(super) fn fast_len(at_least: usize) -> usize {
    (0..6)
        .map(|exponent| 2 * 3usize.pow(exponent))
        .map(|odd| odd * at_least.div_ceil(odd).next_power_of_two())
        .min()
        .expect("there are six candidates")
}

/// Circular convolution of a window of samples with an impulse response. Samples go in with
/// [`packed`](Self::packed), and what lies at or after `taps - 1` is the linear convolution.
#[derive(Debug)]
pub(super) struct OverlapSave<I, T> {
    isa: I,
    pub(super) packed: Packed<T>,
    response: Response<T>,
}

impl<I: Isa, T: Float> OverlapSave<I, T> {
    /// For windows of `len` samples, even and no shorter than `impulse`.
    pub(super) fn new(isa: I, impulse: &[T], len: usize) -> Self {
        let turns: Vec<_> = twiddles(len).collect();
        let mut this = Self {
            isa,
            packed: Packed::new(isa, len),
            response: Response::default(),
        };
        this.packed.write(0, impulse);
        this.packed.silence(impulse.len());
        this.packed.forward();
        let mut bins = vec![Complex::default(); len / 2 + 1];
        isa.run(Unpack::<I, T> {
            isa: PhantomData,
            bins: &mut bins,
            points: &this.packed.points,
            twiddles: &turns.iter().copied().map(rounded).collect(),
        });
        this.response = Response::new(&bins, &turns, len);
        this
    }

    /// Convolves the window in place.
    pub(super) fn run(&mut self) {
        self.packed.forward();
        self.isa.run(Multiply::<I, T> {
            isa: PhantomData,
            points: &mut self.packed.points,
            response: &self.response,
        });
        self.packed.inverse();
    }
}

/// What [`multiply`] needs of a frequency response.
///
/// Unpacking the transform `Z` of packed samples, multiplying it with the response and packing the
/// product is linear in `e = Z[k] + conj Z[M-k]` and `d = Z[k] - conj Z[M-k]`. With
/// `P = H[k] + conj H[M-k]`, `Q = H[k] - conj H[M-k]` and `w = exp(-2πi k / 2M)`, the result is
/// `u + v` at `k` and `conj(u - v)` at `M - k`, where `u = e P - i w Q d` and
/// `v = i conj(w) Q e + d P`: one pass over the points instead of three.
#[derive(Debug, Default)]
struct Response<T> {
    zero: T,
    last: T,
    middle: Complex<T>,
    sum: Split<T>,
    to_even: Split<T>,
    to_odd: Split<T>,
}

impl<T: Float> Response<T> {
    /// From the bins of an impulse response and the [`twiddles`]; the scale of the inverse transform
    /// is put in.
    fn new(bins: &[Complex<T>], turns: &[Complex<f64>], len: usize) -> Self {
        let count = len / 2;
        let scale = 1.0 / len as f64;
        let bin = |k: usize| Complex::new(bins[k].re.double(), bins[k].im.double()) * scale;
        let halves: Vec<_> = (1..=turns.len())
            .map(|k| (bin(k) * 0.5, bin(count - k).conj() * 0.5))
            .collect();
        let turned = |turn: fn(Complex<f64>) -> Complex<f64>| {
            turns
                .iter()
                .zip(&halves)
                .map(|(&w, &(low, high))| rounded(turn(w) * (low - high)))
                .collect()
        };
        Self {
            zero: T::of(bin(0).re),
            last: T::of(bin(count).re),
            middle: rounded(bin(count / 2).conj() * 2.0),
            sum: halves
                .iter()
                .map(|&(low, high)| rounded(low + high))
                .collect(),
            to_even: turned(|w| Complex::new(w.im, -w.re)),
            to_odd: turned(|w| Complex::new(w.im, w.re)),
        }
    }
}

/// [`unpack`] as a body to be compiled for an instruction set.
struct Unpack<'a, I, T> {
    isa: PhantomData<I>,
    bins: &'a mut [Complex<T>],
    points: &'a [Complex<T>],
    twiddles: &'a Split<T>,
}

impl<I: Isa, T: Float> Body for Unpack<'_, I, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        unpack::<I, T>(self.bins, self.points, self.twiddles);
    }
}

/// [`multiply`] as a body to be compiled for an instruction set.
struct Multiply<'a, I, T> {
    isa: PhantomData<I>,
    points: &'a mut [Complex<T>],
    response: &'a Response<T>,
}

impl<I: Isa, T: Float> Body for Multiply<'_, I, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        multiply::<I, T>(self.points, self.response);
    }
}

#[inline(always)]
fn multiply<I: Isa, T: Float>(points: &mut [Complex<T>], response: &Response<T>) {
    let count = points.len();
    let first = points[0];
    let zero = (first.re + first.im) * response.zero;
    let last = (first.re - first.im) * response.last;
    points[0] = Complex::new(zero + last, zero - last);
    if count.is_multiple_of(2) {
        points[count / 2] = complex_mul::<I, T>(points[count / 2], response.middle);
    }
    let (mut low, mut high) = (Span::new(), Span::new());
    for span in spans(response.sum.re.len()) {
        let n = span.len();
        let [below, above] = pair_of_ranges(&span, count);
        low.load(&points[below.clone()]);
        high.load_mirrored(&points[above.clone()]);
        let ((a_re, a_im), (b_re, b_im)) = (low.parts(n), high.parts(n));
        let (sum_re, sum_im) = response.sum.range(span.clone());
        let (even_re, even_im) = response.to_even.range(span.clone());
        let (odd_re, odd_im) = response.to_odd.range(span);
        for i in 0..n {
            let e = Complex::new(a_re[i] + b_re[i], a_im[i] + b_im[i]);
            let d = Complex::new(a_re[i] - b_re[i], a_im[i] - b_im[i]);
            let sum = Complex::new(sum_re[i], sum_im[i]);
            let to_even = Complex::new(even_re[i], even_im[i]);
            let to_odd = Complex::new(odd_re[i], odd_im[i]);
            let u = complex_mul_add::<I, T>(d, to_even, complex_mul::<I, T>(e, sum));
            let v = complex_mul_add::<I, T>(e, to_odd, complex_mul::<I, T>(d, sum));
            (a_re[i], a_im[i]) = (u.re + v.re, u.im + v.im);
            (b_re[i], b_im[i]) = (u.re - v.re, u.im - v.im);
        }
        low.store(&mut points[below]);
        high.store_mirrored(&mut points[above]);
    }
}
