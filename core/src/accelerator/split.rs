//! A backend that keeps its kernels on slices, with another one for everything else.

use std::sync::Arc;

use super::{Accelerator, FirBank, Kernel};
use crate::{Result, for_each_plan, for_each_slice_kernel};

/// A backend for the kernels of [one length](Kernel::has_one_length), and another one for everything
/// else.
///
/// The backend is part of the type: a call of its kernels costs what it costs without the other one.
#[derive(Debug)]
pub struct Split<A> {
    slices: A,
    others: Arc<dyn Accelerator>,
}

impl<A: Accelerator> Split<A> {
    /// `slices` for kernels of one length, `others` for everything else.
    pub fn new(slices: A, others: Arc<dyn Accelerator>) -> Self {
        Self { slices, others }
    }
}

macro_rules! slices {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$result> {
            if const { Kernel::$kernel.has_one_length() } {
                self.slices.$method($($argument),*)
            } else {
                self.others.$method($($argument),*)
            }
        }
    )*};
}

macro_rules! plans {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),*) -> $plan:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$plan> {
            self.others.$method($($argument),*)
        }
    )*};
}

impl<A: Accelerator> Accelerator for Split<A> {
    for_each_slice_kernel!(slices);
    for_each_plan!(plans);

    fn plan_firs(&self, taps: &[&[f32]]) -> Result<Box<dyn FirBank>> {
        self.others.plan_firs(taps)
    }

    fn variant(&self) -> &'static str {
        self.slices.variant()
    }
}
