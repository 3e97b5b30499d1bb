//! Fourier transforms of powers of two.

use std::ffi::c_void;

use auralis::core::Complex;
use realfft::RealFftPlanner;
use rustfft::FftPlanner;

use super::{Context, Findings};
use crate::aligned::{Aligned, noise, wide};
use crate::cell::Cell;
use crate::peers::fftw::Fftw;
use crate::peers::ipp::{Ipp, Transform};
use crate::peers::mkl::Mkl;

const LENGTHS: [usize; 7] = [256, 512, 1024, 2048, 4096, 8192, 16384];
/// Relative to the largest value of the result.
const TOLERANCE: f64 = 1e-6;

/// Samples and their spectrum. `IPP`'s spectra are laid out like everybody's: `N / 2 + 1` bins.
#[derive(Clone)]
struct Real {
    samples: Aligned<f32>,
    bins: Aligned<Complex<f32>>,
}

/// How an answer is read.
type Read<D> = fn(&D) -> Vec<f64>;

/// The direction of a transform.
#[derive(Clone, Copy)]
enum Way {
    Forward,
    Inverse,
}

fn samples(d: &Real) -> Vec<f64> {
    wide(&d.samples)
}

/// Of those that do not divide by the length.
fn divided(d: &Real) -> Vec<f64> {
    let len = d.samples.len() as f64;
    d.samples.iter().map(|&x| f64::from(x) / len).collect()
}

fn pairs(bins: &[Complex<f32>]) -> Vec<f64> {
    bins.iter()
        .flat_map(|z| [f64::from(z.re), f64::from(z.im)])
        .collect()
}

fn bins(d: &Real) -> Vec<f64> {
    pairs(&d.bins)
}

/// All transforms at all lengths.
pub fn run(context: &Context, findings: &mut Findings) {
    for transform in [real, complex] {
        for way in [Way::Forward, Way::Inverse] {
            for len in LENGTHS {
                transform(context, findings, len, way);
            }
        }
    }
}

/// Samples, and the first bins of their transform in double precision.
fn real_data(len: usize) -> (Real, Vec<Complex<f64>>) {
    let samples = noise(len, 3);
    let mut exact: Vec<_> = samples
        .iter()
        .map(|&x| Complex::new(f64::from(x), 0.0))
        .collect();
    FftPlanner::new().plan_fft_forward(len).process(&mut exact);
    exact.truncate(len / 2 + 1);
    let narrow = |i: usize| Complex::new(exact[i].re as f32, exact[i].im as f32);
    let bins = Aligned::from_fn(len / 2 + 1, narrow);
    (Real { samples, bins }, exact)
}

fn real(context: &Context, findings: &mut Findings, len: usize, way: Way) {
    let (mut data, exact) = real_data(len);
    // realfft, and the inverse of FFTW, work in their input: only their first answer is that of it.
    let (mut input, mut fftw_input) = (data.clone(), data.bins.clone());
    let (name, expected, read, undivided): (_, _, Read<Real>, Read<Real>) = match way {
        Way::Forward => {
            data.bins.fill(Complex::default());
            let expected = exact.iter().flat_map(|z| [z.re, z.im]).collect();
            ("real FFT forward", expected, bins, bins)
        }
        Way::Inverse => {
            let expected = wide(&data.samples);
            data.samples.fill(0.0);
            ("real FFT inverse", expected, samples, divided)
        }
    };
    let last = len / 2;
    let mut planner = RealFftPlanner::new();
    let (there, back) = (planner.plan_fft_forward(len), planner.plan_fft_inverse(len));
    let mut scratch = match way {
        Way::Forward => there.make_scratch_vec(),
        Way::Inverse => back.make_scratch_vec(),
    };
    let cell = Cell::new(name, len, data, expected, TOLERANCE, read)
        .ours(|| {
            let mut plan = context.accelerator().plan_real_fft(len).expect("a plan");
            move |d: &mut Real| match way {
                Way::Forward => plan.forward(&mut d.bins, &d.samples).unwrap(),
                Way::Inverse => plan.inverse(&mut d.samples, &d.bins).unwrap(),
            }
        })
        .peer_read(
            "realfft",
            Ok::<_, String>(move |d: &mut Real| match way {
                Way::Forward => there
                    .process_with_scratch(&mut input.samples, &mut d.bins, &mut scratch)
                    .unwrap(),
                Way::Inverse => {
                    // It refuses what a real signal has not; the rest may be its own last output.
                    (input.bins[0].im, input.bins[last].im) = (0.0, 0.0);
                    back.process_with_scratch(&mut input.bins, &mut d.samples, &mut scratch)
                        .unwrap();
                }
            }),
            undivided,
        )
        .peer_read(
            "FFTW",
            Fftw::get().map(|fftw| {
                let (there, back) = fftw.real(len);
                // SAFETY: the buffers are as long and aligned as those of the plans.
                move |d: &mut Real| unsafe {
                    let samples = d.samples.as_mut_ptr();
                    match way {
                        Way::Forward => (fftw.forward)(there, samples, d.bins.as_mut_ptr()),
                        Way::Inverse => (fftw.inverse)(back, fftw_input.as_mut_ptr(), samples),
                    }
                }
            }),
            undivided,
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                let mut plan = Transform::real(ipp, len);
                move |d: &mut Real| match way {
                    Way::Forward => plan.real_forward(&d.samples, &mut d.bins),
                    Way::Inverse => plan.real_inverse(&mut d.samples, &d.bins),
                }
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                let plan = mkl.real_transform(len);
                // SAFETY: the buffers are as long as those of the plan.
                move |d: &mut Real| unsafe {
                    let samples = d.samples.as_mut_ptr().cast::<c_void>();
                    let bins = d.bins.as_mut_ptr().cast::<c_void>();
                    match way {
                        Way::Forward => (mkl.forward)(plan, samples, bins),
                        Way::Inverse => (mkl.inverse)(plan, bins, samples),
                    };
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

/// Points, copied before each transform by everybody, so that they keep their magnitude.
#[derive(Clone)]
struct Points {
    from: Aligned<Complex<f32>>,
    at: Aligned<Complex<f32>>,
}

fn points(d: &Points) -> Vec<f64> {
    pairs(&d.at)
}

fn points_divided(d: &Points) -> Vec<f64> {
    let len = d.at.len() as f64;
    pairs(&d.at).into_iter().map(|x| x / len).collect()
}

fn complex_data(len: usize, way: Way) -> (Points, Vec<f64>) {
    let (re, im) = (noise(len, 4), noise(len, 5));
    let from = Aligned::from_fn(len, |i| Complex::new(re[i], im[i]));
    let mut exact: Vec<_> = from
        .iter()
        .map(|z| Complex::new(f64::from(z.re), f64::from(z.im)))
        .collect();
    let (plan, scale) = match way {
        Way::Forward => (FftPlanner::new().plan_fft_forward(len), 1.0),
        Way::Inverse => (FftPlanner::new().plan_fft_inverse(len), 1.0 / len as f64),
    };
    plan.process(&mut exact);
    let expected = exact
        .iter()
        .flat_map(|z| [z.re * scale, z.im * scale])
        .collect();
    (
        Points {
            at: Aligned::zeroed(len),
            from,
        },
        expected,
    )
}

fn complex(context: &Context, findings: &mut Findings, len: usize, way: Way) {
    let (data, expected) = complex_data(len, way);
    let mut planner = FftPlanner::new();
    let (name, rustfft, undivided): (_, _, Read<Points>) = match way {
        Way::Forward => ("complex FFT forward", planner.plan_fft_forward(len), points),
        Way::Inverse => (
            "complex FFT inverse",
            planner.plan_fft_inverse(len),
            points_divided,
        ),
    };
    let mut scratch = vec![Complex::default(); rustfft.get_inplace_scratch_len()];
    let cell = Cell::new(name, len, data, expected, TOLERANCE, points)
        .ours(|| {
            let mut plan = context.accelerator().plan_complex_fft(len).expect("a plan");
            move |d: &mut Points| {
                d.at.copy_from_slice(&d.from);
                match way {
                    Way::Forward => plan.forward(&mut d.at).unwrap(),
                    Way::Inverse => plan.inverse(&mut d.at).unwrap(),
                }
            }
        })
        .peer_read(
            "rustfft",
            Ok::<_, String>(move |d: &mut Points| {
                d.at.copy_from_slice(&d.from);
                rustfft.process_with_scratch(&mut d.at, &mut scratch);
            }),
            undivided,
        )
        .peer_read(
            "FFTW",
            Fftw::get().map(|fftw| {
                let (there, back) = fftw.complex(len);
                let plan = match way {
                    Way::Forward => there,
                    Way::Inverse => back,
                };
                // SAFETY: the buffer is as long and aligned as that of the plan.
                move |d: &mut Points| unsafe {
                    d.at.copy_from_slice(&d.from);
                    (fftw.complex)(plan, d.at.as_mut_ptr(), d.at.as_mut_ptr());
                }
            }),
            undivided,
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                let mut plan = Transform::complex(ipp, len);
                move |d: &mut Points| {
                    d.at.copy_from_slice(&d.from);
                    match way {
                        Way::Forward => plan.complex_forward(&mut d.at),
                        Way::Inverse => plan.complex_inverse(&mut d.at),
                    }
                }
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                let plan = mkl.complex_transform(len);
                // SAFETY: the buffer is as long as that of the plan.
                move |d: &mut Points| unsafe {
                    d.at.copy_from_slice(&d.from);
                    let at = d.at.as_mut_ptr().cast::<c_void>();
                    match way {
                        Way::Forward => (mkl.forward)(plan, at),
                        Way::Inverse => (mkl.inverse)(plan, at),
                    };
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}
