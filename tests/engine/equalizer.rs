//! The stage `equalizer` against the analog prototypes of its bands.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use auralis::chain::{Band, BandShape, Equalizer};
use auralis_core::Complex;

use crate::signals::{decibels, impulse, run, session};

const RATE: u32 = 48_000;

fn band(shape: BandShape, hz: f64, gain_db: f64, q: Option<f64>) -> Band {
    Band {
        hz,
        gain_db,
        q,
        shape,
    }
}

/// The response of the analog prototype, bent to the sample rate by the bilinear transform: R.
/// Bristow-Johnson's cookbook, `H(s)` of each filter.
fn analytic_db(band: &Band, hz: f64) -> f64 {
    let a = 10f64.powf(band.gain_db / 40.0);
    let q = band.q.unwrap_or(match band.shape {
        BandShape::Peak => 1.0,
        _ => FRAC_1_SQRT_2,
    });
    let bend = |hz: f64| (PI * hz / f64::from(RATE)).tan();
    let w = bend(hz) / bend(band.hz);
    // With s = jw, s^2 = -w^2.
    let magnitude = |s2: f64, s1: f64, s0: f64| (s0 - s2 * w * w).hypot(s1 * w);
    let root = a.sqrt() / q;
    let (above, below, factor) = match band.shape {
        BandShape::Peak => (
            magnitude(1.0, a / q, 1.0),
            magnitude(1.0, 1.0 / (a * q), 1.0),
            1.0,
        ),
        BandShape::LowShelf => (magnitude(1.0, root, a), magnitude(a, root, 1.0), a),
        BandShape::HighShelf => (magnitude(a, root, 1.0), magnitude(1.0, root, a), a),
    };
    decibels(factor * above / below)
}

struct Measured(Vec<f32>);

impl Measured {
    fn new(bands: &[Band]) -> Self {
        let stage = Equalizer {
            bands: bands.to_vec(),
        };
        let mut session = session(vec![Box::new(stage)], RATE, 1);
        Self(run(&mut session, &[impulse(1 << 16)], &[512]).remove(0))
    }

    fn db(&self, hz: f64) -> f64 {
        let turn = Complex::from_polar(1.0, -TAU * hz / f64::from(RATE));
        // Horner's scheme, last sample first.
        let sum = self
            .0
            .iter()
            .rev()
            .fold(Complex::new(0.0, 0.0), |sum, &x| sum * turn + f64::from(x));
        decibels(sum.norm())
    }
}

#[test]
fn the_response_is_the_sum_of_the_bands() {
    let bands = [
        band(BandShape::LowShelf, 90.0, 3.0, None),
        band(BandShape::Peak, 60.0, 1.5, None),
        band(BandShape::Peak, 440.0, -9.0, Some(3.0)),
        band(BandShape::Peak, 500.0, 6.0, Some(0.7)),
        band(BandShape::HighShelf, 7000.0, -5.0, Some(0.9)),
        band(BandShape::Peak, 15_000.0, 12.0, Some(5.0)),
    ];
    let measured = Measured::new(&bands);
    let mut worst = 0.0f64;
    for step in 0..60 {
        let hz = 10.0 * 2300f64.powf(f64::from(step) / 59.0);
        let expected: f64 = bands.iter().map(|band| analytic_db(band, hz)).sum();
        let off = (measured.db(hz) - expected).abs();
        worst = worst.max(off);
        assert!(
            off <= 0.1,
            "{hz:.1} Hz: {} dB, not {expected}",
            measured.db(hz)
        );
    }
    println!("the equalizer's response is off by {worst:.5} dB at most");
}

#[test]
fn bands_that_lie_apart_have_their_gain_at_their_centre() {
    let bands = [
        band(BandShape::Peak, 60.0, 6.0, Some(2.0)),
        band(BandShape::Peak, 1000.0, -8.0, Some(4.0)),
        band(BandShape::Peak, 12_000.0, 4.0, Some(3.0)),
    ];
    let measured = Measured::new(&bands);
    for band in bands {
        let found = measured.db(band.hz);
        assert!((found - band.gain_db).abs() <= 0.1, "{band:?}: {found}");
    }
}

#[test]
fn shelves_are_flat_where_they_are_not_steep() {
    let measured = Measured::new(&[
        band(BandShape::LowShelf, 120.0, 6.0, None),
        band(BandShape::HighShelf, 9000.0, -4.0, None),
    ]);
    for (hz, expected) in [(5.0, 6.0), (12.0, 6.0), (1000.0, 0.0), (23_000.0, -4.0)] {
        let found = measured.db(hz);
        assert!((found - expected).abs() <= 0.1, "{hz} Hz: {found}");
    }
}
