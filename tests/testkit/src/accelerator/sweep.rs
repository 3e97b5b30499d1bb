//! The calls by which kernels on slices are tested: lengths, alignments and numbers.

use std::fmt::Display;

use auralis_core::{Accelerator, Result};

use super::Tested;
use super::guarded::{Guarded, refuses};
use super::reference::Verdict;
use super::samples::{Noise, Palette, Sample};
use crate::{Effort, Outcome};

/// Where in a slice a sample lies.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) index: usize,
    pub(super) len: usize,
}

/// One call: a length, an alignment, a palette.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) len: usize,
    /// In samples from a multiple of 64 bytes.
    pub(super) offset: usize,
    pub(super) palette: Palette,
}

impl Case {
    /// The values of one argument: the same ones each time.
    pub(super) fn draw<T: Sample>(&self, argument: u64) -> Vec<T> {
        self.draw_with(argument, T::draw)
    }

    fn draw_with<T>(&self, argument: u64, draw: impl Fn(&mut Noise, Palette) -> T) -> Vec<T> {
        let mut noise = Noise::new(argument << 32 ^ (self.len as u64) << 8 ^ self.palette as u64);
        (0..self.len)
            .map(|_| draw(&mut noise, self.palette))
            .collect()
    }

    /// What was found, with the length and the alignment.
    fn tell(&self, found: impl Display) -> String {
        let Self { len, offset, .. } = *self;
        match offset {
            0 => format!("length {len}: {found}"),
            _ => format!("length {len}: {found} (at offset {offset} from a cache line)"),
        }
    }

    pub(super) fn succeeds<T>(&self, result: Result<T>) -> std::result::Result<T, String> {
        result.map_err(|e| self.tell(format_args!("failed: {}", e.report())))
    }

    fn result(&self, verdict: Verdict) -> Outcome {
        verdict.map_err(|e| self.tell(format_args!("the result is {e}")))
    }

    pub(super) fn sample(&self, index: usize, verdict: Verdict) -> Outcome {
        verdict.map_err(|e| self.tell(format_args!("sample {index} is {e}")))
    }

    pub(super) fn intact<T: Sample>(&self, slice: &Guarded<T>) -> Outcome {
        slice.intact().map_err(|e| self.tell(e))
    }

    fn repeats<T: Sample>(&self, first: &[T], second: &[T]) -> Outcome {
        match first.iter().zip(second).position(|(a, b)| !a.same(*b)) {
            None => Ok(()),
            Some(i) => Err(self.tell(format_args!(
                "sample {i} is {:?} the first time and {:?} the second",
                first[i], second[i]
            ))),
        }
    }
}

/// Lengths around those of vectors and blocks of them, that end in the body or in the tail.
const QUICK: [(usize, Palette); 8] = [
    (0, Palette::Plain),
    (1, Palette::Plain),
    (7, Palette::Wild),
    (31, Palette::Plain),
    (64, Palette::NonFinite),
    (67, Palette::Plain),
    (67, Palette::Wild),
    (130, Palette::Plain),
];

/// The calls by which a kernel is tested.
pub(super) struct Sweep {
    channels: usize,
    effort: Effort,
}

impl Sweep {
    pub(super) fn of(subject: Tested<'_>) -> Self {
        Self::frames(subject, 1)
    }

    /// Lengths are multiples of the number of channels.
    pub(super) fn frames(subject: Tested<'_>, channels: usize) -> Self {
        let effort = subject.effort;
        Self { channels, effort }
    }

    pub(super) fn cases(&self) -> Vec<Case> {
        let case = |frames: usize, offset, palette| Case {
            len: frames * self.channels,
            offset,
            palette,
        };
        let longest = 300 / self.channels.clamp(1, 30);
        let mut cases: Vec<Case> = match self.effort {
            Effort::Quick => QUICK
                .into_iter()
                .filter(|(frames, _)| *frames <= longest)
                .map(|(frames, palette)| case(frames, 1, palette))
                .collect(),
            Effort::Full => self
                .lengths(longest)
                .zip(Palette::ALL.into_iter().cycle())
                .map(|((frames, offset), palette)| case(frames, offset, palette))
                .collect(),
        };
        // No samples come last: a kernel that writes there may end the process, where a guard behind
        // samples would have said what it does.
        cases.rotate_left(1);
        cases
    }

    /// Every length up to the longest, each at another offset; some at every offset; some long ones.
    /// Where palettes take turns with them, each length has one and each remainder of a vector has
    /// all.
    fn lengths(&self, longest: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let few = self.channels < 3;
        let each = (0..=longest).map(|frames| (frames, frames % 16));
        let shifted = [5, 16, 33, 100]
            .into_iter()
            .flat_map(|len| (0..16).map(move |o| (len, o)));
        let long = [(1023, 0), (4096, 1), (65_537, 3)];
        each.chain(shifted.chain(long).filter(move |_| few))
    }

    /// Tests a kernel that computes every sample of `dst` from what stood there and from the samples
    /// of the sources at its place.
    pub(super) fn each<T: Sample, S: Sample, const N: usize>(
        &self,
        subject: Tested<'_>,
        call: impl Fn(&dyn Accelerator, &mut [T], [&[S]; N]) -> Result<()>,
        judge: impl Fn(At, T, [S; N], T) -> Verdict,
    ) -> Outcome {
        self.each_drawn(subject, S::draw, call, judge)
    }

    /// The same with sources of the trial's own.
    pub(super) fn each_drawn<T: Sample, S: Sample, const N: usize>(
        &self,
        subject: Tested<'_>,
        draw: impl Fn(&mut Noise, Palette) -> S,
        call: impl Fn(&dyn Accelerator, &mut [T], [&[S]; N]) -> Result<()>,
        judge: impl Fn(At, T, [S; N], T) -> Verdict,
    ) -> Outcome {
        let accelerator = subject.instance()?;
        for case in self.cases() {
            let before = case.draw::<T>(0);
            let sources = sources(&case, &draw);
            let sources: [&[S]; N] = sources.each_ref().map(Guarded::get);
            let run = || {
                let mut dst = Guarded::new(&before, case.offset);
                case.succeeds(call(&*accelerator, dst.get_mut(), sources))?;
                case.intact(&dst)?;
                Ok::<_, String>(dst)
            };
            let (first, second) = (run()?, run()?);
            for (index, got) in first.get().iter().enumerate() {
                let at = At {
                    index,
                    len: case.len,
                };
                let verdict = judge(at, before[index], sources.map(|s| s[index]), *got);
                case.sample(index, verdict)?;
            }
            case.repeats(first.get(), second.get())?;
        }
        self.unequal(&draw, |dst, sources| call(&*accelerator, dst, sources))
    }

    /// Tests a kernel that computes `M` numbers from whole slices.
    pub(super) fn whole<const N: usize, const M: usize>(
        &self,
        subject: Tested<'_>,
        call: impl Fn(&dyn Accelerator, [&[f32]; N]) -> Result<[f32; M]>,
        judge: impl Fn([&[f32]; N], [f32; M]) -> Verdict,
    ) -> Outcome {
        let accelerator = subject.instance()?;
        for case in self.cases() {
            let sources = sources(&case, f32::draw);
            let sources = sources.each_ref().map(Guarded::get);
            let first = case.succeeds(call(&*accelerator, sources))?;
            let second = case.succeeds(call(&*accelerator, sources))?;
            case.result(judge(sources, first))?;
            case.repeats(&first, &second)?;
        }
        if N < 2 {
            return Ok(());
        }
        // The first slice takes the part of `dst`; it is not written.
        self.unequal(f32::draw, |_: &mut [f32], sources| {
            call(&*accelerator, sources).map(drop)
        })
    }

    /// Tests that sources of another length are refused.
    fn unequal<T: Sample, S: Sample, const N: usize>(
        &self,
        draw: impl Fn(&mut Noise, Palette) -> S,
        call: impl Fn(&mut [T], [&[S]; N]) -> Result<()>,
    ) -> Outcome {
        for len in [0, 1, 5, 64] {
            let case = Case {
                len,
                offset: 0,
                palette: Palette::Plain,
            };
            let longer = Case {
                len: len + 1,
                ..case
            };
            for odd in 0..N {
                for other in [len + 1, len.saturating_sub(1)]
                    .into_iter()
                    .filter(|l| *l != len)
                {
                    let sources = sources::<S, N>(&longer, &draw);
                    let mut lengths = [len; N];
                    lengths[odd] = other;
                    let mut k = 0..;
                    let slices = sources
                        .each_ref()
                        .map(|source| &source.get()[..k.next().map_or(0, |k: usize| lengths[k])]);
                    refuses(
                        || format!("length {len} with a source of {other}"),
                        &case.draw::<T>(0),
                        |dst| call(dst, slices),
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Sources at different offsets, so that not all of them can be aligned with `dst`.
fn sources<S: Sample, const N: usize>(
    case: &Case,
    draw: impl Fn(&mut Noise, Palette) -> S,
) -> [Guarded<S>; N] {
    std::array::from_fn(|i| {
        let values = case.draw_with(1 + i as u64, &draw);
        Guarded::new(&values, case.offset + 5 * i)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use auralis_core::{BuildContext, CpuFeatures, Error, ErrorKind};

    use super::*;
    use crate::Subject;

    type Context<'a> = BuildContext<'a, dyn Accelerator>;
    type Built = Result<Arc<dyn Accelerator>>;

    /// `scale` and `dot`, right unless a part of the slice is left out.
    #[derive(Clone, Copy, Debug)]
    struct Careless {
        scale_omits: fn(usize) -> usize,
        dot_omits: usize,
    }

    impl Accelerator for Careless {
        fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
            let len = data.len() - (self.scale_omits)(data.len());
            data[..len].iter_mut().for_each(|x| *x *= gain);
            Ok(())
        }

        fn dot(&self, a: &[f32], b: &[f32]) -> Result<f32> {
            if a.len() != b.len() {
                let message = "the slices are not of equal length";
                return Err(Error::new(ErrorKind::InvalidInput, message));
            }
            let len = a.len().saturating_sub(self.dot_omits);
            Ok(a[..len].iter().zip(b).map(|(a, b)| a * b).sum())
        }
    }

    fn outcome(accelerator: Careless, trial: &str) -> Outcome {
        let build = move |_: &Context<'_>| -> Built { Ok(Arc::new(accelerator)) };
        let subject = Subject::new(
            "careless",
            &["scale", "dot"],
            "{}",
            CpuFeatures::NONE,
            &build,
        );
        let trials = super::super::trials();
        let trial = trials
            .iter()
            .find(|t| t.name == trial)
            .expect("a trial of this name");
        (trial.run)(&subject)
    }

    const CORRECT: Careless = Careless {
        scale_omits: |_| 0,
        dot_omits: 0,
    };

    #[test]
    fn a_correct_accelerator_passes() {
        for trial in ["scale", "dot", "unsupported"] {
            assert_eq!(outcome(CORRECT, trial), Ok(()), "{trial}");
        }
    }

    #[test]
    fn a_tail_left_out_by_one_is_found_with_its_length_and_index() {
        let careless = Careless {
            scale_omits: |len| usize::from(len % 8 == 7),
            ..CORRECT
        };
        let message = outcome(careless, "scale").unwrap_err();
        assert!(message.starts_with("length 7: sample 6 is "), "{message}");
        assert!(message.contains(", expected "), "{message}");
    }

    #[test]
    fn a_sum_without_its_last_term_is_found_with_its_length() {
        let careless = Careless {
            dot_omits: 1,
            ..CORRECT
        };
        let message = outcome(careless, "dot").unwrap_err();
        assert!(
            message.starts_with("length 1: the result is -0.0, expected "),
            "{message}"
        );
    }

    #[test]
    fn a_kernel_that_is_not_listed_must_say_so() {
        let build = |_: &Context<'_>| -> Built { Ok(Arc::new(CORRECT)) };
        let complaint = "scale is not listed, yet it answers with a result";
        for (listed, expected) in [
            (&["dot"][..], Some(complaint)),
            (&["scale", "dot"], None),
            // One that a later version of the traits may have.
            (&["scale", "dot", "later"], None),
        ] {
            let subject = Subject::new("careless", listed, "{}", CpuFeatures::NONE, &build);
            let trials = super::super::trials();
            let trial = trials
                .iter()
                .find(|t| t.name == "unsupported")
                .expect("that trial");
            let found = (trial.run)(&subject).err();
            let begin = |text: &str| text[..text.len().min(complaint.len())].to_owned();
            assert_eq!(found.as_deref().map(begin), expected.map(str::to_owned));
        }
    }
}
