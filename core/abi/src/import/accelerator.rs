//! An accelerator in a plugin, behind the trait of core.

use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use auralis_core::{Accelerator, Result, for_each_plan, for_each_slice_kernel};

use super::Tables;
use super::call::{blamed, call, offered};
use super::plans;
use crate::FloatControl;
use crate::argument::{Hold, Lower};
use crate::tables::{accelerator_convolve_v1, accelerator_f64_v1};
use crate::wire::{
    Complex, ConvolutionModeCode, Instance, MinMax, Planes, PlanesMut, Slice, SliceMut, WindowCode,
};

/// An instance in a plugin. Dropping it destroys the instance there.
pub(super) struct RemoteAccelerator {
    pub(super) id: Arc<str>,
    pub(super) variant: &'static str,
    pub(super) instance: NonNull<Instance>,
    pub(super) tables: Tables,
    pub(super) destroy: unsafe extern "C" fn(instance: *const Instance),
}

// SAFETY: the rules of the wire let any thread call and destroy an instance.
unsafe impl Send for RemoteAccelerator {}
// SAFETY: the rules of the wire let any number of threads use an instance at once.
unsafe impl Sync for RemoteAccelerator {}

impl fmt::Debug for RemoteAccelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteAccelerator")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Drop for RemoteAccelerator {
    fn drop(&mut self) {
        let floats = FloatControl::read();
        // SAFETY: the instance came from the `build` of the same table, and this is its last use.
        unsafe { (self.destroy)(self.instance.as_ptr()) };
        floats.restore();
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
        self.variant
    }
}

/// One function per kernel, on wire arguments, which finds the kernel in its table.
///
/// All are unsafe for the same reason: every slice must be what it claims to be during the call, and
/// nobody else may use those that are written.
mod functions {
    use std::cell::Cell;

    use super::*;

    macro_rules! returned {
        () => {
            ()
        };
        ($result:ty) => {
            $result
        };
    }

    macro_rules! calls {
        ($table:ident: $(#[$doc:meta])* $name:ident $id:literal {
            $($method:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*
        }) => {$(
            pub(super) unsafe fn $method(
                remote: &RemoteAccelerator,
                $($argument: $type),*
            ) -> Result<returned!($($result)?)> {
                let kernel = stringify!($method);
                let function = offered(remote.tables.$table.and_then(|t| t.$method), kernel)?;
                let instance = remote.instance.as_ptr();
                let result = Cell::new(<returned!($($result)?)>::default());
                // SAFETY: the instance is alive until `remote` is dropped, the result and the
                // message outlive the call, the slices are the caller's promise.
                unsafe {
                    call(kernel, |message| {
                        function(
                            instance,
                            $($argument,)*
                            $(Cell::<$result>::as_ptr(&result),)?
                            message,
                        )
                    })
                }
                .map_err(|error| blamed(&remote.id, error))?;
                Ok(result.into_inner())
            }
        )*};
    }

    macro_rules! slices { ($($list:tt)*) => { calls! { slices: $($list)* } }; }
    macro_rules! convolve { ($($list:tt)*) => { calls! { convolve: $($list)* } }; }
    macro_rules! f64 { ($($list:tt)*) => { calls! { f64: $($list)* } }; }

    crate::accelerator_slices_v1!(slices);
    accelerator_convolve_v1!(convolve);
    accelerator_f64_v1!(f64);
}
