//! Products of interleaved complex numbers.

use auralis_core::Complex;

use super::Generic;
use crate::arithmetic::Arithmetic;

impl<A: Arithmetic> Generic<A> {
    #[inline(always)]
    pub(crate) fn complex_mul(
        self,
        dst: &mut [Complex<f32>],
        a: &[Complex<f32>],
        b: &[Complex<f32>],
    ) {
        for ((d, a), b) in dst.iter_mut().zip(a).zip(b) {
            let re = self.0.mul_add(a.re, b.re, -(a.im * b.im));
            let im = self.0.mul_add(a.re, b.im, a.im * b.re);
            *d = Complex { re, im };
        }
    }

    #[inline(always)]
    pub(crate) fn complex_mul_add(
        self,
        dst: &mut [Complex<f32>],
        a: &[Complex<f32>],
        b: &[Complex<f32>],
    ) {
        for ((d, a), b) in dst.iter_mut().zip(a).zip(b) {
            let re = self
                .0
                .mul_add(-a.im, b.im, self.0.mul_add(a.re, b.re, d.re));
            let im = self.0.mul_add(a.im, b.re, self.0.mul_add(a.re, b.im, d.im));
            *d = Complex { re, im };
        }
    }
}
