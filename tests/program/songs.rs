//! Songs and WAV files, right and wrong ones, made by hand.

/// A WAV file, each field free to be wrong.
#[derive(Clone)]
pub struct Wav {
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    pub bits: u16,
    pub extensible: bool,
    pub data: Vec<u8>,
}

impl Wav {
    /// Samples from -1 to 1, interleaved, as `bits` of integers (`tag` 1) or floats (`tag` 3).
    pub fn of(tag: u16, bits: u16, channels: u16, rate: u32, samples: &[f64]) -> Self {
        let encode = |x: &f64| -> Vec<u8> {
            match (tag, bits) {
                (1, 8) => vec![(x * 127.0 + 128.0) as u8],
                (1, 16) => ((x * 32_767.0) as i16).to_le_bytes().into(),
                (1, 24) => ((x * 8_388_607.0) as i32).to_le_bytes()[..3].into(),
                (1, 32) => ((x * 2_147_483_647.0) as i32).to_le_bytes().into(),
                (3, 32) => (*x as f32).to_le_bytes().into(),
                (3, 64) => x.to_le_bytes().into(),
                other => panic!("no such samples: {other:?}"),
            }
        };
        Self {
            tag,
            channels,
            rate,
            bits,
            extensible: false,
            data: samples.iter().flat_map(encode).collect(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let align = self.channels.wrapping_mul(self.bits / 8);
        let mut fmt = Vec::new();
        let tag = if self.extensible { 0xfffe } else { self.tag };
        fmt.extend(tag.to_le_bytes());
        fmt.extend(self.channels.to_le_bytes());
        fmt.extend(self.rate.to_le_bytes());
        fmt.extend(self.rate.wrapping_mul(align.into()).to_le_bytes());
        fmt.extend(align.to_le_bytes());
        fmt.extend(self.bits.to_le_bytes());
        if self.extensible {
            fmt.extend(22_u16.to_le_bytes());
            fmt.extend(self.bits.to_le_bytes());
            fmt.extend(((1_u32 << self.channels) - 1).to_le_bytes());
            fmt.extend(self.tag.to_le_bytes());
            fmt.extend(*b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
        }
        let mut body = b"WAVE".to_vec();
        body.extend(chunk(b"fmt ", &fmt));
        body.extend(chunk(b"data", &self.data));
        chunk(b"RIFF", &body)
    }
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    chunk.extend(vec![0; body.len() % 2]);
    chunk
}

/// Tones over noise, interleaved, within ±0.7.
pub fn music(seed: u64, channels: usize, rate: u32, seconds: f64) -> Vec<f64> {
    let frames = (seconds * f64::from(rate)) as usize;
    let mut state = seed.wrapping_mul(2) + 1;
    let mut noise = move || {
        // Knuth's MMIX generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    };
    let mut samples = Vec::with_capacity(frames * channels);
    for frame in 0..frames {
        let time = frame as f64 / f64::from(rate) * std::f64::consts::TAU;
        let swell = 0.6 + 0.4 * (time * 0.5).sin();
        for channel in 0..channels {
            let tones = (time * (110.0 + 37.0 * channel as f64 + seed as f64)).sin()
                + (time * (997.0 + 101.0 * channel as f64)).sin();
            samples.push(swell * 0.25 * tones + 0.15 * noise());
        }
    }
    samples
}

/// A stereo song of 16 bits at 44.1 kHz.
pub fn song(seed: u64, seconds: f64) -> Vec<u8> {
    Wav::of(1, 16, 2, 44_100, &music(seed, 2, 44_100, seconds)).bytes()
}

/// A [`song`] after a second of digital silence.
pub fn late_song(seed: u64, seconds: f64) -> Vec<u8> {
    let mut samples = vec![0.0; 2 * 44_100];
    samples.extend(music(seed, 2, 44_100, seconds));
    Wav::of(1, 16, 2, 44_100, &samples).bytes()
}

/// Short clicks in silence, in stereo at 44.1 kHz: loud only for an instant.
pub fn clicks(seconds: f64) -> Vec<u8> {
    let frames = (seconds * 44_100.0) as usize;
    let click = |i: usize| match (i / 2) % 22_050 {
        n @ 0..=40 => 0.9 * 0.8_f64.powi(n as i32) * if n % 2 == 0 { 1.0 } else { -1.0 },
        _ => 0.0,
    };
    let samples: Vec<f64> = (0..frames * 2).map(click).collect();
    Wav::of(1, 16, 2, 44_100, &samples).bytes()
}
