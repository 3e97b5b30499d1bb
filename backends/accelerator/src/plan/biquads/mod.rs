//! Cascades of second-order sections, in the form that suits their number and their poles.

mod lanes;
#[cfg(target_arch = "x86_64")]
mod pipeline;
mod runs;
mod section;

#[cfg(target_arch = "x86_64")]
use std::any::Any;

use auralis_core::{Biquad, BiquadCascade, Error, ErrorKind, MAX_CHANNELS, Result};

use crate::arithmetic::Arithmetic;
use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::isa::{Avx2, Avx512};
#[cfg(target_arch = "x86_64")]
use crate::plan::eight::Eight;

/// With so many channels and sections, vectors of channels were the faster ones wherever tried.
const MANY: usize = 4;

/// `w²` of a corner at 3 Hz of 192 kHz. With poles nearer to 1 or -1, a run of samples is the small
/// difference of large terms: at 1 Hz, four sections were wrong by 8 ε of the largest output.
const NEAR: f64 = 1e-8;

/// Plans a cascade. Without sections it leaves the audio as it is.
pub(crate) fn plan_biquads<I: Isa>(
    isa: I,
    sections: &[Biquad],
    channels: usize,
) -> Result<Box<dyn BiquadCascade>> {
    if channels == 0 || channels > MAX_CHANNELS {
        let message = "a cascade has 1 to 64 channels";
        return Err(Error::new(ErrorKind::InvalidInput, message).with("channels", channels));
    }
    if channels >= MANY && sections.len() >= MANY {
        return Ok(Box::new(lanes::Cascade::new(isa, sections, channels)));
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(cascade) = plan_side_by_side(&isa, sections, channels) {
        return Ok(cascade);
    }
    if sections.iter().any(is_near_the_edge) {
        return Ok(Box::new(lanes::Cascade::new(isa, sections, channels)));
    }
    // As many samples as a vector has lanes of double precision, or two where it has two.
    Ok(match I::Arithmetic::LANES {
        64.. => Box::new(runs::Cascade::<I, 8>::new(isa, sections, channels)),
        _ => Box::new(runs::Cascade::<I, 4>::new(isa, sections, channels)),
    })
}

/// Plans sections side by side, where that was the fastest form.
#[cfg(target_arch = "x86_64")]
fn plan_side_by_side(
    isa: &dyn Any,
    sections: &[Biquad],
    channels: usize,
) -> Option<Box<dyn BiquadCascade>> {
    if let Some(&isa) = isa.downcast_ref::<Avx512>() {
        return side_by_side(isa, sections, channels);
    }
    // More than four don't fit into the registers: that pays only where few lanes are left over.
    match (isa.downcast_ref::<Avx2>(), sections.len()) {
        (Some(&isa), 2..=4 | 7..=8) => side_by_side(isa, sections, channels),
        _ => None,
    }
}

#[cfg(target_arch = "x86_64")]
fn side_by_side<V: Eight>(
    isa: V,
    sections: &[Biquad],
    channels: usize,
) -> Option<Box<dyn BiquadCascade>> {
    use pipeline::{Cascade, fits};

    if !fits(sections) {
        return None;
    }
    let pairs = channels.is_multiple_of(2);
    Some(match (sections.len(), pairs) {
        _ if !pairs && channels > 1 => return None,
        (2..=4, false) => Box::new(Cascade::<_, 1, 2, 2>::new(isa, sections, channels)),
        (5..=8, false) => Box::new(Cascade::<_, 2, 2, 2>::new(isa, sections, channels)),
        (2, true) => Box::new(Cascade::<_, 1, 4, 2>::new(isa, sections, channels)),
        (3..=4, true) => Box::new(Cascade::<_, 1, 2, 1>::new(isa, sections, channels)),
        (5..=8, true) => Box::new(Cascade::<_, 2, 2, 1>::new(isa, sections, channels)),
        (9..=12, true) => Box::new(Cascade::<_, 3, 2, 1>::new(isa, sections, channels)),
        _ => return None,
    })
}

/// Whether the denominator all but vanishes at 1 or -1, or is no number.
fn is_near_the_edge(&Biquad { a1, a2, .. }: &Biquad) -> bool {
    let far = (1.0 + a1 + a2).abs() > NEAR && (1.0 - a1 + a2).abs() > NEAR;
    !far
}
