//! How near conversions come to two limits, where the CPU has AVX-512.
//!
//! The first is what the cache can move, as of the other kernels. But two units compute for it all, one
//! vector of 16 samples each at a time, and no conversion of such vectors has less than three
//! instructions: from 16 bits, to widen, convert and scale; to 16 bits, to scale, convert, and half of
//! packing and putting in order. Of 24 bits there are four. So the second, which is the one that binds,
//! is a loop of these instructions alone.

use std::arch::x86_64::*;

use auralis::core::Accelerator;

use super::super::{Context, Figure, Findings};
use super::LEN;
use crate::aligned::{Aligned, noise, wide};
use crate::cell::Cell;

#[derive(Clone)]
struct Formats {
    samples: Aligned<f32>,
    words: Aligned<i16>,
    bytes: Aligned<u8>,
}

/// A conversion, the loop that moves as much, and the loop of its instructions.
struct Conversion {
    name: &'static str,
    ours: fn(&dyn Accelerator, &mut Formats),
    moves: unsafe fn(&mut Formats),
    steps: unsafe fn(&mut Formats),
}

const CONVERSIONS: [Conversion; 4] = [
    Conversion {
        name: "i16 to f32",
        ours: |ours, d| ours.f32_from_i16(&mut d.samples, &d.words).unwrap(),
        moves: |d| {
            // SAFETY: the caller's promise; 32 times 64 bytes of words and 128 of samples.
            unsafe { carry::<1, 2>(d.words.as_ptr().cast(), d.samples.as_mut_ptr().cast(), 32) }
        },
        steps: |d| {
            // SAFETY: the caller's promise.
            unsafe { from_16_bits(d) }
        },
    },
    Conversion {
        name: "f32 to i16",
        ours: |ours, d| ours.i16_from_f32(&mut d.words, &d.samples).unwrap(),
        moves: |d| {
            // SAFETY: the caller's promise; 32 times 128 bytes of samples and 64 of words.
            unsafe { carry::<2, 1>(d.samples.as_ptr().cast(), d.words.as_mut_ptr().cast(), 32) }
        },
        steps: |d| {
            // SAFETY: the caller's promise.
            unsafe { to_16_bits(d) }
        },
    },
    Conversion {
        name: "i24 to f32",
        ours: |ours, d| {
            let packed = d.bytes.as_chunks().0;
            ours.f32_from_i24(&mut d.samples, packed).unwrap();
        },
        moves: |d| {
            // SAFETY: the caller's promise; 16 times 192 bytes and 256 of samples.
            unsafe { carry::<3, 4>(d.bytes.as_ptr(), d.samples.as_mut_ptr().cast(), 16) }
        },
        steps: |d| {
            // SAFETY: the caller's promise.
            unsafe { from_24_bits(d) }
        },
    },
    Conversion {
        name: "f32 to i24",
        ours: |ours, d| {
            let packed = d.bytes.as_chunks_mut().0;
            ours.i24_from_f32(packed, &d.samples).unwrap();
        },
        moves: |d| {
            // SAFETY: the caller's promise; 16 times 256 bytes of samples and 192.
            unsafe { carry::<4, 3>(d.samples.as_ptr().cast(), d.bytes.as_mut_ptr(), 16) }
        },
        steps: |d| {
            // SAFETY: the caller's promise.
            unsafe { to_24_bits(d) }
        },
    },
];

/// Measures each conversion beside its limits.
pub(super) fn run(context: &Context, findings: &mut Findings) {
    if !(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")) {
        return;
    }
    for conversion in &CONVERSIONS {
        let samples = noise(LEN, 10);
        let data = Formats {
            words: Aligned::from_fn(LEN, |i| (samples[i] * 32767.0) as i16),
            bytes: Aligned::from_fn(3 * LEN, |i| (i * i) as u8),
            samples,
        };
        // The answers are compared where the peers are, and in the conformance trials.
        let constant = |_: &Formats| wide(&[0.0]);
        let cell = Cell::new(conversion.name, LEN, data, wide(&[0.0]), 0.0, constant)
            .ours(|| {
                let ours = context.accelerator();
                move |d: &mut Formats| (conversion.ours)(&*ours, d)
            })
            .limit("moves", |d: &mut Formats| {
                // SAFETY: the CPU has what was asked for above.
                unsafe { (conversion.moves)(d) }
            })
            .limit("steps", |d: &mut Formats| {
                // SAFETY: as above.
                unsafe { (conversion.steps)(d) }
            });
        let measured = cell.measure(context.effort);
        let Some((ours, again)) = measured.ours else {
            continue;
        };
        for ((_, limit), what) in measured.peers.iter().zip([
            ("by loads and stores", "% of the L1 limit"),
            ("by its instructions", "% of what two units compute"),
        ]) {
            findings.figures.push(Figure {
                name: format!("{}, {LEN} samples, {}", conversion.name, what.0),
                value: 100.0 * limit / ours.min(again),
                unit: what.1,
                goal: "as near 100 % as a call allows",
            });
        }
    }
}

/// Loads and stores so many vectors each time.
///
/// # Safety
///
/// The CPU has AVX-512 F; as many aligned vectors are there.
#[target_feature(enable = "avx512f")]
unsafe fn carry<const LOADS: usize, const STORES: usize>(
    from: *const u8,
    to: *mut u8,
    times: usize,
) {
    for i in 0..times {
        let mut x = [_mm512_setzero_si512(); LOADS];
        // SAFETY: the caller's promise.
        unsafe {
            for (k, x) in x.iter_mut().enumerate() {
                *x = _mm512_load_si512(from.add(64 * (i * LOADS + k)).cast());
            }
            // None of the loads is for nothing.
            if LOADS > STORES {
                x[0] = _mm512_or_si512(x[0], x[LOADS - 1]);
            }
            for k in 0..STORES {
                _mm512_store_si512(to.add(64 * (i * STORES + k)).cast(), x[k % LOADS]);
            }
        }
    }
}

/// # Safety
///
/// The CPU has AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn from_16_bits(d: &mut Formats) {
    let (from, to) = (d.words.as_ptr(), d.samples.as_mut_ptr());
    let scale = _mm512_set1_ps(1.0 / 32768.0);
    for at in (0..LEN).step_by(16) {
        // SAFETY: both slices are of `LEN`, and begin at a cache line.
        unsafe {
            let wide = _mm512_cvtepi16_epi32(_mm256_load_si256(from.add(at).cast()));
            _mm512_store_ps(to.add(at), _mm512_mul_ps(_mm512_cvtepi32_ps(wide), scale));
        }
    }
}

/// # Safety
///
/// The CPU has AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn to_16_bits(d: &mut Formats) {
    let (from, to) = (d.samples.as_ptr(), d.words.as_mut_ptr());
    let scale = _mm512_set1_ps(32768.0);
    let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    for at in (0..LEN).step_by(32) {
        // SAFETY: both slices are of `LEN`, and begin at a cache line.
        unsafe {
            let low = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_load_ps(from.add(at)), scale));
            let high = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_load_ps(from.add(at + 16)), scale));
            let packed = _mm512_packs_epi32(low, high);
            _mm512_store_si512(to.add(at).cast(), _mm512_permutexvar_epi64(order, packed));
        }
    }
}

/// # Safety
///
/// The CPU has AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn from_24_bits(d: &mut Formats) {
    let (from, to) = (d.bytes.as_ptr(), d.samples.as_mut_ptr());
    let scale = _mm512_set1_ps(1.0 / 2_147_483_648.0);
    let quarters = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
    let spread = _mm_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11);
    let spread = _mm512_broadcast_i32x4(spread);
    for at in (0..LEN).step_by(16) {
        // SAFETY: three bytes are there for each of `LEN` samples, which begin at a cache line.
        unsafe {
            let packed = _mm512_maskz_loadu_epi32(0x0fff, from.add(3 * at).cast());
            let spaced = _mm512_permutexvar_epi32(quarters, packed);
            let whole = _mm512_cvtepi32_ps(_mm512_shuffle_epi8(spaced, spread));
            _mm512_store_ps(to.add(at), _mm512_mul_ps(whole, scale));
        }
    }
}

/// # Safety
///
/// The CPU has AVX-512 F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn to_24_bits(d: &mut Formats) {
    let (from, to) = (d.samples.as_ptr(), d.bytes.as_mut_ptr());
    let scale = _mm512_set1_ps(8_388_608.0);
    let quarters = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3);
    let gather = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    let gather = _mm512_broadcast_i32x4(gather);
    for at in (0..LEN).step_by(16) {
        // SAFETY: three bytes are there for each of `LEN` samples, which begin at a cache line.
        unsafe {
            let whole = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_load_ps(from.add(at)), scale));
            let joined = _mm512_permutexvar_epi32(quarters, _mm512_shuffle_epi8(whole, gather));
            _mm512_mask_storeu_epi32(to.add(3 * at).cast(), 0x0fff, joined);
        }
    }
}
