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
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// First sizes below this go to `near`: where there is but one backend, that is every size.
    below: usize,
    near: Arc<dyn Accelerator>,
    /// The steps behind, the greatest first.
    far: Box<[Step]>,
}

/// From this size on, in both dimensions, to this backend.
#[derive(Clone, Debug)]
struct Step {
    from: [usize; 2],
    to: Arc<dyn Accelerator>,
}

impl Route {
    /// A route over `steps`: from which size on, in both dimensions, to which backend. They rise, the
    /// second dimension faster, and begin at no size at all.
    pub(crate) fn new(steps: Vec<([usize; 2], Arc<dyn Accelerator>)>) -> Self {
        let mut steps: Vec<_> = steps
            .into_iter()
            .map(|(from, to)| Step { from, to })
            .collect();
        let same = |a: &Step, b: &Step| Arc::ptr_eq(&a.to, &b.to);
        let near = Arc::clone(&steps[0].to);
        if steps.iter().all(|step| same(step, &steps[0])) {
            steps.truncate(1);
        } else if steps.iter().all(|step| step.from[1] == 0) {
            steps.dedup_by(|next, step| same(next, step));
        }
        let one_dimension = steps.iter().all(|step| step.from[1] == 0);
        let below = match steps.get(1) {
            None => usize::MAX,
            Some(second) if one_dimension => second.from[0],
            Some(_) => 0,
        };
        steps.reverse();
        Self {
            below,
            near,
            far: steps.into(),
        }
    }

    /// The same where the first size is not below `threshold`; else to `short`.
    pub(crate) fn after(self, threshold: usize, short: Arc<dyn Accelerator>) -> Self {
        Self {
            below: threshold,
            near: short,
            far: self.far,
        }
    }

    #[inline(always)]
    fn to(&self, size: [usize; 2]) -> &dyn Accelerator {
        if size[0] < self.below {
            &*self.near
        } else {
            self.beyond(size)
        }
    }

    #[inline]
    fn beyond(&self, size: [usize; 2]) -> &dyn Accelerator {
        let reached = |step: &&Step| size[0] >= step.from[0] && size[1] >= step.from[1];
        let step = self.far.iter().find(reached);
        &**step.map_or(&self.near, |step| &step.to)
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
