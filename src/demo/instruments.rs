//! The instruments: each makes one note or stroke as a mono signal with a peak of about 1.

use super::signal::{Decay, OnePole, RATE, Random, Saw, frames, hertz, sine, soft};

/// A bass drum: a sine that falls from 190 to 48 Hz, with a click.
pub fn kick(random: &mut Random) -> Vec<f64> {
    let (mut fall, mut body, mut click) = (Decay::new(0.016), Decay::new(0.075), Decay::new(0.002));
    let mut turns = 0.0;
    (0..frames(0.5))
        .map(|i| {
            turns += (48.0 + 142.0 * fall.next()) / RATE;
            let tone = soft(1.6 * sine(turns)) * body.next();
            (tone + 0.25 * random.noise() * click.next()) * release(i, 0.5)
        })
        .collect()
}

/// A snare drum: two tones of the skin and the rattle of the wires.
pub fn snare(random: &mut Random) -> Vec<f64> {
    let (mut skin, mut wires) = (Decay::new(0.035), Decay::new(0.048));
    let (mut low, mut high) = (OnePole::default(), OnePole::default());
    let (bright, thin) = (OnePole::share(9_000.0), OnePole::share(1_400.0));
    (0..frames(0.4))
        .map(|i| {
            let t = i as f64 / RATE;
            let tone = sine(182.0 * t) + 0.6 * sine(331.0 * t);
            let rattle = high.high_by(low.low_by(random.noise(), bright), thin);
            (0.38 * tone * skin.next() + 0.85 * rattle * wires.next()) * release(i, 0.4)
        })
        .collect()
}

/// A hi-hat of this half-life, in seconds: noise without its low frequencies.
pub fn hat(random: &mut Random, half_life: f64) -> Vec<f64> {
    let seconds = (10.0 * half_life).min(0.6);
    let mut level = Decay::new(half_life);
    let mut filters = [OnePole::default(), OnePole::default()];
    let share = OnePole::share(7_500.0);
    (0..frames(seconds))
        .map(|i| {
            let noise = filters
                .iter_mut()
                .fold(random.noise(), |x, filter| filter.high_by(x, share));
            0.9 * noise * level.next() * release(i, seconds)
        })
        .collect()
}

/// A tom of this pitch, in hertz.
pub fn tom(random: &mut Random, hz: f64) -> Vec<f64> {
    let (mut fall, mut body, mut stick) = (Decay::new(0.03), Decay::new(0.1), Decay::new(0.003));
    let mut turns = 0.0;
    (0..frames(0.6))
        .map(|i| {
            turns += hz * (1.0 + 0.6 * fall.next()) / RATE;
            let tone = soft(1.3 * sine(turns)) * body.next();
            (tone + 0.3 * random.noise() * stick.next()) * release(i, 0.6)
        })
        .collect()
}

/// A plucked string (Karplus and Strong, "Digital synthesis of plucked-string and drum timbres",
/// 1983), with the fraction of the period by linear interpolation.
pub fn pluck(random: &mut Random, note: f64, seconds: f64) -> Vec<f64> {
    // The mean of two neighbours delays by half a sample.
    let period = RATE / hertz(note) - 0.5;
    let whole = period.floor();
    let fraction = period - whole;
    let length = whole as usize + 2;
    let after = |at: usize, frames: usize| {
        let next = at + frames;
        if next < length { next } else { next - length }
    };
    let mut softener = OnePole::default();
    let mut string: Vec<f64> = (0..length)
        .map(|_| softener.low_by(random.noise(), 0.45))
        .collect();
    let mut at = 0;
    (0..frames(seconds))
        .map(|i| {
            // The oldest three samples: `at` is about to be overwritten.
            let [oldest, older, old] = [at, after(at, 1), after(at, 2)].map(|index| string[index]);
            let here = old + fraction * (older - old);
            let later = older + fraction * (oldest - older);
            string[at] = 0.4985 * (here + later);
            at = after(at, 1);
            1.3 * here * release(i, seconds)
        })
        .collect()
}

/// A bass: a saw under a filter that closes, over a sine of the same pitch.
pub fn bass(note: f64, seconds: f64) -> Vec<f64> {
    let hz = hertz(note);
    let mut saw = Saw::new(0.5);
    let (mut closing, mut level) = (Decay::new(0.09), Decay::new(0.55));
    let (dark, bright) = (OnePole::share(180.0), OnePole::share(1_700.0));
    let mut filters = [OnePole::default(), OnePole::default()];
    (0..frames(seconds))
        .map(|i| {
            let share = dark + (bright - dark) * closing.next();
            let low = filters
                .iter_mut()
                .fold(saw.next(hz), |x, filter| filter.low_by(x, share));
            let tone = soft(1.5 * low) + 0.5 * sine(hz * i as f64 / RATE);
            0.75 * tone * level.next() * attack(i, 0.004) * release(i, seconds)
        })
        .collect()
}

/// A section of bowed strings on one note: three saws a little apart, each with a vibrato of its own
/// that begins late.
pub fn strings(random: &mut Random, note: f64, seconds: f64) -> Vec<f64> {
    let mut players: Vec<_> = [-0.05, 0.01, 0.06]
        .into_iter()
        .map(|detune| {
            let rate = 5.2 + 0.5 * random.noise();
            (
                Saw::new(random.noise()),
                hertz(note + detune),
                rate,
                random.noise(),
            )
        })
        .collect();
    let mut filters = [OnePole::default(), OnePole::default()];
    let share = OnePole::share(900.0 + 3.0 * hertz(note));
    (0..frames(seconds))
        .map(|i| {
            let t = i as f64 / RATE;
            let depth = 0.0065 * (t - 0.35).clamp(0.0, 0.8);
            let sum: f64 = players
                .iter_mut()
                .map(|(saw, hz, rate, phase)| {
                    saw.next(*hz * (1.0 + depth * sine(*rate * t + *phase)))
                })
                .sum();
            let tone = filters
                .iter_mut()
                .fold(sum, |x, filter| filter.low_by(x, share));
            0.4 * tone * attack(i, 0.35) * tail(i, seconds, 0.45)
        })
        .collect()
}

/// A soft bell: the melody above the strings.
pub fn bell(note: f64, seconds: f64) -> Vec<f64> {
    let hz = hertz(note);
    let partials = [
        (1.0, 1.0, 0.5),
        (2.0, 0.35, 0.3),
        (3.01, 0.2, 0.16),
        (5.43, 0.1, 0.06),
    ];
    let mut partials = partials.map(|(ratio, level, half)| (ratio, level, Decay::new(half)));
    (0..frames(seconds))
        .map(|i| {
            let t = i as f64 / RATE;
            let tone: f64 = partials
                .iter_mut()
                .map(|(ratio, level, decay)| *level * decay.next() * sine(hz * *ratio * t))
                .sum();
            0.65 * tone * attack(i, 0.003) * release(i, seconds)
        })
        .collect()
}

/// A rise from 0 to 1 at the beginning.
fn attack(frame: usize, seconds: f64) -> f64 {
    let x = (frame as f64 / (seconds * RATE)).min(1.0);
    x * x * (3.0 - 2.0 * x)
}

/// A fall from 1 to 0 in the last 8 ms, so that no end clicks.
fn release(frame: usize, seconds: f64) -> f64 {
    tail(frame, seconds, 0.008)
}

/// A fall from 1 to 0 in the last `fall` seconds.
fn tail(frame: usize, seconds: f64, fall: f64) -> f64 {
    attack(frames(seconds).saturating_sub(frame), fall)
}
