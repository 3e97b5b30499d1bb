//! What kernels are fed: seeded noise, mixed with the numbers that go wrong.

use std::fmt::Debug;
use std::ops::Mul;

use auralis_core::Complex;

/// A seeded source of numbers: SplitMix64. Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014.
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in -1..1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Once in `n`.
    pub(super) fn once_in(&mut self, n: u64) -> bool {
        self.bits().is_multiple_of(n)
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.bits() % from.len() as u64) as usize]
    }
}

/// Which numbers occur.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Palette {
    /// Noise within full scale.
    Plain,
    /// Also zeros of either sign, denormals, and numbers far beyond full scale.
    Wild,
    /// Also infinities and NaN.
    NonFinite,
}

impl Palette {
    pub(super) const ALL: [Self; 3] = [Self::Plain, Self::Wild, Self::NonFinite];
}

/// What a kernel reads or writes.
pub(super) trait Sample: Copy + Debug + 'static {
    /// What stands around a slice, and must still stand there afterwards.
    const GUARD: Self;

    fn draw(noise: &mut Noise, palette: Palette) -> Self;

    /// Whether the bits are the same, the payloads of NaN aside.
    fn same(self, other: Self) -> bool;
}

/// A sample that gains can be applied to.
pub(super) trait Float: Sample + Mul<Output = Self> {
    fn of(value: f64) -> Self;
}

// The largest are small enough that a product of two is finite in f32.
const WILD: [f64; 12] = [
    0.0, -0.0, 1.0, -1.0, 0.5, 1e-40, -1e-40, 1.4e-45, 1.2e-38, 1e18, -1e18, 3e4,
];
const NON_FINITE: [f64; 3] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

fn draw(noise: &mut Noise, palette: Palette) -> f64 {
    match palette {
        Palette::NonFinite if noise.once_in(32) => noise.pick(&NON_FINITE),
        Palette::NonFinite | Palette::Wild if noise.once_in(4) => noise.pick(&WILD),
        _ => noise.unit(),
    }
}

macro_rules! floats {
    ($($type:ident $guard:literal)*) => {$(
        impl Sample for $type {
            const GUARD: Self = $type::from_bits($guard);

            fn draw(noise: &mut Noise, palette: Palette) -> Self {
                draw(noise, palette) as $type
            }

            fn same(self, other: Self) -> bool {
                self.to_bits() == other.to_bits() || (self.is_nan() && other.is_nan())
            }
        }

        impl Float for $type {
            fn of(value: f64) -> Self {
                value as $type
            }
        }
    )*};
}

floats! { f32 0x4218_9f3b f64 0x4218_9f3b_7d21_0c55 }

macro_rules! integers {
    ($($type:ident)*) => {$(
        impl Sample for $type {
            const GUARD: Self = 0x5a5a_5a5a_u32 as $type;

            fn draw(noise: &mut Noise, palette: Palette) -> Self {
                if palette != Palette::Plain && noise.once_in(4) {
                    return noise.pick(&[$type::MIN, $type::MIN + 1, -1, 0, 1, $type::MAX]);
                }
                noise.bits() as $type
            }

            fn same(self, other: Self) -> bool {
                self == other
            }
        }
    )*};
}

integers! { i16 i32 }

impl Sample for [u8; 3] {
    const GUARD: Self = [0x5a, 0xc3, 0x17];

    fn draw(noise: &mut Noise, palette: Palette) -> Self {
        let [low, middle, high, ..] = i32::draw(noise, palette).to_be_bytes();
        [low, middle, high]
    }

    fn same(self, other: Self) -> bool {
        self == other
    }
}

impl<T: Sample> Sample for Complex<T> {
    const GUARD: Self = Complex {
        re: T::GUARD,
        im: T::GUARD,
    };

    fn draw(noise: &mut Noise, palette: Palette) -> Self {
        Complex {
            re: T::draw(noise, palette),
            im: T::draw(noise, palette),
        }
    }

    fn same(self, other: Self) -> bool {
        self.re.same(other.re) && self.im.same(other.im)
    }
}
