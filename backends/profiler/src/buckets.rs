//! Log-linear buckets: 32 to the octave, so that each is at most 1/32 (3.2 %) wide.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets to the octave, as a power of two.
const BITS: u32 = 5;
const PER_OCTAVE: u64 = 1 << BITS;
/// One for each value below 64, then 32 for each further octave of a `u64`.
const COUNT: usize = ((u64::BITS - BITS + 1) << BITS) as usize;

/// Counts of values by size, for percentiles.
#[derive(Debug)]
pub struct Buckets(Box<[AtomicU64]>);

impl Buckets {
    /// The memory that the counts take, in bytes.
    pub const BYTES: usize = COUNT * size_of::<AtomicU64>();

    /// Empty buckets.
    pub fn new() -> Self {
        Self((0..COUNT).map(|_| AtomicU64::new(0)).collect())
    }

    /// Counts a value.
    pub fn count(&self, value: u64) {
        self.0[index(value)].fetch_add(1, Ordering::Relaxed);
    }

    /// For each fraction, in rising order, the smallest value that at least that part of all counted
    /// values do not exceed: the middle of its bucket. 0 of nothing.
    pub fn quantiles<const N: usize>(&self, fractions: [f64; N]) -> [u64; N] {
        let counts: Vec<u64> = self
            .0
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let total: u64 = counts.iter().sum();
        let (mut bucket, mut below) = (0, 0);
        fractions.map(|fraction| {
            let rank = ((fraction * total as f64).ceil() as u64).clamp(1, total.max(1));
            while bucket + 1 < COUNT && below + counts[bucket] < rank {
                below += counts[bucket];
                bucket += 1;
            }
            if total == 0 { 0 } else { middle(bucket) }
        })
    }
}

fn index(value: u64) -> usize {
    if value < PER_OCTAVE {
        return value as usize;
    }
    let octave = value.ilog2() - BITS;
    let within = (value >> octave) - PER_OCTAVE;
    ((u64::from(octave) + 1) * PER_OCTAVE + within) as usize
}

fn middle(index: usize) -> u64 {
    let index = index as u64;
    if index < PER_OCTAVE {
        return index;
    }
    let octave = index / PER_OCTAVE - 1;
    let low = (PER_OCTAVE + index % PER_OCTAVE) << octave;
    low + ((1 << octave) - 1) / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_bucket_is_that_of_the_largest_value() {
        assert_eq!(index(u64::MAX), COUNT - 1);
        assert_eq!(
            (index(31), index(32), index(63), index(64)),
            (31, 32, 63, 64)
        );
        assert_eq!((index(65), index(66)), (64, 65));
    }

    proptest! {
        #[test]
        fn a_value_is_close_to_the_middle_of_its_bucket(value: u64, shift in 0..64_u32) {
            let value = value >> shift;
            let middle = middle(index(value));
            prop_assert!(middle.abs_diff(value) <= value / 64, "{} for {}", middle, value);
            prop_assert_eq!(index(middle), index(value));
        }

        #[test]
        fn larger_values_are_in_later_buckets(value in 0..u64::MAX) {
            let step = index(value + 1) - index(value);
            prop_assert!(step <= 1);
        }
    }

    #[test]
    fn quantiles_of_few_values_are_those_values() {
        let buckets = Buckets::new();
        assert_eq!(buckets.quantiles([0.5, 1.0]), [0, 0]);
        (1..=10).for_each(|value| buckets.count(value));
        assert_eq!(
            buckets.quantiles([0.0, 0.1, 0.5, 0.51, 0.9, 1.0]),
            [1, 1, 5, 6, 9, 10]
        );
    }
}
