//! Second-order sections, and the moving level.

use std::ffi::c_int;
use std::ptr::{null, null_mut};

use auralis::core::{AudioBlockMut, Biquad};
use biquad::Biquad as _;

use super::{Context, Findings};
use crate::aligned::{Aligned, noise, wide};
use crate::cell::Cell;
use crate::peers::ipp::{Ipp, memory};

const FRAMES: usize = 4096;
const MINUTES_3: usize = 3 * 60 * 48_000;
/// 100 ms.
const WINDOW: usize = 4800;
/// Relative to the largest sample of the result: the peers keep their state in single precision,
/// which low frequencies don't forgive.
const TOLERANCE: f64 = 1e-3;

#[derive(Clone)]
struct Audio {
    from: Aligned<f32>,
    to: Aligned<f32>,
}

fn to(d: &Audio) -> Vec<f64> {
    wide(&d.to)
}

/// Peaks of an equaliser, each at a frequency of its own ("Cookbook formulae for audio EQ biquad
/// filter coefficients" by Robert Bristow-Johnson), rounded to the `f32` that most peers take.
fn sections(count: usize) -> Vec<Biquad> {
    (0..count)
        .map(|i| {
            let w = 2.0 * std::f64::consts::PI * 100.0 * 1.6f64.powi(i as i32) / 48_000.0;
            let (alpha, gain) = (w.sin() / 2.0, 1.1);
            let a0 = 1.0 + alpha / gain;
            let rounded = |x: f64| f64::from((x / a0) as f32);
            Biquad {
                b0: rounded(1.0 + alpha * gain),
                b1: rounded(-2.0 * w.cos()),
                b2: rounded(1.0 - alpha * gain),
                a1: rounded(-2.0 * w.cos()),
                a2: rounded(1.0 - alpha / gain),
            }
        })
        .collect()
}

/// In double precision, by the transposed direct form.
fn exact(sections: &[Biquad], samples: &[f32]) -> Vec<f64> {
    let mut signal = wide(samples);
    for s in sections {
        let (mut s1, mut s2) = (0.0, 0.0);
        for x in &mut signal {
            let y = s.b0 * *x + s1;
            s1 = s.b1 * *x - s.a1 * y + s2;
            s2 = s.b2 * *x - s.a2 * y;
            *x = y;
        }
    }
    signal
}

/// All of them.
pub fn run(context: &Context, findings: &mut Findings) {
    for count in [1, 4, 10] {
        biquads(context, findings, count, 1);
    }
    biquads(context, findings, 4, 2);
    moving_rms(context, findings);
}

/// Filters the planes of `channels` channels.
fn biquads(context: &Context, findings: &mut Findings, count: usize, channels: usize) {
    let sections = sections(count);
    let from = noise(FRAMES * channels, 8);
    let expected = from
        .chunks(FRAMES)
        .flat_map(|plane| exact(&sections, plane))
        .collect();
    let data = Audio {
        to: Aligned::zeroed(from.len()),
        from,
    };
    let name = if channels == 1 {
        "biquads mono"
    } else {
        "biquads stereo"
    };
    let size = format!("{count} section(s), {FRAMES} frames");
    let cell = Cell::new(name, size, data, expected, TOLERANCE, to)
        .ours(|| {
            let plan = context.accelerator().plan_biquads(&sections, channels);
            let mut plan = plan.expect("a plan");
            move |d: &mut Audio| {
                d.to.copy_from_slice(&d.from);
                let block = AudioBlockMut::new(&mut d.to, channels, FRAMES, FRAMES);
                plan.process(&mut block.unwrap()).unwrap();
            }
        })
        .peer(
            "IPP",
            Ipp::get().map(|ipp| of_ipp(ipp, &sections, channels)),
        )
        .peer("biquad", Ok::<_, String>(of_the_crate(&sections, channels)));
    findings.cells.push(cell.measure(context.effort));
}

/// One of IPP's filters a channel.
fn of_ipp(
    ipp: &'static Ipp,
    sections: &[Biquad],
    channels: usize,
) -> impl FnMut(&mut Audio) + use<> {
    let taps: Vec<f32> = sections
        .iter()
        .flat_map(|s| [s.b0, s.b1, s.b2, 1.0, s.a1, s.a2].map(|x| x as f32))
        .collect();
    let count = sections.len() as c_int;
    let mut size = 0;
    // SAFETY: the size is written to a variable of this function.
    unsafe { (ipp.biquads_size)(count, &mut size) };
    let mut filters: Vec<_> = (0..channels)
        .map(|_| {
            let (mut memory, mut state) = (memory(size), null_mut());
            // SAFETY: six taps a section, and memory of the size that the library asked for.
            unsafe {
                let at = memory.as_mut_ptr();
                (ipp.biquads_init)(&mut state, taps.as_ptr(), count, null(), at);
            }
            (state, memory)
        })
        .collect();
    move |d: &mut Audio| {
        let planes = d.from.chunks(FRAMES).zip(d.to.chunks_mut(FRAMES));
        for ((state, _), (from, to)) in filters.iter_mut().zip(planes) {
            // SAFETY: both planes have as many samples.
            unsafe { (ipp.biquads)(from.as_ptr(), to.as_mut_ptr(), FRAMES as c_int, *state) };
        }
    }
}

/// The crate's sections, sample by sample as its documentation shows and in the form that it calls the
/// best for fixed filters. A sample goes through all sections before the next one: to take the whole
/// block through one section after the other was three times as slow, and direct form I twice.
fn of_the_crate(sections: &[Biquad], channels: usize) -> impl FnMut(&mut Audio) + use<> {
    let filter = |s: &Biquad| {
        biquad::DirectForm2Transposed::<f32>::new(biquad::Coefficients {
            a1: s.a1 as f32,
            a2: s.a2 as f32,
            b0: s.b0 as f32,
            b1: s.b1 as f32,
            b2: s.b2 as f32,
        })
    };
    let mut filters: Vec<Vec<_>> = (0..channels)
        .map(|_| sections.iter().map(filter).collect())
        .collect();
    move |d: &mut Audio| {
        let planes = d.from.chunks(FRAMES).zip(d.to.chunks_mut(FRAMES));
        for (filters, (from, to)) in filters.iter_mut().zip(planes) {
            for (to, &x) in to.iter_mut().zip(from) {
                *to = filters.iter_mut().fold(x, |x, filter| filter.run(x));
            }
        }
    }
}

fn moving_rms(context: &Context, findings: &mut Findings) {
    let from = noise(MINUTES_3, 9);
    let mut sums = vec![0.0];
    sums.extend(from.iter().scan(0.0, |sum, &x| {
        *sum += f64::from(x) * f64::from(x);
        Some(*sum)
    }));
    let mean = |i: usize| (sums[i + WINDOW] - sums[i]) / WINDOW as f64;
    let expected: Vec<f64> = (0..=MINUTES_3 - WINDOW).map(|i| mean(i).sqrt()).collect();
    let data = Audio {
        to: Aligned::zeroed(expected.len()),
        from: from.clone(),
    };
    let python = || {
        let python = context.python.as_ref().map_err(String::clone)?;
        python.set("moving_rms", &[&from], &WINDOW.to_string())?;
        let answer = move |d: &mut Audio| d.to.copy_from_slice(&python.answer());
        Ok::<_, String>((answer, |calls| python.time(calls)))
    };
    let size = format!("3 min at 48 kHz, window {WINDOW}");
    let cell = Cell::new("moving RMS", size, data, expected, TOLERANCE, to)
        .ours(|| {
            let ours = context.accelerator();
            move |d: &mut Audio| ours.moving_rms(&mut d.to, &d.from, WINDOW).unwrap()
        })
        .peer_elsewhere("NumPy cumsum", python());
    findings.cells.push(cell.measure(context.effort));
}
