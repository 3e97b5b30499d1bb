//! A second-order section that computes a run of samples at once.
//!
//! The outputs of a run are linear in its inputs and in the two inputs and two outputs before it, so
//! each of those is multiplied by what it alone leads to, over the whole run, and only the last two
//! outputs are waited for by the next run. This is the block form of a recursive filter: Burrus,
//! "Block realization of digital filters", IEEE Trans. Audio Electroacoust. 20 (1972).

use auralis_core::Biquad;

use crate::isa::Isa;
use crate::plan::mul_add;

/// Consecutive samples of a channel.
pub(super) type Run<const N: usize> = [f64; N];

/// The runs that are filtered at once.
pub(super) const RUNS: usize = 16;

/// Runs of a channel, and one before them: what went before lies at its end.
pub(super) type Line<const N: usize> = [Run<N>; RUNS + 1];

/// The last sample, and the one before it.
pub(super) type Pair = [f64; 2];

/// What a section makes, over a run, of single samples of 1. A value that is not finite spoils the
/// whole run that holds it, and what comes after.
#[derive(Clone, Debug)]
pub(super) struct Section<const N: usize> {
    /// Of the inputs of the run.
    inputs: [Run<N>; N],
    /// Of the inputs before it.
    past_inputs: [Run<N>; 2],
    /// Of the outputs before it.
    past_outputs: [Run<N>; 2],
}

impl<const N: usize> Section<N> {
    pub(super) fn of(biquad: &Biquad) -> Self {
        let zero = [0.0; 2];
        let impulse = |at: usize| std::array::from_fn(|i| if i == at { 1.0 } else { 0.0 });
        let units = [[1.0, 0.0], [0.0, 1.0]];
        Self {
            inputs: std::array::from_fn(|at| response(biquad, impulse(at), zero, zero)),
            past_inputs: units.map(|unit| response(biquad, [0.0; N], unit, zero)),
            past_outputs: units.map(|unit| response(biquad, [0.0; N], zero, unit)),
        }
    }

    /// Filters lines of `C` channels, whose first run holds what went before.
    #[inline(always)]
    pub(super) fn pass<I: Isa, const C: usize>(
        &self,
        outputs: &mut [Line<N>; C],
        inputs: &[Line<N>; C],
        runs: usize,
    ) {
        let section = self.clone();
        let mut pasts = [[[0.0; N]; 2]; C];
        for c in 0..C {
            pasts[c] = spread(&outputs[c][0]);
        }
        for run in 1..=runs.min(RUNS) {
            for c in 0..C {
                let (before, x) = (&inputs[c][run - 1], &inputs[c][run]);
                let mut sums = [[0.0; N]; 2];
                for (back, sum) in sums.iter_mut().enumerate() {
                    for (sum, response) in sum.iter_mut().zip(&section.past_inputs[back]) {
                        *sum = response * before[N - 1 - back];
                    }
                }
                for at in 0..N {
                    for (sum, response) in sums[at % 2].iter_mut().zip(&section.inputs[at]) {
                        *sum = mul_add::<I, f64>(*response, x[at], *sum);
                    }
                }
                let mut y = [0.0; N];
                for lane in 0..N {
                    y[lane] = sums[0][lane] + sums[1][lane];
                }
                for back in [1, 0] {
                    for lane in 0..N {
                        let response = section.past_outputs[back][lane];
                        y[lane] = mul_add::<I, f64>(response, pasts[c][back][lane], y[lane]);
                    }
                }
                outputs[c][run] = y;
                pasts[c] = spread(&y);
            }
        }
    }
}

/// The last two samples of a run in all lanes of a vector each: so they stay in vectors.
#[inline(always)]
fn spread<const N: usize>(run: &Run<N>) -> [Run<N>; 2] {
    [[run[N - 1]; N], [run[N - 2]; N]]
}

/// Direct form I over a run, after these inputs and outputs.
fn response<const N: usize>(
    &Biquad { b0, b1, b2, a1, a2 }: &Biquad,
    inputs: Run<N>,
    [mut x1, mut x2]: Pair,
    [mut y1, mut y2]: Pair,
) -> Run<N> {
    inputs.map(|x| {
        let y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
        (x2, x1, y2, y1) = (x1, x, y1, y);
        y
    })
}
