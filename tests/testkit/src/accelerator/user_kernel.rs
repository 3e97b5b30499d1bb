//! The trials of kernels of authors' own: every variant is held to the kernel's reference.

use auralis_core::{Bound, UserKernel};

use super::guarded::{Guarded, refuses};
use super::reference::near;
use super::samples::{Noise, Palette, Sample};
use crate::{Effort, Outcome};

/// A variant of a kernel under test, and what it is held to.
#[derive(Clone, Copy, Debug)]
pub struct KernelSubject<'a> {
    /// The kernel's reference.
    pub reference: &'a UserKernel,
    /// The variant.
    pub kernel: &'a UserKernel,
    /// How much the trials do.
    pub effort: Effort,
}

/// One named check of a variant: `kernel::acme.soft-clip::avx2::agrees` runs the trial `agrees`.
#[derive(Clone, Copy, Debug)]
pub struct KernelTrial {
    /// The last part of its name.
    pub name: &'static str,
    /// The check.
    pub run: fn(&KernelSubject<'_>) -> Outcome,
}

/// The trials of a variant of a kernel; all of them are in the quick part.
pub const TRIALS: &[KernelTrial] = &[
    KernelTrial {
        name: "agrees",
        run: agrees,
    },
    KernelTrial {
        name: "checks_lengths",
        run: checks_lengths,
    },
];

const FEW_LENGTHS: &[usize] = &[0, 1, 3, 4, 8, 15, 16, 17, 67];
const LONG_LENGTHS: &[usize] = &[127, 128, 129, 513, 1000, 4096];

/// What is passed to one call.
struct Arguments {
    data: Vec<f32>,
    sources: Vec<Vec<f32>>,
    parameters: Vec<f32>,
}

/// Where the parameters of a call lie in their ranges.
#[derive(Clone, Copy)]
enum Place {
    Least,
    Greatest,
    Within,
}

impl Arguments {
    fn draw(
        kernel: &UserKernel,
        len: usize,
        noise: &mut Noise,
        palette: Palette,
        place: Place,
    ) -> Self {
        let facts = kernel.facts();
        let mut samples = || -> Vec<f32> { (0..len).map(|_| f32::draw(noise, palette)).collect() };
        let data = samples();
        let sources = (0..facts.sources).map(|_| samples()).collect();
        let parameter = |(_, min, max): &(String, f32, f32)| match place {
            Place::Least => *min,
            Place::Greatest => *max,
            Place::Within => {
                let part = (noise.unit() + 1.0) / 2.0;
                let value = f64::from(*min) + (f64::from(*max) - f64::from(*min)) * part;
                (value as f32).clamp(*min, *max)
            }
        };
        Self {
            data,
            sources,
            parameters: facts.parameters.iter().map(parameter).collect(),
        }
    }

    /// What the kernel makes of the data, which begins `offset` samples off a cache line, and the
    /// sources elsewhere.
    fn run(&self, kernel: &UserKernel, offset: usize) -> Result<Vec<f32>, String> {
        let mut data = Guarded::new(&self.data, offset);
        let places = (1..).map(|source| (offset + 3 * source) % 16);
        let held: Vec<Guarded<f32>> = self
            .sources
            .iter()
            .zip(places)
            .map(|(source, offset)| Guarded::new(source, offset))
            .collect();
        let sources: Vec<&[f32]> = held.iter().map(Guarded::get).collect();
        kernel
            .call(data.get_mut(), &sources, &self.parameters)
            .map_err(|e| format!("failed: {}", e.report()))?;
        data.intact()?;
        for (index, (held, source)) in held.iter().zip(&self.sources).enumerate() {
            held.intact().map_err(|e| format!("source {index}: {e}"))?;
            if let Some(i) = (0..source.len()).find(|i| !held.get()[*i].same(source[*i])) {
                return Err(format!("wrote over sample {i} of source {index}"));
            }
        }
        Ok(data.get().to_vec())
    }
}

/// The variant is within the kernel's bound of the reference, sample by sample, at every length and
/// alignment, with parameters at the ends of their ranges and within; it touches nothing else. What
/// is not finite in the reference's result is the same in the variant's.
fn agrees(subject: &KernelSubject<'_>) -> Outcome {
    let all: Vec<usize> = (0..=70).chain(LONG_LENGTHS.iter().copied()).collect();
    let lengths = match subject.effort {
        Effort::Quick => FEW_LENGTHS,
        Effort::Full => &all,
    };
    let mut noise = Noise::new(0x6b65_726e);
    for &len in lengths {
        for palette in Palette::ALL {
            for place in [Place::Least, Place::Greatest, Place::Within] {
                let arguments = Arguments::draw(subject.kernel, len, &mut noise, palette, place);
                let offset = (noise.bits() % 16) as usize;
                compare(subject, &arguments, offset).map_err(|e| {
                    format!(
                        "length {len}, offset {offset}, parameters {:?}: {e}",
                        arguments.parameters
                    )
                })?;
            }
        }
    }
    Ok(())
}

fn compare(subject: &KernelSubject<'_>, arguments: &Arguments, offset: usize) -> Outcome {
    let wanted = arguments.run(subject.reference, 0)?;
    let got = arguments.run(subject.kernel, offset)?;
    let Bound { relative, absolute } = subject.kernel.facts().bound;
    for (index, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        let wanted = f64::from(*wanted);
        let bound = f64::from(absolute) + f64::from(relative) * wanted.abs();
        near(*got, wanted, bound).map_err(|e| format!("sample {index} is {e}"))?;
    }
    Ok(())
}

/// A call with another number of sources or parameters, or with a source of another length, is
/// refused and writes nothing.
fn checks_lengths(subject: &KernelSubject<'_>) -> Outcome {
    let kernel = subject.kernel;
    let facts = kernel.facts();
    let (sources, parameters) = (facts.sources, facts.parameters.len());
    let mut wrong = vec![(sources + 1, 67, parameters), (sources, 67, parameters + 1)];
    if parameters > 0 {
        wrong.push((sources, 67, parameters - 1));
    }
    if sources > 0 {
        wrong.extend([
            (sources - 1, 67, parameters),
            (sources, 66, parameters),
            (sources, 68, parameters),
            (sources, 0, parameters),
        ]);
    }
    let data = [0.5_f32; 67];
    for (sources, len, parameters) in wrong {
        let source = vec![0.25; len];
        let sources = vec![source.as_slice(); sources];
        let parameters = vec![0.5; parameters];
        let what = || {
            format!(
                "67 samples, {} sources of {len}, {} parameters",
                sources.len(),
                parameters.len()
            )
        };
        refuses(what, &data, |data| kernel.call(data, &sources, &parameters))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use auralis_core::{KernelFacts, VariantFacts};

    use super::*;

    /// Doubles what it is given, but for what `fault` does to it.
    fn doubling(fault: fn(&mut [f32])) -> UserKernel {
        let facts = KernelFacts {
            name: "test.double".into(),
            variants: vec![VariantFacts {
                id: "reference".into(),
                ..VariantFacts::default()
            }],
            ..KernelFacts::default()
        };
        let run = move |data: &mut [f32], _: &[&[f32]], _: &[f32]| {
            data.iter_mut().for_each(|x| *x *= 2.0);
            fault(data);
            Ok(())
        };
        UserKernel::remote(Arc::new(facts), 0, run).unwrap()
    }

    fn tried(fault: fn(&mut [f32]), effort: Effort) -> Outcome {
        let (reference, kernel) = (doubling(|_| {}), doubling(fault));
        let subject = KernelSubject {
            reference: &reference,
            kernel: &kernel,
            effort,
        };
        TRIALS.iter().try_for_each(|trial| (trial.run)(&subject))
    }

    #[test]
    fn a_wrong_tail_is_found_and_told() {
        let wrong_tail: fn(&mut [f32]) = |data| {
            let tail = data.len() / 8 * 8;
            if let [.., last] = &mut data[tail..] {
                *last = 77.0;
            }
        };
        for effort in [Effort::Quick, Effort::Full] {
            assert_eq!(tried(|_| {}, effort), Ok(()));
            let found = tried(wrong_tail, effort).unwrap_err();
            assert!(found.starts_with("length 1, offset "), "{found}");
            assert!(found.contains("sample 0 is 77.0, expected"), "{found}");
        }
    }
}
