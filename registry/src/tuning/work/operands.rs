//! The samples that kernels are timed on.

use auralis_core::{Complex, Kernel};

/// What kernels read and write. Noise below full scale: nothing overflows, nothing is denormal.
pub(super) struct Operands {
    /// As long as the kernel's first dimension says, like all that follow.
    pub data: Aligned<f32>,
    pub other: Aligned<f32>,
    pub third: Aligned<f32>,
    /// Close to 1, so that a product of many stays away from 0.
    pub near_one: Aligned<f32>,
    pub doubles: Aligned<f64>,
    pub more_doubles: Aligned<f64>,
    pub i16s: Aligned<i16>,
    pub i24s: Aligned<[u8; 3]>,
    pub i32s: Aligned<i32>,
    pub complex: Aligned<Complex<f32>>,
    pub complex_a: Aligned<Complex<f32>>,
    pub complex_b: Aligned<Complex<f32>>,
    /// As many as the second dimension says.
    pub taps: Vec<f32>,
    pub more_taps: Vec<f64>,
    pub second: usize,
}

impl Operands {
    /// The samples for a kernel at this size.
    pub fn new(kernel: Kernel, [first, second]: [usize; 2]) -> Self {
        // What is planned works on blocks; the size says how it is planned.
        let n = match kernel {
            Kernel::Fir | Kernel::Biquads => super::plans::BLOCK * first.clamp(1, 8),
            _ => first,
        };
        // A window or a kernel reaches beyond the output.
        let longer = n + second;
        let noise = &mut Noise(0x9e37_79b9_7f4a_7c15);
        let complex = |noise: &mut Noise| {
            let mut part = || noise.sample();
            Complex::new(part(), part())
        };
        let mut operands = Self {
            data: Aligned::new(n, 0),
            other: Aligned::new(longer, 4),
            third: Aligned::new(longer, 8),
            near_one: Aligned::new(n, 12),
            doubles: Aligned::new(n, 0),
            more_doubles: Aligned::new(longer, 4),
            i16s: Aligned::new(n, 8),
            i24s: Aligned::new(n, 8),
            i32s: Aligned::new(n, 8),
            complex: Aligned::new(n, 0),
            complex_a: Aligned::new(n, 4),
            complex_b: Aligned::new(n, 8),
            taps: (0..second).map(|_| noise.sample()).collect(),
            more_taps: (0..second).map(|_| noise.sample().into()).collect(),
            second,
        };
        operands.other.fill(|| noise.sample());
        operands.third.fill(|| noise.sample());
        operands.near_one.fill(|| 1.0 - noise.sample() / 8192.0);
        operands.more_doubles.fill(|| noise.sample().into());
        operands.i16s.fill(|| noise.bits() as i16);
        operands.i32s.fill(|| noise.bits() as i32);
        operands.i24s.fill(|| {
            let [a, b, c, _] = (noise.bits() as u32).to_le_bytes();
            [a, b, c]
        });
        operands.complex_a.fill(|| complex(noise));
        operands.complex_b.fill(|| complex(noise));
        operands.restore();
        operands
    }

    /// Makes what kernels change in place as it was: it would fade away or grow without end.
    pub fn restore(&mut self) {
        let n = self.data.len();
        self.data.copy_from_slice(&self.other[..n]);
        for (double, sample) in self.doubles.iter_mut().zip(self.other.iter()) {
            *double = f64::from(*sample);
        }
        self.complex.copy_from_slice(&self.complex_a);
    }

    /// All of it.
    pub fn view(&mut self) -> View<'_> {
        View {
            data: &mut self.data,
            other: &self.other,
            near_one: &self.near_one,
            doubles: &mut self.doubles,
            more_doubles: &self.more_doubles,
            i16s: &mut self.i16s,
            i24s: &mut self.i24s,
            i32s: &mut self.i32s,
            complex: &mut self.complex,
            complex_a: &self.complex_a,
            complex_b: &self.complex_b,
            taps: &self.taps,
            more_taps: &self.more_taps,
            second: self.second,
        }
    }
}

/// The samples by reference, so that what is timed does not look for them.
pub(super) struct View<'a> {
    pub data: &'a mut [f32],
    pub other: &'a [f32],
    pub near_one: &'a [f32],
    pub doubles: &'a mut [f64],
    pub more_doubles: &'a [f64],
    pub i16s: &'a mut [i16],
    pub i24s: &'a mut [[u8; 3]],
    pub i32s: &'a mut [i32],
    pub complex: &'a mut [Complex<f32>],
    pub complex_a: &'a [Complex<f32>],
    pub complex_b: &'a [Complex<f32>],
    pub taps: &'a [f32],
    pub more_taps: &'a [f64],
    pub second: usize,
}

/// Samples that begin on a cache line of their own.
pub(super) struct Aligned<T> {
    samples: Vec<T>,
    begin: usize,
    len: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// `lines` cache lines further than others, so that the same places of two slices do not meet in
    /// the same set of the cache.
    fn new(len: usize, lines: usize) -> Self {
        const LINE: usize = 64;
        let spare = (LINE * (lines + 2)).div_ceil(size_of::<T>());
        let samples = vec![T::default(); len + spare];
        // Where three bytes make a sample, a line need not begin at one.
        let begin = match samples.as_ptr().align_offset(LINE) {
            found if found < spare => found + (LINE * lines) / size_of::<T>(),
            _ => 0,
        };
        Self {
            begin: begin.min(spare),
            samples,
            len,
        }
    }

    fn fill(&mut self, mut sample: impl FnMut() -> T) {
        self.iter_mut().for_each(|place| *place = sample());
    }
}

impl<T> std::ops::Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.samples[self.begin..self.begin + self.len]
    }
}

impl<T> std::ops::DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.samples[self.begin..self.begin + self.len]
    }
}

/// Marsaglia's xorshift64.
struct Noise(u64);

impl Noise {
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Between -0.75 and 0.75, and not within 2^-10 of 0.
    fn sample(&mut self) -> f32 {
        let unit = (self.bits() >> 40) as f32 / (1 << 24) as f32;
        let magnitude = 0.001 + 0.749 * unit;
        if self.bits() & 1 == 0 {
            magnitude
        } else {
            -magnitude
        }
    }
}
