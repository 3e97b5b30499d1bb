//! Between the bins of a real signal and those of its samples packed as complex points.
//!
//! With `Z` the transform of `x[2n] + i x[2n+1]`, `E` and `O` those of the even and the odd samples,
//! `X[k] = E[k] + w^k O[k]` and `X[M-k] = conj(E[k] - w^k O[k])`. Sorensen et al., "Real-Valued Fast
//! Fourier Transform Algorithms", IEEE Trans. ASSP 35 (1987).

use super::lanes::{Lanes, Of, Wide};
use super::pass::NEAR;
use super::stream::{Sink, pairs, parts, put_pairs, swap};

/// Makes `M + 1` bins of `M` packed ones, which lie in the same place as [`Parts`]; `halves` are
/// `exp(-πi k / M) / 2` for `k` below `M / 2`.
///
/// [`Parts`]: super::stream::Parts
#[inline(always)]
pub(super) fn unpack<I: Lanes<L>, const L: usize>(isa: I, bins: &mut [f32], halves: &[Of<I, L>]) {
    let n = 2 * halves.len();
    let mut after = parts(isa, bins, 0);
    for (v, &half) in halves.iter().enumerate() {
        prefetch(isa, bins, halves, v + AHEAD);
        let a = parts(isa, bins, v);
        let mirrored = parts(isa, bins, n - 1 - v);
        let b = mirror(isa, mirrored, after);
        after = mirrored;
        let (low, high) = pair::<I, L, false>(isa, a, b, half);
        put_pairs(isa, bins, L * v, low);
        put_pairs(isa, bins, L * (n - 1 - v) + 1, reverse(isa, high));
    }
    let [re, im] = first_lane(isa, after);
    bins[L * n..][..2].copy_from_slice(&[re, -im]);
}

/// [`unpack`] of points in `N` vectors in registers.
#[inline(always)]
pub(super) fn unpack_registers<I: Lanes<L>, const L: usize, const N: usize>(
    isa: I,
    bins: &mut [f32],
    points: &[Of<I, L>; N],
    halves: &[Of<I, L>],
) {
    for v in 0..N / 2 {
        let b = mirror(isa, points[N - 1 - v], points[(N - v) % N]);
        let (low, high) = pair::<I, L, false>(isa, points[v], b, halves[v]);
        put_pairs(isa, bins, L * v, low);
        put_pairs(isa, bins, L * (N - 1 - v) + 1, reverse(isa, high));
    }
    let [re, im] = first_lane(isa, points[N / 2]);
    bins[L * N..][..2].copy_from_slice(&[re, -im]);
}

/// The reverse of [`unpack`], not in place, and with the real and imaginary parts swapped.
#[inline(always)]
pub(super) fn pack_swapped<I: Lanes<L>, S: Sink<I, L>, const L: usize>(
    isa: I,
    packed: &mut S,
    bins: &[f32],
    halves: &[Of<I, L>],
) {
    let n = 2 * halves.len();
    assert!(packed.holds(n));
    let (mut a, mut b) = opposite(isa, bins, n, 0);
    a.im = isa.clear_first(a.im);
    b.im = isa.clear_first(b.im);
    let (low, mut high) = pair::<I, L, true>(isa, a, b, halves[0]);
    // SAFETY: here and below, what is put is one of the `n` vectors.
    unsafe { packed.put(isa, 0, swap(low)) };
    for v in 1..n / 2 {
        prefetch(isa, bins, halves, v + AHEAD);
        let (a, b) = opposite(isa, bins, n, v);
        let (low, next) = pair::<I, L, true>(isa, a, b, halves[v]);
        // SAFETY: as above.
        unsafe {
            packed.put(isa, v, swap(low));
            packed.put(isa, n - v, swap(mirror(isa, high, next)));
        }
        high = next;
    }
    let middle = pairs(isa, bins, L * (n / 2));
    let conjugate = Wide {
        re: middle.re,
        im: isa.sub(isa.splat(0.0), middle.im),
    };
    // SAFETY: as above.
    unsafe { packed.put(isa, n / 2, swap(mirror(isa, high, conjugate))) };
}

/// How many vectors ahead to ask for.
const AHEAD: usize = 3;

/// Asks the cache for what vector `v` needs: half of it is read backwards, which the hardware does not
/// foresee.
#[inline(always)]
fn prefetch<I: Lanes<L>, const L: usize>(isa: I, bins: &[f32], halves: &[Of<I, L>], v: usize) {
    let n = 2 * halves.len();
    if n * L <= NEAR {
        return;
    }
    let back = n.wrapping_sub(1 + v);
    let starts = [
        bins.as_ptr().wrapping_add(2 * L * v),
        bins.as_ptr().wrapping_add((2 * L).wrapping_mul(back)),
        halves.as_ptr().wrapping_add(v).cast(),
    ];
    for start in starts {
        isa.prefetch(start);
        isa.prefetch(start.wrapping_add(L));
    }
}

/// Bins `k` and bins `M - k` of vector `v`.
#[inline(always)]
fn opposite<I: Lanes<L>, const L: usize>(
    isa: I,
    bins: &[f32],
    n: usize,
    v: usize,
) -> (Of<I, L>, Of<I, L>) {
    let high = pairs(isa, bins, L * (n - 1 - v) + 1);
    (pairs(isa, bins, L * v), reverse(isa, high))
}

/// `E + hO` and `conj(E - hO)`, halved, where `E` is `a + conj b`, and `O` is `-i (a - conj b)`; in the
/// other direction with the real part of `h` negated.
#[inline(always)]
fn pair<I: Lanes<L>, const L: usize, const BACK: bool>(
    isa: I,
    a: Of<I, L>,
    b: Of<I, L>,
    h: Of<I, L>,
) -> (Of<I, L>, Of<I, L>) {
    let half = isa.splat(0.5);
    let even = Wide {
        re: isa.add(a.re, b.re),
        im: isa.sub(a.im, b.im),
    };
    let odd = Wide {
        re: isa.add(a.im, b.im),
        im: isa.sub(b.re, a.re),
    };
    let re = isa.neg_mul_add(h.im, odd.im, isa.mul(half, even.re));
    let im = isa.mul_add(h.im, odd.re, isa.mul(half, even.im));
    let low = if BACK {
        Wide {
            re: isa.neg_mul_add(h.re, odd.re, re),
            im: isa.neg_mul_add(h.re, odd.im, im),
        }
    } else {
        Wide {
            re: isa.mul_add(h.re, odd.re, re),
            im: isa.mul_add(h.re, odd.im, im),
        }
    };
    let high = Wide {
        re: isa.sub(even.re, low.re),
        im: isa.sub(low.im, even.im),
    };
    (low, high)
}

#[inline(always)]
fn mirror<I: Lanes<L>, const L: usize>(isa: I, numbers: Of<I, L>, next: Of<I, L>) -> Of<I, L> {
    Wide {
        re: isa.mirror(numbers.re, next.re),
        im: isa.mirror(numbers.im, next.im),
    }
}

#[inline(always)]
fn reverse<I: Lanes<L>, const L: usize>(isa: I, numbers: Of<I, L>) -> Of<I, L> {
    Wide {
        re: isa.reverse(numbers.re),
        im: isa.reverse(numbers.im),
    }
}

#[inline(always)]
fn first_lane<I: Lanes<L>, const L: usize>(isa: I, numbers: Of<I, L>) -> [f32; 2] {
    let (mut re, mut im) = ([0.0; L], [0.0; L]);
    isa.store(&mut re, numbers.re);
    isa.store(&mut im, numbers.im);
    [re[0], im[0]]
}
