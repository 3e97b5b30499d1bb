//! The trials of conversions between integers and floating point.

use super::Tested;
use super::reference::{exact, integer};
use super::samples::{Noise, Palette, Sample};
use super::sweep::Sweep;
use crate::Outcome;

trials! {
    f32_from_i16 f32_from_i24 f32_from_i32 i16_from_f32 i24_from_f32 i32_from_f32
}

fn f32_from_i16(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[i16]; 1]| accelerator.f32_from_i16(dst, src),
        |_, _, [s], got| exact(got, (f64::from(s) / 32_768.0) as f32),
    )
}

fn f32_from_i24(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[[u8; 3]]; 1]| accelerator.f32_from_i24(dst, src),
        |_, _, [[low, middle, high]], got| {
            let sign = if high & 0x80 == 0 { 0 } else { 0xff };
            let s = i32::from_le_bytes([low, middle, high, sign]);
            exact(got, (f64::from(s) / 8_388_608.0) as f32)
        },
    )
}

fn f32_from_i32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[i32]; 1]| accelerator.f32_from_i32(dst, src),
        |_, _, [s], got| exact(got, (f64::from(s) / 2_147_483_648.0) as f32),
    )
}

fn i16_from_f32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each_drawn(
        subject,
        |noise, palette| about_integers(noise, palette, 15),
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.i16_from_f32(dst, src),
        |_, _, [s], got| exact(got, integer(s, 15) as i16),
    )
}

fn i24_from_f32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each_drawn(
        subject,
        |noise, palette| about_integers(noise, palette, 23),
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.i24_from_f32(dst, src),
        |_, _, [s], got| {
            let [low, middle, high, _] = integer(s, 23).to_le_bytes();
            exact(got, [low, middle, high])
        },
    )
}

fn i32_from_f32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each_drawn(
        subject,
        |noise, palette| about_integers(noise, palette, 31),
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.i32_from_f32(dst, src),
        |_, _, [s], got| exact(got, integer(s, 31)),
    )
}

/// Noise within and beyond full scale, of which a part are ties between two integers of
/// `bits + 1` bits, and a part lie about the ends of their range.
fn about_integers(noise: &mut Noise, palette: Palette, bits: i32) -> f32 {
    let step = f64::from(-bits).exp2();
    match noise.bits() % 4 {
        // Small enough for f32 to hold the half.
        0 => (((noise.unit() * 2e6).floor() + 0.5) * step) as f32,
        1 => {
            let end = noise.pick(&[1.0, -1.0, 1.0 - step, 1.0 - step / 2.0, -1.0 - step / 2.0]);
            let near = end as f32;
            noise.pick(&[near, near.next_up(), near.next_down(), f32::MAX, f32::MIN])
        }
        2 => (noise.unit() * 1.1) as f32,
        _ => f32::draw(noise, palette),
    }
}
