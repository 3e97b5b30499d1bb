//! The backend `fixture`: some kernels of each interface, in the plainest form.

use std::f64::consts::TAU;
use std::sync::Arc;

use auralis_core::{
    Accelerator, AudioBlockMut, Biquad, BiquadCascade, Complex, ComplexFft, ConvolutionMode,
    Convolver, ConvolverSpec, CpuFeatures, Descriptor, Error, ErrorKind, Fir, Latency,
    MAX_CHANNELS, RealFft, Result, Window, register,
};
use serde::Deserialize;

const SCHEMA: &str = r#"{"type":"object","properties":{"trim":{"type":"number"}}}"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// A factor on what `scale` makes, so that a test sees that options arrive.
    trim: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self { trim: 1.0 }
    }
}

#[derive(Debug)]
pub struct Working {
    options: Options,
    cpu: CpuFeatures,
}

/// The kernels of [`Working`].
pub const CAPABILITIES: &[&str] = &[
    "scale",
    "channel_gains",
    "dot",
    "min_max",
    "interleave",
    "deinterleave",
    "f32_from_i16",
    "i24_from_f32",
    "complex_mul",
    "window",
    "moving_rms",
    "convolve",
    "scale_f64",
    "convolve_f64",
    "complex_fft",
    "real_fft",
    "convolver",
    "biquads",
    "fir",
    "complex_fft_f64",
    "real_fft_f64",
];

impl Working {
    /// One without options.
    pub fn new(cpu: CpuFeatures) -> Self {
        let options = Options::default();
        Self { options, cpu }
    }
}

register! {
    Descriptor::<dyn Accelerator> {
        id: "fixture",
        summary: "A few kernels in the plainest form",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: CAPABILITIES,
        options_schema: SCHEMA,
        build: |context| {
            Ok(Arc::new(Working { options: context.options.parse()?, cpu: context.cpu }))
        },
    }
}

register! {
    Descriptor::<dyn Accelerator> {
        id: "unavailable",
        summary: "Needs features of two architectures",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::of(&["avx512vnni", "sve2"]),
        capabilities: &[],
        options_schema: SCHEMA,
        build: |context| {
            Ok(Arc::new(Working { options: context.options.parse()?, cpu: context.cpu }))
        },
    }
}

fn equal(a: usize, b: usize) -> Result<()> {
    if a == b {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidInput, "the lengths differ")
        .with("first", a)
        .with("second", b))
}

/// So many of them, or an error where there is no room.
fn defaults<T: Clone + Default>(len: usize) -> Result<Vec<T>> {
    let mut all = Vec::new();
    all.try_reserve_exact(len)
        .map_err(|e| Error::new(ErrorKind::InvalidInput, "too long").because(e))?;
    all.resize(len, T::default());
    Ok(all)
}

/// Planes are of equal length, which together is the interleaved one.
fn frames<P: AsRef<[f32]>>(planes: &[P], interleaved: usize) -> Result<()> {
    let frames = planes.first().map_or(0, |plane| plane.as_ref().len());
    planes
        .iter()
        .try_for_each(|plane| equal(plane.as_ref().len(), frames))?;
    equal(planes.len() * frames, interleaved)
}

fn at_least_one(len: usize) -> Result<()> {
    match len {
        0 => Err(Error::new(
            ErrorKind::InvalidInput,
            "at least one is needed",
        )),
        _ => Ok(()),
    }
}

impl Accelerator for Working {
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        data.iter_mut().for_each(|x| *x *= gain * self.options.trim);
        Ok(())
    }

    fn channel_gains(&self, interleaved: &mut [f32], gains: &[f32]) -> Result<()> {
        let channels = gains.len();
        equal(
            interleaved
                .len()
                .checked_rem(channels)
                .unwrap_or(interleaved.len()),
            0,
        )?;
        for frame in interleaved.chunks_exact_mut(channels.max(1)) {
            frame.iter_mut().zip(gains).for_each(|(x, g)| *x *= g);
        }
        Ok(())
    }

    fn dot(&self, a: &[f32], b: &[f32]) -> Result<f32> {
        equal(a.len(), b.len())?;
        Ok(a.iter().zip(b).map(|(a, b)| a * b).sum())
    }

    fn min_max(&self, data: &[f32]) -> Result<(f32, f32)> {
        let nothing = (f32::INFINITY, f32::NEG_INFINITY);
        Ok(data
            .iter()
            .fold(nothing, |(low, high), x| (x.min(low), x.max(high))))
    }

    fn interleave(&self, dst: &mut [f32], planes: &[&[f32]]) -> Result<()> {
        frames(planes, dst.len())?;
        for (i, x) in dst.iter_mut().enumerate() {
            *x = planes[i % planes.len()][i / planes.len()];
        }
        Ok(())
    }

    fn deinterleave(&self, planes: &mut [&mut [f32]], src: &[f32]) -> Result<()> {
        frames(planes, src.len())?;
        let channels = planes.len();
        for (i, x) in src.iter().enumerate() {
            planes[i % channels][i / channels] = *x;
        }
        Ok(())
    }

    fn f32_from_i16(&self, dst: &mut [f32], src: &[i16]) -> Result<()> {
        equal(dst.len(), src.len())?;
        dst.iter_mut()
            .zip(src)
            .for_each(|(x, s)| *x = f32::from(*s) / 32768.0);
        Ok(())
    }

    fn i24_from_f32(&self, dst: &mut [[u8; 3]], src: &[f32]) -> Result<()> {
        equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            let scaled = (s * 8_388_608.0)
                .round_ties_even()
                .clamp(-8_388_608.0, 8_388_607.0);
            d.copy_from_slice(&(scaled as i32).to_le_bytes()[..3]);
        }
        Ok(())
    }

    fn complex_mul(
        &self,
        dst: &mut [Complex<f32>],
        a: &[Complex<f32>],
        b: &[Complex<f32>],
    ) -> Result<()> {
        equal(dst.len(), a.len())?;
        equal(dst.len(), b.len())?;
        dst.iter_mut()
            .zip(a.iter().zip(b))
            .for_each(|(d, (a, b))| *d = a * b);
        Ok(())
    }

    fn window(&self, dst: &mut [f32], window: Window) -> Result<()> {
        if let [only] = dst {
            *only = 1.0;
            return Ok(());
        }
        let [a, b, c, d] = window.coefficients();
        let last = dst.len().saturating_sub(1).max(1) as f64;
        for (i, w) in dst.iter_mut().enumerate() {
            let x = TAU * i as f64 / last;
            *w = (a - b * x.cos() + c * (2.0 * x).cos() - d * (3.0 * x).cos()) as f32;
        }
        Ok(())
    }

    fn moving_rms(&self, dst: &mut [f32], src: &[f32], window: usize) -> Result<()> {
        at_least_one(window)?;
        at_least_one((src.len() + 1).saturating_sub(window))?;
        equal(dst.len() + window, src.len() + 1)?;
        for (d, stretch) in dst.iter_mut().zip(src.windows(window)) {
            let sum: f64 = stretch.iter().map(|x| f64::from(*x).powi(2)).sum();
            *d = (sum / window as f64).sqrt() as f32;
        }
        Ok(())
    }

    fn convolve(
        &self,
        dst: &mut [f32],
        signal: &[f32],
        kernel: &[f32],
        mode: ConvolutionMode,
    ) -> Result<()> {
        mode.check(dst.len(), signal.len(), kernel.len())?;
        for (i, d) in dst.iter_mut().enumerate() {
            let at = i + mode.offset(kernel.len());
            let taps = kernel.iter().enumerate();
            *d = taps
                .filter_map(|(k, h)| Some(h * signal.get(at.checked_sub(k)?)?))
                .sum();
        }
        Ok(())
    }

    fn convolve_f64(
        &self,
        dst: &mut [f64],
        signal: &[f64],
        kernel: &[f64],
        mode: ConvolutionMode,
    ) -> Result<()> {
        mode.check(dst.len(), signal.len(), kernel.len())?;
        for (i, d) in dst.iter_mut().enumerate() {
            let at = i + mode.offset(kernel.len());
            let taps = kernel.iter().enumerate();
            *d = taps
                .filter_map(|(k, h)| Some(h * signal.get(at.checked_sub(k)?)?))
                .sum();
        }
        Ok(())
    }

    fn scale_f64(&self, data: &mut [f64], gain: f64) -> Result<()> {
        data.iter_mut().for_each(|x| *x *= gain);
        Ok(())
    }

    fn plan_complex_fft(&self, len: usize) -> Result<Box<dyn ComplexFft<f32>>> {
        at_least_one(len)?;
        Ok(Box::new(Dft::<f32>(defaults(len)?)))
    }

    fn plan_complex_fft_f64(&self, len: usize) -> Result<Box<dyn ComplexFft<f64>>> {
        at_least_one(len)?;
        Ok(Box::new(Dft::<f64>(defaults(len)?)))
    }

    fn plan_real_fft(&self, len: usize) -> Result<Box<dyn RealFft<f32>>> {
        at_least_one(len)?;
        Ok(Box::new(Dft::<f32>(defaults(len)?)))
    }

    fn plan_real_fft_f64(&self, len: usize) -> Result<Box<dyn RealFft<f64>>> {
        at_least_one(len)?;
        Ok(Box::new(Dft::<f64>(defaults(len)?)))
    }

    fn plan_convolver(&self, spec: &ConvolverSpec<'_>) -> Result<Box<dyn Convolver>> {
        at_least_one(spec.impulse.len())?;
        at_least_one(spec.block)?;
        let latency = match spec.latency {
            Latency::Zero => 0,
            Latency::OneBlock => spec.block,
        };
        let mut taps: Vec<f32> = defaults(spec.block)?;
        taps.truncate(latency);
        taps.extend_from_slice(spec.impulse);
        Ok(Box::new(Direct::new(taps, latency)))
    }

    fn plan_fir(&self, taps: &[f32]) -> Result<Box<dyn Fir>> {
        at_least_one(taps.len())?;
        Ok(Box::new(Direct::new(taps.to_vec(), 0)))
    }

    fn plan_biquads(&self, sections: &[Biquad], channels: usize) -> Result<Box<dyn BiquadCascade>> {
        at_least_one(channels)?;
        at_least_one((MAX_CHANNELS + 1).saturating_sub(channels))?;
        let mut states: Vec<Vec<[f64; 2]>> = defaults(channels)?;
        for state in &mut states {
            *state = defaults(sections.len())?;
        }
        Ok(Box::new(Cascade {
            sections: sections.to_vec(),
            states,
        }))
    }

    fn variant(&self) -> &'static str {
        match self.cpu.is_empty() {
            true => "portable",
            false => "some features",
        }
    }
}

/// The discrete Fourier transform by its definition, over a buffer of its own.
#[derive(Debug)]
struct Dft<T>(Vec<Complex<T>>);

macro_rules! dft {
    ($($type:ident)*) => {$(
        impl Dft<$type> {
            fn transform(&mut self, data: &mut [Complex<$type>], sign: f64) -> Result<()> {
                equal(data.len(), self.0.len())?;
                let len = data.len();
                for (k, out) in self.0.iter_mut().enumerate() {
                    let points = data.iter().enumerate().map(|(n, x)| {
                        let angle = sign * TAU * (k * n % len) as f64 / len as f64;
                        Complex::new(f64::from(x.re), f64::from(x.im)) * Complex::cis(angle)
                    });
                    let sum: Complex<f64> = points.sum();
                    *out = Complex::new(sum.re as $type, sum.im as $type);
                }
                data.copy_from_slice(&self.0);
                Ok(())
            }
        }

        impl ComplexFft<$type> for Dft<$type> {
            fn len(&self) -> usize {
                self.0.len()
            }

            fn forward(&mut self, data: &mut [Complex<$type>]) -> Result<()> {
                self.transform(data, -1.0)
            }

            fn inverse(&mut self, data: &mut [Complex<$type>]) -> Result<()> {
                self.transform(data, 1.0)?;
                let scale = 1.0 / data.len() as $type;
                data.iter_mut().for_each(|x| *x *= scale);
                Ok(())
            }
        }

        impl RealFft<$type> for Dft<$type> {
            fn len(&self) -> usize {
                self.0.len()
            }

            fn forward(&mut self, spectrum: &mut [Complex<$type>], samples: &[$type]) -> Result<()> {
                equal(samples.len(), self.0.len())?;
                equal(spectrum.len(), samples.len() / 2 + 1)?;
                let mut all: Vec<_> = samples.iter().map(|x| Complex::new(*x, 0.0)).collect();
                self.transform(&mut all, -1.0)?;
                spectrum.copy_from_slice(&all[..spectrum.len()]);
                Ok(())
            }

            fn inverse(&mut self, samples: &mut [$type], spectrum: &[Complex<$type>]) -> Result<()> {
                let len = self.0.len();
                equal(samples.len(), len)?;
                equal(spectrum.len(), len / 2 + 1)?;
                let bin = |k: usize| match k <= len / 2 {
                    true => spectrum[k],
                    false => spectrum[len - k].conj(),
                };
                let mut all: Vec<_> = (0..len).map(bin).collect();
                ComplexFft::inverse(self, &mut all)?;
                samples.iter_mut().zip(&all).for_each(|(x, y)| *x = y.re);
                Ok(())
            }
        }
    )*};
}

dft!(f32 f64);

/// A convolution in direct form.
#[derive(Debug)]
struct Direct {
    taps: Vec<f32>,
    past: Vec<f32>,
    latency: usize,
}

impl Direct {
    fn new(taps: Vec<f32>, latency: usize) -> Self {
        Self {
            past: vec![0.0; taps.len()],
            taps,
            latency,
        }
    }
}

impl Fir for Direct {
    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        equal(dst.len(), src.len())?;
        for (d, s) in dst.iter_mut().zip(src) {
            self.past.rotate_right(1);
            self.past[0] = *s;
            let products = self.taps.iter().zip(&self.past);
            let sum: f64 = products.map(|(h, x)| f64::from(*h) * f64::from(*x)).sum();
            *d = sum as f32;
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.past.fill(0.0);
    }
}

impl Convolver for Direct {
    fn latency(&self) -> usize {
        self.latency
    }

    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        Fir::process(self, dst, src)
    }

    fn reset(&mut self) {
        Fir::reset(self);
    }
}

/// Second-order sections, transposed direct form II.
#[derive(Debug)]
struct Cascade {
    sections: Vec<Biquad>,
    states: Vec<Vec<[f64; 2]>>,
}

impl BiquadCascade for Cascade {
    fn channels(&self) -> usize {
        self.states.len()
    }

    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        equal(block.channels(), self.states.len())?;
        for (plane, states) in block.planes_mut().zip(&mut self.states) {
            for sample in plane {
                let mut x = f64::from(*sample);
                for (s, [z1, z2]) in self.sections.iter().zip(states.iter_mut()) {
                    let y = s.b0 * x + *z1;
                    *z1 = s.b1 * x - s.a1 * y + *z2;
                    *z2 = s.b2 * x - s.a2 * y;
                    x = y;
                }
                *sample = x as f32;
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.states.iter_mut().flatten().for_each(|z| *z = [0.0; 2]);
    }
}
