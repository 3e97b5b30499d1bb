//! Instruction sets as tokens: holding one proves that its instructions may run.

use std::fmt::Debug;

use auralis_core::{Complex, CpuFeatures, Result};

use crate::arithmetic::{Arithmetic, Fused, Separate};
use crate::check;
use crate::plan::radix::{Circular, Fast, Real};
#[cfg(target_arch = "x86_64")]
use crate::simd;

/// An instruction set that a body of code can be compiled for.
pub(crate) trait Isa: Copy + Debug + Send + Sync + 'static {
    /// The instruction set's name in reports.
    const NAME: &'static str;

    /// How kernels compute with it.
    type Arithmetic: Arithmetic;

    /// The widest planner of `rustfft` that stays within the instruction set.
    const FFT: FftLevel;

    /// The features that the instruction set stands for.
    const REQUIRES: CpuFeatures;

    /// Whether the CPU computes and stores the halves of a vector one after the other: then vectors half
    /// as wide are as fast, and twice as many numbers fit into registers.
    fn halves(self) -> bool {
        false
    }

    /// The same, of which the compiler knows what [`halves`](Self::halves) says.
    fn known<const HALVES: bool>(self) -> Self {
        self
    }

    /// A plan of ours for so many complex points, if there is one that beats `rustfft`.
    fn plan_radix(self, _points: usize) -> Option<Box<dyn Fast<f32>>> {
        None
    }

    /// A plan of ours for so many real samples, if there is one that beats those over `rustfft`.
    fn plan_real(self, _samples: usize) -> Option<Box<dyn Real<f32>>> {
        None
    }

    /// A circular convolution of windows of `len` samples, if there is one that beats those over
    /// `rustfft`: with a response that begins at index `at`, and wraps around.
    fn plan_circular(
        self,
        _len: usize,
        _taps: &[f32],
        _at: usize,
    ) -> Option<Box<dyn Circular<f32>>> {
        None
    }

    /// The token, if the host allows the features and the CPU has them.
    fn detect(allowed: CpuFeatures) -> Option<Self>;

    /// Runs `body` compiled for this instruction set: `body` and the `#[inline(always)]` functions
    /// that it calls become part of a function that has its target features enabled.
    fn run<B: Body>(self, body: B) -> B::Output;
}

/// Work to be compiled for an instruction set: a closure, or where that is so large that the compiler
/// might not inline it, a type of its own whose `run` is `#[inline(always)]`.
pub(crate) trait Body {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run(self) -> Self::Output;
}

impl<R, F: FnOnce() -> R> Body for F {
    type Output = R;

    #[inline(always)]
    fn run(self) -> R {
        self()
    }
}

/// Which instructions `rustfft` may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each architecture uses some of them")]
pub(crate) enum FftLevel {
    Scalar,
    Sse,
    Avx,
    Neon,
}

/// Whatever the compiler targets by default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Isa for Portable {
    type Arithmetic = Separate<16>;
    const NAME: &'static str = "portable";
    const FFT: FftLevel = FftLevel::Scalar;
    const REQUIRES: CpuFeatures = CpuFeatures::NONE;

    fn detect(_: CpuFeatures) -> Option<Self> {
        Some(Self)
    }

    #[inline(always)]
    fn run<B: Body>(self, body: B) -> B::Output {
        body.run()
    }
}

macro_rules! isa {
    ($(#[$doc:meta])* $name:ident($known:ty = $ask:expr) $arch:literal $text:literal $fft:ident
     $arithmetic:ty, $features:literal [$($feature:literal),*]
     $(halves: $halves:path;)? $(points: $points:path;)? $(real: $real:path;)?
     $(circular: $circular:path;)?) => {
        $(#[$doc])*
        #[cfg(target_arch = $arch)]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name($known);

        #[cfg(target_arch = $arch)]
        impl Isa for $name {
            type Arithmetic = $arithmetic;
            const NAME: &'static str = $text;
            const FFT: FftLevel = FftLevel::$fft;
            const REQUIRES: CpuFeatures = CpuFeatures::of(&[$($feature),*]);

            fn detect(allowed: CpuFeatures) -> Option<Self> {
                let usable = allowed.contains(Self::REQUIRES)
                    && CpuFeatures::detect().contains(Self::REQUIRES);
                usable.then(|| Self($ask))
            }

            $(
                #[inline(always)]
                fn halves(self) -> bool {
                    $halves(self)
                }

                #[inline(always)]
                fn known<const HALVES: bool>(self) -> Self {
                    Self(HALVES)
                }
            )?

            $(fn plan_radix(self, points: usize) -> Option<Box<dyn Fast<f32>>> {
                $points(self, points)
            })?

            $(fn plan_real(self, samples: usize) -> Option<Box<dyn Real<f32>>> {
                $real(self, samples)
            })?

            $(fn plan_circular(
                self,
                len: usize,
                taps: &[f32],
                at: usize,
            ) -> Option<Box<dyn Circular<f32>>> {
                $circular(self, len, taps, at)
            })?

            #[inline(always)]
            fn run<B: Body>(self, body: B) -> B::Output {
                #[target_feature(enable = $features)]
                fn inner<B: Body>(body: B) -> B::Output {
                    body.run()
                }
                // SAFETY: the only constructor is `detect`, which has found these features.
                unsafe { inner(body) }
            }
        }

        #[cfg(target_arch = $arch)]
        compiled!($name $features);
    };
}

isa! {
    /// SSE 4.2: any x86-64 since 2008.
    Sse42(() = ()) "x86_64" "sse4.2" Sse Separate<16>, "sse3,ssse3,sse4.1,sse4.2,popcnt"
    ["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"]
}

isa! {
    /// AVX2 with FMA: Haswell (2013) and later.
    Avx2(() = ()) "x86_64" "avx2" Avx Fused<32>, "avx,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt"
    ["avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "lzcnt", "popcnt"]
    real: crate::plan::radix::plan_real::<_, 8>;
    circular: crate::plan::radix::circular::plan::<_, 8>;
}

isa! {
    /// AVX-512 as in Skylake-X (2017) and Zen 4 (2022): F, BW, CD, DQ and VL.
    Avx512(bool = simd::in_halves()) "x86_64" "avx512" Avx Fused<64>,
    "avx,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
    ["avx", "avx2", "fma", "f16c", "bmi1", "bmi2", "lzcnt", "popcnt",
     "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
    halves: Avx512::in_halves;
    points: crate::plan::radix::plan_any;
    real: crate::plan::radix::plan_real_any;
    circular: crate::plan::radix::circular::plan::<_, 16>;
}

isa! {
    /// NEON: every 64-bit Arm.
    Neon(() = ()) "aarch64" "neon" Neon Fused<16>, "neon" ["neon"]
}

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    /// The token of what every CPU with these features has too.
    pub(crate) fn avx2(self) -> Avx2 {
        Avx2(())
    }

    #[inline(always)]
    fn in_halves(self) -> bool {
        self.0
    }
}
