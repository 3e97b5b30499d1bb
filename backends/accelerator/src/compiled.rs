//! The kernels on slices as functions of an instruction set.

use auralis_core::{Complex, Result};

use crate::check;
use crate::isa::{Isa, Portable};
use crate::kernels::Kernels;

macro_rules! functions {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {
        /// The kernels, each compiled for the instruction set, as [`Isa::run`] would. But that hands
        /// its body over in memory. These take their arguments as a method of an accelerator does, the
        /// reference too, and check them, so that whoever calls one last only jumps to it: of the
        /// nanoseconds that a call on a short slice takes, that is a good part. So is asking whether
        /// the CPU computes in halves, which they are compiled for or not: the caller has asked
        /// [`Isa::halves`].
        pub(crate) trait Compiled: Isa {
            $(fn $name<const HALVES: bool>(&self, $($arg: $type),*) -> Result<$result>;)*
        }

        impl Compiled for Portable {
            $(
                #[inline(always)]
                fn $name<const HALVES: bool>(&self, $($arg: $type),*) -> Result<$result> {
                    $check?;
                    Ok(Kernels::$name(*self, $($arg),*))
                }
            )*
        }
    };
}

for_each_kernel!(functions);
