//! The moving root mean square, from sums that are never subtracted.

use auralis_core::{Error, ErrorKind, Result};

use super::Float;
use crate::check;
use crate::isa::Isa;

/// Fills `dst` with the root mean squares over `window` samples each.
///
/// The input is cut into blocks of a window's length. Every window is the end of one block and the
/// beginning of the next, so its sum is a sum from the block's end backwards plus one from the next
/// block's beginning forwards: two additions per sample whatever the window, and no subtraction. This
/// is van Herk's method for minima (Pattern Recognition Letters 13, 1992), with sums.
pub(crate) fn moving_rms<I: Isa, T: Float>(
    isa: I,
    dst: &mut [T],
    src: &[T],
    window: usize,
) -> Result<()> {
    if window == 0 || window > src.len() {
        let message = "the window must have at least one sample and no more than the signal";
        let error = Error::new(ErrorKind::InvalidInput, message);
        return Err(error.with("window", window).with("signal", src.len()));
    }
    check::equal(dst.len(), src.len() - window + 1)?;
    let room = window.min(dst.len());
    let (mut ends, mut beginnings) = (vec![0.0; room], vec![0.0; room]);
    isa.run(|| {
        for (outputs, src) in dst
            .chunks_mut(window)
            .zip((0..).step_by(window).map(|at| &src[at..]))
        {
            let count = outputs.len();
            let (block, next) = src.split_at(window);
            sums(&mut ends[..count], &mut beginnings[..count], block, next);
            for ((output, end), beginning) in outputs.iter_mut().zip(&ends).zip(&beginnings) {
                *output = T::of(((end + beginning) / window as f64).sqrt());
            }
        }
    });
    Ok(())
}

/// `ends[i]` is the sum of squares of `block[i..]`, `beginnings[i]` that of `next[..i]`. Both run in
/// one loop, so that neither waits for the other.
#[inline(always)]
fn sums<T: Float>(ends: &mut [f64], beginnings: &mut [f64], block: &[T], next: &[T]) {
    let square = |sample: T| sample.double() * sample.double();
    let [ends @ .., last] = ends else { return };
    let [first, beginnings @ ..] = beginnings else {
        return;
    };
    let n = ends.len();
    let mut end: f64 = block[n..].iter().rev().map(|&sample| square(sample)).sum();
    let mut beginning = 0.0;
    (*last, *first) = (end, beginning);
    let (block, next, beginnings) = (&block[..n], &next[..n], &mut beginnings[..n]);
    for i in 0..n {
        end += square(block[n - 1 - i]);
        ends[n - 1 - i] = end;
        beginning += square(next[i]);
        beginnings[i] = beginning;
    }
}
