//! The accelerator whose kernels run on different backends: a table, and calls forwarded by it.

use std::sync::Arc;

use auralis_core::{
    Accelerator, Biquad, Complex, ConvolutionMode, ConvolverSpec, Kernel, Result, Window,
    for_each_plan, for_each_slice_kernel,
};

use crate::tuning::Grid;

const KERNELS: usize = Kernel::ALL.len();

/// An accelerator whose kernels run on different backends, size by size.
#[derive(Debug)]
pub(crate) struct Composed {
    variant: &'static str,
    routes: [Route; KERNELS],
}

impl Composed {
    /// One with a route for each kernel, in the order of [`Kernel::ALL`].
    pub(crate) fn new(variant: &'static str, routes: Vec<Route>) -> Self {
        let routes: Box<[Route; KERNELS]> = routes
            .try_into()
            .unwrap_or_else(|_| unreachable!("there is a route for each kernel"));
        Self {
            variant,
            routes: *routes,
        }
    }

    #[inline(always)]
    fn slot(&self, kernel: Kernel, size: [usize; 2]) -> &dyn Accelerator {
        self.routes[kernel as usize].to(size)
    }
}

/// Which backend runs a kernel at which size.
///
/// One comparison finds the way for most calls: those at home. Where there is but one backend, every
/// size is at home; with several, the sizes that are usual for a block are.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    from: usize,
    span: usize,
    home: Arc<dyn Accelerator>,
    /// The steps of the others, the greatest first.
    steps: Box<[Step]>,
}

/// From this size on, in both dimensions, to this backend.
#[derive(Clone, Debug)]
struct Step {
    from: [usize; 2],
    to: Arc<dyn Accelerator>,
}

/// A length that is usual for a block.
const USUAL: usize = 256;

impl Route {
    /// A route over `steps`: from which size on, in both dimensions, to which backend. They rise, the
    /// second dimension faster, and begin at no size at all. First sizes below the threshold of
    /// `short`, if there is one, go to its backend.
    pub(crate) fn new(
        steps: Vec<([usize; 2], Arc<dyn Accelerator>)>,
        short: Option<(usize, Arc<dyn Accelerator>)>,
    ) -> Self {
        let (threshold, short) = short.map_or((0, None), |(t, short)| (t, Some(short)));
        let mut steps: Vec<_> = steps
            .into_iter()
            .map(|([first, second], to)| Step {
                from: [first.max(threshold), second],
                to,
            })
            .collect();
        // Of rows that lie below the threshold as a whole, the last one counts.
        steps.reverse();
        let mut seen = Vec::new();
        steps.retain(|step| {
            !seen.contains(&step.from) && {
                seen.push(step.from);
                true
            }
        });
        if let Some(to) = short {
            steps.push(Step { from: [0, 0], to });
        }
        let same = |a: &Step, b: &Step| Arc::ptr_eq(&a.to, &b.to);
        if steps.iter().all(|step| same(step, &steps[0])) {
            steps = vec![Step {
                from: [0, 0],
                to: Arc::clone(&steps[0].to),
            }];
        }
        let one_dimension = steps.iter().all(|step| step.from[1] == 0);
        if one_dimension {
            // Of neighbours that are alike, the lower one holds both.
            steps.reverse();
            steps.dedup_by(|next, step| same(next, step));
            steps.reverse();
        }
        let usual = steps.iter().position(|step| step.from[0] <= USUAL);
        let at = usual.unwrap_or(steps.len() - 1);
        let from = steps[at].from[0];
        let end = match at.checked_sub(1) {
            _ if !one_dimension => from,
            None => usize::MAX,
            Some(above) => steps[above].from[0],
        };
        Self {
            from,
            span: end - from,
            home: Arc::clone(&steps[at].to),
            steps: steps.into(),
        }
    }

    #[inline(always)]
    fn to(&self, size: [usize; 2]) -> &dyn Accelerator {
        if size[0].wrapping_sub(self.from) < self.span {
            &*self.home
        } else {
            self.elsewhere(size)
        }
    }

    #[inline(never)]
    fn elsewhere(&self, size: [usize; 2]) -> &dyn Accelerator {
        let reached = |step: &&Step| size[0] >= step.from[0] && size[1] >= step.from[1];
        let step = self.steps.iter().find(reached);
        &**step.map_or(&self.home, |step| &step.to)
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

macro_rules! forward_slices {
    ($($kernel:ident $method:ident (
        $first:ident: $slice:ty $(, $argument:ident: $type:ty)* $(,)?
    ) -> $result:ty;)*) => {$(
        fn $method(&self, $first: $slice $(, $argument: $type)*) -> Result<$result> {
            // Where a kernel on slices has a second dimension, it is the third argument.
            let second = if const { Grid::of(Kernel::$kernel).second.is_empty() } {
                0
            } else {
                [0, $($argument.extent()),*].get(2).map_or(0, |extent| *extent)
            };
            let size = [$first.extent(), second];
            self.slot(Kernel::$kernel, size).$method($first $(, $argument)*)
        }
    )*};
}

macro_rules! slice_kernels {
    ($($kernel:ident $method:ident ($($arguments:tt)*) -> $result:ty;)*) => {
        /// Whether a kernel works on slices, so that short ones may go elsewhere.
        pub(crate) const fn is_slice_kernel(kernel: Kernel) -> bool {
            matches!(kernel, $(Kernel::$kernel)|*)
        }
    };
}

macro_rules! forward_plans {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),*) -> $plan:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$plan> {
            let size = ($($argument,)*).size();
            self.slot(Kernel::$kernel, size).$method($($argument),*)
        }
    )*};
}

for_each_slice_kernel!(slice_kernels);

impl Accelerator for Composed {
    for_each_slice_kernel!(forward_slices);
    for_each_plan!(forward_plans);

    fn variant(&self) -> &'static str {
        self.variant
    }
}
