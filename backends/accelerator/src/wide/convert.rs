//! Between integers and floating point.

use std::sync::atomic::{Ordering, compiler_fence};

use super::walk::{carry, expect};
use crate::generic::Generic;
use crate::simd::Vectors;

/// From so many samples on, the first cache does not hold both slices: vectors as wide as what it takes at
/// once are faster.
pub(crate) const LONG: usize = 4096;

/// By vectors, by narrow ones where the slices are too short for that, or one by one.
macro_rules! by_widest {
    ($vectors:literal, $function:ident, $generic:ident($v:expr, $dst:expr, $src:expr)) => {
        if $dst.len() >= $vectors * V::LANES {
            $function($v, $dst, $src)
        } else if $dst.len() >= $vectors * V::Narrow::LANES {
            $function($v.narrow(), $dst, $src)
        } else {
            Generic::<V::Arithmetic>::default().$generic($dst, $src)
        }
    };
}

macro_rules! from_integers {
    ($($name:ident = $generic:ident $type:ty, $load:ident;)*) => {$(
        #[inline(always)]
        pub(crate) fn $name<V: Vectors>(v: V, dst: &mut [f32], src: &[$type]) {
            #[inline(always)]
            fn vectors<V: Vectors>(v: V, dst: &mut [f32], src: &[$type]) {
                let len = dst.len();
                let (dst, src) = (dst.as_mut_ptr(), src[..len].as_ptr());
                carry(
                    len,
                    V::LANES,
                    // SAFETY: a vector from `i` on lies within `src`.
                    #[inline(always)]
                    |i| unsafe { v.$load(src.add(i)) },
                    // SAFETY: a vector from `i` on lies within `dst`.
                    #[inline(always)]
                    |i, x| unsafe { v.store(dst.add(i), x) },
                    #[inline(always)]
                    |i| expect(v, dst.wrapping_add(i), 4),
                );
            }
            by_widest!(1, vectors, $generic(v, dst, src));
        }
    )*};
}

macro_rules! to_integers {
    ($($name:ident = $generic:ident $type:ty, $vectors:literal $store:ident $load:expr;)*) => {$(
        #[inline(always)]
        pub(crate) fn $name<V: Vectors>(v: V, dst: &mut [$type], src: &[f32]) {
            #[inline(always)]
            fn vectors<V: Vectors>(v: V, dst: &mut [$type], src: &[f32]) {
                let len = dst.len();
                let (dst, src) = (dst.as_mut_ptr(), src[..len].as_ptr());
                carry(
                    len,
                    $vectors * V::LANES,
                    // SAFETY: as many vectors from `i` on lie within `src`.
                    #[inline(always)]
                    |i| unsafe { $load(v, src.add(i)) },
                    // SAFETY: as many vectors from `i` on lie within `dst`.
                    #[inline(always)]
                    |i, x| unsafe { v.$store(dst.add(i), x) },
                    #[inline(always)]
                    |i| expect(v, dst.wrapping_add(i), 4 * $vectors),
                );
            }
            by_widest!($vectors, vectors, $generic(v, dst, src));
        }
    )*};
}

/// Two vectors.
///
/// # Safety
///
/// As many samples are there to be read.
#[inline(always)]
unsafe fn load_2<V: Vectors>(v: V, from: *const f32) -> [V::F32; 2] {
    // SAFETY: the caller's promise.
    unsafe { [v.load(from), v.load(from.add(V::LANES))] }
}

from_integers! {
    f32_from_i16 = f32_from_i16 i16, load_i16;
    few_f32_from_i24 = f32_from_i24 [u8; 3], load_i24;
    f32_from_i32 = f32_from_i32 i32, load_i32;
}

to_integers! {
    limited_i16_from_f32 = i16_from_f32 i16, 2 store_i16 load_2;
    few_i24_from_f32 = i24_from_f32 [u8; 3], 1 store_i24 V::load;
    i32_from_f32 = i32_from_f32 i32, 1 store_i32 V::load;
}

#[inline(always)]
pub(crate) fn f32_from_i24<V: Vectors>(v: V, dst: &mut [f32], src: &[[u8; 3]]) {
    let len = dst.len();
    if len < 4 * V::LANES {
        return few_f32_from_i24(v, dst, src);
    }
    let (to, from) = (dst.as_mut_ptr(), src[..len].as_ptr());
    let mut i = 0;
    // SAFETY: no index goes beyond `len`, which both have, nor `V::AROUND` before or behind a vector.
    unsafe {
        if V::AROUND > 0 {
            v.store(to, v.load_i24(from));
            i = V::LANES;
        }
        while i + 4 * V::LANES + V::AROUND <= len {
            if V::TOGETHER == 1 {
                for k in 0..4 {
                    let at = i + k * V::LANES;
                    v.store(to.add(at), v.load_amid_i24(from.add(at)));
                    // The compiler would bring the next loads forward.
                    compiler_fence(Ordering::SeqCst);
                }
            } else {
                let x = v.load_four_i24(from.add(i));
                for (k, x) in x.into_iter().enumerate() {
                    v.store(to.add(i + k * V::LANES), x);
                }
            }
            i += 4 * V::LANES;
        }
        while i + V::LANES + V::AROUND <= len {
            v.store(to.add(i), v.load_amid_i24(from.add(i)));
            i += V::LANES;
        }
        if i + V::LANES <= len {
            v.store(to.add(i), v.load_i24(from.add(i)));
            i += V::LANES;
        }
        if i < len {
            let at = len - V::LANES;
            v.store(to.add(at), v.load_i24(from.add(at)));
        }
    }
}

#[inline(always)]
pub(crate) fn i24_from_f32<V: Vectors>(v: V, dst: &mut [[u8; 3]], src: &[f32]) {
    if dst.len() < 4 * V::LANES {
        return few_i24_from_f32(v, dst, src);
    }
    let whole = dst.len() / (4 * V::LANES) * (4 * V::LANES);
    let (to, from) = (dst[..whole].as_mut_ptr(), src[..whole].as_ptr());
    for i in (0..whole).step_by(4 * V::LANES) {
        // SAFETY: four vectors from `i` on lie within the first `whole` of both.
        unsafe {
            let at = from.add(i);
            let x = [
                v.load(at),
                v.load(at.add(V::LANES)),
                v.load(at.add(2 * V::LANES)),
                v.load(at.add(3 * V::LANES)),
            ];
            v.store_four_i24(to.add(i), x);
        }
    }
    if whole < dst.len() {
        // As far back as a vector needs.
        let rest = whole.min(dst.len() - V::LANES);
        few_i24_from_f32(v, &mut dst[rest..], &src[rest..]);
    }
}

/// How many vectors are looked at together, at least.
const GROUP: usize = 8;

#[inline(always)]
pub(crate) fn i16_from_f32<V: Vectors>(v: V, dst: &mut [i16], src: &[f32]) {
    let len = dst.len();
    if len < GROUP * V::LANES {
        return limited_i16_from_f32(v, dst, src);
    }
    let mut done = 0;
    if v.halves() {
        // What looking takes from the units that compute is felt.
        done = groups::<V, { 2 * GROUP }, 4>(v, dst, src);
    }
    done += groups::<V, GROUP, 1>(v, &mut dst[done..], &src[done..]);
    if done < len {
        // As far back as two vectors need.
        let rest = done.min(len - 2 * V::LANES);
        limited_i16_from_f32(v, &mut dst[rest..], &src[rest..]);
    }
}

/// Converts groups of `COUNT` vectors, with fewer steps while none of the samples of `TOGETHER` groups is far
/// beyond full scale. Says how many samples they are.
#[inline(always)]
fn groups<V: Vectors, const COUNT: usize, const TOGETHER: usize>(
    v: V,
    dst: &mut [i16],
    src: &[f32],
) -> usize {
    let step = COUNT * V::LANES;
    let count = dst.len() / step;
    let whole = count * step;
    let (to, from) = (dst[..whole].as_mut_ptr(), src[..whole].as_ptr());
    let mut done = 0;
    while done < count {
        // SAFETY: as many samples as are left lie within the first `whole` of both.
        unsafe {
            let (at, rest) = (done * step, count - done);
            done += v.store_near_i16::<COUNT, TOGETHER>(to.add(at), from.add(at), rest);
            let others = done * step..count.min(done + TOGETHER) * step;
            for k in others.step_by(2 * V::LANES) {
                v.store_i16(to.add(k), load_2(v, from.add(k)));
            }
        }
        done = count.min(done + TOGETHER);
    }
    whole
}
