//! Trials of planned objects, and of kernels over whole signals.

mod convolve;
mod convolver;
mod fft;
mod filters;
mod moving_rms;
mod streams;
mod window;

use auralis_core::{Accelerator, ErrorKind};

use super::environment;
use super::samples::{Noise, Sample};
use crate::{Outcome, Subject, Trial, check};

/// The trials of every planned object and of every kernel over a whole signal.
pub fn trials() -> Vec<Trial<dyn Accelerator>> {
    macro_rules! trials {
        ($($name:literal $kernel:literal $quick:ident $run:path;)*) => {
            vec![$(Trial {
                name: $name,
                needs: Some($kernel),
                quick: $quick,
                run: |subject| {
                    $run(subject)?;
                    environment::unchanged()
                },
            }),*]
        };
    }
    trials! {
        "window" "window" true window::matches_the_formula;
        "moving_rms" "moving_rms" true moving_rms::matches_the_sums::<f32>;
        "moving_rms_f64" "moving_rms_f64" true moving_rms::matches_the_sums::<f64>;
        "moving_rms_is_sound" "moving_rms" false moving_rms::is_sound::<f32>;
        "moving_rms_f64_is_sound" "moving_rms_f64" false moving_rms::is_sound::<f64>;
        "complex_fft" "complex_fft" true fft::complex::<f32>;
        "complex_fft_f64" "complex_fft_f64" true fft::complex::<f64>;
        "real_fft" "real_fft" true fft::real::<f32>;
        "real_fft_f64" "real_fft_f64" true fft::real::<f64>;
        "convolve" "convolve" true convolve::matches_the_sums::<f32>;
        "convolve_f64" "convolve_f64" true convolve::matches_the_sums::<f64>;
        "convolve_of_any_lengths" "convolve" false convolve::any_lengths::<f32>;
        "convolve_f64_of_any_lengths" "convolve_f64" false convolve::any_lengths::<f64>;
        "convolver" "convolver" true convolver::matches_the_sums;
        "convolver_in_any_cuts" "convolver" false convolver::any_cuts;
        "convolver_resets" "convolver" false convolver::resets;
        "convolver_refuses" "convolver" true convolver::refuses;
        "fir" "fir" true filters::fir;
        "biquads" "biquads" true filters::biquads;
        "biquads_in_silence" "biquads" false filters::silence;
        "biquads_at_low_corners" "biquads" false filters::low_corners;
    }
}

type Tested<'a> = Subject<'a, dyn Accelerator>;

/// Samples in the precision of a kernel.
trait Real: Sample + PartialEq + Send + Sync {
    /// ε of the contract.
    const EPSILON: f64;

    fn of(value: f64) -> Self;

    fn double(self) -> f64;
}

macro_rules! real {
    ($($real:ident)*) => {
        $(
            impl Real for $real {
                const EPSILON: f64 = $real::EPSILON as f64;

                fn of(value: f64) -> Self {
                    value as $real
                }

                fn double(self) -> f64 {
                    self.into()
                }
            }
        )*
    };
}
real!(f32 f64);

/// Noise within full scale.
fn noise<T: Real>(seed: u64, len: usize) -> Vec<T> {
    let mut noise = Noise::new(seed);
    (0..len).map(|_| T::of(noise.unit())).collect()
}

/// The full convolution, in double precision.
fn convolution<T: Real>(signal: &[T], kernel: &[T]) -> Vec<f64> {
    let signal: Vec<f64> = signal.iter().map(|x| x.double()).collect();
    let mut sums = vec![0.0; signal.len() + kernel.len() - 1];
    for (delay, tap) in kernel.iter().map(|x| x.double()).enumerate() {
        // Many kernels are sparse.
        if tap != 0.0 {
            let delayed = sums[delay..].iter_mut().zip(&signal);
            delayed.for_each(|(sum, sample)| *sum += sample * tap);
        }
    }
    sums
}

fn largest<T: Real>(samples: &[T]) -> f64 {
    samples.iter().fold(0.0, |max, x| x.double().abs().max(max))
}

fn sum_of_magnitudes<T: Real>(samples: &[T]) -> f64 {
    samples.iter().map(|x| x.double().abs()).sum()
}

/// Fails unless every sample lies within `bound` of what was expected.
fn close<T: Real>(found: &[T], expected: &[f64], bound: f64, what: impl Fn() -> String) -> Outcome {
    check(found.len() == expected.len(), || {
        format!("{}: wrong length", what())
    })?;
    for (i, (found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (found.double() - expected).abs();
        check(error <= bound, || {
            let what = what();
            format!(
                "{what}: sample {i} is {found:?}, expected {expected:?}: {error:e} off, over {bound:e}"
            )
        })?;
    }
    Ok(())
}

/// Fails unless the answer is an invalid input.
fn refused<T>(answer: auralis_core::Result<T>, what: impl Fn() -> String) -> Outcome {
    match answer {
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        Err(error) => Err(format!(
            "{}: refused as {error:?}, not as invalid input",
            what()
        )),
        Ok(_) => Err(format!("{}: accepted", what())),
    }
}

fn report(error: auralis_core::Error) -> String {
    error.report()
}
