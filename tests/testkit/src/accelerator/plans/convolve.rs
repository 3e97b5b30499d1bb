//! Whole-signal convolution against sums in double precision.

use auralis_core::{Accelerator, ConvolutionMode, Result};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::super::guarded::{refuses, written};
use super::{Real, Tested, close, convolution, largest, noise, sum_of_magnitudes};
use crate::{Effort, Outcome};

/// A precision in which the kernel exists.
pub(super) trait Convolved: Real {
    fn convolve(
        on: &dyn Accelerator,
        dst: &mut [Self],
        signal: &[Self],
        kernel: &[Self],
        mode: ConvolutionMode,
    ) -> Result<()>;
}

macro_rules! convolved {
    ($($real:ident $method:ident;)*) => {
        $(
            impl Convolved for $real {
                fn convolve(
                    on: &dyn Accelerator,
                    dst: &mut [$real],
                    signal: &[$real],
                    kernel: &[$real],
                    mode: ConvolutionMode,
                ) -> Result<()> {
                    on.$method(dst, signal, kernel, mode)
                }
            }
        )*
    };
}
convolved! {
    f32 convolve;
    f64 convolve_f64;
}

const MODES: [ConvolutionMode; 3] = [
    ConvolutionMode::Same,
    ConvolutionMode::Full,
    ConvolutionMode::Valid,
];

fn compare<T: Convolved>(on: &dyn Accelerator, signal: &[T], kernel: &[T]) -> Outcome {
    let (n, taps) = (signal.len(), kernel.len());
    let full = convolution(signal, kernel);
    let bound = 16.0 * T::EPSILON * largest(signal) * sum_of_magnitudes(kernel);
    for mode in MODES {
        let len = mode.output_len(n, taps);
        let expected = full
            .get(mode.offset(taps)..)
            .and_then(|from| from.get(..len));
        let what = || format!("{mode:?}, length {n} with {taps} taps");
        let call = |dst: &mut [T]| T::convolve(on, dst, signal, kernel, mode);
        let found =
            written(&vec![T::of(f64::NAN); len], call).map_err(|e| format!("{}: {e}", what()))?;
        close(&found, expected.unwrap_or_default(), bound, what)?;
    }
    Ok(())
}

/// Signals and taps.
const LENGTHS: [(usize, usize); 17] = [
    (1, 1),
    (1, 4),
    (4, 1),
    (2, 2),
    (5, 4),
    (4, 5),
    (100, 3),
    (100, 64),
    (100, 65),
    (65, 100),
    (64, 64),
    (66, 65),
    (66, 66),
    (300, 300),
    (2000, 70),
    (1500, 511),
    (511, 1500),
];

const QUICK: [(usize, usize); 5] = [(1, 1), (7, 4), (67, 31), (64, 64), (130, 300)];

pub(super) fn matches_the_sums<T: Convolved>(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for &(n, taps) in subject.either(&QUICK[..], &LENGTHS) {
        compare(&*accelerator, &noise::<T>(1, n), &noise::<T>(2, taps))?;
    }
    if subject.effort == Effort::Quick {
        return wrong_lengths::<T>(&*accelerator);
    }
    // Where nothing cancels, errors of rounding add up the most.
    let positive = |len| {
        noise::<T>(4, len)
            .iter()
            .map(|x| T::of(1.0 + x.double() / 8.0))
            .collect()
    };
    let (loud, lasting): (Vec<T>, Vec<T>) = (positive(1200), positive(900));
    for taps in [60, 900] {
        compare(&*accelerator, &loud, &lasting[..taps])?;
    }
    // What an even kernel makes of an impulse shows half a sample of wrong alignment.
    for taps in [2, 8, 128] {
        let mut signal = vec![T::of(0.0); 200];
        signal[130] = T::of(1.0);
        compare(&*accelerator, &signal, &noise::<T>(3, taps))?;
    }
    wrong_lengths::<T>(&*accelerator)
}

fn wrong_lengths<T: Convolved>(accelerator: &dyn Accelerator) -> Outcome {
    for (n, taps) in [(0, 0), (0, 3), (3, 0), (8, 3), (3, 8), (200, 100)] {
        let (signal, kernel) = (noise::<T>(1, n), noise::<T>(2, taps));
        for mode in MODES {
            let right = mode.output_len(n, taps);
            for len in [0, right.saturating_sub(1), right, right + 1] {
                if n > 0 && taps > 0 && len == right {
                    continue;
                }
                refuses(
                    || format!("{mode:?}, length {n} with {taps} taps into {len}"),
                    &vec![T::of(7.0); len],
                    |dst| T::convolve(accelerator, dst, &signal, &kernel, mode),
                )?;
            }
        }
    }
    Ok(())
}

/// A runner that draws the same cases every time.
pub(super) fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

pub(super) fn any_lengths<T: Convolved>(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let cases = (1_usize..400, 1_usize..400, 0_u64..u64::MAX);
    runner(48)
        .run(&cases, |(n, taps, seed)| {
            let (signal, kernel) = (noise::<T>(seed, n), noise::<T>(!seed, taps));
            compare(&*accelerator, &signal, &kernel).map_err(TestCaseError::fail)
        })
        .map_err(|error| error.to_string())
}
