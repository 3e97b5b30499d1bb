//! How near kernels come to what the first cache can move: loops that only load and store, over
//! 1024 samples, as wide as the CPU allows.

#[cfg(target_arch = "x86_64")]
mod conversions;

use auralis::core::Accelerator;

use super::{Context, Figure, Findings};
use crate::aligned::{Aligned, noise, wide};
use crate::cell::Cell;

const LEN: usize = 1024;

#[derive(Clone)]
struct Slices {
    a: Aligned<f32>,
    b: Aligned<f32>,
    result: f32,
}

/// What a kernel moves at least.
#[derive(Clone, Copy)]
enum Moves {
    Load,
    LoadTwo,
    LoadStore,
    LoadTwoStore,
}

impl Moves {
    fn name(self) -> &'static str {
        match self {
            Self::Load => "loads of one slice",
            Self::LoadTwo => "loads of two slices",
            Self::LoadStore => "loads and stores of one slice",
            Self::LoadTwoStore => "loads of two slices and stores of one",
        }
    }
}

type Call = fn(&dyn Accelerator, &mut Slices);

/// Measures each kernel beside its limit.
pub fn run(context: &Context, findings: &mut Findings) {
    let kernels: [(&'static str, Moves, Call); 8] = [
        ("scale", Moves::LoadStore, |ours, d| {
            ours.scale(&mut d.a, -1.0).unwrap()
        }),
        ("clip", Moves::LoadStore, |ours, d| {
            ours.clip(&mut d.a, -2.0, 2.0).unwrap()
        }),
        ("mul", Moves::LoadTwoStore, |ours, d| {
            ours.mul(&mut d.a, &d.b).unwrap()
        }),
        ("mix", Moves::LoadTwoStore, |ours, d| {
            ours.mix(&mut d.a, &d.b, 0.5).unwrap()
        }),
        ("dot", Moves::LoadTwo, |ours, d| {
            d.result = ours.dot(&d.a, &d.b).unwrap()
        }),
        ("sum of squares", Moves::Load, |ours, d| {
            d.result = ours.sum_squares(&d.a).unwrap()
        }),
        ("peak", Moves::Load, |ours, d| {
            d.result = ours.peak(&d.a).unwrap()
        }),
        ("min/max", Moves::Load, |ours, d| {
            d.result = ours.min_max(&d.a).unwrap().0
        }),
    ];
    for (name, moves, call) in kernels {
        let a = noise(LEN, 10);
        let b = Aligned::from_fn(LEN, |i| 1f32.copysign(a[LEN - 1 - i]));
        let data = Slices { a, b, result: 0.0 };
        // The answers are compared where the peers are.
        let expected = wide(&data.b);
        let cell = Cell::new(name, LEN, data, expected, 0.0, |d: &Slices| wide(&d.b))
            .ours(|| {
                let ours = context.accelerator();
                move |d: &mut Slices| call(&*ours, d)
            })
            .limit("limit", move |d: &mut Slices| walk(moves, d));
        let measured = cell.measure(context.effort);
        let limit = measured.peers.first().map(|(_, ns)| *ns);
        if let (Some((ours, again)), Some(limit)) = (measured.ours, limit) {
            findings.figures.push(Figure {
                name: format!("{name}, {LEN} samples, by {}", moves.name()),
                value: 100.0 * limit / ours.min(again),
                unit: "% of the L1 limit",
                goal: "as near 100 % as a call allows",
            });
        }
    }
    #[cfg(target_arch = "x86_64")]
    conversions::run(context, findings);
}

#[cfg(target_arch = "x86_64")]
fn walk(moves: Moves, d: &mut Slices) {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the CPU has AVX-512.
        unsafe { zmm::walk(moves, d) }
    } else if is_x86_feature_detected!("avx") {
        // SAFETY: the CPU has AVX.
        unsafe { ymm::walk(moves, d) }
    } else {
        plain(moves, d);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn walk(moves: Moves, d: &mut Slices) {
    plain(moves, d);
}

/// As wide as the compiler makes it by default.
fn plain(moves: Moves, d: &mut Slices) {
    let bits = |x: &f32| x.to_bits();
    match moves {
        Moves::Load => d.result = f32::from_bits(d.a.iter().map(bits).fold(0, |x, y| x | y)),
        Moves::LoadTwo => {
            let both =
                d.a.iter()
                    .zip(d.b.iter())
                    .map(|(a, b)| a.to_bits() | b.to_bits());
            d.result = f32::from_bits(both.fold(0, |x, y| x | y));
        }
        Moves::LoadStore => d.a.iter_mut().for_each(|x| *x = -*x),
        Moves::LoadTwoStore => d.a.iter_mut().zip(d.b.iter()).for_each(|(a, b)| *a *= b),
    }
}

/// The loops for one width of vectors: eight at a time.
#[cfg(target_arch = "x86_64")]
macro_rules! loops {
    ($name:ident, $feature:literal, $lanes:literal, $load:ident, $store:ident, $zero:ident,
     $join:expr, $negate:expr, $mul:ident, $first:ident) => {
        mod $name {
            use std::arch::x86_64::*;

            use super::{Moves, Slices};

            #[target_feature(enable = $feature)]
            pub(super) fn walk(moves: Moves, d: &mut Slices) {
                match moves {
                    Moves::Load => steps::<LOAD>(d),
                    Moves::LoadTwo => steps::<LOAD_TWO>(d),
                    Moves::LoadStore => steps::<LOAD_STORE>(d),
                    Moves::LoadTwoStore => steps::<LOAD_TWO_STORE>(d),
                }
            }

            const LOAD: u8 = 0;
            const LOAD_TWO: u8 = 1;
            const LOAD_STORE: u8 = 2;
            const LOAD_TWO_STORE: u8 = 3;

            /// A loop for each of what is moved: a choice within it would cost.
            #[target_feature(enable = $feature)]
            fn steps<const MOVES: u8>(d: &mut Slices) {
                let whole = d.a.len() / (8 * $lanes) * (8 * $lanes);
                let (a, b) = (d.a.as_mut_ptr(), d.b.as_ptr());
                let mut sums = [$zero(); 8];
                for start in (0..whole).step_by(8 * $lanes) {
                    for (i, sum) in sums.iter_mut().enumerate() {
                        let at = start + i * $lanes;
                        // SAFETY: `at` and the lanes after it lie within both slices, which are
                        // equally long and begin at a cache line.
                        unsafe {
                            let x = $load(a.add(at));
                            match MOVES {
                                LOAD => *sum = ($join)(*sum, x),
                                LOAD_TWO => *sum = ($join)(($join)(*sum, x), $load(b.add(at))),
                                LOAD_STORE => $store(a.add(at), $mul(x, $negate)),
                                _ => {
                                    $store(a.add(at), $mul(x, $load(b.add(at))));
                                }
                            }
                        }
                    }
                }
                let sum = sums.into_iter().fold($zero(), $join);
                d.result = $first(sum);
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
loops!(
    zmm,
    "avx512f",
    16,
    _mm512_load_ps,
    _mm512_store_ps,
    _mm512_setzero_ps,
    |x, y| {
        let (x, y) = (_mm512_castps_si512(x), _mm512_castps_si512(y));
        _mm512_castsi512_ps(_mm512_or_si512(x, y))
    },
    _mm512_set1_ps(-1.0),
    _mm512_mul_ps,
    _mm512_cvtss_f32
);
#[cfg(target_arch = "x86_64")]
loops!(
    ymm,
    "avx",
    8,
    _mm256_load_ps,
    _mm256_store_ps,
    _mm256_setzero_ps,
    |x, y| _mm256_or_ps(x, y),
    _mm256_set1_ps(-1.0),
    _mm256_mul_ps,
    _mm256_cvtss_f32
);
