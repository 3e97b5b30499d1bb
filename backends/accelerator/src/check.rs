//! What the arguments of a kernel must fulfil; an error is made without allocating.

use auralis_core::{Error, ErrorKind, Result};

#[inline(always)]
fn require(holds: bool, otherwise: &'static str) -> Result<()> {
    if holds { Ok(()) } else { refuse(otherwise) }
}

#[cold]
fn refuse(why: &'static str) -> Result<()> {
    Err(Error::new(ErrorKind::InvalidInput, why))
}

/// Slices that are walked together are of equal length.
pub(crate) fn equal(a: usize, b: usize) -> Result<()> {
    require(a == b, "the slices are not of equal length")
}

/// The same of three.
pub(crate) fn all_equal(a: usize, b: usize, c: usize) -> Result<()> {
    equal(a, b)?;
    equal(a, c)
}

/// A block has the channels that it must have.
pub(crate) fn channels(found: usize, planned: usize) -> Result<()> {
    require(
        found == planned,
        "the block has other channels than planned",
    )
}

/// Interleaved audio consists of whole frames.
pub(crate) fn frames(interleaved: usize, channels: usize) -> Result<()> {
    let whole = interleaved.checked_rem(channels).unwrap_or(interleaved) == 0;
    require(
        whole,
        "the length is not a multiple of the number of channels",
    )
}

/// Planes are of equal length and add up to the interleaved length.
#[inline(always)]
pub(crate) fn planes<P: AsRef<[f32]>>(planes: &[P], interleaved: usize) -> Result<()> {
    let frames = planes.first().map_or(0, |plane| plane.as_ref().len());
    let equal = match planes {
        // The usual case, which is no loop.
        [_, right] => right.as_ref().len() == frames,
        _ => planes.iter().all(|plane| plane.as_ref().len() == frames),
    };
    require(equal, "the planes are not of equal length")?;
    let sum = planes.len().checked_mul(frames);
    require(
        sum == Some(interleaved),
        "the interleaved length is not the sum of the planes' lengths",
    )
}

/// Limits are ordered, and neither is NaN.
pub(crate) fn range(low: f32, high: f32) -> Result<()> {
    require(
        low <= high,
        "the lower limit is not below or at the upper limit",
    )
}
