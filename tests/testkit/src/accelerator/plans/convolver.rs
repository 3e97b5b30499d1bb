//! Streaming convolution against sums in double precision, however the stream is cut.

use auralis_core::{Accelerator, Convolver, ConvolverSpec, Latency};
use proptest::test_runner::TestCaseError;

use super::super::guarded::refuses as refuses_call;
use super::convolve::runner;
use super::streams::{Cut, same_bits, stream};
use super::{Tested, close, convolution, largest, noise, refused, report, sum_of_magnitudes};
use crate::{Effort, Outcome, check};

const LATENCIES: [Latency; 2] = [Latency::Zero, Latency::OneBlock];

fn plan(
    accelerator: &dyn Accelerator,
    spec: &ConvolverSpec<'_>,
) -> Result<Box<dyn Convolver>, String> {
    let convolver = accelerator.plan_convolver(spec).map_err(report)?;
    let latency = match spec.latency {
        Latency::Zero => 0,
        Latency::OneBlock => spec.block,
    };
    check(convolver.latency() == latency, || {
        format!(
            "{:?} of {} samples is said to be {}",
            spec.latency,
            spec.block,
            convolver.latency()
        )
    })?;
    Ok(convolver)
}

/// Compares the output for each latency and cut with the convolution of the whole stream.
fn compare(
    accelerator: &dyn Accelerator,
    signal: &[f32],
    impulse: &[f32],
    cases: &[(usize, &[Cut])],
) -> Outcome {
    let right = convolution(signal, impulse);
    let bound = 16.0 * f64::from(f32::EPSILON) * largest(signal) * sum_of_magnitudes(impulse);
    for &(block, cuts) in cases {
        for latency in LATENCIES {
            for &cut in cuts {
                let spec = ConvolverSpec {
                    impulse,
                    block,
                    latency,
                };
                let mut convolver = plan(accelerator, &spec)?;
                let late = convolver.latency().min(signal.len());
                let mut expected = vec![0.0; late];
                expected.extend(&right[..signal.len() - late]);
                let what = || {
                    let (len, taps) = (signal.len(), impulse.len());
                    format!("length {len} with {taps} taps, block {block}, {latency:?}, {cut:?}")
                };
                let found = stream(signal, cut, |dst, src| convolver.process(dst, src))
                    .map_err(|error| format!("{}: {error}", what()))?;
                close(&found, &expected, bound, what)?;
            }
        }
    }
    Ok(())
}

/// Short streams through short and partitioned impulse responses.
fn quick(accelerator: &dyn Accelerator) -> Outcome {
    let signal = noise::<f32>(1, 200);
    let cuts = [Cut::Every(64), Cut::Random { block: 64, seed: 5 }];
    for taps in [1, 31, 67, 130] {
        let impulse = noise::<f32>(2, taps);
        compare(accelerator, &signal, &impulse, &[(64, &cuts)])?;
    }
    Ok(())
}

pub(super) fn matches_the_sums(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    if subject.effort == Effort::Quick {
        return quick(&*accelerator);
    }
    let signal = noise::<f32>(1, 2600);
    for taps in [1, 2, 31, 64, 65, 512, 4097] {
        let impulse = noise::<f32>(2, taps);
        let cuts = |block| {
            [
                Cut::Every(block),
                Cut::Whole,
                Cut::Random { block, seed: 5 },
            ]
        };
        let (one, some, odd, many) = (cuts(1), cuts(64), cuts(100), cuts(512));
        let cases: [(usize, &[Cut]); 4] = [(1, &one[1..]), (64, &some), (100, &odd), (512, &many)];
        compare(&*accelerator, &signal, &impulse, &cases)?;
    }
    // Where nothing cancels, errors of rounding add up the most.
    let positive = |seed, len| {
        noise::<f32>(seed, len)
            .iter()
            .map(|x| 1.0 + x / 8.0)
            .collect()
    };
    let (loud, lasting): (Vec<f32>, Vec<f32>) = (positive(9, 1500), positive(10, 1100));
    for taps in [30, 110, 1100] {
        let cuts = [
            Cut::Every(64),
            Cut::Random {
                block: 64,
                seed: 11,
            },
        ];
        compare(&*accelerator, &loud, &lasting[..taps], &[(64, &cuts)])?;
    }
    // Sample by sample, and the block that files are mastered in.
    let impulse = noise::<f32>(3, 300);
    compare(
        &*accelerator,
        &signal[..700],
        &impulse,
        &[(64, &[Cut::Every(1)])],
    )?;
    let signal = noise::<f32>(4, 10_000);
    let impulse: Vec<f32> = noise::<f32>(5, 4097)
        .into_iter()
        .enumerate()
        .map(|(i, tap)| if i % 16 == 0 || i == 4096 { tap } else { 0.0 })
        .collect();
    let cuts = [
        Cut::Every(8192),
        Cut::Random {
            block: 3000,
            seed: 6,
        },
    ];
    compare(&*accelerator, &signal, &impulse, &[(8192, &cuts)])
}

pub(super) fn any_cuts(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let cases = (1_usize..500, 1_usize..300, 0_usize..900, 0_u64..u64::MAX);
    runner(24)
        .run(&cases, |(taps, block, len, seed)| {
            let (signal, impulse) = (noise::<f32>(seed, len), noise::<f32>(!seed, taps));
            let cuts = [Cut::Random { block, seed }];
            compare(&*accelerator, &signal, &impulse, &[(block, &cuts)])
                .map_err(TestCaseError::fail)
        })
        .map_err(|error| error.to_string())
}

pub(super) fn resets(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let (signal, before) = (noise::<f32>(1, 1000), noise::<f32>(2, 777));
    for (taps, block) in [
        (1, 64),
        (12, 100),
        (100, 64),
        (100, 300),
        (700, 64),
        (700, 100),
    ] {
        let impulse = noise::<f32>(3, taps);
        for latency in LATENCIES {
            let mut convolver = plan(
                &*accelerator,
                &ConvolverSpec {
                    impulse: &impulse,
                    block,
                    latency,
                },
            )?;
            for cut in [Cut::Every(block), Cut::Random { block, seed: 7 }] {
                convolver.reset();
                let first = stream(&signal, cut, |dst, src| convolver.process(dst, src))?;
                stream(&before, Cut::Whole, |dst, src| convolver.process(dst, src))?;
                convolver.reset();
                let second = stream(&signal, cut, |dst, src| convolver.process(dst, src))?;
                same_bits(&first, &second, || {
                    format!("{taps} taps, block {block}, {latency:?}, {cut:?}, after a reset")
                })?;
            }
        }
    }
    Ok(())
}

pub(super) fn refuses(subject: &Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    let impulse = noise::<f32>(1, 200);
    for latency in LATENCIES {
        let specs = [
            (&impulse[..0], 64),
            (&impulse[..], 0),
            (&impulse[..], usize::MAX),
        ];
        for (impulse, block) in specs {
            let spec = ConvolverSpec {
                impulse,
                block,
                latency,
            };
            refused(accelerator.plan_convolver(&spec), || {
                format!("{} taps, block {block}", impulse.len())
            })?;
        }
    }
    let signal = noise::<f32>(2, 640);
    for taps in [8, 100, 200] {
        let spec = ConvolverSpec {
            impulse: &impulse[..taps],
            block: 64,
            latency: Latency::Zero,
        };
        let mut plain = plan(&*accelerator, &spec)?;
        let mut disturbed = plan(&*accelerator, &spec)?;
        let cut = Cut::Random { block: 64, seed: 8 };
        let expected = stream(&signal, cut, |dst, src| plain.process(dst, src))?;
        let mut wrong = Ok(());
        let found = stream(&signal, cut, |dst, src| {
            let what = || format!("{taps} taps, 64 samples into 65");
            let refusal = refuses_call(what, &[7.0; 65], |dst| {
                disturbed.process(dst, &signal[..64])
            });
            wrong = wrong.clone().and(refusal);
            disturbed.process(dst, src)
        })?;
        wrong?;
        same_bits(&expected, &found, || {
            format!("{taps} taps, after calls that were refused")
        })?;
    }
    Ok(())
}
