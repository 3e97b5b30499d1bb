//! The planned transforms over our own passes.

use std::fmt;

use auralis_core::{Complex, ComplexFft, RealFft, Result};

use super::Float;
use super::radix::{Fast, Real, flat, flat_mut};
use crate::check;

/// Complex points, in place.
pub(super) struct FastPoints<T> {
    fast: Box<dyn Fast<T>>,
    len: usize,
    scale: T,
}

impl<T: Float> FastPoints<T> {
    pub(super) fn new(fast: Box<dyn Fast<T>>, len: usize) -> Self {
        let scale = T::of(1.0 / len as f64);
        Self { fast, len, scale }
    }
}

impl<T: Float> ComplexFft<T> for FastPoints<T> {
    fn len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, data: &mut [Complex<T>]) -> Result<()> {
        check::equal(data.len(), self.len)?;
        self.fast.forward(flat_mut(data), None);
        Ok(())
    }

    fn inverse(&mut self, data: &mut [Complex<T>]) -> Result<()> {
        check::equal(data.len(), self.len)?;
        self.fast.inverse(flat_mut(data), None, self.scale);
        Ok(())
    }
}

/// Real samples.
pub(super) struct FastReal<T> {
    fast: Box<dyn Real<T>>,
    len: usize,
}

impl<T: Float> FastReal<T> {
    pub(super) fn new(fast: Box<dyn Real<T>>, len: usize) -> Self {
        Self { fast, len }
    }
}

impl<T: Float> RealFft<T> for FastReal<T> {
    fn len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, spectrum: &mut [Complex<T>], samples: &[T]) -> Result<()> {
        check::equal(spectrum.len(), self.bins())?;
        check::equal(samples.len(), self.len)?;
        self.fast.forward(flat_mut(spectrum), samples);
        Ok(())
    }

    fn inverse(&mut self, samples: &mut [T], spectrum: &[Complex<T>]) -> Result<()> {
        check::equal(spectrum.len(), self.bins())?;
        check::equal(samples.len(), self.len)?;
        self.fast.inverse(samples, flat(spectrum));
        Ok(())
    }
}

macro_rules! debug_by_length {
    ($($name:ident)*) => {
        $(
            impl<T> fmt::Debug for $name<T> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}({})", stringify!($name), self.len)
                }
            }
        )*
    };
}
debug_by_length!(FastPoints FastReal);
