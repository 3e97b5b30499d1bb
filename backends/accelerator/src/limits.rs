//! What this machine can do at most: streams over memory, and multiply-adds without any.
//!
//! Whoever calls takes the time. What a kernel reaches is held against it.

use std::hint::black_box;

use auralis_core::CpuFeatures;

use crate::isa::{Body, Isa, Portable};

/// The plainest work that an instruction set can do.
pub trait Probe {
    /// The instruction set.
    fn name(&self) -> &'static str;

    /// Reads every sample.
    fn load(&self, data: &[f32]) -> f32;

    /// Writes every sample.
    fn store(&self, data: &mut [f32], value: f32);

    /// Reads and writes every sample.
    fn update(&self, data: &mut [f32], gain: f32);

    /// Reads two samples for each that it writes; what has no partner is left alone.
    fn add(&self, dst: &mut [f32], src: &[f32]);

    /// Multiplies and adds `times` times in registers, as many at once as it takes to hide how long one
    /// takes. Says how many additions and multiplications that was.
    fn multiply_add(&self, times: usize) -> usize;
}

/// The probe of the widest instruction set that is allowed and that this CPU has.
pub fn widest(allowed: CpuFeatures) -> Box<dyn Probe> {
    #[cfg(target_arch = "x86_64")]
    {
        use crate::isa::{Avx2, Avx512, Sse42};
        if let Some(isa) = Avx512::detect(allowed) {
            return Box::new(Of(isa));
        }
        if let Some(isa) = Avx2::detect(allowed) {
            return Box::new(Of(isa));
        }
        if let Some(isa) = Sse42::detect(allowed) {
            return Box::new(Of(isa));
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(isa) = crate::isa::Neon::detect(allowed) {
        return Box::new(Of(isa));
    }
    let _ = allowed;
    Box::new(Of(Portable))
}

struct Of<I>(I);

impl<I: Isa> Probe for Of<I> {
    fn name(&self) -> &'static str {
        I::NAME
    }

    fn load(&self, data: &[f32]) -> f32 {
        self.0.run(Load(data))
    }

    fn store(&self, data: &mut [f32], value: f32) {
        self.0.run(|| data.fill(value));
        black_box(data);
    }

    fn update(&self, data: &mut [f32], gain: f32) {
        self.0.run(|| data.iter_mut().for_each(|x| *x *= gain));
        black_box(data);
    }

    fn add(&self, dst: &mut [f32], src: &[f32]) {
        let body = || dst.iter_mut().zip(src).for_each(|(d, s)| *d += s);
        self.0.run(body);
        black_box(dst);
    }

    fn multiply_add(&self, times: usize) -> usize {
        let x = black_box(0.5);
        // Eight vectors: two units, each with a latency of four cycles.
        let (lanes, sum) = match widest_vector::<I>() {
            16 => (128, self.0.run(MultiplyAdd::<I, 128>(self.0, x, times))),
            8 => (64, self.0.run(MultiplyAdd::<I, 64>(self.0, x, times))),
            _ => (32, self.0.run(MultiplyAdd::<I, 32>(self.0, x, times))),
        };
        black_box(sum);
        2 * lanes * times
    }
}

/// The samples in a vector.
const fn widest_vector<I: Isa>() -> usize {
    if has::<I>("avx512f") {
        16
    } else if has::<I>("avx") {
        8
    } else {
        4
    }
}

const fn has<I: Isa>(feature: &str) -> bool {
    I::REQUIRES.contains(CpuFeatures::of(&[feature]))
}

/// Adds up all samples in as many sums as keep two loads in each cycle from waiting.
struct Load<'a>(&'a [f32]);

impl Body for Load<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        const SUMS: usize = 128;
        let (chunks, rest) = self.0.as_chunks::<SUMS>();
        let mut sums = [0.0; SUMS];
        for chunk in chunks {
            for i in 0..SUMS {
                sums[i] += chunk[i];
            }
        }
        sums.iter().chain(rest).sum()
    }
}

struct MultiplyAdd<I, const LANES: usize>(I, f32, usize);

impl<I: Isa, const LANES: usize> Body for MultiplyAdd<I, LANES> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let Self(_, x, times) = self;
        let mut sums = [x; LANES];
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += i as f32;
        }
        for _ in 0..times {
            for sum in &mut sums {
                // Without the instruction `mul_add` would be a call into the C library.
                *sum = if const { has::<I>("fma") || has::<I>("neon") } {
                    sum.mul_add(x, x)
                } else {
                    *sum * x + x
                };
            }
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_probe_does_what_it_is_timed_for() {
        for allowed in [
            CpuFeatures::NONE,
            CpuFeatures::detect().without(CpuFeatures::of(&["avx512f"])),
            CpuFeatures::detect(),
        ] {
            let probe = widest(allowed);
            let mut data = vec![0.5; 300];
            assert_eq!(probe.load(&data), 150.0, "{}", probe.name());
            probe.update(&mut data, 4.0);
            probe.add(&mut data, &[1.0; 300]);
            assert_eq!(data, [3.0; 300]);
            probe.store(&mut data, 7.0);
            assert_eq!(data, [7.0; 300]);
            assert!(probe.multiply_add(10) >= 2 * 10 * 32);
        }
        assert_eq!(widest(CpuFeatures::NONE).name(), "portable");
    }
}
