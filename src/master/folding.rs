//! A series that keeps a bounded number of values by merging neighbours.

/// A value that stands for a stretch of audio.
pub trait Merge: Copy {
    /// The value of two neighbouring stretches, `self` being the earlier.
    fn merge(self, later: Self) -> Self;
}

/// The largest value of a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Largest(pub f32);

impl Merge for Largest {
    fn merge(self, later: Self) -> Self {
        Self(self.0.max(later.0))
    }
}

/// The smallest value of a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smallest(pub f32);

impl Merge for Smallest {
    fn merge(self, later: Self) -> Self {
        Self(self.0.min(later.0))
    }
}

/// A series of values, each of [`span`](Self::span) items. When it is full, pairs of values are
/// merged and the span doubles, so memory does not grow with the length of a file.
#[derive(Clone, Debug)]
pub struct Folding<T> {
    values: Vec<T>,
    capacity: usize,
    span: usize,
    pending: Option<T>,
    pending_items: usize,
}

impl<T: Merge> Folding<T> {
    /// A series of at most `capacity` values, rounded up to an even number.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(2).next_multiple_of(2);
        Self {
            values: Vec::with_capacity(capacity),
            capacity,
            span: 1,
            pending: None,
            pending_items: 0,
        }
    }

    /// Appends an item.
    pub fn push(&mut self, item: T) {
        self.pending = Some(self.pending.map_or(item, |earlier| earlier.merge(item)));
        self.pending_items += 1;
        if self.pending_items == self.span {
            self.flush();
        }
    }

    /// Ends the series: a stretch that is not full becomes a value of its own.
    pub fn flush(&mut self) {
        let Some(value) = self.pending.take() else {
            return;
        };
        self.pending_items = 0;
        if self.values.len() == self.capacity {
            for i in 0..self.capacity / 2 {
                self.values[i] = self.values[2 * i].merge(self.values[2 * i + 1]);
            }
            self.values.truncate(self.capacity / 2);
            // The value just finished is half of a stretch of the new span.
            self.pending = Some(value);
            self.pending_items = self.span;
            self.span *= 2;
        } else {
            self.values.push(value);
        }
    }

    /// The values, oldest first. [`flush`](Self::flush) first to have them all.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Ends the series and gives its values, and how many items each stands for.
    pub fn finish(mut self) -> (Vec<T>, usize) {
        self.flush();
        // The first may have folded the series and left the last stretch pending.
        self.flush();
        (self.values, self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Sum(u64);

    impl Merge for Sum {
        fn merge(self, later: Self) -> Self {
            Self(self.0 + later.0)
        }
    }

    #[test]
    fn nothing_is_lost_and_memory_stays_bounded() {
        for items in [0, 1, 7, 8, 9, 16, 17, 1000, 1023, 1024] {
            let mut series = Folding::new(8);
            (0..items).for_each(|i| series.push(Sum(i)));
            let (values, span) = series.finish();
            assert!(values.len() <= 8);
            let sum: u64 = values.iter().map(|s| s.0).sum();
            assert_eq!(sum, items * items.saturating_sub(1) / 2, "{items} items");
            let full = values.len().saturating_sub(1) * span;
            assert!(full as u64 <= items);
        }
    }
}
