//! How each planned object is planned and called, and what a call costs.

use auralis_core::{AudioBlockMut, Biquad, Complex, ConvolverSpec, Latency};

use super::PlanWork;
use super::cost::Cost;

/// The frames of a block that filters work on.
pub(super) const BLOCK: usize = 512;

const fn transform(n: usize) -> usize {
    5 * n * n.ilog2() as usize
}

pub(super) fn plan_complex_fft() -> PlanWork {
    PlanWork {
        cost: |[n, _]| Cost {
            operations: transform(n),
            ..Cost::each(n, 8, 8, 0)
        },
        plan: |a, [n, _]| {
            let mut fft = a.plan_complex_fft(n)?;
            Ok(Box::new(move |operands, calls| {
                let o = operands.view();
                for _ in 0..calls {
                    // Transforms in place grow: each begins with the samples.
                    o.complex[..n].copy_from_slice(&o.complex_a[..n]);
                    fft.forward(&mut o.complex[..n])?;
                }
                Ok(())
            }))
        },
    }
}

pub(super) fn plan_real_fft() -> PlanWork {
    PlanWork {
        cost: |[n, _]| Cost {
            operations: transform(n) / 2,
            ..Cost::each(n, 4, 4, 0)
        },
        plan: |a, [n, _]| {
            let mut fft = a.plan_real_fft(n)?;
            Ok(Box::new(move |operands, calls| {
                let o = operands.view();
                let bins = fft.bins();
                (0..calls).try_for_each(|_| fft.forward(&mut o.complex[..bins], &o.other[..n]))
            }))
        },
    }
}

pub(super) fn plan_complex_fft_f64() -> PlanWork {
    PlanWork {
        cost: |[n, _]| {
            let cost = Cost {
                operations: transform(n),
                ..Cost::each(n, 16, 16, 0)
            };
            cost.in_double()
        },
        plan: |a, [n, _]| {
            let mut fft = a.plan_complex_fft_f64(n)?;
            let mut spectrum = vec![Complex::<f64>::default(); n];
            Ok(Box::new(move |operands, calls| {
                let o = operands.view();
                for _ in 0..calls {
                    for (bin, sample) in spectrum.iter_mut().zip(o.more_doubles.iter()) {
                        *bin = Complex::new(*sample, *sample);
                    }
                    fft.forward(&mut spectrum)?;
                }
                Ok(())
            }))
        },
    }
}

pub(super) fn plan_real_fft_f64() -> PlanWork {
    PlanWork {
        cost: |[n, _]| {
            let cost = Cost {
                operations: transform(n) / 2,
                ..Cost::each(n, 8, 8, 0)
            };
            cost.in_double()
        },
        plan: |a, [n, _]| {
            let mut fft = a.plan_real_fft_f64(n)?;
            let mut spectrum = vec![Complex::<f64>::default(); fft.bins()];
            Ok(Box::new(move |operands, calls| {
                let o = operands.view();
                (0..calls).try_for_each(|_| fft.forward(&mut spectrum, &o.more_doubles[..n]))
            }))
        },
    }
}

pub(super) fn plan_convolver() -> PlanWork {
    PlanWork {
        // What partitions of one block and their transforms take.
        cost: |[block, taps]| {
            let (n, partitions) = (2 * block, taps.div_ceil(block));
            Cost {
                operations: transform(n) + 8 * (block + 1) * partitions,
                ..Cost::each(block, 4, 4, 0)
            }
        },
        plan: |a, [block, taps]| {
            let impulse: Vec<f32> = (0..taps)
                .map(|i| 1.0 / (1.0 + i as f32) * if i % 3 == 0 { -1.0 } else { 1.0 })
                .collect();
            let mut convolver = a.plan_convolver(&ConvolverSpec {
                impulse: &impulse,
                block,
                latency: Latency::Zero,
            })?;
            Ok(Box::new(move |operands, calls| {
                let o = operands.view();
                let src = &o.other[..block];
                (0..calls).try_for_each(|_| convolver.process(o.data, src))
            }))
        },
    }
}

/// A peak of 1.5 dB at an eighth of the sample rate, and then its inverse: any number of them is tame.
const SECTIONS: [Biquad; 2] = [
    Biquad {
        b0: 1.05,
        b1: -1.3,
        b2: 0.8,
        a1: -1.3,
        a2: 0.85,
    },
    Biquad {
        b0: 1.0 / 1.05,
        b1: -1.3 / 1.05,
        b2: 0.85 / 1.05,
        a1: -1.3 / 1.05,
        a2: 0.8 / 1.05,
    },
];

pub(super) fn plan_biquads() -> PlanWork {
    PlanWork {
        cost: |[channels, sections]| {
            let samples = BLOCK * channels;
            Cost::each(samples, 4, 4, 9 * sections).in_double()
        },
        plan: |a, [channels, sections]| {
            let sections: Vec<Biquad> = (0..sections).map(|i| SECTIONS[i % 2]).collect();
            let mut cascade = a.plan_biquads(&sections, channels)?;
            Ok(Box::new(move |operands, calls| {
                let o = operands.view();
                for _ in 0..calls {
                    // Filtering again and again what was filtered would let its peaks grow.
                    o.data.copy_from_slice(&o.other[..BLOCK * channels]);
                    cascade.process(&mut AudioBlockMut::new(o.data, channels, BLOCK, BLOCK)?)?;
                }
                Ok(())
            }))
        },
    }
}

pub(super) fn plan_fir() -> PlanWork {
    PlanWork {
        cost: |[taps, _]| Cost::each(BLOCK, 4, 4, 2 * taps),
        plan: |a, [taps, _]| {
            let taps: Vec<f32> = (0..taps).map(|i| 1.0 / (1.0 + i as f32)).collect();
            let mut fir = a.plan_fir(&taps)?;
            Ok(Box::new(move |operands, calls| {
                let o = operands.view();
                let src = &o.other[..BLOCK];
                (0..calls).try_for_each(|_| fir.process(&mut o.data[..BLOCK], src))
            }))
        },
    }
}
