//! Transforms of 4, 8 and 16 points in registers.
//!
//! Decimation in time, radix 2 throughout: a twiddle and a butterfly are six fused
//! multiply-additions, which beats the fewer additions of higher radices, as those leave
//! multiplications unfused. Linzer and Feig, "Implementation of Efficient FFT Algorithms on Fused
//! Multiply-Add Architectures", IEEE Trans. Signal Processing 41 (1993).

use super::lanes::{Lanes, Of, Wide};

/// `exp(-2πi / 16)`, and the real and imaginary part of `exp(-2πi / 8)` but for signs.
const COS_16TH: f32 = 0.923_879_5;
const SIN_16TH: f32 = 0.382_683_43;
const SQRT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// A transform of `R` points; `w` are its `R / 2` twiddles.
pub(crate) trait Butterfly<const R: usize> {
    /// With twiddles: those of [`twiddles`](super::twiddles).
    fn turned<I: Lanes<L>, const L: usize>(
        isa: I,
        x: [Of<I, L>; R],
        w: &[Of<I, L>],
    ) -> [Of<I, L>; R];

    /// Without.
    fn plain<I: Lanes<L>, const L: usize>(isa: I, x: [Of<I, L>; R]) -> [Of<I, L>; R];
}

/// `(a + b, a - b)`.
#[inline(always)]
fn cross<I: Lanes<L>, const L: usize>(isa: I, a: Of<I, L>, b: Of<I, L>) -> (Of<I, L>, Of<I, L>) {
    let plus = Wide {
        re: isa.add(a.re, b.re),
        im: isa.add(a.im, b.im),
    };
    let minus = Wide {
        re: isa.sub(a.re, b.re),
        im: isa.sub(a.im, b.im),
    };
    (plus, minus)
}

/// `(a - ib, a + ib)`.
#[inline(always)]
fn cross_down<I: Lanes<L>, const L: usize>(
    isa: I,
    a: Of<I, L>,
    b: Of<I, L>,
) -> (Of<I, L>, Of<I, L>) {
    let plus = Wide {
        re: isa.add(a.re, b.im),
        im: isa.sub(a.im, b.re),
    };
    let minus = Wide {
        re: isa.sub(a.re, b.im),
        im: isa.add(a.im, b.re),
    };
    (plus, minus)
}

/// `(a + wb, a - wb)`.
#[inline(always)]
fn turn<I: Lanes<L>, const L: usize>(
    isa: I,
    a: Of<I, L>,
    b: Of<I, L>,
    w: Of<I, L>,
) -> (Of<I, L>, Of<I, L>) {
    let plus = Wide {
        re: isa.neg_mul_add(w.im, b.im, isa.mul_add(w.re, b.re, a.re)),
        im: isa.mul_add(w.im, b.re, isa.mul_add(w.re, b.im, a.im)),
    };
    (plus, opposite(isa, a, plus))
}

/// `(a - iwb, a + iwb)`.
#[inline(always)]
fn turn_down<I: Lanes<L>, const L: usize>(
    isa: I,
    a: Of<I, L>,
    b: Of<I, L>,
    w: Of<I, L>,
) -> (Of<I, L>, Of<I, L>) {
    let plus = Wide {
        re: isa.mul_add(w.im, b.re, isa.mul_add(w.re, b.im, a.re)),
        im: isa.mul_add(w.im, b.im, isa.neg_mul_add(w.re, b.re, a.im)),
    };
    (plus, opposite(isa, a, plus))
}

/// `ab`.
#[inline(always)]
pub(super) fn product<I: Lanes<L>, const L: usize>(isa: I, a: Of<I, L>, b: Of<I, L>) -> Of<I, L> {
    Wide {
        re: isa.neg_mul_add(a.im, b.im, isa.mul(a.re, b.re)),
        im: isa.mul_add(a.im, b.re, isa.mul(a.re, b.im)),
    }
}

/// `2a - plus`.
#[inline(always)]
fn opposite<I: Lanes<L>, const L: usize>(isa: I, a: Of<I, L>, plus: Of<I, L>) -> Of<I, L> {
    let two = isa.splat(2.0);
    Wide {
        re: isa.mul_sub(two, a.re, plus.re),
        im: isa.mul_sub(two, a.im, plus.im),
    }
}

#[inline(always)]
fn constant<I: Lanes<L>, const L: usize>(isa: I, re: f32, im: f32) -> Of<I, L> {
    Wide {
        re: isa.splat(re),
        im: isa.splat(im),
    }
}

pub(crate) struct Radix2;
pub(crate) struct Radix4;
pub(crate) struct Radix8;
pub(crate) struct Radix16;

impl Butterfly<2> for Radix2 {
    #[inline(always)]
    fn turned<I: Lanes<L>, const L: usize>(
        isa: I,
        x: [Of<I, L>; 2],
        w: &[Of<I, L>],
    ) -> [Of<I, L>; 2] {
        let (y0, y1) = turn(isa, x[0], x[1], w[0]);
        [y0, y1]
    }

    #[inline(always)]
    fn plain<I: Lanes<L>, const L: usize>(isa: I, x: [Of<I, L>; 2]) -> [Of<I, L>; 2] {
        let (y0, y1) = cross(isa, x[0], x[1]);
        [y0, y1]
    }
}

impl Butterfly<4> for Radix4 {
    #[inline(always)]
    fn turned<I: Lanes<L>, const L: usize>(
        isa: I,
        x: [Of<I, L>; 4],
        w: &[Of<I, L>],
    ) -> [Of<I, L>; 4] {
        let (a, b) = turn(isa, x[0], x[2], w[0]);
        let (c, d) = turn(isa, x[1], x[3], w[0]);
        let (y0, y2) = turn(isa, a, c, w[1]);
        let (y1, y3) = turn_down(isa, b, d, w[1]);
        [y0, y1, y2, y3]
    }

    #[inline(always)]
    fn plain<I: Lanes<L>, const L: usize>(isa: I, x: [Of<I, L>; 4]) -> [Of<I, L>; 4] {
        let (a, b) = cross(isa, x[0], x[2]);
        let (c, d) = cross(isa, x[1], x[3]);
        let (y0, y2) = cross(isa, a, c);
        let (y1, y3) = cross_down(isa, b, d);
        [y0, y1, y2, y3]
    }
}

impl Butterfly<8> for Radix8 {
    #[inline(always)]
    fn turned<I: Lanes<L>, const L: usize>(
        isa: I,
        x: [Of<I, L>; 8],
        w: &[Of<I, L>],
    ) -> [Of<I, L>; 8] {
        let e = Radix4::turned(isa, [x[0], x[2], x[4], x[6]], w);
        let o = Radix4::turned(isa, [x[1], x[3], x[5], x[7]], w);
        let (y0, y4) = turn(isa, e[0], o[0], w[2]);
        let (y1, y5) = turn(isa, e[1], o[1], w[3]);
        let (y2, y6) = turn_down(isa, e[2], o[2], w[2]);
        let (y3, y7) = turn_down(isa, e[3], o[3], w[3]);
        [y0, y1, y2, y3, y4, y5, y6, y7]
    }

    #[inline(always)]
    fn plain<I: Lanes<L>, const L: usize>(isa: I, x: [Of<I, L>; 8]) -> [Of<I, L>; 8] {
        let eighth = constant(isa, SQRT_HALF, -SQRT_HALF);
        let e = Radix4::plain(isa, [x[0], x[2], x[4], x[6]]);
        let o = Radix4::plain(isa, [x[1], x[3], x[5], x[7]]);
        let (y0, y4) = cross(isa, e[0], o[0]);
        let (y1, y5) = turn(isa, e[1], o[1], eighth);
        let (y2, y6) = cross_down(isa, e[2], o[2]);
        let (y3, y7) = turn_down(isa, e[3], o[3], eighth);
        [y0, y1, y2, y3, y4, y5, y6, y7]
    }
}

impl Butterfly<16> for Radix16 {
    #[inline(always)]
    fn turned<I: Lanes<L>, const L: usize>(
        isa: I,
        x: [Of<I, L>; 16],
        w: &[Of<I, L>],
    ) -> [Of<I, L>; 16] {
        let e = [x[0], x[2], x[4], x[6], x[8], x[10], x[12], x[14]];
        let o = [x[1], x[3], x[5], x[7], x[9], x[11], x[13], x[15]];
        let (e, o) = (Radix8::turned(isa, e, w), Radix8::turned(isa, o, w));
        let (y0, y8) = turn(isa, e[0], o[0], w[4]);
        let (y1, y9) = turn(isa, e[1], o[1], w[5]);
        let (y2, y10) = turn(isa, e[2], o[2], w[6]);
        let (y3, y11) = turn(isa, e[3], o[3], w[7]);
        let (y4, y12) = turn_down(isa, e[4], o[4], w[4]);
        let (y5, y13) = turn_down(isa, e[5], o[5], w[5]);
        let (y6, y14) = turn_down(isa, e[6], o[6], w[6]);
        let (y7, y15) = turn_down(isa, e[7], o[7], w[7]);
        [
            y0, y1, y2, y3, y4, y5, y6, y7, y8, y9, y10, y11, y12, y13, y14, y15,
        ]
    }

    #[inline(always)]
    fn plain<I: Lanes<L>, const L: usize>(isa: I, x: [Of<I, L>; 16]) -> [Of<I, L>; 16] {
        let first = constant(isa, COS_16TH, -SIN_16TH);
        let second = constant(isa, SQRT_HALF, -SQRT_HALF);
        let third = constant(isa, SIN_16TH, -COS_16TH);
        let e = [x[0], x[2], x[4], x[6], x[8], x[10], x[12], x[14]];
        let o = [x[1], x[3], x[5], x[7], x[9], x[11], x[13], x[15]];
        let (e, o) = (Radix8::plain(isa, e), Radix8::plain(isa, o));
        let (y0, y8) = cross(isa, e[0], o[0]);
        let (y1, y9) = turn(isa, e[1], o[1], first);
        let (y2, y10) = turn(isa, e[2], o[2], second);
        let (y3, y11) = turn(isa, e[3], o[3], third);
        let (y4, y12) = cross_down(isa, e[4], o[4]);
        let (y5, y13) = turn_down(isa, e[5], o[5], first);
        let (y6, y14) = turn_down(isa, e[6], o[6], second);
        let (y7, y15) = turn_down(isa, e[7], o[7], third);
        [
            y0, y1, y2, y3, y4, y5, y6, y7, y8, y9, y10, y11, y12, y13, y14, y15,
        ]
    }
}
