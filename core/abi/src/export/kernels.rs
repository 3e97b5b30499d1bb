//! The tables of kernels on slices.

use auralis_core::Accelerator;

use super::Served;
use super::guard::{on_instance, store};
use super::serve::keep;
use crate::argument::{Lend, Open};
use crate::tables::{
    ConvolveV1, F64V1, MathV1, SlicesV1, accelerator_convolve_v1, accelerator_f64_v1,
    accelerator_math_v1,
};
use crate::wire::{
    Complex, ConvolutionModeCode, Instance, Message, MinMax, Planes, PlanesMut, Slice, SliceMut,
    Status, WindowCode,
};

macro_rules! serve_kernels {
    ($(#[$doc:meta])* $name:ident $id:literal {
        $($method:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*
    }) => {
        impl Served for $name {
            const TABLE: &'static Self = {
                $(
                    unsafe extern "C" fn $method(
                        instance: *const Instance,
                        $($argument: $type,)*
                        $(result: *mut $result,)?
                        message: *mut Message,
                    ) -> Status {
                        /// The body, for arguments of any shape.
                        #[inline(always)]
                        unsafe fn run(
                            instance: *const Instance,
                            $($argument: $type,)*
                            $(result: *mut $result,)?
                            message: *mut Message,
                        ) -> Status {
                            // SAFETY: the host keeps the rules of the wire: the handle is alive,
                            // slices are what they claim to be during the call, and nobody else
                            // uses those that are written.
                            unsafe {
                                on_instance::<dyn Accelerator>(instance, message, |accelerator| {
                                    $(let mut $argument = Open::open($argument)?;)*
                                    keep!(
                                        accelerator.$method($(Lend::lend(&mut $argument)),*)?,
                                        $(result: $result)?
                                    )
                                })
                            }
                        }

                        /// Out of line, with all that only odd arguments need.
                        #[cold]
                        #[inline(never)]
                        unsafe fn run_odd(
                            instance: *const Instance,
                            $($argument: $type,)*
                            $(result: *mut $result,)?
                            message: *mut Message,
                        ) -> Status {
                            // SAFETY: the caller's promise.
                            unsafe { run(instance, $($argument,)* $({ let place: *mut $result = result; place },)? message) }
                        }

                        let plain = $(Open::is_plain(&$argument) &)* true;
                        // SAFETY: the caller's promise.
                        unsafe {
                            match plain {
                                true => run(instance, $($argument,)* $({ let place: *mut $result = result; place },)? message),
                                false => run_odd(instance, $($argument,)* $({ let place: *mut $result = result; place },)? message),
                            }
                        }
                    }
                )*
                &$name { $($method: Some($method)),* }
            };
        }
    };
}

crate::accelerator_slices_v1!(serve_kernels);
accelerator_math_v1!(serve_kernels);
accelerator_convolve_v1!(serve_kernels);
accelerator_f64_v1!(serve_kernels);
