//! The passes over all points: a Stockham transform that sorts itself, decimated in time.
//!
//! Before a pass of radix `R` there are `l` partial bins of each of `R * m` interleaved
//! subsequences, `a[k * R * m + j * m + q]`; after it `R * l` bins of each of `m`. Vectors run over
//! `q`, so that a twiddle is one number for the whole vector, until `m` is the number of lanes: the
//! last pass transposes a square of points and runs over `k`. Van Loan, "Computational Frameworks for
//! the Fast Fourier Transform" (1992), sections 1.7 and 2.4.

use auralis_core::Complex;

use super::butterfly::Butterfly;
use super::lanes::{Lanes, Of, Wide};
use super::stream::{Sink, Source};

/// The first pass, which needs no twiddles.
#[inline(always)]
pub(super) fn first<I, B, S, const L: usize, const R: usize>(isa: I, src: &S, dst: &mut [Of<I, L>])
where
    I: Lanes<L>,
    B: Butterfly<R>,
    S: Source<I, L>,
{
    let m = dst.len() / R;
    for q in 0..m {
        let mut x = [zero(isa); R];
        for j in 0..R {
            x[j] = src.get(isa, j * m + q);
        }
        let x = B::plain(isa, x);
        for j in 0..R {
            dst[j * m + q] = x[j];
        }
    }
}

/// A pass in between; `twiddles` are `R / 2` for each of the `l` bins.
#[inline(always)]
pub(super) fn middle<I, B, const L: usize, const R: usize>(
    isa: I,
    src: &[Of<I, L>],
    dst: &mut [Of<I, L>],
    twiddles: &[Complex<f32>],
) where
    I: Lanes<L>,
    B: Butterfly<R>,
{
    let l = twiddles.len() / (R / 2);
    let m = src.len() / (l * R);
    for k in 0..l {
        let mut w = [zero(isa); R];
        for (w, turn) in w.iter_mut().zip(&twiddles[k * (R / 2)..][..R / 2]) {
            *w = Wide {
                re: isa.splat(turn.re),
                im: isa.splat(turn.im),
            };
        }
        let src = &src[k * R * m..][..R * m];
        for q in 0..m {
            let mut x = [zero(isa); R];
            for j in 0..R {
                x[j] = src[j * m + q];
            }
            let x = B::turned(isa, x, &w);
            for j in 0..R {
                dst[(l * j + k) * m + q] = x[j];
            }
        }
    }
}

/// The last pass; `twiddles` are `L / 2` for each vector of bins.
#[inline(always)]
pub(super) fn last<I, S, const L: usize>(
    isa: I,
    src: &[Of<I, L>],
    dst: &mut S,
    twiddles: &[Of<I, L>],
) where
    I: Lanes<L>,
    S: Sink<I, L>,
{
    let l = src.len() / L;
    for k in 0..l {
        let rows = &src[k * L..][..L];
        let mut re = [isa.splat(0.0); L];
        let mut im = re;
        for j in 0..L {
            re[j] = rows[j].re;
            im[j] = rows[j].im;
        }
        let (re, im) = (isa.transpose(re), isa.transpose(im));
        let mut x = [zero(isa); L];
        for j in 0..L {
            x[j] = Wide {
                re: re[j],
                im: im[j],
            };
        }
        let x = I::Square::turned(isa, x, &twiddles[k * (L / 2)..][..L / 2]);
        for j in 0..L {
            dst.put(isa, l * j + k, x[j]);
        }
    }
}

#[inline(always)]
fn zero<I: Lanes<L>, const L: usize>(isa: I) -> Of<I, L> {
    Wide {
        re: isa.splat(0.0),
        im: isa.splat(0.0),
    }
}
