//! The trials of the kernels on slices.

use std::fmt::Display;

use auralis_core::{Accelerator, Complex, Result};

use super::environment;
use super::guarded::{Guarded, refuses};
use super::reference::{
    EPSILON, UNDERFLOW, Verdict, equal, exact, integer, near, near_complex, wide,
};
use super::samples::{Float, Noise, Palette, Sample};
use crate::{Effort, Outcome, Subject, Trial, check};

type Tested<'a> = &'a Subject<'a, dyn Accelerator>;

macro_rules! trials {
    ($($name:ident)*) => {
        pub(super) fn trials() -> Vec<Trial<dyn Accelerator>> {
            vec![$(Trial {
                name: stringify!($name),
                needs: Some(stringify!($name)),
                quick: true,
                run: |subject| {
                    $name(subject)?;
                    environment::unchanged()
                },
            }),*]
        }
    };
}

trials! {
    scale ramp channel_gains add mix mul dot sum_squares peak min_max clip interleave deinterleave
    f32_from_i16 f32_from_i24 f32_from_i32 i16_from_f32 i24_from_f32 i32_from_f32
    complex_mul complex_mul_add tanh exp ln scale_f64 channel_gains_f64
}

const GAINS: [f64; 4] = [-1.7, 0.0, f64::INFINITY, f64::NAN];

fn scale(subject: Tested<'_>) -> Outcome {
    scale_by(subject, |accelerator, data, gain: f32| {
        accelerator.scale(data, gain)
    })
}

fn scale_f64(subject: Tested<'_>) -> Outcome {
    scale_by(subject, |accelerator, data, gain: f64| {
        accelerator.scale_f64(data, gain)
    })
}

fn scale_by<T: Float>(
    subject: Tested<'_>,
    call: impl Fn(&dyn Accelerator, &mut [T], T) -> Result<()>,
) -> Outcome {
    let sweep = Sweep::of(subject);
    for gain in GAINS.map(T::of) {
        sweep.each(
            subject,
            |accelerator, data, []: [&[T]; 0]| call(accelerator, data, gain),
            |_, x, [], got| exact(got, x * gain),
        )?;
    }
    Ok(())
}

fn ramp(subject: Tested<'_>) -> Outcome {
    let sweep = Sweep::of(subject);
    let huge = f32::MAX;
    for (from, to) in [
        (0.0, 1.0),
        (1.0, 0.0),
        (0.25, -1.5),
        (1.0, 1.0),
        (huge, -huge),
    ] {
        let steepest = f64::from(from).abs().max(f64::from(to).abs());
        sweep.each(
            subject,
            |accelerator, data, []: [&[f32]; 0]| accelerator.ramp(data, from, to),
            |at, x, [], got| {
                if !x.is_finite() {
                    return if got.is_finite() {
                        Err(format!("{got:?} of {x:?}"))
                    } else {
                        Ok(())
                    };
                }
                let (x, from, to) = (f64::from(x), f64::from(from), f64::from(to));
                let gain = from + (to - from) * at.index as f64 / at.len as f64;
                near(
                    got,
                    x * gain,
                    4.0 * EPSILON * x.abs() * steepest + UNDERFLOW,
                )
            },
        )?;
    }
    Ok(())
}

fn channel_gains(subject: Tested<'_>) -> Outcome {
    gains_by_channel(subject, |accelerator, data, gains: &[f32]| {
        accelerator.channel_gains(data, gains)
    })
}

fn channel_gains_f64(subject: Tested<'_>) -> Outcome {
    gains_by_channel(subject, |accelerator, data, gains: &[f64]| {
        accelerator.channel_gains_f64(data, gains)
    })
}

fn gains_by_channel<T: Float>(
    subject: Tested<'_>,
    call: impl Fn(&dyn Accelerator, &mut [T], &[T]) -> Result<()>,
) -> Outcome {
    for channels in [1, 2, 3, 6, 32, 33, 100] {
        let mut noise = Noise::new(channels as u64);
        let gains: Vec<T> = (0..channels)
            .map(|_| T::draw(&mut noise, Palette::Plain))
            .collect();
        Sweep::frames(subject, channels).each(
            subject,
            |accelerator, data, []: [&[T]; 0]| call(accelerator, data, &gains),
            |at, x, [], got| exact(got, x * gains[at.index % channels]),
        )?;
    }
    let accelerator = subject.instance()?;
    for (len, channels) in [(1, 2), (7, 3), (5, 0), (64, 65)] {
        let gains = vec![T::of(0.5); channels];
        refuses(
            || format!("length {len} with {channels} gains"),
            &vec![T::of(1.0); len],
            |data| call(&*accelerator, data, &gains),
        )?;
    }
    call(&*accelerator, &mut [], &[]).map_err(|e| format!("length 0: failed: {e}"))
}

fn add(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.add(dst, src),
        |_, d, [s], got| exact(got, d + s),
    )
}

fn mix(subject: Tested<'_>) -> Outcome {
    for gain in [-0.3_f32, 0.0, 1e15] {
        Sweep::of(subject).each(
            subject,
            |accelerator, dst, [src]: [&[f32]; 1]| accelerator.mix(dst, src, gain),
            |_, d, [s], got| {
                let (d, product) = (f64::from(d), f64::from(s) * f64::from(gain));
                near(
                    got,
                    d + product,
                    EPSILON * (d.abs() + product.abs()) + UNDERFLOW,
                )
            },
        )?;
    }
    Ok(())
}

fn mul(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.mul(dst, src),
        |_, d, [s], got| exact(got, d * s),
    )
}

fn clip(subject: Tested<'_>) -> Outcome {
    for (low, high) in [(-0.5, 0.5), (0.0, 0.25), (0.3, 0.3), (-0.0, f32::INFINITY)] {
        Sweep::of(subject).each(
            subject,
            |accelerator, data, []: [&[f32]; 0]| accelerator.clip(data, low, high),
            |_, x, [], got| equal(got, x.clamp(low, high)),
        )?;
    }
    let accelerator = subject.instance()?;
    for (low, high) in [(1.0, -1.0), (f32::NAN, 1.0), (0.0, f32::NAN)] {
        refuses(
            || format!("limits {low} and {high}"),
            &[3.0, -3.0],
            |data| accelerator.clip(data, low, high),
        )?;
    }
    Ok(())
}

fn dot(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [a, b]| accelerator.dot(a, b).map(|sum| [sum]),
        |[a, b], [got]| near_sum(got, a, b),
    )
}

fn sum_squares(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [data]| accelerator.sum_squares(data).map(|sum| [sum]),
        |[data], [got]| near_sum(got, data, data),
    )
}

fn near_sum(got: f32, a: &[f32], b: &[f32]) -> Verdict {
    let products = || a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
    let size: f64 = products().map(f64::abs).sum();
    near(
        got,
        products().sum(),
        a.len() as f64 * (EPSILON * size + UNDERFLOW),
    )
}

fn peak(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [data]| accelerator.peak(data).map(|peak| [peak]),
        |[data], [got]| exact(got, data.iter().fold(0.0, |peak, x| x.abs().max(peak))),
    )
}

fn min_max(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).whole(
        subject,
        |accelerator, [data]| accelerator.min_max(data).map(|(min, max)| [min, max]),
        |[data], [min, max]| {
            equal(min, data.iter().copied().fold(f32::INFINITY, f32::min))?;
            equal(max, data.iter().copied().fold(f32::NEG_INFINITY, f32::max))
        },
    )
}

const PLANES: [usize; 8] = [0, 1, 2, 3, 4, 6, 8, 33];

fn interleave(subject: Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for channels in PLANES {
        let sweep = Sweep::frames(subject, channels);
        for case in sweep.cases() {
            let frames = case.len / channels.max(1);
            let planes = planes(&case, channels, frames);
            let planes: Vec<&[f32]> = planes.iter().map(Guarded::get).collect();
            let mut dst = Guarded::new(&case.draw::<f32>(1), case.offset);
            case.succeeds(accelerator.interleave(dst.get_mut(), &planes))?;
            case.intact(&dst)?;
            for (i, got) in dst.get().iter().enumerate() {
                case.sample(i, exact(*got, planes[i % channels][i / channels]))?;
            }
        }
    }
    for (left, right, len) in [(2, 2, 3), (2, 2, 5), (3, 1, 4), (0, 1, 0)] {
        refuses(
            || format!("planes of {left} and {right} into {len} samples"),
            &vec![0.25_f32; len],
            |dst| accelerator.interleave(dst, &[&[0.5; 3][..left], &[0.5; 3][..right]]),
        )?;
    }
    refuses(
        || "no planes into one sample".to_owned(),
        &[0.5_f32],
        |dst| accelerator.interleave(dst, &[]),
    )
}

fn deinterleave(subject: Tested<'_>) -> Outcome {
    let accelerator = subject.instance()?;
    for channels in PLANES {
        let sweep = Sweep::frames(subject, channels);
        for case in sweep.cases() {
            let frames = case.len / channels.max(1);
            let src = Guarded::new(&case.draw::<f32>(1), case.offset);
            let mut planes = planes(&case, channels, frames);
            let mut slices: Vec<&mut [f32]> = planes.iter_mut().map(Guarded::get_mut).collect();
            case.succeeds(accelerator.deinterleave(&mut slices, src.get()))?;
            planes.iter().try_for_each(|plane| case.intact(plane))?;
            for (i, wanted) in src.get().iter().enumerate() {
                let got = planes[i % channels].get()[i / channels];
                case.sample(i, exact(got, *wanted))?;
            }
        }
    }
    for (left, right, len) in [(2, 2, 3), (2, 2, 5), (3, 1, 4), (0, 1, 0)] {
        let src = vec![0.5_f32; len];
        refuses(
            || format!("{len} samples into planes of {left} and {right}"),
            &vec![0.25_f32; left + right],
            |dst| {
                let (left, right) = dst.split_at_mut(left);
                accelerator.deinterleave(&mut [left, right], &src)
            },
        )?;
    }
    check(accelerator.deinterleave(&mut [], &[0.5]).is_err(), || {
        "one sample into no planes: succeeded, expected InvalidInput".to_owned()
    })
}

/// Planes at different offsets, so that not all of them can be aligned.
fn planes(case: &Case, channels: usize, frames: usize) -> Vec<Guarded<f32>> {
    (0..channels)
        .map(|c| {
            let values = Case {
                len: frames,
                ..*case
            }
            .draw(2 + c as u64);
            Guarded::new(&values, case.offset + c)
        })
        .collect()
}

fn f32_from_i16(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[i16]; 1]| accelerator.f32_from_i16(dst, src),
        |_, _, [s], got| exact(got, (f64::from(s) / 32_768.0) as f32),
    )
}

fn f32_from_i24(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[[u8; 3]]; 1]| accelerator.f32_from_i24(dst, src),
        |_, _, [[low, middle, high]], got| {
            let sign = if high & 0x80 == 0 { 0 } else { 0xff };
            let s = i32::from_le_bytes([low, middle, high, sign]);
            exact(got, (f64::from(s) / 8_388_608.0) as f32)
        },
    )
}

fn f32_from_i32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [src]: [&[i32]; 1]| accelerator.f32_from_i32(dst, src),
        |_, _, [s], got| exact(got, (f64::from(s) / 2_147_483_648.0) as f32),
    )
}

fn i16_from_f32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each_drawn(
        subject,
        |noise, palette| about_integers(noise, palette, 15),
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.i16_from_f32(dst, src),
        |_, _, [s], got| exact(got, integer(s, 15) as i16),
    )
}

fn i24_from_f32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each_drawn(
        subject,
        |noise, palette| about_integers(noise, palette, 23),
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.i24_from_f32(dst, src),
        |_, _, [s], got| {
            let [low, middle, high, _] = integer(s, 23).to_le_bytes();
            exact(got, [low, middle, high])
        },
    )
}

fn i32_from_f32(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each_drawn(
        subject,
        |noise, palette| about_integers(noise, palette, 31),
        |accelerator, dst, [src]: [&[f32]; 1]| accelerator.i32_from_f32(dst, src),
        |_, _, [s], got| exact(got, integer(s, 31)),
    )
}

/// Noise within and beyond full scale, of which a part are ties between two integers of
/// `bits + 1` bits, and a part lie about the ends of their range.
fn about_integers(noise: &mut Noise, palette: Palette, bits: i32) -> f32 {
    let step = f64::from(-bits).exp2();
    match noise.bits() % 4 {
        // Small enough for f32 to hold the half.
        0 => (((noise.unit() * 2e6).floor() + 0.5) * step) as f32,
        1 => {
            let end = noise.pick(&[1.0, -1.0, 1.0 - step, 1.0 - step / 2.0, -1.0 - step / 2.0]);
            let near = end as f32;
            noise.pick(&[near, near.next_up(), near.next_down(), f32::MAX, f32::MIN])
        }
        2 => (noise.unit() * 1.1) as f32,
        _ => f32::draw(noise, palette),
    }
}

fn complex_mul(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [a, b]: [&[Complex<f32>]; 2]| accelerator.complex_mul(dst, a, b),
        |_, _: Complex<f32>, [a, b], got| {
            let (a, b) = (wide(a), wide(b));
            let bound = 2.0 * (EPSILON * a.norm() * b.norm() + UNDERFLOW);
            near_complex(got, a * b, bound)
        },
    )
}

fn complex_mul_add(subject: Tested<'_>) -> Outcome {
    Sweep::of(subject).each(
        subject,
        |accelerator, dst, [a, b]: [&[Complex<f32>]; 2]| accelerator.complex_mul_add(dst, a, b),
        |_, d, [a, b], got| {
            let (d, a, b) = (wide(d), wide(a), wide(b));
            let bound = 3.0 * (EPSILON * (d.norm() + a.norm() * b.norm()) + UNDERFLOW);
            near_complex(got, d + a * b, bound)
        },
    )
}

fn tanh(subject: Tested<'_>) -> Outcome {
    function(subject, |a, data| a.tanh(data), f64::tanh)
}

fn exp(subject: Tested<'_>) -> Outcome {
    function(subject, |a, data| a.exp(data), f64::exp)
}

fn ln(subject: Tested<'_>) -> Outcome {
    function(subject, |a, data| a.ln(data), f64::ln)
}

/// Tests a function of single samples, within 2 ε of itself: in slices of any length, then all over the
/// numbers, then where such functions change their ways.
fn function(
    subject: Tested<'_>,
    call: impl Fn(&dyn Accelerator, &mut [f32]) -> Result<()>,
    reference: fn(f64) -> f64,
) -> Outcome {
    let judge = |x: f32, got: f32| {
        let wanted = reference(x.into());
        if wanted == 0.0 {
            return exact(got, wanted as f32);
        }
        // Below the normal numbers there is no more than the step.
        let normal = wanted.abs() >= f64::from(f32::MIN_POSITIVE);
        let step = if normal { 0.0 } else { UNDERFLOW };
        near(got, wanted, 2.0 * EPSILON * wanted.abs() + step)
    };
    Sweep::of(subject).each(
        subject,
        |accelerator, data, []: [&[f32]; 0]| call(accelerator, data),
        |_, x, [], got| judge(x, got),
    )?;
    // Prime, so that the mantissas differ from one exponent to the next.
    let stride = match subject.effort {
        Effort::Quick => 1_048_583,
        Effort::Full => 16_411,
    };
    let everywhere = (0..=u32::MAX).step_by(stride).map(f32::from_bits);
    let values: Vec<f32> = everywhere.chain(turning_points()).collect();
    let mut results = values.clone();
    let called = call(&*subject.instance()?, &mut results);
    called.map_err(|e| format!("length {}: failed: {}", values.len(), e.report()))?;
    for (x, got) in values.iter().zip(&results) {
        judge(*x, *got).map_err(|e| format!("of {x:?}: {e}"))?;
    }
    Ok(())
}

/// Where `exp` leaves the normal numbers and the range, where `tanh` reaches 1 and `ln` is 0, half-way
/// between two powers of two, and the ends of the number line: each with its neighbours, of either sign.
fn turning_points() -> impl Iterator<Item = f32> {
    let points = [
        0.0,
        f32::from_bits(1),
        f32::MIN_POSITIVE,
        0.346_573_6,
        std::f32::consts::LN_2,
        std::f32::consts::FRAC_1_SQRT_2,
        1.0,
        std::f32::consts::SQRT_2,
        9.010_913,
        9.1,
        87.336_55,
        88.722_84,
        103.278_93,
        103.972_08,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ];
    points.into_iter().flat_map(|x: f32| {
        let near = (-40..=40).map(move |n: i32| f32::from_bits(x.to_bits().wrapping_add_signed(n)));
        near.flat_map(|x| [x, -x])
    })
}

/// Where in a slice a sample lies.
#[derive(Clone, Copy)]
struct At {
    index: usize,
    len: usize,
}

/// One call: a length, an alignment, a palette.
#[derive(Clone, Copy)]
struct Case {
    len: usize,
    /// In samples from a multiple of 64 bytes.
    offset: usize,
    palette: Palette,
}

impl Case {
    /// The values of one argument: the same ones each time.
    fn draw<T: Sample>(&self, argument: u64) -> Vec<T> {
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

    fn succeeds<T>(&self, result: Result<T>) -> std::result::Result<T, String> {
        result.map_err(|e| self.tell(format_args!("failed: {}", e.report())))
    }

    fn result(&self, verdict: Verdict) -> Outcome {
        verdict.map_err(|e| self.tell(format_args!("the result is {e}")))
    }

    fn sample(&self, index: usize, verdict: Verdict) -> Outcome {
        verdict.map_err(|e| self.tell(format_args!("sample {index} is {e}")))
    }

    fn intact<T: Sample>(&self, slice: &Guarded<T>) -> Outcome {
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
struct Sweep {
    channels: usize,
    effort: Effort,
}

impl Sweep {
    fn of(subject: Tested<'_>) -> Self {
        Self::frames(subject, 1)
    }

    /// Lengths are multiples of the number of channels.
    fn frames(subject: Tested<'_>, channels: usize) -> Self {
        let effort = subject.effort;
        Self { channels, effort }
    }

    fn cases(&self) -> Vec<Case> {
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
    fn each<T: Sample, S: Sample, const N: usize>(
        &self,
        subject: Tested<'_>,
        call: impl Fn(&dyn Accelerator, &mut [T], [&[S]; N]) -> Result<()>,
        judge: impl Fn(At, T, [S; N], T) -> Verdict,
    ) -> Outcome {
        self.each_drawn(subject, S::draw, call, judge)
    }

    /// The same with sources of the trial's own.
    fn each_drawn<T: Sample, S: Sample, const N: usize>(
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
    fn whole<const N: usize, const M: usize>(
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
