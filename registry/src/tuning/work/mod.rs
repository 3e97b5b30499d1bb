//! Work to be timed: one kernel at one size, on one backend or another.

mod cost;
mod operands;
mod own;
mod placement;
mod plans;
mod slices;

use std::sync::Arc;

use auralis_core::{Accelerator, Kernel, Result, for_each_plan, for_each_slice_kernel};

pub use cost::Cost;
pub use own::{own_cost, own_kernel};

use super::Batch;
use operands::Operands;
use placement::{Replanned, Stage};

/// A kernel on slices: how to call it once, and what that moves and computes.
struct SliceWork {
    cost: fn([usize; 2]) -> Cost,
    run: Repeat,
}

/// A planned object: how to plan it and then call it, and what a call moves and computes.
struct PlanWork {
    cost: fn([usize; 2]) -> Cost,
    plan: fn(&dyn Accelerator, [usize; 2]) -> Result<Planned>,
}

/// Calls a kernel so many times.
type Repeat = fn(&dyn Accelerator, &mut Operands, u32) -> Result<()>;

/// Calls what was planned so many times.
type Planned = Box<dyn FnMut(&mut Operands, u32) -> Result<()>>;

enum Work {
    Slice(SliceWork),
    Plan(PlanWork),
}

// From the lists of kernels, so that a kernel without work does not compile.
macro_rules! slice_work {
    ($($kernel:ident $method:ident ($($arguments:tt)*) -> $result:ty;)*) => {
        fn slice_work(kernel: Kernel) -> Option<SliceWork> {
            match kernel {
                $(Kernel::$kernel => Some(slices::$method()),)*
                _ => None,
            }
        }
    };
}
macro_rules! plan_work {
    ($($kernel:ident $method:ident ($($arguments:tt)*) -> $result:ty;)*) => {
        fn plan_work(kernel: Kernel) -> Option<PlanWork> {
            match kernel {
                $(Kernel::$kernel => Some(plans::$method()),)*
                _ => None,
            }
        }
    };
}
for_each_slice_kernel!(slice_work);
for_each_plan!(plan_work);

fn work(kernel: Kernel) -> Work {
    let slice = slice_work(kernel).map(Work::Slice);
    let work = slice.or_else(|| plan_work(kernel).map(Work::Plan));
    work.expect("every kernel is in one of the two lists")
}

/// What one call of a kernel at this size moves and computes.
pub fn cost(kernel: Kernel, size: [usize; 2]) -> Cost {
    match work(kernel) {
        Work::Slice(SliceWork { cost, .. }) | Work::Plan(PlanWork { cost, .. }) => cost(size),
    }
}

/// A batch of calls of `kernel` at this size for each backend. All work on the same samples in the same
/// places.
///
/// # Errors
///
/// Those of planning, each in the place of its backend's batch.
pub fn batches(
    kernel: Kernel,
    size: [usize; 2],
    backends: &[Arc<dyn Accelerator>],
) -> Vec<Result<Batch<'static>>> {
    let places = placement::places(kernel, size);
    let batch = |backend: &Arc<dyn Accelerator>| -> Result<Batch<'static>> {
        let (backend, mut stage) = (Arc::clone(backend), Stage::new(&places));
        Ok(match work(kernel) {
            Work::Slice(SliceWork { run, .. }) => {
                Box::new(move |calls| stage.time(|operands| run(&*backend, operands, calls)))
            }
            Work::Plan(PlanWork { plan, .. }) => {
                let mut replanned = Replanned::new(move || plan(&*backend, size))?;
                Box::new(move |calls| {
                    let planned = replanned.next()?;
                    let took = stage.time(|operands| planned(operands, calls))?;
                    replanned.has_worked(took);
                    Ok(took)
                })
            }
        })
    };
    backends.iter().map(batch).collect()
}
