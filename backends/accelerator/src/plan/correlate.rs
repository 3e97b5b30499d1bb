//! Convolution in direct form: a dot product of the reversed taps per output.

use std::marker::PhantomData;

use super::{Float, mul_add};
use crate::isa::{Body, Isa};

/// The outputs that are worked on at once.
const OUTPUTS: usize = 32;

/// The same of a filter of few taps: four vectors of the widest kind, as a sum waits for the one before it
/// as long as four vectors take.
const FEW_TAPS_OUTPUTS: usize = 64;

/// The taps that are summed before the sum joins those of other taps. Sums of sums keep the error of
/// the 32-bit sum of up to 256 taps within 32 roundings.
pub(super) const GROUP: usize = 16;

/// The taps whose groups are summed before the sum joins the total.
const SPAN: usize = GROUP * GROUP;

/// [`correlate`] as a body to be compiled for an instruction set: it is too large for a closure.
pub(super) struct Correlation<'a, I, T> {
    isa: PhantomData<I>,
    dst: &'a mut [T],
    padded: &'a [T],
    reversed: &'a [T],
}

impl<'a, I: Isa, T: Float> Correlation<'a, I, T> {
    pub(super) fn new(dst: &'a mut [T], padded: &'a [T], reversed: &'a [T]) -> Self {
        Self {
            isa: PhantomData,
            dst,
            padded,
            reversed,
        }
    }
}

impl<I: Isa, T: Float> Body for Correlation<'_, I, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        correlate::<I, T>(self.dst, self.padded, self.reversed);
    }
}

/// `dst[i]` is the sum of `reversed[j] * padded[i + j]`: the convolution of taps with a signal that
/// has `taps - 1` samples before the first output. Every output is summed in the same order, so that
/// a stream has the same bits however it is cut into blocks.
#[inline(always)]
pub(super) fn correlate<I: Isa, T: Float>(dst: &mut [T], padded: &[T], reversed: &[T]) {
    if reversed.len() <= GROUP {
        walk(
            dst,
            #[inline(always)]
            |at| few::<I, T, FEW_TAPS_OUTPUTS>(&padded[at..], reversed),
            #[inline(always)]
            |at| few::<I, T, 8>(&padded[at..], reversed),
            #[inline(always)]
            |at| few::<I, T, 1>(&padded[at..], reversed),
        );
    } else {
        walk(
            dst,
            #[inline(always)]
            |at| several::<I, T, OUTPUTS>(&padded[at..], reversed),
            #[inline(always)]
            |at| several::<I, T, 8>(&padded[at..], reversed),
            #[inline(always)]
            |at| several::<I, T, 1>(&padded[at..], reversed),
        );
    }
}

/// Fills `dst` by many outputs from an index on, by eight or one by one.
#[inline(always)]
fn walk<T, const MANY: usize>(
    dst: &mut [T],
    many: impl Fn(usize) -> [T; MANY],
    eight: impl Fn(usize) -> [T; 8],
    one: impl Fn(usize) -> [T; 1],
) {
    let len = dst.len();
    let (chunks, rest) = dst.as_chunks_mut::<MANY>();
    let mut at = 0;
    for outputs in chunks {
        *outputs = many(at);
        at += MANY;
    }
    let (chunks, rest) = rest.as_chunks_mut::<8>();
    for outputs in chunks {
        *outputs = eight(at);
        at += 8;
    }
    if rest.is_empty() {
        return;
    }
    // The last few are worked on with those before them, once more.
    if let Some(outputs) = dst.last_chunk_mut::<8>() {
        *outputs = eight(len - 8);
        return;
    }
    for (at, output) in dst.iter_mut().enumerate() {
        [*output] = one(at);
    }
}

/// Outputs of a filter of a group of taps.
#[inline(always)]
fn few<I: Isa, T: Float, const N: usize>(padded: &[T], reversed: &[T]) -> [T; N] {
    let mut sums = [T::zero(); N];
    for (&tap, samples) in reversed.iter().zip(padded.windows(N)) {
        for i in 0..N {
            sums[i] = mul_add::<I, T>(tap, samples[i], sums[i]);
        }
    }
    sums
}

/// Outputs of a filter of any number of taps.
#[inline(always)]
fn several<I: Isa, T: Float, const N: usize>(padded: &[T], reversed: &[T]) -> [T; N] {
    if reversed.len() <= SPAN {
        return groups::<I, T, N>(padded, reversed);
    }
    let mut total = [T::zero(); N];
    for (span, padded) in reversed.chunks(SPAN).zip(overlapping(padded, SPAN)) {
        add(&mut total, &groups::<I, T, N>(padded, span));
    }
    total
}

/// Outputs of a filter of a span of taps.
#[inline(always)]
fn groups<I: Isa, T: Float, const N: usize>(padded: &[T], reversed: &[T]) -> [T; N] {
    let mut sum = [T::zero(); N];
    for (group, padded) in reversed.chunks(GROUP).zip(overlapping(padded, GROUP)) {
        add(&mut sum, &few::<I, T, N>(padded, group));
    }
    sum
}

/// The rest of `padded` from every `step`th sample on.
#[inline(always)]
fn overlapping<T>(padded: &[T], step: usize) -> impl Iterator<Item = &[T]> {
    (0..)
        .step_by(step)
        .map_while(move |from| padded.get(from..))
}

#[inline(always)]
fn add<T: Float, const N: usize>(sum: &mut [T; N], part: &[T; N]) {
    for i in 0..N {
        sum[i] = sum[i] + part[i];
    }
}

/// The sum of `a[i] * b[i]`, as far as both go; what 256 products add up to is summed in double
/// precision.
#[inline(always)]
pub(super) fn dot<I: Isa, T: Float>(a: &[T], b: &[T]) -> T {
    let n = a.len().min(b.len());
    let mut total = 0.0;
    for (a, b) in a[..n].chunks(SPAN).zip(b[..n].chunks(SPAN)) {
        let mut lanes = [T::zero(); GROUP];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<GROUP>(), b.as_chunks::<GROUP>());
        for (a, b) in a.iter().zip(b) {
            for i in 0..GROUP {
                lanes[i] = mul_add::<I, T>(a[i], b[i], lanes[i]);
            }
        }
        for ((lane, &a), &b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
            *lane = mul_add::<I, T>(a, b, *lane);
        }
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                lanes[i] = lanes[i] + lanes[i + half];
            }
        }
        total += lanes[0].double();
    }
    T::of(total)
}
