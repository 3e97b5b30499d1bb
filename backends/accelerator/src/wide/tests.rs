//! Narrow vectors against whole ones, whichever of them this CPU takes.

use auralis_core::{Complex, CpuFeatures};

use crate::compiled::Compiled;
use crate::isa::{Avx512, Isa};

/// Beyond the lengths that choose between them.
const LONGEST: usize = 300;

/// More than twice the vectors that become integers of 16 bits together, and some of each smaller number.
const GROUPS: usize = 2600;

fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// What the kernels that choose make of the first `len` samples.
fn results<const HALVES: bool>(isa: Avx512, len: usize) -> (Vec<Vec<f32>>, f32, (f32, f32)) {
    let (a, b) = (&noise(LONGEST, 1)[..len], &noise(LONGEST, 2)[..len]);
    let of = |kernel: &dyn Fn(&mut [f32])| {
        let mut data = a.to_vec();
        kernel(&mut data);
        data
    };
    let slices = vec![
        of(&|x| isa.scale::<HALVES>(x, 0.7).unwrap()),
        of(&|x| isa.add::<HALVES>(x, b).unwrap()),
        of(&|x| isa.mix::<HALVES>(x, b, 0.7).unwrap()),
        of(&|x| isa.mul::<HALVES>(x, b).unwrap()),
        of(&|x| isa.clip::<HALVES>(x, -0.5, 0.25).unwrap()),
        of(&|x| {
            isa.channel_gains::<HALVES>(&mut x[..len / 2 * 2], &[0.7, 0.4])
                .unwrap()
        }),
    ];
    (
        slices,
        isa.dot::<HALVES>(a, b).unwrap(),
        isa.min_max::<HALVES>(a).unwrap(),
    )
}

/// Full scale and less from packed integers.
fn unpacked<const HALVES: bool>(isa: Avx512, len: usize) -> Vec<f32> {
    let integers = noise(3 * len, 1)
        .into_iter()
        .map(|x| (x * 128.0) as i8 as u8);
    let bytes: Vec<u8> = integers.collect();
    let mut samples = vec![0.0; len];
    isa.f32_from_i24::<HALVES>(&mut samples, bytes.as_chunks().0)
        .unwrap();
    samples
}

/// Frames of two planes, those planes again, and products of complex numbers.
fn moved<const HALVES: bool>(
    isa: Avx512,
    len: usize,
) -> (Vec<f32>, [Vec<f32>; 2], Vec<Complex<f32>>) {
    let (left, right) = (noise(len, 1), noise(len, 2));
    let mut frames = vec![0.0; 2 * len];
    isa.interleave::<HALVES>(&mut frames, &[&left, &right])
        .unwrap();
    let mut planes = [vec![0.0; len], vec![0.0; len]];
    let [first, second] = &mut planes;
    isa.deinterleave::<HALVES>(&mut [first, second], &frames)
        .unwrap();
    assert_eq!(planes, [left.clone(), right.clone()], "{len} frames");
    let complex = |re: &[f32], im: &[f32]| -> Vec<_> {
        let parts = re.iter().zip(im);
        parts.map(|(&re, &im)| Complex::new(re, im)).collect()
    };
    let (a, b) = (complex(&left, &right), complex(&right, &noise(len, 3)));
    let mut products = vec![Complex::default(); len];
    isa.complex_mul::<HALVES>(&mut products, &a, &b).unwrap();
    (frames, planes, products)
}

#[test]
fn halves_move_the_same() {
    let Some(isa) = Avx512::detect(CpuFeatures::detect()) else {
        return;
    };
    // Complex numbers choose between them at 2048.
    for len in (0..=LONGEST).chain(2040..2080).chain(4090..4110) {
        let whole = moved::<false>(isa, len);
        assert_eq!(moved::<true>(isa, len), whole, "{len} samples");
        let whole = unpacked::<false>(isa, len);
        assert_eq!(unpacked::<true>(isa, len), whole, "{len} samples");
    }
}

#[test]
fn halves_compute_the_same() {
    let Some(isa) = Avx512::detect(CpuFeatures::detect()) else {
        return;
    };
    for len in 0..=LONGEST {
        let (slices, dot, extremes) = results::<false>(isa, len);
        let (narrow_slices, narrow_dot, narrow_extremes) = results::<true>(isa, len);
        assert_eq!(narrow_slices, slices, "{len} samples");
        assert!((narrow_dot - dot).abs() < 1e-4, "{len} samples");
        assert_eq!(narrow_extremes, extremes, "{len} samples");
    }
}

#[test]
fn halves_bend_as_little() {
    let Some(isa) = Avx512::detect(CpuFeatures::detect()) else {
        return;
    };
    let samples: Vec<f32> = noise(LONGEST, 1).iter().map(|x| 4.0 * x).collect();
    let (mut halves, mut whole) = (samples.clone(), samples.clone());
    isa.tanh::<true>(&mut halves).unwrap();
    isa.tanh::<false>(&mut whole).unwrap();
    for ((x, halves), whole) in samples.into_iter().zip(halves).zip(whole) {
        let want = f64::from(x).tanh();
        for got in [halves, whole] {
            let error = (f64::from(got) - want).abs();
            assert!(
                error <= 4.0 * f64::from(f32::EPSILON) * want.abs(),
                "tanh({x}): {got}"
            );
        }
    }
}

#[test]
fn halves_round_the_same() {
    let Some(isa) = Avx512::detect(CpuFeatures::detect()) else {
        return;
    };
    // On both sides of every step that sums of samples and a constant could take.
    let steps = [
        0.5, 1.0, 2.0, 64.0, 127.0, 128.0, 129.0, 256.0, 384.0, 385.0, 512.0, 1e30,
    ];
    let around = steps
        .into_iter()
        .flat_map(|x: f32| [x.next_down(), x, x.next_up()]);
    let odd = [
        f32::NAN,
        f32::from_bits(0x7f80_0001),
        f32::INFINITY,
        1.0 - 1.5 / 65_536.0,
    ];
    for x in around.chain(odd).flat_map(|x| [x, -x]) {
        for at in (0..GROUPS).step_by(97) {
            let mut samples = noise(GROUPS, 1);
            samples[at] = x;
            let [mut halves, mut whole] = [vec![0; GROUPS], vec![0; GROUPS]];
            isa.i16_from_f32::<true>(&mut halves, &samples).unwrap();
            isa.i16_from_f32::<false>(&mut whole, &samples).unwrap();
            assert_eq!(halves, whole, "{x} at {at}");
        }
    }
}

#[test]
fn halves_convert_long_slices_the_same() {
    let Some(isa) = Avx512::detect(CpuFeatures::detect()) else {
        return;
    };
    for len in [4095, 4096, 5000] {
        let samples = noise(len, 1);
        let [mut halves, mut whole] = [vec![0; len], vec![0; len]];
        isa.i32_from_f32::<true>(&mut halves, &samples).unwrap();
        isa.i32_from_f32::<false>(&mut whole, &samples).unwrap();
        assert_eq!(halves, whole);
        let [mut back, mut whole_back] = [vec![0.0; len], vec![0.0; len]];
        isa.f32_from_i32::<true>(&mut back, &halves).unwrap();
        isa.f32_from_i32::<false>(&mut whole_back, &whole).unwrap();
        assert_eq!(back, whole_back);
    }
}

#[test]
fn halves_multiply_doubles_the_same() {
    let Some(isa) = Avx512::detect(CpuFeatures::detect()) else {
        return;
    };
    for len in 0..=LONGEST {
        let doubles: Vec<f64> = noise(len, 1).into_iter().map(f64::from).collect();
        let [mut halves, mut whole] = [doubles.clone(), doubles];
        isa.scale_f64::<true>(&mut halves, 0.7).unwrap();
        isa.scale_f64::<false>(&mut whole, 0.7).unwrap();
        let even = len / 2 * 2;
        isa.channel_gains_f64::<true>(&mut halves[..even], &[0.7, -0.4])
            .unwrap();
        isa.channel_gains_f64::<false>(&mut whole[..even], &[0.7, -0.4])
            .unwrap();
        assert_eq!(halves, whole);
    }
}
