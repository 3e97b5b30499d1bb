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

    /// Reads every sample: the sum of the products of the first half with the second.
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
        black_box(match widest_vector::<I>() {
            16 => self.0.run(Load::<I, 128>(self.0, data)),
            8 => self.0.run(Load::<I, 64>(self.0, data)),
            _ => self.0.run(Load::<I, 32>(self.0, data)),
        })
    }

    fn store(&self, data: &mut [f32], value: f32) {
        self.0.run(Store(data, value));
    }

    fn update(&self, data: &mut [f32], gain: f32) {
        self.0.run(Update(data, gain));
    }

    fn add(&self, dst: &mut [f32], src: &[f32]) {
        self.0.run(Add(dst, src));
    }

    fn multiply_add(&self, times: usize) -> usize {
        let x = black_box(0.5);
        // Two times four vectors: two units, each with a latency of four cycles.
        let (lanes, sum) = match widest_vector::<I>() {
            16 => (128, self.0.run(MultiplyAdd::<I, 64>(self.0, x, times))),
            8 => (64, self.0.run(MultiplyAdd::<I, 32>(self.0, x, times))),
            _ => (32, self.0.run(MultiplyAdd::<I, 16>(self.0, x, times))),
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

/// `a * b + c`. Without the instruction `mul_add` would be a call into the C library.
#[inline(always)]
fn multiply_add<I: Isa>(a: f32, b: f32, c: f32) -> f32 {
    if const { has::<I>("fma") || has::<I>("neon") } {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}

/// The sum of the products of the first half with the second: two loads for each multiply-add, which is
/// what keeps a core's loads busy.
struct Load<'a, I, const SUMS: usize>(I, &'a [f32]);

impl<I: Isa, const SUMS: usize> Body for Load<'_, I, SUMS> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let (first, second) = self.1.split_at(self.1.len() / 2);
        let (first, rest) = first.as_chunks::<SUMS>();
        let (second, more) = second.as_chunks::<SUMS>();
        let mut sum = added_up(products::<I, SUMS>(first, second));
        for (a, b) in rest.iter().zip(more) {
            sum += a * b;
        }
        sum
    }
}

#[inline(always)]
fn products<I: Isa, const SUMS: usize>(a: &[[f32; SUMS]], b: &[[f32; SUMS]]) -> [f32; SUMS] {
    let mut sums = [0.0; SUMS];
    for (a, b) in a.iter().zip(b) {
        for i in 0..SUMS {
            sums[i] = multiply_add::<I>(a[i], b[i], sums[i]);
        }
    }
    sums
}

/// By halves: one after the other would take as long as a whole stream over the nearest cache.
#[inline(always)]
fn added_up<const LANES: usize>(mut sums: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

struct Store<'a>(&'a mut [f32], f32);

impl Body for Store<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(data, value) = self;
        for x in data {
            *x = value;
        }
    }
}

struct Update<'a>(&'a mut [f32], f32);

impl Body for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(data, gain) = self;
        for x in data {
            *x *= gain;
        }
    }
}

struct Add<'a>(&'a mut [f32], &'a [f32]);

impl Body for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self(dst, src) = self;
        for (dst, src) in dst.iter_mut().zip(src) {
            *dst += *src;
        }
    }
}

/// `sum * x + x` over and over, in twice as many sums as there are lanes: in two arrays, because a
/// larger one is kept in memory.
struct MultiplyAdd<I, const LANES: usize>(I, f32, usize);

impl<I: Isa, const LANES: usize> Body for MultiplyAdd<I, LANES> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let Self(_, x, times) = self;
        let mut some = [x; LANES];
        let mut others = [-x; LANES];
        for i in 0..LANES {
            some[i] += i as f32;
            others[i] += i as f32;
        }
        for _ in 0..times {
            for sum in &mut some {
                *sum = multiply_add::<I>(*sum, x, x);
            }
            for sum in &mut others {
                *sum = multiply_add::<I>(*sum, x, x);
            }
        }
        for i in 0..LANES {
            some[i] += others[i];
        }
        added_up(some)
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
            assert_eq!(probe.load(&data), 37.5, "{}", probe.name());
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
