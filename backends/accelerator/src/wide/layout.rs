//! From two planes to frames and back.

use super::walk::{carry, expect};
use crate::generic::Generic;
use crate::simd::Vectors;

/// From so many frames on, narrow vectors are taken: stores of a whole line bind where a CPU moves half
/// of one in a cycle, and the wide ones save no more than the loop elsewhere.
const LONG: usize = 512;

/// Whether so many frames are for wide vectors.
#[inline(always)]
fn is_wide<V: Vectors>(frames: usize) -> bool {
    (V::LANES..LONG).contains(&frames)
}

#[inline(always)]
pub(crate) fn interleave<V: Vectors>(v: V, dst: &mut [f32], planes: &[&[f32]]) {
    match planes {
        [left, _] if is_wide::<V>(left.len()) => interleave_two(v, dst, planes),
        _ => interleave_two(v.narrow(), dst, planes),
    }
}

#[inline(always)]
fn interleave_two<V: Vectors>(v: V, dst: &mut [f32], planes: &[&[f32]]) {
    match planes {
        [left, right] if left.len() >= V::LANES => {
            let frames = left.len();
            let (left, right) = (left.as_ptr(), right[..frames].as_ptr());
            let dst = dst[..2 * frames].as_mut_ptr();
            carry(
                frames,
                V::LANES,
                // SAFETY: a vector of frames from `i` on lies within both planes.
                #[inline(always)]
                |i| unsafe { v.interleave(v.load(left.add(i)), v.load(right.add(i))) },
                // SAFETY: a vector of frames from `i` on lies within `dst`.
                #[inline(always)]
                |i, [low, high]| unsafe {
                    v.store(dst.add(2 * i), low);
                    v.store(dst.add(2 * i + V::LANES), high);
                },
                #[inline(always)]
                |i| expect(v, dst.wrapping_add(2 * i), 8),
            );
        }
        _ => Generic::<V::Arithmetic>::default().interleave(dst, planes),
    }
}

#[inline(always)]
pub(crate) fn deinterleave<V: Vectors>(v: V, planes: &mut [&mut [f32]], src: &[f32]) {
    match planes {
        [left, _] if is_wide::<V>(left.len()) => deinterleave_two(v, planes, src),
        _ => deinterleave_two(v.narrow(), planes, src),
    }
}

#[inline(always)]
fn deinterleave_two<V: Vectors>(v: V, planes: &mut [&mut [f32]], src: &[f32]) {
    match planes {
        [left, right] if left.len() >= V::LANES => {
            let frames = left.len();
            let (left, right) = (left.as_mut_ptr(), right[..frames].as_mut_ptr());
            let src = src[..2 * frames].as_ptr();
            carry(
                frames,
                V::LANES,
                // SAFETY: a vector of frames from `i` on lies within `src`.
                #[inline(always)]
                |i| unsafe {
                    let low = v.load(src.add(2 * i));
                    v.deinterleave([low, v.load(src.add(2 * i + V::LANES))])
                },
                // SAFETY: a vector of frames from `i` on lies within both planes.
                #[inline(always)]
                |i, [even, odd]| unsafe {
                    v.store(left.add(i), even);
                    v.store(right.add(i), odd);
                },
                #[inline(always)]
                |i| {
                    expect(v, left.wrapping_add(i), 4);
                    expect(v, right.wrapping_add(i), 4);
                },
            );
        }
        _ => Generic::<V::Arithmetic>::default().deinterleave(planes, src),
    }
}
