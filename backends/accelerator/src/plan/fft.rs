//! Fourier transforms: our own where they are faster, else `rustfft` for complex points, and our own
//! split of real samples over it.

use std::fmt;

use auralis_core::{Complex, ComplexFft, Error, ErrorKind, RealFft, Result};

use super::fast::{FastPoints, FastReal};
use super::packed::{Packed, Pair, pack, plan_pair, rounded_twiddles, unpack};
use super::parts::Split;
use super::{Float, MAX_LEN};
use crate::check;
use crate::isa::Isa;

/// Plans complex transforms of `len` points.
pub(crate) fn plan_complex_fft<I: Isa, T: Float>(
    isa: I,
    len: usize,
) -> Result<Box<dyn ComplexFft<T>>> {
    within_limits(len)?;
    Ok(match T::plan_radix(isa, len) {
        Some(fast) => Box::new(FastPoints::new(fast, len)),
        None => Box::new(Points::new(isa, len)),
    })
}

/// Plans transforms of `len` real samples.
pub(crate) fn plan_real_fft<I: Isa, T: Float>(isa: I, len: usize) -> Result<Box<dyn RealFft<T>>> {
    within_limits(len)?;
    if !len.is_multiple_of(2) {
        return Ok(Box::new(Odd::new(isa, len)));
    }
    Ok(match T::plan_real(isa, len) {
        Some(fast) => Box::new(FastReal::new(fast, len)),
        None => Box::new(Even::new(isa, len)),
    })
}

fn within_limits(len: usize) -> Result<()> {
    if (1..=MAX_LEN).contains(&len) {
        return Ok(());
    }
    let message = "a transform has 1 to 2^28 points";
    Err(Error::new(ErrorKind::InvalidInput, message).with("points", len))
}

/// Complex points, in place.
struct Points<I, T> {
    isa: I,
    pair: Pair<T>,
    scratch: Vec<Complex<T>>,
    len: usize,
    scale: T,
}

impl<I: Isa, T: Float> Points<I, T> {
    fn new(isa: I, len: usize) -> Self {
        let pair = plan_pair::<I, T>(len);
        let scratch = pair.iter().map(|fft| fft.get_inplace_scratch_len()).max();
        Self {
            isa,
            scratch: vec![Complex::default(); scratch.unwrap_or(0)],
            pair,
            len,
            scale: T::of(1.0 / len as f64),
        }
    }
}

impl<I: Isa, T: Float> ComplexFft<T> for Points<I, T> {
    fn len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, data: &mut [Complex<T>]) -> Result<()> {
        check::equal(data.len(), self.len)?;
        self.pair[0].process_with_scratch(data, &mut self.scratch);
        Ok(())
    }

    fn inverse(&mut self, data: &mut [Complex<T>]) -> Result<()> {
        check::equal(data.len(), self.len)?;
        self.pair[1].process_with_scratch(data, &mut self.scratch);
        let scale = self.scale;
        self.isa.run(|| {
            for point in data {
                *point = Complex::new(point.re * scale, point.im * scale);
            }
        });
        Ok(())
    }
}

/// An even number of real samples, through half as many complex points.
pub(super) struct Even<I, T> {
    isa: I,
    packed: Packed<T>,
    twiddles: Split<T>,
    scale: T,
}

impl<I: Isa, T: Float> Even<I, T> {
    pub(super) fn new(isa: I, len: usize) -> Self {
        Self {
            isa,
            packed: Packed::new(isa, len),
            twiddles: rounded_twiddles(len),
            scale: T::of(1.0 / len as f64),
        }
    }
}

impl<I: Isa, T: Float> RealFft<T> for Even<I, T> {
    fn len(&self) -> usize {
        self.packed.len()
    }

    fn forward(&mut self, spectrum: &mut [Complex<T>], samples: &[T]) -> Result<()> {
        check::equal(spectrum.len(), self.bins())?;
        check::equal(samples.len(), self.len())?;
        self.packed.write(0, samples);
        self.packed.forward();
        let (points, twiddles) = (&self.packed.points, &self.twiddles);
        self.isa.run(|| unpack::<I, T>(spectrum, points, twiddles));
        Ok(())
    }

    fn inverse(&mut self, samples: &mut [T], spectrum: &[Complex<T>]) -> Result<()> {
        check::equal(spectrum.len(), self.bins())?;
        check::equal(samples.len(), self.len())?;
        let (points, twiddles, scale) = (&mut self.packed.points, &self.twiddles, self.scale);
        self.isa
            .run(|| pack::<I, T>(points, spectrum, twiddles, scale));
        self.packed.inverse();
        self.packed.read(samples, 0);
        Ok(())
    }
}

/// An odd number of real samples, through as many complex points.
struct Odd<I, T> {
    complex: Points<I, T>,
    points: Vec<Complex<T>>,
}

impl<I: Isa, T: Float> Odd<I, T> {
    fn new(isa: I, len: usize) -> Self {
        Self {
            complex: Points::new(isa, len),
            points: vec![Complex::default(); len],
        }
    }
}

impl<I: Isa, T: Float> RealFft<T> for Odd<I, T> {
    fn len(&self) -> usize {
        self.complex.len
    }

    fn forward(&mut self, spectrum: &mut [Complex<T>], samples: &[T]) -> Result<()> {
        check::equal(spectrum.len(), self.bins())?;
        check::equal(samples.len(), self.len())?;
        for (point, &sample) in self.points.iter_mut().zip(samples) {
            *point = sample.into();
        }
        self.complex.forward(&mut self.points)?;
        spectrum.copy_from_slice(&self.points[..spectrum.len()]);
        spectrum[0].im = T::zero();
        Ok(())
    }

    fn inverse(&mut self, samples: &mut [T], spectrum: &[Complex<T>]) -> Result<()> {
        check::equal(spectrum.len(), self.bins())?;
        check::equal(samples.len(), self.len())?;
        let (low, high) = self.points.split_at_mut(spectrum.len());
        low.copy_from_slice(spectrum);
        low[0].im = T::zero();
        for (mirrored, bin) in high.iter_mut().rev().zip(&spectrum[1..]) {
            *mirrored = bin.conj();
        }
        self.complex.inverse(&mut self.points)?;
        for (sample, point) in samples.iter_mut().zip(&self.points) {
            *sample = point.re;
        }
        Ok(())
    }
}

macro_rules! debug_by_length {
    ($($name:ident)*) => {
        $(
            impl<I: Isa, T: Float> fmt::Debug for $name<I, T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}({}, {})", stringify!($name), self.len(), I::NAME)
                }
            }
        )*
    };
}
debug_by_length!(Points Even Odd);
