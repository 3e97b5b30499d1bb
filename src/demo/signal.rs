//! The arithmetic of the synthesis. It uses only operations that IEEE 754 fixes to the bit, so that
//! a song is the same on every platform: the sine of a C library is not.

use std::f64::consts::{LN_2, TAU};

/// Frames per second of everything synthesised here.
pub const SAMPLE_RATE: u32 = 44_100;
/// The same as a number to calculate with.
pub const RATE: f64 = SAMPLE_RATE as f64;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from -1 to 1, evenly distributed.
    pub fn noise(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// The sine of an angle in turns, by its Taylor series within a quarter turn: off by less than 1e-9.
pub fn sine(turns: f64) -> f64 {
    let mut x = turns - turns.round();
    if x > 0.25 {
        x = 0.5 - x;
    } else if x < -0.25 {
        x = -0.5 - x;
    }
    let x = x * TAU;
    let square = x * x;
    // Each factor is the next term over the one before: (2 * PI * x)^2 / (n * (n + 1)).
    const FACTORS: [f64; 6] = [
        1.0 / 156.0,
        1.0 / 110.0,
        1.0 / 72.0,
        1.0 / 42.0,
        1.0 / 20.0,
        1.0 / 6.0,
    ];
    x * FACTORS
        .iter()
        .fold(1.0, |sum, factor| 1.0 - square * factor * sum)
}

/// Two to the power of `x`, by the Taylor series of what is left of a whole number.
pub fn exp2(x: f64) -> f64 {
    let whole = x.round();
    let rest = (x - whole) * LN_2;
    let series = (1..=14)
        .rev()
        .fold(1.0, |sum, n| 1.0 + rest / f64::from(n) * sum);
    let factor = if whole < 0.0 { 0.5 } else { 2.0 };
    (0..whole.abs() as u32).fold(series, |y, _| y * factor)
}

/// The frequency of a MIDI note, in hertz: 69 is the A of 440 Hz.
pub fn hertz(note: f64) -> f64 {
    440.0 * exp2((note - 69.0) / 12.0)
}

/// The frames of a time.
pub fn frames(seconds: f64) -> usize {
    (seconds * RATE).round() as usize
}

/// A level that halves again and again.
#[derive(Clone, Debug)]
pub struct Decay {
    level: f64,
    factor: f64,
}

impl Decay {
    /// From 1, by half in `half_life` seconds.
    pub fn new(half_life: f64) -> Self {
        Self {
            level: 1.0,
            factor: exp2(-1.0 / (half_life * RATE)),
        }
    }

    /// The level of the next frame.
    pub fn next(&mut self) -> f64 {
        let level = self.level;
        self.level *= self.factor;
        level
    }
}

/// A low-pass of one pole.
#[derive(Clone, Debug, Default)]
pub struct OnePole(f64);

impl OnePole {
    /// The low frequencies of the next sample. `share` says which: see [`OnePole::share`].
    pub fn low_by(&mut self, x: f64, share: f64) -> f64 {
        self.0 += share * (x - self.0);
        self.0
    }

    /// The high frequencies: what the low-pass leaves out.
    pub fn high_by(&mut self, x: f64, share: f64) -> f64 {
        x - self.low_by(x, share)
    }

    /// The share of the way to a sample that one frame goes, for a cut-off in hertz.
    pub fn share(hz: f64) -> f64 {
        1.0 - exp2(-TAU / LN_2 * hz / RATE)
    }
}

/// A sawtooth whose jump is rounded off (PolyBLEP: Välimäki and Huovilainen, "Antialiasing
/// oscillators in subtractive synthesis", 2007).
#[derive(Clone, Debug)]
pub struct Saw {
    phase: f64,
}

impl Saw {
    /// Begins at this phase, in turns.
    pub fn new(phase: f64) -> Self {
        Self {
            phase: phase - phase.floor(),
        }
    }

    /// The next sample at a frequency in hertz.
    pub fn next(&mut self, hz: f64) -> f64 {
        let (phase, step) = (self.phase, hz / RATE);
        self.phase += step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        let jump = if phase < step {
            let t = phase / step - 1.0;
            -t * t
        } else if phase > 1.0 - step {
            let t = (phase - 1.0) / step + 1.0;
            t * t
        } else {
            0.0
        };
        2.0 * phase - 1.0 - jump
    }
}

/// A soft limit of 1: close to a hyperbolic tangent, by its Padé approximant.
pub fn soft(x: f64) -> f64 {
    let x = x.clamp(-3.0, 3.0);
    x * (27.0 + x * x) / (27.0 + 9.0 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_what_they_are_called() {
        for i in -4000..4000 {
            let x = f64::from(i) / 997.0;
            assert!((sine(x) - (x * TAU).sin()).abs() < 1e-7, "sine({x})");
            assert!(
                (exp2(4.0 * x) / (4.0 * x).exp2() - 1.0).abs() < 1e-12,
                "exp2({x})"
            );
            assert!((soft(x) - x.tanh()).abs() < 0.03, "soft({x})");
        }
        assert!((hertz(60.0) - 261.625_565_300_598_6).abs() < 1e-9);
    }

    #[test]
    fn noise_is_even() {
        let mut random = Random(7);
        let values: Vec<_> = (0..20_000).map(|_| random.noise()).collect();
        assert!(values.iter().all(|x| (-1.0..1.0).contains(x)));
        let mean = |f: fn(f64) -> f64| values.iter().map(|x| f(*x)).sum::<f64>() / 20_000.0;
        assert!(mean(|x| x).abs() < 0.02 && (mean(|x| x * x) - 1.0 / 3.0).abs() < 0.02);
    }
}
