//! Ways of vectors over slices: the only places where pointers are made.

use crate::simd::Vectors;

/// The vector of each source at `at`.
///
/// # Safety
///
/// Each source has that many samples from there on.
#[inline(always)]
unsafe fn load<V: Vectors, const N: usize>(
    v: V,
    sources: [*const f32; N],
    at: usize,
) -> [V::F32; N] {
    let mut loaded = [v.splat(0.0); N];
    for k in 0..N {
        // SAFETY: the caller's promise.
        loaded[k] = unsafe { v.load(sources[k].add(at)) };
    }
    loaded
}

/// `f` of the vectors at `at`.
///
/// # Safety
///
/// All slices have that many samples from there on.
#[inline(always)]
unsafe fn value<V: Vectors, const N: usize>(
    v: V,
    dst: *const f32,
    sources: [*const f32; N],
    at: usize,
    f: &impl Fn(V::F32, [V::F32; N]) -> V::F32,
) -> V::F32 {
    // SAFETY: the caller's promise.
    unsafe { f(v.load(dst.add(at)), load(v, sources, at)) }
}

/// The first `count` samples of each source from `at` on, and `rest` behind them.
///
/// # Safety
///
/// Each source has that many samples from there on; they are fewer than a vector has.
#[inline(always)]
unsafe fn load_first<V: Vectors, const N: usize>(
    v: V,
    sources: [*const f32; N],
    at: usize,
    count: usize,
    rest: f32,
) -> [V::F32; N] {
    let mut loaded = [v.splat(rest); N];
    for k in 0..N {
        // SAFETY: the caller's promise.
        loaded[k] = unsafe { v.load_first(sources[k].add(at), count, loaded[k]) };
    }
    loaded
}

/// The pointers to sources that have at least `len` samples.
#[inline(always)]
fn pointers<const N: usize>(sources: [&[f32]; N], len: usize) -> [*const f32; N] {
    let mut pointers = [std::ptr::null(); N];
    for (pointer, source) in pointers.iter_mut().zip(sources) {
        *pointer = source[..len].as_ptr();
    }
    pointers
}

/// So few samples are left over that they are done one by one: what part of a vector has stored, the
/// next kernel on the same samples has to wait for.
const FEW: usize = 4;

/// `dst[i] = f(dst[i], sources[..][i])`. With `whole`, what is left over is
/// done in one vector even so: `f` mixes neighbours, or takes long.
#[inline(always)]
pub(super) fn map<V: Vectors, const N: usize>(
    v: V,
    dst: &mut [f32],
    sources: [&[f32]; N],
    whole: bool,
    f: impl Fn(V::F32, [V::F32; N]) -> V::F32,
) {
    let len = dst.len();
    let sources = pointers(sources, len);
    let dst = dst.as_mut_ptr();
    // SAFETY: no index goes beyond `len`, which all slices have.
    unsafe {
        let mut i = 0;
        while i + 4 * V::LANES <= len {
            let x = [
                value(v, dst, sources, i, &f),
                value(v, dst, sources, i + V::LANES, &f),
                value(v, dst, sources, i + 2 * V::LANES, &f),
                value(v, dst, sources, i + 3 * V::LANES, &f),
            ];
            v.store(dst.add(i), x[0]);
            v.store(dst.add(i + V::LANES), x[1]);
            v.store(dst.add(i + 2 * V::LANES), x[2]);
            v.store(dst.add(i + 3 * V::LANES), x[3]);
            i += 4 * V::LANES;
        }
        for _ in 0..3 {
            if i + V::LANES > len {
                break;
            }
            v.store(dst.add(i), value(v, dst, sources, i, &f));
            i += V::LANES;
        }
        if len - i < V::LANES.min(FEW) && !whole {
            while i < len {
                let mut x = [v.splat(0.0); N];
                for k in 0..N {
                    x[k] = v.splat(*sources[k].add(i));
                }
                *dst.add(i) = v.first(f(v.splat(*dst.add(i)), x));
                i += 1;
            }
        } else if i < len {
            let x = f(
                v.load_first(dst.add(i), len - i, v.splat(0.0)),
                load_first(v, sources, i, len - i, 0.0),
            );
            v.store_first(dst.add(i), len - i, x);
        }
    }
}

/// Brings samples together: `SUMS` running results, each of which starts with `start`.
///
/// `rest` stands in the place of samples that the last vector lacks.
#[inline(always)]
pub(super) fn fold<V: Vectors, A: Copy, const N: usize, const SUMS: usize>(
    v: V,
    sources: [&[f32]; N],
    (start, rest): (A, f32),
    f: impl Fn(A, [V::F32; N]) -> A,
) -> [A; SUMS] {
    let len = sources[0].len();
    let sources = pointers(sources, len);
    let mut sums = [start; SUMS];
    let mut i = 0;
    // SAFETY: no index goes beyond `len`, which all slices have.
    unsafe {
        while i + SUMS * V::LANES <= len {
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = f(*sum, load(v, sources, i + k * V::LANES));
            }
            i += SUMS * V::LANES;
        }
        for sum in &mut sums {
            if i + V::LANES > len {
                break;
            }
            *sum = f(*sum, load(v, sources, i));
            i += V::LANES;
        }
        if i < len {
            let tail = load_first(v, sources, i, len - i, rest);
            sums[SUMS - 1] = f(sums[SUMS - 1], tail);
        }
    }
    sums
}

/// Carries every vector of `len` elements, at least `lanes`, from one place to another. The last
/// vector may overlap the one before it: the places must not be the same.
#[inline(always)]
pub(super) fn carry<T>(
    len: usize,
    lanes: usize,
    load: impl Fn(usize) -> T,
    store: impl Fn(usize, T),
) {
    let mut i = 0;
    while i + 4 * lanes <= len {
        // Loads that follow stores may have to wait for them.
        let x = [
            load(i),
            load(i + lanes),
            load(i + 2 * lanes),
            load(i + 3 * lanes),
        ];
        let [a, b, c, d] = x;
        store(i, a);
        store(i + lanes, b);
        store(i + 2 * lanes, c);
        store(i + 3 * lanes, d);
        i += 4 * lanes;
    }
    for _ in 0..3 {
        if i + lanes > len {
            break;
        }
        store(i, load(i));
        i += lanes;
    }
    if i < len {
        store(len - lanes, load(len - lanes));
    }
}
