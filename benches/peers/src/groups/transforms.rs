//! Fourier transforms of powers of two.

use std::ffi::c_void;
use std::sync::Arc;

use auralis::core::{Complex, ComplexFft, RealFft};
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

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
    for len in LENGTHS {
        real_forward(context, findings, len);
    }
    for len in LENGTHS {
        real_inverse(context, findings, len);
    }
    for len in LENGTHS {
        complex_forward(context, findings, len);
    }
    for len in LENGTHS {
        complex_inverse(context, findings, len);
    }
}

/// Samples, and the first bins of their transform in double precision.
fn real(len: usize) -> (Real, Vec<Complex<f64>>) {
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

fn ours(context: &Context, len: usize) -> Box<dyn RealFft<f32>> {
    context.accelerator().plan_real_fft(len).expect("a plan")
}

fn real_forward(context: &Context, findings: &mut Findings, len: usize) {
    let (mut data, exact) = real(len);
    data.bins.fill(Complex::default());
    let expected = exact.iter().flat_map(|z| [z.re, z.im]).collect();
    let realfft: Arc<dyn RealToComplex<f32>> = RealFftPlanner::new().plan_fft_forward(len);
    let mut scratch = realfft.make_scratch_vec();
    // realfft works in its input: only its first answer is that of the samples.
    let mut input = data.samples.clone();
    let cell = Cell::new("real FFT forward", len, data, expected, TOLERANCE, bins)
        .ours(|| {
            let mut plan = ours(context, len);
            move |d: &mut Real| plan.forward(&mut d.bins, &d.samples).unwrap()
        })
        .peer(
            "realfft",
            Ok::<_, String>(move |d: &mut Real| {
                realfft
                    .process_with_scratch(&mut input, &mut d.bins, &mut scratch)
                    .unwrap();
            }),
        )
        .peer(
            "FFTW",
            Fftw::get().map(|fftw| {
                let (plan, _) = fftw.real(len);
                // SAFETY: the buffers are as long and aligned as those of the plan.
                move |d: &mut Real| unsafe {
                    (fftw.forward)(plan, d.samples.as_mut_ptr(), d.bins.as_mut_ptr());
                }
            }),
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                let mut plan = Transform::real(ipp, len);
                move |d: &mut Real| plan.real_forward(&d.samples, &mut d.bins)
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                let plan = mkl.real_transform(len);
                // SAFETY: the buffers are as long as those of the plan.
                move |d: &mut Real| unsafe {
                    let (from, to) = (d.samples.as_mut_ptr(), d.bins.as_mut_ptr());
                    (mkl.forward)(plan, from.cast::<c_void>(), to.cast::<c_void>());
                }
            }),
        );
    findings.cells.push(cell.measure(context.effort));
}

fn real_inverse(context: &Context, findings: &mut Findings, len: usize) {
    let (mut data, _) = real(len);
    let expected = wide(&data.samples);
    data.samples.fill(0.0);
    let realfft: Arc<dyn ComplexToReal<f32>> = RealFftPlanner::new().plan_fft_inverse(len);
    let mut scratch = realfft.make_scratch_vec();
    // realfft and FFTW work in their input: only their first answer is that of the bins.
    let mut input = data.bins.clone();
    let last = len / 2;
    let cell = Cell::new("real FFT inverse", len, data, expected, TOLERANCE, samples)
        .ours(|| {
            let mut plan = ours(context, len);
            move |d: &mut Real| plan.inverse(&mut d.samples, &d.bins).unwrap()
        })
        .peer_read(
            "realfft",
            Ok::<_, String>(move |d: &mut Real| {
                // It refuses what a real signal has not; the rest may be its own last output.
                (input[0].im, input[last].im) = (0.0, 0.0);
                realfft
                    .process_with_scratch(&mut input, &mut d.samples, &mut scratch)
                    .unwrap();
            }),
            divided,
        )
        .peer_read(
            "FFTW",
            Fftw::get().map(|fftw| {
                let (_, plan) = fftw.real(len);
                let mut input = real(len).0.bins;
                // SAFETY: the buffers are as long and aligned as those of the plan.
                move |d: &mut Real| unsafe {
                    (fftw.inverse)(plan, input.as_mut_ptr(), d.samples.as_mut_ptr());
                }
            }),
            divided,
        )
        .peer(
            "IPP",
            Ipp::get().map(|ipp| {
                let mut plan = Transform::real(ipp, len);
                move |d: &mut Real| plan.real_inverse(&mut d.samples, &d.bins)
            }),
        )
        .peer(
            "MKL",
            Mkl::get().map(|mkl| {
                let plan = mkl.real_transform(len);
                // SAFETY: the buffers are as long as those of the plan.
                move |d: &mut Real| unsafe {
                    let (from, to) = (d.bins.as_mut_ptr(), d.samples.as_mut_ptr());
                    (mkl.inverse)(plan, from.cast::<c_void>(), to.cast::<c_void>());
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

fn complex(len: usize, inverse: bool) -> (Points, Vec<f64>) {
    let (re, im) = (noise(len, 4), noise(len, 5));
    let from = Aligned::from_fn(len, |i| Complex::new(re[i], im[i]));
    let mut exact: Vec<_> = from
        .iter()
        .map(|z| Complex::new(f64::from(z.re), f64::from(z.im)))
        .collect();
    let (plan, scale) = if inverse {
        (FftPlanner::new().plan_fft_inverse(len), 1.0 / len as f64)
    } else {
        (FftPlanner::new().plan_fft_forward(len), 1.0)
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

fn ours_complex(context: &Context, len: usize) -> Box<dyn ComplexFft<f32>> {
    context.accelerator().plan_complex_fft(len).expect("a plan")
}

fn rustfft(plan: Arc<dyn Fft<f32>>) -> impl FnMut(&mut Points) {
    let mut scratch = vec![Complex::default(); plan.get_inplace_scratch_len()];
    move |d| {
        d.at.copy_from_slice(&d.from);
        plan.process_with_scratch(&mut d.at, &mut scratch);
    }
}

fn complex_forward(context: &Context, findings: &mut Findings, len: usize) {
    let (data, expected) = complex(len, false);
    let cell = Cell::new(
        "complex FFT forward",
        len,
        data,
        expected,
        TOLERANCE,
        points,
    )
    .ours(|| {
        let mut plan = ours_complex(context, len);
        move |d: &mut Points| {
            d.at.copy_from_slice(&d.from);
            plan.forward(&mut d.at).unwrap();
        }
    })
    .peer(
        "rustfft",
        Ok::<_, String>(rustfft(FftPlanner::new().plan_fft_forward(len))),
    )
    .peer(
        "FFTW",
        Fftw::get().map(|fftw| {
            let (plan, _) = fftw.complex(len);
            // SAFETY: the buffer is as long and aligned as that of the plan.
            move |d: &mut Points| unsafe {
                d.at.copy_from_slice(&d.from);
                (fftw.complex)(plan, d.at.as_mut_ptr(), d.at.as_mut_ptr());
            }
        }),
    )
    .peer(
        "IPP",
        Ipp::get().map(|ipp| {
            let mut plan = Transform::complex(ipp, len);
            move |d: &mut Points| {
                d.at.copy_from_slice(&d.from);
                plan.complex_forward(&mut d.at);
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
                (mkl.forward)(plan, d.at.as_mut_ptr().cast::<c_void>());
            }
        }),
    );
    findings.cells.push(cell.measure(context.effort));
}

fn complex_inverse(context: &Context, findings: &mut Findings, len: usize) {
    let (data, expected) = complex(len, true);
    let cell = Cell::new(
        "complex FFT inverse",
        len,
        data,
        expected,
        TOLERANCE,
        points,
    )
    .ours(|| {
        let mut plan = ours_complex(context, len);
        move |d: &mut Points| {
            d.at.copy_from_slice(&d.from);
            plan.inverse(&mut d.at).unwrap();
        }
    })
    .peer_read(
        "rustfft",
        Ok::<_, String>(rustfft(FftPlanner::new().plan_fft_inverse(len))),
        points_divided,
    )
    .peer_read(
        "FFTW",
        Fftw::get().map(|fftw| {
            let (_, plan) = fftw.complex(len);
            // SAFETY: the buffer is as long and aligned as that of the plan.
            move |d: &mut Points| unsafe {
                d.at.copy_from_slice(&d.from);
                (fftw.complex)(plan, d.at.as_mut_ptr(), d.at.as_mut_ptr());
            }
        }),
        points_divided,
    )
    .peer(
        "IPP",
        Ipp::get().map(|ipp| {
            let mut plan = Transform::complex(ipp, len);
            move |d: &mut Points| {
                d.at.copy_from_slice(&d.from);
                plan.complex_inverse(&mut d.at);
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
                (mkl.inverse)(plan, d.at.as_mut_ptr().cast::<c_void>());
            }
        }),
    );
    findings.cells.push(cell.measure(context.effort));
}
