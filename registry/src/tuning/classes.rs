//! Size classes: at which sizes a kernel is measured, and which of them stands for another size.

use auralis_core::Kernel;

/// The lengths at which kernels on slices are measured.
pub const LENGTHS: &[usize] = &[4, 16, 64, 256, 1024, 4096, 65_536];

/// The sizes at which a kernel is measured: of one or two dimensions.
///
/// A size belongs to the measured one that is nearest in ratio: the edge between two lies at their
/// geometric mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// What the dimensions are called, a singular each.
    pub names: &'static [&'static str],
    /// The measured sizes along the first dimension, rising.
    pub first: &'static [usize],
    /// Those along the second; empty if there is none.
    pub second: &'static [usize],
}

/// The sizes of kernels of authors' own.
pub const OWN_KERNEL: Grid = Grid::line(&["length"], LENGTHS);

impl Grid {
    const fn line(names: &'static [&'static str; 1], first: &'static [usize]) -> Self {
        Self {
            names,
            first,
            second: &[],
        }
    }

    /// The grid of a kernel.
    pub const fn of(kernel: Kernel) -> Self {
        match kernel {
            Kernel::ComplexFft | Kernel::RealFft | Kernel::ComplexFftF64 | Kernel::RealFftF64 => {
                Self::line(&["points"], &[64, 256, 1024, 4096, 16_384, 65_536])
            }
            Kernel::Convolver => Self {
                names: &["block", "taps"],
                first: &[64, 512],
                second: &[512, 8192, 65_536],
            },
            Kernel::Biquads => Self {
                names: &["channels", "sections"],
                first: &[1, 2, 8],
                second: &[1, 4, 10],
            },
            Kernel::Fir => Self::line(&["taps"], &[8, 32, 128]),
            Kernel::Convolve | Kernel::ConvolveF64 => Self {
                names: &["length", "taps"],
                first: &[256, 4096, 65_536],
                second: &[16, 128, 4096],
            },
            Kernel::MovingRms | Kernel::MovingRmsF64 => Self {
                names: &["length", "window"],
                first: &[256, 4096, 65_536],
                second: &[32, 1024],
            },
            _ => Self::line(&["length"], LENGTHS),
        }
    }

    /// The number of measured sizes.
    pub const fn len(&self) -> usize {
        self.first.len() * self.columns()
    }

    /// Whether there is none: never.
    pub const fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    const fn columns(&self) -> usize {
        if self.second.is_empty() {
            1
        } else {
            self.second.len()
        }
    }

    /// The measured sizes, the second dimension fastest; it is 0 where there is none.
    pub fn sizes(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let Self { first, second, .. } = *self;
        let second = if second.is_empty() { &[0][..] } else { second };
        first
            .iter()
            .flat_map(move |&a| second.iter().map(move |&b| [a, b]))
    }

    /// The place in [`sizes`](Self::sizes) of exactly this size.
    pub fn index(&self, size: &[usize]) -> Option<usize> {
        let as_long = size.len() == self.names.len();
        let same = |known: [usize; 2]| known[..self.names.len()] == *size;
        as_long.then(|| self.sizes().position(same)).flatten()
    }

    /// The place in [`sizes`](Self::sizes) of the size that stands for this one.
    pub fn class(&self, size: [usize; 2]) -> usize {
        let along = |edges: Vec<usize>, value| edges.iter().filter(|e| value >= **e).count();
        let row = along(edges(self.first), size[0]);
        row * self.columns() + along(edges(self.second), size[1])
    }

    /// From where on each row of the grid stands for a size's first dimension.
    pub fn rows_from(&self) -> Vec<usize> {
        starts(self.first)
    }

    /// The same of the second dimension; one of 0 where there is none.
    pub fn columns_from(&self) -> Vec<usize> {
        starts(self.second)
    }

    /// A size in words: `64`, or `64 x 512`.
    pub fn shown(&self, size: [usize; 2]) -> String {
        match self.second {
            [] => size[0].to_string(),
            _ => format!("{} x {}", size[0], size[1]),
        }
    }
}

fn starts(measured: &[usize]) -> Vec<usize> {
    std::iter::once(0).chain(edges(measured)).collect()
}

fn edges(measured: &[usize]) -> Vec<usize> {
    measured
        .windows(2)
        .map(|pair| ((pair[0] * pair[1]) as f64).sqrt().ceil() as usize)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measured_size_stands_for_itself() {
        for &kernel in Kernel::ALL {
            let grid = Grid::of(kernel);
            assert_eq!(grid.sizes().count(), grid.len());
            for (index, size) in grid.sizes().enumerate() {
                assert_eq!(grid.class(size), index, "{kernel:?} {size:?}");
                let as_written = &size[..grid.names.len()];
                assert_eq!(grid.index(as_written), Some(index));
            }
        }
    }

    #[test]
    fn an_edge_lies_at_the_geometric_mean() {
        let grid = Grid::of(Kernel::Dot);
        assert_eq!(grid.rows_from(), [0, 8, 32, 128, 512, 2048, 16_384]);
        for (length, class) in [(0, 0), (7, 0), (8, 1), (127, 2), (128, 3), (usize::MAX, 6)] {
            assert_eq!(grid.class([length, 0]), class, "{length}");
        }
        assert_eq!(grid.index(&[65]), None);
        assert_eq!(grid.index(&[64, 0]), None);
    }
}
