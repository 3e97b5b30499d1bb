//! The accelerator whose kernels run on different backends: tables, and calls forwarded by them.

use std::fmt;
use std::sync::Arc;

use auralis_core::{
    Accelerator, Biquad, Complex, ConvolutionMode, ConvolverSpec, FirBank, Kernel, Result, Window,
    for_each_plan, for_each_slice_kernel,
};

use crate::tuning::Grid;

const KERNELS: usize = Kernel::ALL.len();

/// Every length of a slice lies in one of these: from a power of two to below the next one.
const OCTAVES: usize = usize::BITS as usize;

/// The backend of each size of a kernel's [`Grid`].
pub(crate) type Cells = Vec<Arc<dyn Accelerator>>;

/// An accelerator whose kernels run on different backends, size by size.
///
/// A kernel on slices of one length finds its backend without a comparison: the place of the highest
/// bit of the length leads to it, because all [edges](Grid::rows_from) between measured lengths are
/// powers of two. The call is then a jump: the backend returns to the caller.
pub(crate) struct Composed {
    variant: &'static str,
    octaves: [[Arc<dyn Accelerator>; OCTAVES]; KERNELS],
    sizes: Vec<Sizes>,
    /// Plans banks of filters.
    bank: Arc<dyn Accelerator>,
}

/// The backends of the sizes of a kernel, row by row.
struct Sizes {
    cells: Cells,
    rows: Steps,
    columns: Steps,
    /// How many columns there are.
    width: usize,
}

impl Sizes {
    fn new(kernel: Kernel, cells: Cells) -> Self {
        let grid = Grid::of(kernel);
        let (rows, columns) = (grid.rows_from(), grid.columns_from());
        Self {
            cells,
            rows: Steps::new(&rows),
            columns: Steps::new(&columns),
            width: columns.len(),
        }
    }

    #[inline(always)]
    fn of(&self, [first, second]: [usize; 2]) -> &Arc<dyn Accelerator> {
        &self.cells[self.rows.up_to(first) * self.width + self.columns.up_to(second)]
    }
}

/// Where one row, or column, ends and the next one begins: of each octave, how many have begun by its first
/// size, and the last size before there is one more. A search would take longer than a short kernel.
struct Steps([(usize, usize); OCTAVES]);

impl Steps {
    /// From where on each row stands; the first of them stands from no size at all.
    fn new(starts: &[usize]) -> Self {
        let octave = |octave: usize| {
            let begun = starts[1..].partition_point(|start| *start <= 1 << octave);
            let next = &starts[1 + begun..];
            let twice = next.len() > 1 && next[1].ilog2() == next[0].ilog2();
            assert!(!twice, "rows are closer than a factor of two: {starts:?}");
            (begun, next.first().map_or(usize::MAX, |start| start - 1))
        };
        Self(std::array::from_fn(octave))
    }

    /// How many have begun by a size.
    #[inline(always)]
    fn up_to(&self, size: usize) -> usize {
        let (begun, last) = self.0[(size | 1).ilog2() as usize];
        begun + usize::from(size > last)
    }
}

impl Composed {
    /// One with the backends of each kernel, in the order of [`Kernel::ALL`].
    pub(crate) fn new(
        variant: &'static str,
        cells: Vec<Cells>,
        bank: Arc<dyn Accelerator>,
    ) -> Self {
        let kernels = Kernel::ALL.iter().zip(cells);
        let sizes: Vec<_> = kernels
            .map(|(kernel, cells)| Sizes::new(*kernel, cells))
            .collect();
        let octave = |kernel: usize, octave: usize| Arc::clone(sizes[kernel].of([1 << octave, 0]));
        Self {
            variant,
            octaves: std::array::from_fn(|kernel| std::array::from_fn(|o| octave(kernel, o))),
            sizes,
            bank,
        }
    }

    #[inline(always)]
    fn of_length(&self, kernel: Kernel, length: usize) -> &dyn Accelerator {
        &*self.octaves[kernel as usize][(length | 1).ilog2() as usize]
    }

    #[inline(always)]
    fn of_size(&self, kernel: Kernel, size: [usize; 2]) -> &dyn Accelerator {
        &**self.sizes[kernel as usize].of(size)
    }
}

impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.sizes.iter().map(|sizes| &sizes.cells);
        let cells = Kernel::NAMES.iter().zip(cells);
        f.debug_map().entries(cells).finish()
    }
}

/// An accelerator that leaves kernels on short slices to another one.
#[derive(Debug)]
pub(crate) struct Threshold {
    /// What is shorter, goes to `short`.
    pub(crate) length: usize,
    pub(crate) short: Arc<dyn Accelerator>,
    pub(crate) others: Arc<dyn Accelerator>,
}

impl Threshold {
    #[inline(always)]
    fn of_length(&self, _: Kernel, length: usize) -> &dyn Accelerator {
        match length < self.length {
            true => &*self.short,
            false => &*self.others,
        }
    }

    fn of_size(&self, kernel: Kernel, size: [usize; 2]) -> &dyn Accelerator {
        self.of_length(kernel, size[0])
    }
}

/// What an argument of a kernel on slices says of the size of the call.
trait Extent {
    /// The number of samples, or the number that it is.
    fn extent(&self) -> usize;
}

macro_rules! extents {
    ($($type:ty: |$argument:ident| $extent:expr;)*) => {$(
        impl Extent for $type {
            #[inline(always)]
            fn extent(&self) -> usize {
                let $argument = self;
                $extent
            }
        }
    )*};
}

extents! {
    [f32]: |samples| samples.len();
    [f64]: |samples| samples.len();
    [i16]: |samples| samples.len();
    [[u8; 3]]: |samples| samples.len();
    [i32]: |samples| samples.len();
    [Complex<f32>]: |samples| samples.len();
    [&[f32]]: |planes| planes.iter().map(|plane| plane.len()).sum();
    [&mut [f32]]: |planes| planes.iter().map(|plane| plane.len()).sum();
    usize: |number| *number;
    f32: |_gain| 0;
    f64: |_gain| 0;
    Window: |_shape| 0;
    ConvolutionMode: |_mode| 0;
}

/// What the arguments of a planned object say of its size, as its [`Grid`] counts it.
trait PlanSize {
    fn size(&self) -> [usize; 2];
}

impl PlanSize for (usize,) {
    fn size(&self) -> [usize; 2] {
        [self.0, 0]
    }
}

impl PlanSize for (&[f32],) {
    fn size(&self) -> [usize; 2] {
        [self.0.len(), 0]
    }
}

impl PlanSize for (&ConvolverSpec<'_>,) {
    fn size(&self) -> [usize; 2] {
        [self.0.block, self.0.impulse.len()]
    }
}

impl PlanSize for (&[Biquad], usize) {
    fn size(&self) -> [usize; 2] {
        [self.1, self.0.len()]
    }
}

/// The argument of a kernel on slices that says its length.
const fn length_at(kernel: Kernel) -> usize {
    match kernel {
        Kernel::Deinterleave => 1,
        _ => 0,
    }
}

/// Where a kernel on slices has a second dimension, it is the third argument.
const SECOND_AT: usize = 2;

macro_rules! forward_slices {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$result> {
            let extents = [$($argument.extent()),*];
            let length = extents[const { length_at(Kernel::$kernel) }];
            let to = if const { Kernel::$kernel.has_one_length() } {
                self.of_length(Kernel::$kernel, length)
            } else {
                self.of_size(Kernel::$kernel, [length, extents[SECOND_AT.min(extents.len() - 1)]])
            };
            to.$method($($argument),*)
        }
    )*};
}

macro_rules! forward_plans {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),*) -> $plan:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$plan> {
            let size = ($($argument,)*).size();
            self.of_size(Kernel::$kernel, size).$method($($argument),*)
        }
    )*};
}

macro_rules! forward_other_plans {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),*) -> $plan:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$plan> {
            self.others.$method($($argument),*)
        }
    )*};
}

impl Accelerator for Composed {
    for_each_slice_kernel!(forward_slices);
    for_each_plan!(forward_plans);

    fn plan_firs(&self, taps: &[&[f32]]) -> Result<Box<dyn FirBank>> {
        self.bank.plan_firs(taps)
    }

    fn variant(&self) -> &'static str {
        self.variant
    }
}

impl Accelerator for Threshold {
    for_each_slice_kernel!(forward_slices);
    for_each_plan!(forward_other_plans);

    fn plan_firs(&self, taps: &[&[f32]]) -> Result<Box<dyn FirBank>> {
        self.others.plan_firs(taps)
    }

    fn variant(&self) -> &'static str {
        self.others.variant()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_finds_its_class() {
        for &kernel in Kernel::ALL {
            let grid = Grid::of(kernel);
            let cells: Cells = (0..grid.len()).map(|_| Arc::new(Nothing(0)) as _).collect();
            let sizes = Sizes::new(kernel, cells.clone());
            for first in [0, 1, 7, 8, 63, 64, 1023, 1024, 16_383, 16_384, usize::MAX] {
                for second in [0, 1, 45, 46, 181, 182, 724, 725, 2048, usize::MAX] {
                    let found = sizes.of([first, second]);
                    let expected = &cells[grid.class([first, second])];
                    assert!(
                        Arc::ptr_eq(found, expected),
                        "{kernel:?}: {first}, {second}"
                    );
                }
            }
        }
    }

    /// Not of size 0, so that each is at a place of its own.
    #[derive(Debug)]
    #[allow(dead_code, reason = "it takes up memory")]
    struct Nothing(u8);

    impl Accelerator for Nothing {}

    #[test]
    fn lengths_change_class_at_powers_of_two() {
        for &kernel in Kernel::ALL {
            let grid = Grid::of(kernel);
            if grid.names == ["length"] {
                let edges = &grid.rows_from()[1..];
                assert!(
                    edges.iter().all(|edge| edge.is_power_of_two()),
                    "{kernel:?}"
                );
            }
        }
    }
}
