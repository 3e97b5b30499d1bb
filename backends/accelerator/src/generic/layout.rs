//! From planes to frames and back.

use super::Generic;
use crate::arithmetic::Arithmetic;

impl<A: Arithmetic> Generic<A> {
    #[inline(always)]
    pub(crate) fn interleave(self, dst: &mut [f32], planes: &[&[f32]]) {
        match planes {
            [] => {}
            [plane] => dst.copy_from_slice(plane),
            [left, right] => {
                let frames = dst.as_chunks_mut::<2>().0;
                for ((frame, left), right) in frames.iter_mut().zip(*left).zip(*right) {
                    *frame = [*left, *right];
                }
            }
            _ => {
                for (channel, plane) in planes.iter().enumerate() {
                    for (frame, x) in dst.chunks_exact_mut(planes.len()).zip(*plane) {
                        frame[channel] = *x;
                    }
                }
            }
        }
    }

    #[inline(always)]
    pub(crate) fn deinterleave(self, planes: &mut [&mut [f32]], src: &[f32]) {
        let channels = planes.len();
        match planes {
            [] => {}
            [plane] => plane.copy_from_slice(src),
            [left, right] => {
                let frames = src.as_chunks::<2>().0;
                for ((frame, left), right) in frames.iter().zip(&mut **left).zip(&mut **right) {
                    [*left, *right] = *frame;
                }
            }
            _ => {
                for (channel, plane) in planes.iter_mut().enumerate() {
                    for (frame, x) in src.chunks_exact(channels).zip(&mut **plane) {
                        *x = frame[channel];
                    }
                }
            }
        }
    }
}
