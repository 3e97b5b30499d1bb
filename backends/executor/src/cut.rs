//! Cuts a range into pieces whose edges are multiples of a grain.

use std::ops::Range;

/// `0..len` in `pieces` consecutive ranges of nearly the same number of grains.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    len: usize,
    grain: usize,
    grains: usize,
    pieces: usize,
}

impl Cut {
    /// At most `pieces` pieces, and none without a grain.
    pub fn new(len: usize, grain: usize, pieces: usize) -> Self {
        let grain = grain.max(1);
        let grains = len.div_ceil(grain);
        Self {
            len,
            grain,
            grains,
            pieces: pieces.min(grains),
        }
    }

    /// The number of pieces; 0 of an empty range.
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    /// The range of piece `index`.
    pub fn piece(&self, index: usize) -> Range<usize> {
        self.edge(index)..self.edge(index + 1)
    }

    fn edge(&self, index: usize) -> usize {
        let (each, more) = (self.grains / self.pieces, self.grains % self.pieces);
        let grains = index * each + index.min(more);
        grains.saturating_mul(self.grain).min(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_even_and_cover_everything() {
        let cases = [
            (0, 1, 4, 0),
            (10, 0, 4, 4),
            (10, 3, 4, 4),
            (10, 3, 3, 3),
            (1000, 64, 7, 7),
            (3, usize::MAX, 9, 1),
            (usize::MAX, 1, 5, 5),
            (usize::MAX, usize::MAX / 2, 5, 3),
        ];
        for (len, grain, asked, pieces) in cases {
            let cut = Cut::new(len, grain, asked);
            assert_eq!(cut.pieces(), pieces, "{cut:?}");
            let mut next = 0;
            for index in 0..pieces {
                let piece = cut.piece(index);
                assert_eq!(piece.start, next, "{cut:?}");
                assert!(piece.end > piece.start, "{cut:?}");
                assert!(
                    piece.end.is_multiple_of(grain.max(1)) || piece.end == len,
                    "{cut:?}"
                );
                next = piece.end;
            }
            assert_eq!(next, len, "{cut:?}");
        }
    }
}
