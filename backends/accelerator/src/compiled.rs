//! The kernels on slices as functions of an instruction set.

use auralis_core::Complex;

use crate::isa::{Isa, Portable};
use crate::kernels::Kernels;

/// A result as a function hands it over that is not inlined.
pub(crate) trait Handed {
    /// In one register. Two numbers from two registers would be written to memory one by one, and
    /// whoever then reads them together has to wait.
    type Over;

    fn over(self) -> Self::Over;

    fn taken(over: Self::Over) -> Self;
}

impl Handed for (f32, f32) {
    type Over = u64;

    #[inline(always)]
    fn over(self) -> u64 {
        u64::from(self.0.to_bits()) | u64::from(self.1.to_bits()) << 32
    }

    #[inline(always)]
    fn taken(over: u64) -> Self {
        (
            f32::from_bits(over as u32),
            f32::from_bits((over >> 32) as u32),
        )
    }
}

macro_rules! as_they_are {
    ($($type:ty)*) => {$(
        impl Handed for $type {
            type Over = Self;

            #[inline(always)]
            fn over(self) -> Self {
                self
            }

            #[inline(always)]
            fn taken(over: Self) -> Self {
                over
            }
        }
    )*};
}

as_they_are! { () f32 }

macro_rules! functions {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {
        /// The kernels, each compiled for the instruction set, as [`Isa::run`] would. But that hands
        /// its body over in memory, and these take their arguments in registers: of the nanoseconds
        /// that a call on a short slice takes, that is a good part.
        pub(crate) trait Compiled: Isa {
            $(fn $name(self, $($arg: $type),*) -> $result;)*
        }

        impl Compiled for Portable {
            $(
                #[inline(always)]
                fn $name(self, $($arg: $type),*) -> $result {
                    Kernels::$name(self, $($arg),*)
                }
            )*
        }
    };
}

for_each_kernel!(functions);
