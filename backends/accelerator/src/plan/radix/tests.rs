//! Every length and every number of lanes against the definition and against `rustfft`.

use std::f64::consts::TAU;

use auralis_core::{Complex, CpuFeatures};
use rustfft::FftPlanner;

use super::lanes::Paired;
use super::square::{self, Square};
use super::{
    Fast, Lanes, Real, circular, flat, flat_mut, in_place, plan, plan_any, plan_real, plan_real_any,
};
use crate::isa::{Avx2, Avx512, Isa};

type Points = Vec<Complex<f64>>;

fn noise(len: usize) -> Points {
    let mut state = len as u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        f64::from((state >> 33) as i32) / f64::from(1 << 30) - 1.0
    };
    let mut rounded = move || f64::from(next() as f32);
    (0..len)
        .map(|_| Complex::new(rounded(), rounded()))
        .collect()
}

fn single(points: &[Complex<f64>]) -> Vec<Complex<f32>> {
    points
        .iter()
        .map(|p| Complex::new(p.re as f32, p.im as f32))
        .collect()
}

fn by_definition(x: &[Complex<f64>]) -> Points {
    let n = x.len();
    let bin = |k| {
        let turn = |i| Complex::cis(-TAU * ((k * i) % n) as f64 / n as f64);
        x.iter().enumerate().map(|(i, x)| x * turn(i)).sum()
    };
    (0..n).map(bin).collect()
}

fn by_rustfft(x: &[Complex<f64>]) -> Points {
    let mut x = x.to_vec();
    FftPlanner::new().plan_fft_forward(x.len()).process(&mut x);
    x
}

/// The bound that the interface states.
fn check(what: &str, got: &[Complex<f32>], want: &[Complex<f64>]) {
    let n = want.len();
    let largest = want.iter().map(|bin| bin.norm()).fold(0.0, f64::max);
    let bound = 8.0 * (2.0 * n as f64).log2() * f64::from(f32::EPSILON) * largest;
    assert_eq!(got.len(), n, "{what}");
    for (k, (got, want)) in got.iter().zip(want).enumerate() {
        let got = Complex::new(f64::from(got.re), f64::from(got.im));
        let error = (got - want).norm();
        assert!(
            error <= bound,
            "{what}, {n} numbers: [{k}] is {got}, not {want}"
        );
    }
}

/// A complex transform of `x`.
fn check_points(fast: &mut dyn Fast<f32>, x: &[Complex<f64>], name: &str) {
    let n = x.len();
    let scale = 1.0 / n as f32;
    let mut data = single(x);
    let mut other = vec![Complex::default(); n];
    fast.forward(flat_mut(&mut other), Some(flat(&data)));
    fast.forward(flat_mut(&mut data), None);
    check(&format!("{name} forward"), &data, &reference(x));
    assert_eq!(data, other, "{name} forward from elsewhere");

    fast.inverse(flat_mut(&mut other), Some(flat(&data)), scale);
    fast.inverse(flat_mut(&mut data), None, scale);
    check(&format!("{name} inverse"), &data, x);
    assert_eq!(data, other, "{name} inverse from elsewhere");
}

/// That of its points as real samples.
fn check_real(real: &mut dyn Real<f32>, x: &[Complex<f64>], name: &str) {
    let n = x.len();
    let samples: Points = x.iter().flat_map(|p| [p.re.into(), p.im.into()]).collect();
    let bins = &reference(&samples)[..=n];
    let mut got = vec![Complex::default(); n + 1];
    real.forward(flat_mut(&mut got), flat(&single(x)));
    check(&format!("{name} real forward"), &got, bins);

    // What the imaginary parts of the first and the last bin hold counts for nothing.
    (got[0].im, got[n].im) = (3.0, -5.0);
    let mut back = vec![Complex::default(); n];
    real.inverse(flat_mut(&mut back), flat(&got));
    check(&format!("{name} real inverse"), &back, x);
}

fn reference(x: &[Complex<f64>]) -> Points {
    if x.len() <= 256 {
        by_definition(x)
    } else {
        by_rustfft(x)
    }
}

fn check_all<I: Lanes<L>, const L: usize>() {
    let Some(isa) = I::detect(CpuFeatures::detect()) else {
        return;
    };
    let mut lengths = 0;
    for len in (0..=17).map(|bits| 1 << bits) {
        let (x, name) = (noise(len), format!("{} x {L}", I::NAME));
        for plan in [plan::<I, L>, in_place::plan::<I, L>] {
            if let Some(mut fast) = plan(isa, len) {
                check_points(&mut *fast, &x, &name);
                lengths += 1;
            }
        }
        for plan in [plan_real::<I, L>, in_place::plan_real::<I, L>] {
            if let Some(mut real) = plan(isa, 2 * len) {
                check_real(&mut *real, &x, &name);
                lengths += 1;
            }
        }
    }
    assert!(lengths >= 40, "{lengths} of {} x {L}", I::NAME);
}

/// Two windows, and room for less than all of the second one.
fn check_circular<I: Lanes<L>, const L: usize>() {
    let Some(isa) = I::detect(CpuFeatures::detect()) else {
        return;
    };
    let mut lengths = 0;
    for len in (3..=16).map(|bits| 1 << bits) {
        let (x, response) = (noise(len), noise(len + 1));
        let taps: Vec<f32> = response[..len].iter().map(|tap| tap.re as f32).collect();
        let Some(mut circular) = circular::plan::<I, L>(isa, len, &taps[..len - 5], 7) else {
            continue;
        };
        let [re, im]: [Vec<f32>; 2] = [|z: &Complex<f32>| z.re, |z: &Complex<f32>| z.im]
            .map(|part| single(&x).iter().map(part).collect());
        let room = len / 2 + 3;
        let (mut first, mut second) = (vec![0.0; len], vec![0.0; room]);
        circular.run([&mut first, &mut second], [&re, &im]);

        let tap = |i: usize| {
            taps[..len - 5]
                .get((i + len - 7) % len)
                .copied()
                .unwrap_or(0.0)
        };
        let real: Points = (0..len).map(|i| f64::from(tap(i)).into()).collect();
        let products = by_rustfft(&x).into_iter().zip(by_rustfft(&real));
        // The conjugate of the transform of the conjugates is the inverse one.
        let conjugates: Points = products.map(|(a, b)| (a * b).conj()).collect();
        let scale = 1.0 / len as f64;
        let want: Points = by_rustfft(&conjugates)
            .iter()
            .map(|z| z.conj() * scale)
            .collect();
        let got = |i: usize| Complex::new(first[i], *second.get(i).unwrap_or(&(want[i].im as f32)));
        let got: Vec<_> = (0..len).map(got).collect();
        check(&format!("{} x {L} circular", I::NAME), &got, &want);
        lengths += 1;
    }
    assert!(lengths >= 9, "{lengths} of {} x {L}", I::NAME);
}

#[test]
fn circular_by_16() {
    check_circular::<Avx512, 16>();
}

#[test]
fn circular_by_8() {
    check_circular::<Avx2, 8>();
    check_circular::<Avx512, 8>();
}

#[test]
fn sorted_by_16() {
    check_all::<Avx512, 16>();
}

#[test]
fn sorted_by_8() {
    check_all::<Avx2, 8>();
    check_all::<Avx512, 8>();
}

fn check_square<I: Paired>() {
    if let Some(isa) = I::detect(CpuFeatures::detect()) {
        check_points(&mut Square::new(isa), &noise(square::POINTS), I::NAME);
    }
}

#[test]
fn a_square() {
    check_square::<Avx2>();
    check_square::<Avx512>();
}

#[test]
fn real_of_any_length() {
    if let Some(isa) = Avx512::detect(CpuFeatures::detect()) {
        for points in (6..=12).map(|bits| 1 << bits) {
            let mut real = plan_real_any(isa, 2 * points).expect("a plan");
            check_real(&mut *real, &noise(points), "any");
        }
    }
}

#[test]
fn other_lengths_have_no_plan() {
    if let Some(isa) = Avx512::detect(CpuFeatures::detect()) {
        for len in [0, 1, 2, 8, 48, 63, 65, 96, 1000] {
            assert!(plan::<_, 16>(isa, len).is_none(), "{len}");
            assert!(plan_any(isa, len).is_none(), "{len}");
            assert!(plan_real_any(isa, len).is_none(), "{len}");
        }
    }
}
