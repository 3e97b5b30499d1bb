//! From two planes to frames and back.

use super::walk::expect;
use crate::generic::Generic;
use crate::isa::{Isa, Portable};
use crate::simd::Vectors;

/// What other numbers of planes are done with.
type Others = Generic<<Portable as Isa>::Arithmetic>;

#[inline(always)]
pub(crate) fn interleave<V: Vectors>(v: V, dst: &mut [f32], planes: &[&[f32]]) {
    match planes {
        [left, right] => {
            if v.halves() {
                interleave_two(v.narrow(), dst, left, right);
            } else {
                interleave_two(v, dst, left, right);
            }
        }
        _ => interleave_others(dst, planes),
    }
}

/// It is no part of [`interleave`], which had to save registers for it.
#[cold]
fn interleave_others(dst: &mut [f32], planes: &[&[f32]]) {
    Others::default().interleave(dst, planes);
}

#[inline(always)]
fn interleave_two<V: Vectors>(v: V, dst: &mut [f32], left: &[f32], right: &[f32]) {
    let (frames, narrow) = (left.len(), v.narrow());
    let (left, right) = (left.as_ptr(), right[..frames].as_ptr());
    let dst = dst[..2 * frames].as_mut_ptr();
    go(
        v,
        frames,
        // SAFETY: two vectors of frames from `i` on lie within all of them.
        #[inline(always)]
        |i| unsafe {
            let (k, l) = (i + V::LANES, 2 * V::LANES);
            let [a, b] = v.interleave(v.load(left.add(i)), v.load(right.add(i)));
            let [c, d] = v.interleave(v.load(left.add(k)), v.load(right.add(k)));
            v.store(dst.add(2 * i), a);
            v.store(dst.add(2 * i + V::LANES), b);
            v.store(dst.add(2 * i + l), c);
            v.store(dst.add(2 * i + l + V::LANES), d);
        },
        // SAFETY: a narrow vector of frames likewise.
        #[inline(always)]
        |i| unsafe {
            let (left, right) = (narrow.load(left.add(i)), narrow.load(right.add(i)));
            let [low, high] = narrow.interleave(left, right);
            narrow.store(dst.add(2 * i), low);
            narrow.store(dst.add(2 * i + V::Narrow::LANES), high);
        },
        // SAFETY: half of one likewise.
        #[inline(always)]
        |i| unsafe {
            let left = load_half(narrow, left.add(i));
            let [both, _] = narrow.interleave(left, load_half(narrow, right.add(i)));
            narrow.store(dst.add(2 * i), both);
        },
        // SAFETY: one frame likewise.
        #[inline(always)]
        |i| unsafe {
            *dst.add(2 * i) = *left.add(i);
            *dst.add(2 * i + 1) = *right.add(i);
        },
        #[inline(always)]
        |i| expect(v, dst.wrapping_add(2 * i), 4),
    );
}

#[inline(always)]
pub(crate) fn deinterleave<V: Vectors>(v: V, planes: &mut [&mut [f32]], src: &[f32]) {
    match planes {
        [left, right] => {
            if v.halves() {
                deinterleave_two(v.narrow(), left, right, src);
            } else {
                deinterleave_two(v, left, right, src);
            }
        }
        _ => deinterleave_others(planes, src),
    }
}

/// It is no part of [`deinterleave`], which had to save registers for it.
#[cold]
fn deinterleave_others(planes: &mut [&mut [f32]], src: &[f32]) {
    Others::default().deinterleave(planes, src);
}

#[inline(always)]
fn deinterleave_two<V: Vectors>(v: V, left: &mut [f32], right: &mut [f32], src: &[f32]) {
    let (frames, narrow) = (left.len(), v.narrow());
    let (left, right) = (left.as_mut_ptr(), right[..frames].as_mut_ptr());
    let src = src[..2 * frames].as_ptr();
    go(
        v,
        frames,
        // SAFETY: two vectors of frames from `i` on lie within all of them.
        #[inline(always)]
        |i| unsafe {
            let at = src.add(2 * i);
            let first = [v.load(at), v.load(at.add(V::LANES))];
            let second = [v.load(at.add(2 * V::LANES)), v.load(at.add(3 * V::LANES))];
            let ([a, b], [c, d]) = (v.deinterleave(first), v.deinterleave(second));
            v.store(left.add(i), a);
            v.store(left.add(i + V::LANES), c);
            v.store(right.add(i), b);
            v.store(right.add(i + V::LANES), d);
        },
        // SAFETY: a narrow vector of frames likewise.
        #[inline(always)]
        |i| unsafe {
            let low = narrow.load(src.add(2 * i));
            let high = narrow.load(src.add(2 * i + V::Narrow::LANES));
            let [even, odd] = narrow.deinterleave([low, high]);
            narrow.store(left.add(i), even);
            narrow.store(right.add(i), odd);
        },
        // SAFETY: half of one likewise.
        #[inline(always)]
        |i| unsafe {
            let both = narrow.load(src.add(2 * i));
            let [even, odd] = narrow.deinterleave([both, both]);
            store_half(narrow, left.add(i), even);
            store_half(narrow, right.add(i), odd);
        },
        // SAFETY: one frame likewise.
        #[inline(always)]
        |i| unsafe {
            *left.add(i) = *src.add(2 * i);
            *right.add(i) = *src.add(2 * i + 1);
        },
        #[inline(always)]
        |i| {
            expect(v, left.wrapping_add(i), 2);
            expect(v, right.wrapping_add(i), 2);
        },
    );
}

/// From so many frames on, what is written is asked for ahead of time: by then it is no longer in the
/// first cache, and stores only fetch a few lines at once.
const LONG: usize = 4096;

/// How far ahead, in frames.
const AHEAD: usize = 128;

/// Goes over so many frames: by two vectors, then by narrow ones. What is left over is half of one, which
/// may begin before, or a whole one that does: what is done twice by that comes from another place than it
/// goes to. Where there is no room for that, it is two halves, or single frames.
#[inline(always)]
fn go<V: Vectors>(
    _: V,
    frames: usize,
    two: impl Fn(usize),
    narrow: impl Fn(usize),
    half: impl Fn(usize),
    one: impl Fn(usize),
    expect: impl Fn(usize),
) {
    let (lanes, step) = (V::Narrow::LANES, 2 * V::LANES);
    let mut i = 0;
    if frames < LONG {
        for _ in 0..frames / step {
            two(i);
            i += step;
        }
    } else {
        for _ in 0..frames / step {
            expect(i + AHEAD);
            two(i);
            i += step;
        }
    }
    while i + lanes <= frames {
        narrow(i);
        i += lanes;
    }
    match frames - i {
        0 => {}
        1 => one(i),
        // A loop would be made one of vectors, which takes registers.
        rest if frames < lanes / 2 => {
            one(0);
            one(1);
            if rest > 2 {
                one(2);
            }
        }
        rest if rest <= lanes / 2 => half(frames - lanes / 2),
        _ if frames < lanes => {
            half(0);
            half(frames - lanes / 2);
        }
        _ => narrow(frames - lanes),
    }
}

/// Half of a narrow vector, which has eight lanes or four.
///
/// # Safety
///
/// As many samples are there to be read.
#[inline(always)]
unsafe fn load_half<N: Vectors>(v: N, from: *const f32) -> N::F32 {
    // SAFETY: the caller's promise.
    unsafe {
        match N::LANES {
            8 => v.load_part::<4>(from),
            _ => v.load_part::<2>(from),
        }
    }
}

/// The same to memory.
///
/// # Safety
///
/// As many samples are there to be written.
#[inline(always)]
unsafe fn store_half<N: Vectors>(v: N, to: *mut f32, x: N::F32) {
    // SAFETY: the caller's promise.
    unsafe {
        match N::LANES {
            8 => v.store_part::<4>(to, x),
            _ => v.store_part::<2>(to, x),
        }
    }
}
