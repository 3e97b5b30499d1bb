//! The passes over all points: decimation in time, sorted by the last pass.
//!
//! Before a pass of radix `R` there are `l` bins of each of `R * m` interleaved subsequences, those of
//! one bin in a block; after it, `R * l` bins of each of `m`. So what comes after the first pass works
//! on each of its blocks by itself: within the first-level cache. Vectors run over the subsequences, so
//! that a twiddle is one number for the whole vector, until there are as many as lanes: the last pass
//! gathers the blocks of as many bins that follow each other, transposes that square, and runs over
//! the bins. Van Loan, "Computational Frameworks for the Fast Fourier Transform" (1992), chapters 2
//! and 3.

#![allow(
    clippy::needless_range_loop,
    reason = "an index runs through several arrays at once, and must unroll"
)]

use auralis_core::Complex;

use super::butterfly::{Butterfly, Radix4, Radix8, Radix16, product};
use super::lanes::{Lanes, Of, Wide};
use super::stream::{Sink, Source, swap};

/// Up to how many points all that a transform touches fits into the first-level cache: from there
/// on, the passes that stride through all points ask for their next ones early, as powers of two
/// leave little to the hardware's own prefetching.
pub(super) const NEAR: usize = 1024;

/// The first pass, which needs no twiddles.
#[inline(always)]
pub(super) fn first<I, B, S, const L: usize, const R: usize>(isa: I, src: &S, dst: &mut [Of<I, L>])
where
    I: Lanes<L>,
    B: Butterfly<R>,
    S: Source<I, L>,
{
    let m = dst.len() / R;
    assert!(src.holds(R * m));
    let far = dst.len() * L > NEAR;
    for q in 0..m {
        if far {
            for j in 0..R {
                src.prefetch(isa, j * m + q + 1);
                prefetch(isa, dst, j * m + q + 1);
            }
        }
        let mut x = [zero(isa); R];
        for j in 0..R {
            // SAFETY: `j * m + q` is below `R * m`, which `src` holds.
            x[j] = unsafe { src.get(isa, j * m + q) };
        }
        let x = B::plain(isa, x);
        for j in 0..R {
            // SAFETY: as above; `dst` is at least as long.
            unsafe { *dst.get_unchecked_mut(j * m + q) = x[j] };
        }
    }
}

/// A pass in between, in place: on as many blocks as there are `R / 2` twiddles, one block for each
/// bin.
#[inline(always)]
pub(super) fn middle<I, B, const L: usize, const R: usize>(
    isa: I,
    data: &mut [Of<I, L>],
    twiddles: &[Complex<f32>],
) where
    I: Lanes<L>,
    B: Butterfly<R>,
{
    let m = data.len() / (twiddles.len() * 2);
    for (block, turns) in data
        .chunks_exact_mut(R * m)
        .zip(twiddles.chunks_exact(R / 2))
    {
        let mut w = [zero(isa); R];
        for j in 0..R / 2 {
            w[j] = Wide {
                re: isa.splat(turns[j].re),
                im: isa.splat(turns[j].im),
            };
        }
        for q in 0..m {
            let mut x = [zero(isa); R];
            for j in 0..R {
                // SAFETY: the block has `R * m` vectors.
                x[j] = unsafe { *block.get_unchecked(j * m + q) };
            }
            let x = B::turned(isa, x, &w);
            for j in 0..R {
                // SAFETY: as above.
                unsafe { *block.get_unchecked_mut(j * m + q) = x[j] };
            }
        }
    }
}

/// [`middle`] of radix 4, 8 or 16.
#[inline(always)]
pub(super) fn any_middle<I: Lanes<L>, const L: usize>(
    isa: I,
    radix: usize,
    data: &mut [Of<I, L>],
    twiddles: &[Complex<f32>],
) {
    match radix {
        4 => middle::<I, Radix4, L, 4>(isa, data, twiddles),
        8 => middle::<I, Radix8, L, 8>(isa, data, twiddles),
        _ => middle::<I, Radix16, L, 16>(isa, data, twiddles),
    }
}

/// Undoes [`middle`], but for a factor of `R`, on numbers whose real and imaginary parts are swapped:
/// `R - 1` twiddles for each block, after the butterfly.
#[inline(always)]
fn middle_back<I, B, const L: usize, const R: usize>(
    isa: I,
    data: &mut [Of<I, L>],
    twiddles: &[Complex<f32>],
) where
    I: Lanes<L>,
    B: Butterfly<R>,
{
    let m = data.len() / (twiddles.len() / (R - 1) * R);
    for (block, turns) in data
        .chunks_exact_mut(R * m)
        .zip(twiddles.chunks_exact(R - 1))
    {
        let mut w = [zero(isa); R];
        for j in 1..R {
            w[j] = Wide {
                re: isa.splat(turns[j - 1].re),
                im: isa.splat(turns[j - 1].im),
            };
        }
        for q in 0..m {
            let mut x = [zero(isa); R];
            for j in 0..R {
                // SAFETY: the block has `R * m` vectors.
                x[j] = unsafe { *block.get_unchecked(j * m + q) };
            }
            let mut x = B::plain(isa, x);
            for j in 1..R {
                x[j] = product(isa, x[j], w[j]);
            }
            for j in 0..R {
                // SAFETY: as above.
                unsafe { *block.get_unchecked_mut(j * m + q) = x[j] };
            }
        }
    }
}

/// [`middle_back`] of radix 4 or 8.
#[inline(always)]
pub(super) fn any_middle_back<I: Lanes<L>, const L: usize>(
    isa: I,
    radix: usize,
    data: &mut [Of<I, L>],
    twiddles: &[Complex<f32>],
) {
    match radix {
        4 => middle_back::<I, Radix4, L, 4>(isa, data, twiddles),
        _ => middle_back::<I, Radix8, L, 8>(isa, data, twiddles),
    }
}

/// Undoes [`first`], but for a factor of `R`, on numbers whose real and imaginary parts are swapped,
/// and swaps them again.
#[inline(always)]
pub(super) fn end<I, B, S, const L: usize, const R: usize>(isa: I, src: &[Of<I, L>], dst: &mut S)
where
    I: Lanes<L>,
    B: Butterfly<R>,
    S: Sink<I, L>,
{
    let m = src.len() / R;
    assert!(dst.holds(R * m));
    let far = src.len() * L > NEAR;
    for q in 0..m {
        if far {
            for j in 0..R {
                prefetch(isa, src, j * m + q + 1);
                dst.prefetch(isa, j * m + q + 1);
            }
        }
        let mut x = [zero(isa); R];
        for j in 0..R {
            // SAFETY: `j * m + q` is below `R * m`, and `src` is as long.
            x[j] = unsafe { *src.get_unchecked(j * m + q) };
        }
        let x = B::plain(isa, x);
        for j in 0..R {
            // SAFETY: as above; `dst` holds as many.
            unsafe { dst.put(isa, j * m + q, swap(x[j])) };
        }
    }
}

/// The last pass. `rows` says where the `L` points of each bin are; `twiddles` are `L / 2` for each
/// vector of bins.
#[inline(always)]
pub(super) fn last<I, S, const L: usize>(
    isa: I,
    src: &[Of<I, L>],
    dst: &mut S,
    rows: &[u32],
    twiddles: &[Of<I, L>],
) where
    I: Lanes<L>,
    S: Sink<I, L>,
{
    let l = src.len() / L;
    assert!(dst.holds(L * l) && rows.len() == L * l);
    let far = src.len() * L > NEAR;
    let groups = rows.chunks_exact(L).zip(twiddles.chunks_exact(L / 2));
    for (k, (row, twiddles)) in groups.enumerate().take(l) {
        if far {
            for j in 0..L {
                let next = rows[(k * L + L + j) % rows.len()];
                prefetch(isa, src, next as usize);
                dst.prefetch(isa, l * j + k + 1);
            }
        }
        let x = tile(isa, src, row, twiddles);
        for j in 0..L {
            // SAFETY: `k` is below `l`, so this is below `L * l`, which `dst` holds.
            unsafe { dst.put(isa, l * j + k, x[j]) };
        }
    }
}

/// A tile of the last pass: `row` says where its `L` vectors are.
#[inline(always)]
pub(super) fn tile<I: Lanes<L>, const L: usize>(
    isa: I,
    src: &[Of<I, L>],
    row: &[u32],
    twiddles: &[Of<I, L>],
) -> [Of<I, L>; L] {
    let mut re = [isa.splat(0.0); L];
    let mut im = re;
    for j in 0..L {
        let numbers = src[row[j] as usize];
        re[j] = numbers.re;
        im[j] = numbers.im;
    }
    let (re, im) = (isa.transpose(re), isa.transpose(im));
    let mut x = [zero(isa); L];
    for j in 0..L {
        x[j] = Wide {
            re: re[j],
            im: im[j],
        };
    }
    I::Square::turned(isa, x, twiddles)
}

#[inline(always)]
fn zero<I: Lanes<L>, const L: usize>(isa: I) -> Of<I, L> {
    Wide {
        re: isa.splat(0.0),
        im: isa.splat(0.0),
    }
}

/// Asks the cache for vector `i`, if there is one.
#[inline(always)]
fn prefetch<I: Lanes<L>, const L: usize>(isa: I, vectors: &[Of<I, L>], i: usize) {
    let first: *const f32 = vectors.as_ptr().wrapping_add(i).cast();
    isa.prefetch(first);
    isa.prefetch(first.wrapping_add(L));
}
