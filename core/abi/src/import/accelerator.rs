//! An accelerator in a plugin, behind the trait of core.

use std::sync::Arc;

use auralis_core::{Accelerator, Result, for_each_plan, for_each_slice_kernel};

use super::call::offered;
use super::instance::{RemoteInstance, returned};
use super::plans;
use super::{AcceleratorTables, Remote, Tables};
use crate::argument::{Hold, Lower};
use crate::tables::{accelerator_convolve_v1, accelerator_f64_v1, accelerator_math_v1};
use crate::wire::{
    Complex, ConvolutionModeCode, MinMax, Planes, PlanesMut, Slice, SliceMut, WindowCode,
};

/// An instance in a plugin, with the tables of its kernels.
#[derive(Debug)]
pub(super) struct RemoteAccelerator {
    pub(super) instance: RemoteInstance,
    pub(super) tables: AcceleratorTables,
}

impl Remote for dyn Accelerator {
    fn connect(instance: RemoteInstance, tables: &Tables) -> Result<Arc<Self>> {
        let tables = tables.accelerator;
        Ok(Arc::new(RemoteAccelerator { instance, tables }))
    }
}

macro_rules! kernels {
    ($($kernel:ident $method:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$result> {
            $(let mut $argument = Hold::hold($argument);)*
            // SAFETY: every slice was just made from a reference that lives until this returns.
            let answer = unsafe { functions::$method(self, $(Lower::lower(&mut $argument)),*) };
            answer.map(Into::into)
        }
    )*};
}

macro_rules! plans {
    ($($kernel:ident $method:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$result> {
            plans::$method(self, $($argument),*)
        }
    )*};
}

impl Accelerator for RemoteAccelerator {
    for_each_slice_kernel!(kernels);
    for_each_plan!(plans);

    fn variant(&self) -> &'static str {
        self.instance.variant
    }
}

/// One function per kernel, on wire arguments, which finds the kernel in its table.
///
/// All are unsafe for the same reason: every slice must be what it claims to be during the call, and
/// nobody else may use those that are written.
mod functions {
    use std::cell::Cell;

    use super::*;

    macro_rules! calls {
        ($table:ident: $(#[$doc:meta])* $name:ident $id:literal {
            $($method:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*
        }) => {$(
            #[inline]
            pub(super) unsafe fn $method(
                remote: &RemoteAccelerator,
                $($argument: $type),*
            ) -> Result<returned!($($result)?)> {
                let kernel = stringify!($method);
                let function = offered(remote.tables.$table.and_then(|t| t.$method), kernel)?;
                let result = Cell::new(<returned!($($result)?)>::default());
                // SAFETY: the result outlives the call, the slices are the caller's promise.
                unsafe {
                    remote.instance.call(kernel, |instance, message| {
                        function(
                            instance,
                            $($argument,)*
                            $(Cell::<$result>::as_ptr(&result),)?
                            message,
                        )
                    })
                }?;
                Ok(result.into_inner())
            }
        )*};
    }

    macro_rules! slices { ($($list:tt)*) => { calls! { slices: $($list)* } }; }
    macro_rules! math { ($($list:tt)*) => { calls! { math: $($list)* } }; }
    macro_rules! convolve { ($($list:tt)*) => { calls! { convolve: $($list)* } }; }
    macro_rules! f64 { ($($list:tt)*) => { calls! { f64: $($list)* } }; }

    crate::accelerator_slices_v1!(slices);
    accelerator_math_v1!(math);
    accelerator_convolve_v1!(convolve);
    accelerator_f64_v1!(f64);
}
