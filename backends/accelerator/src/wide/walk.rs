//! Ways of vectors over slices: the only places where pointers are made.

use std::sync::atomic::{Ordering, compiler_fence};

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

/// `f` of the vectors at `at`, and of the `turn`.
///
/// # Safety
///
/// All slices have that many samples from there on.
#[inline(always)]
unsafe fn value<V: Vectors, const N: usize>(
    v: V,
    dst: *const f32,
    sources: [*const f32; N],
    (at, turn): (usize, usize),
    f: &impl Fn(usize, V::F32, [V::F32; N]) -> V::F32,
) -> V::F32 {
    // SAFETY: the caller's promise.
    unsafe { f(turn, v.load(dst.add(at)), load(v, sources, at)) }
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

/// What is left over of slices behind the last whole vector.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rest {
    /// In halves, quarters and so on: what was stored under a mask, the next kernel on the same
    /// samples would have to wait for.
    InParts,
    /// In one vector under a mask: what is computed takes longer than that. Whole quarters go as above:
    /// blocks of audio mostly consist of them.
    AtOnce,
}

/// `dst[i] = f(dst[i], sources[..][i])`.
#[inline(always)]
pub(super) fn map<V: Vectors, const N: usize>(
    v: V,
    dst: &mut [f32],
    sources: [&[f32]; N],
    rest: Rest,
    f: impl Fn(V::F32, [V::F32; N]) -> V::F32,
) {
    map_by_turns(
        v,
        dst,
        sources,
        rest,
        #[inline(always)]
        |_, d, s| f(d, s),
    );
}

/// The same; `f` is told which of the vectors that are done together it is given. It may mix two
/// neighbours if the slices consist of such pairs and the rest is done in parts.
#[inline(always)]
pub(super) fn map_by_turns<V: Vectors, const N: usize>(
    v: V,
    dst: &mut [f32],
    sources: [&[f32]; N],
    rest: Rest,
    f: impl Fn(usize, V::F32, [V::F32; N]) -> V::F32,
) {
    let len = dst.len();
    let sources = pointers(sources, len);
    let dst = dst.as_mut_ptr();
    // SAFETY: no index goes beyond `len`, which all slices have.
    unsafe {
        let whole = len - len % (4 * V::LANES);
        let mut i = 0;
        while i < whole {
            if rest == Rest::InParts && V::TOGETHER == 1 {
                for k in 0..4 {
                    let at = i + k * V::LANES;
                    v.store(dst.add(at), value(v, dst, sources, (at, k), &f));
                    // The compiler would bring the next loads forward.
                    compiler_fence(Ordering::SeqCst);
                }
            } else {
                let x = [
                    value(v, dst, sources, (i, 0), &f),
                    value(v, dst, sources, (i + V::LANES, 1), &f),
                    value(v, dst, sources, (i + 2 * V::LANES, 2), &f),
                    value(v, dst, sources, (i + 3 * V::LANES, 3), &f),
                ];
                v.store(dst.add(i), x[0]);
                v.store(dst.add(i + V::LANES), x[1]);
                v.store(dst.add(i + 2 * V::LANES), x[2]);
                v.store(dst.add(i + 3 * V::LANES), x[3]);
            }
            i += 4 * V::LANES;
        }
        // Blocks of audio mostly end here.
        if i == len {
            return;
        }
        // What is left is told by the bits of the length: no step has to wait for the one before it.
        if rest == Rest::InParts && V::LANES == 8 && len < 4 * V::LANES {
            // What so few vectors take is the way through memory from one kernel to the next: of vectors
            // half as wide it is a cycle shorter.
            for samples in [16, 8] {
                if len & samples != 0 {
                    for _ in 0..samples / 4 {
                        part::<V, 4, N>(v, dst, sources, i, &f);
                        i += 4;
                    }
                }
            }
        } else {
            if len & (2 * V::LANES) != 0 {
                let x = [
                    value(v, dst, sources, (i, 0), &f),
                    value(v, dst, sources, (i + V::LANES, 0), &f),
                ];
                v.store(dst.add(i), x[0]);
                v.store(dst.add(i + V::LANES), x[1]);
                i += 2 * V::LANES;
            }
            if len & V::LANES != 0 {
                v.store(dst.add(i), value(v, dst, sources, (i, 0), &f));
                i += V::LANES;
            }
        }
        if i == len {
            return;
        }
        if rest == Rest::AtOnce && !len.is_multiple_of(4) {
            let x = f(
                0,
                v.load_first(dst.add(i), len - i, v.splat(0.0)),
                load_first(v, sources, i, len - i, 0.0),
            );
            return v.store_first(dst.add(i), len - i, x);
        }
        if V::LANES > 8 && len & 8 != 0 {
            part::<V, 8, N>(v, dst, sources, i, &f);
            i += 8;
        }
        if V::LANES > 4 && len & 4 != 0 {
            part::<V, 4, N>(v, dst, sources, i, &f);
            i += 4;
        }
        if rest == Rest::AtOnce {
            return;
        }
        if len & 2 != 0 {
            part::<V, 2, N>(v, dst, sources, i, &f);
            i += 2;
        }
        if len & 1 != 0 {
            part::<V, 1, N>(v, dst, sources, i, &f);
        }
    }
}

/// `f` of `COUNT` samples at `at`.
///
/// # Safety
///
/// All slices have as many samples from there on.
#[inline(always)]
unsafe fn part<V: Vectors, const COUNT: usize, const N: usize>(
    v: V,
    dst: *mut f32,
    sources: [*const f32; N],
    at: usize,
    f: &impl Fn(usize, V::F32, [V::F32; N]) -> V::F32,
) {
    let mut loaded = [v.splat(0.0); N];
    // SAFETY: the caller's promise.
    unsafe {
        for k in 0..N {
            loaded[k] = v.load_part::<COUNT>(sources[k].add(at));
        }
        let x = f(0, v.load_part::<COUNT>(dst.add(at)), loaded);
        v.store_part::<COUNT>(dst.add(at), x);
    }
}

/// `data[i] = f(data[i])`, where most samples are expected to stay as they are: those are not stored,
/// which saves the second half of the way between the caches.
#[inline(always)]
pub(super) fn mend<V: Vectors>(v: V, data: &mut [f32], f: impl Fn(V::F32) -> V::F32) {
    let mut chunks = data.chunks_exact_mut(4 * V::LANES);
    for chunk in &mut chunks {
        let at = chunk.as_mut_ptr();
        // SAFETY: four vectors from there on are those of the chunk.
        unsafe {
            let x = [
                v.load(at),
                v.load(at.add(V::LANES)),
                v.load(at.add(2 * V::LANES)),
                v.load(at.add(3 * V::LANES)),
            ];
            let y = [f(x[0]), f(x[1]), f(x[2]), f(x[3])];
            if !v.same(x, y) {
                v.store(at, y[0]);
                v.store(at.add(V::LANES), y[1]);
                v.store(at.add(2 * V::LANES), y[2]);
                v.store(at.add(3 * V::LANES), y[3]);
            }
        }
    }
    map(
        v,
        chunks.into_remainder(),
        [],
        Rest::InParts,
        #[inline(always)]
        |x, []| f(x),
    );
}

/// Brings samples together: `SUMS` running results, each of which starts with `start`.
///
/// `rest` stands in the place of samples that the last vector lacks. At most as many `rounds` are
/// made of one vector for each result: a few known ones need no loop.
#[inline(always)]
pub(super) fn fold<V: Vectors, A: Copy, const N: usize, const SUMS: usize>(
    v: V,
    sources: [&[f32]; N],
    (start, rest): (A, f32),
    rounds: usize,
    f: impl Fn(A, [V::F32; N]) -> A,
) -> [A; SUMS] {
    let len = sources[0].len();
    let sources = pointers(sources, len);
    let mut sums = [start; SUMS];
    let mut i = 0;
    // SAFETY: no index goes beyond `len`, which all slices have.
    unsafe {
        for _ in 0..rounds {
            if i + SUMS * V::LANES > len {
                break;
            }
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = f(*sum, load(v, sources, i + k * V::LANES));
            }
            i += SUMS * V::LANES;
        }
        if i == len {
            return sums;
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

/// The same of pairs of vectors from one slice; zeros stand in the place of what the last one lacks.
#[inline(always)]
pub(super) fn fold_pairs<V: Vectors, const SUMS: usize>(
    v: V,
    data: &[f32],
    f: impl Fn(V::F32, [V::F32; 2]) -> V::F32,
) -> [V::F32; SUMS] {
    let (len, data) = (data.len(), data.as_ptr());
    let zero = v.splat(0.0);
    let mut sums = [zero; SUMS];
    let mut i = 0;
    // SAFETY: no index goes beyond `len`.
    unsafe {
        while i + 2 * SUMS * V::LANES <= len {
            for sum in &mut sums {
                *sum = f(*sum, [v.load(data.add(i)), v.load(data.add(i + V::LANES))]);
                i += 2 * V::LANES;
            }
        }
        for sum in &mut sums {
            if i + 2 * V::LANES > len {
                break;
            }
            *sum = f(*sum, [v.load(data.add(i)), v.load(data.add(i + V::LANES))]);
            i += 2 * V::LANES;
        }
        if i + V::LANES <= len {
            sums[SUMS - 1] = f(sums[SUMS - 1], [v.load(data.add(i)), zero]);
            i += V::LANES;
        }
        if i < len {
            let last = v.load_first(data.add(i), len - i, zero);
            sums[SUMS - 1] = f(sums[SUMS - 1], [last, zero]);
        }
    }
    sums
}

/// From so many samples on, what is written is asked for ahead of time: by then it is no longer in the
/// first cache, and stores only fetch a few lines at once.
const LONG: usize = 4096;

/// How far ahead, in samples.
const AHEAD: usize = 128;

/// Asks for what `vectors` vectors from `at` on will be stored to; but a CPU that stores them in halves
/// is faster unasked.
#[inline(always)]
pub(super) fn expect<V: Vectors, T>(v: V, at: *const T, vectors: usize) {
    if v.halves() {
        return;
    }
    let line = 64 / size_of::<T>();
    let lines = (vectors * V::LANES * size_of::<T>()).div_ceil(64);
    for k in 0..lines {
        v.prefetch(at.wrapping_add(k * line).cast());
    }
}

/// Carries every vector of `len` elements, at least `lanes` (a power of two), from one place to another.
/// The last vector may overlap the one before it: the places must not be the same. `expect` is told what will
/// be stored before long.
#[inline(always)]
pub(super) fn carry<T>(
    len: usize,
    lanes: usize,
    load: impl Fn(usize) -> T,
    store: impl Fn(usize, T),
    expect: impl Fn(usize),
) {
    let mut i = 0;
    if len >= LONG {
        while i + 4 * lanes <= len {
            expect(i + AHEAD);
            four(i, lanes, &load, &store);
            i += 4 * lanes;
        }
    }
    while i + 4 * lanes <= len {
        four(i, lanes, &load, &store);
        i += 4 * lanes;
    }
    // Blocks of audio mostly end here.
    if i == len {
        return;
    }
    if len & (2 * lanes) != 0 {
        let (a, b) = (load(i), load(i + lanes));
        store(i, a);
        store(i + lanes, b);
        i += 2 * lanes;
    }
    if len & lanes != 0 {
        store(i, load(i));
        i += lanes;
    }
    if i < len {
        store(len - lanes, load(len - lanes));
    }
}

/// Carries four vectors.
#[inline(always)]
fn four<T>(i: usize, lanes: usize, load: &impl Fn(usize) -> T, store: &impl Fn(usize, T)) {
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
}
