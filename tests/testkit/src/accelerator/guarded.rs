//! Memory for a kernel at a chosen alignment, between guards that show whether it wrote outside.

use auralis_core::{ErrorKind, Result};

use super::samples::Sample;
use crate::Outcome;

/// Guards on either side, as many as a vector of 512 bits has samples.
const GUARDS: usize = 16;
const CACHE_LINE: usize = 64;

/// A slice at a chosen offset from a cache line, with guards around it.
pub(super) struct Guarded<T> {
    memory: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Sample> Guarded<T> {
    /// A copy of `values` that begins `offset` samples behind a multiple of 64 bytes.
    pub(super) fn new(values: &[T], offset: usize) -> Self {
        let mut memory = vec![T::GUARD; values.len() + 2 * GUARDS + CACHE_LINE];
        let address = memory.as_ptr().addr();
        let lies_there = |start: usize| {
            (address + start * size_of::<T>()) % CACHE_LINE == offset * size_of::<T>() % CACHE_LINE
        };
        let start = (GUARDS..GUARDS + CACHE_LINE)
            .find(|s| lies_there(*s))
            .unwrap_or(GUARDS);
        memory[start..start + values.len()].copy_from_slice(values);
        Self {
            memory,
            start,
            len: values.len(),
        }
    }

    pub(super) fn get(&self) -> &[T] {
        &self.memory[self.start..self.start + self.len]
    }

    pub(super) fn get_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..self.start + self.len]
    }

    /// Fails if a guard was overwritten, with its place relative to the slice.
    pub(super) fn intact(&self) -> Outcome {
        let end = self.start + self.len;
        let mut outside = (0..self.start).chain(end..self.memory.len());
        let touched = outside.find(|i| !self.memory[*i].same(T::GUARD));
        match touched {
            None => Ok(()),
            Some(i) => {
                let (x, place) = (self.memory[i], i as isize - self.start as isize);
                Err(format!(
                    "wrote {x:?} over a guard outside the slice, at index {place}"
                ))
            }
        }
    }
}

/// What `call` makes of a copy of `values`, which begins at a cache line or off it as their number
/// says.
///
/// # Errors
///
/// What the call answers; that it wrote outside, and where.
pub(super) fn written<T: Sample>(
    values: &[T],
    call: impl FnOnce(&mut [T]) -> Result<()>,
) -> std::result::Result<Vec<T>, String> {
    let mut slice = Guarded::new(values, values.len() % 16);
    call(slice.get_mut()).map_err(|e| format!("failed: {}", e.report()))?;
    slice.intact()?;
    Ok(slice.get().to_vec())
}

/// Fails unless `call` answers [`ErrorKind::InvalidInput`] and leaves its output as it was.
pub(super) fn refuses<T: Sample>(
    what: impl Fn() -> String,
    before: &[T],
    call: impl FnOnce(&mut [T]) -> Result<()>,
) -> Outcome {
    let mut dst = Guarded::new(before, 0);
    match call(dst.get_mut()) {
        Err(error) if error.kind() == ErrorKind::InvalidInput => {}
        Err(error) => return Err(format!("{}: {error:?}, expected InvalidInput", what())),
        Ok(()) => return Err(format!("{}: succeeded, expected InvalidInput", what())),
    }
    dst.intact().map_err(|e| format!("{}: {e}", what()))?;
    match dst.get().iter().zip(before).position(|(a, b)| !a.same(*b)) {
        None => Ok(()),
        Some(i) => Err(format!(
            "{}: was refused, but sample {i} was written",
            what()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_lies_where_asked() {
        for offset in 0..16 {
            let slice = Guarded::new(&[1.0_f32; 5], offset);
            assert_eq!(slice.get().as_ptr().addr() % CACHE_LINE, 4 * offset);
            let packed = Guarded::new(&[[0_u8; 3]; 5], offset);
            assert_eq!(packed.get().as_ptr().addr() % CACHE_LINE, 3 * offset);
        }
    }

    #[test]
    fn a_touched_guard_is_found() {
        let mut slice = Guarded::new(&[1_i16, 2, 3], 1);
        assert_eq!(slice.intact(), Ok(()));
        let behind = slice.start + slice.len;
        slice.memory[behind] = 7;
        assert_eq!(
            slice.intact().unwrap_err(),
            "wrote 7 over a guard outside the slice, at index 3"
        );
    }
}
