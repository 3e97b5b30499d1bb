//! Narrow vectors against whole ones, whichever of them this CPU takes.

use auralis_core::CpuFeatures;

use crate::compiled::Compiled;
use crate::isa::{Avx512, Isa};

/// Beyond the lengths that choose between them.
const LONGEST: usize = 300;

fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// What the kernels that choose make of the first `len` samples.
fn results(isa: Avx512, len: usize) -> (Vec<Vec<f32>>, f32, (f32, f32)) {
    let (a, b) = (&noise(LONGEST, 1)[..len], &noise(LONGEST, 2)[..len]);
    let of = |kernel: &dyn Fn(&mut [f32])| {
        let mut data = a.to_vec();
        kernel(&mut data);
        data
    };
    let slices = vec![
        of(&|x| isa.scale(x, 0.7).unwrap()),
        of(&|x| isa.add(x, b).unwrap()),
        of(&|x| isa.mix(x, b, 0.7).unwrap()),
        of(&|x| isa.mul(x, b).unwrap()),
        of(&|x| isa.clip(x, -0.5, 0.25).unwrap()),
    ];
    (slices, isa.dot(a, b).unwrap(), isa.min_max(a).unwrap())
}

#[test]
fn halves_compute_the_same() {
    let Some(isa) = Avx512::detect(CpuFeatures::detect()) else {
        return;
    };
    for len in 0..=LONGEST {
        let (slices, dot, extremes) = results(isa.with_halves(false), len);
        let (narrow_slices, narrow_dot, narrow_extremes) = results(isa.with_halves(true), len);
        assert_eq!(narrow_slices, slices, "{len} samples");
        assert!((narrow_dot - dot).abs() < 1e-4, "{len} samples");
        assert_eq!(narrow_extremes, extremes, "{len} samples");
    }
}
