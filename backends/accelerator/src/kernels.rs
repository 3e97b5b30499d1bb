//! The kernels on slices as an instruction set computes them.

use auralis_core::Complex;

use crate::generic::Generic;
use crate::isa::Isa;
#[cfg(target_arch = "aarch64")]
use crate::isa::Neon;
use crate::isa::Portable;
#[cfg(target_arch = "x86_64")]
use crate::isa::{Avx2, Avx512, Sse42};
use crate::wide::by_hand;

macro_rules! generic {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {
        /// The kernels: the generic ones, where there are none by hand.
        pub(crate) trait Kernels: Isa {
            $(
                #[inline(always)]
                fn $name(self, $($arg: $type),*) -> $result {
                    Generic::<Self::Arithmetic>::default().$name($($arg),*)
                }
            )*
        }
    };
}

for_each_kernel!(generic);

impl Kernels for Portable {}

#[cfg(target_arch = "x86_64")]
impl Kernels for Sse42 {}

#[cfg(target_arch = "x86_64")]
by_hand!(Avx2 math);

#[cfg(target_arch = "x86_64")]
by_hand!(Avx512 tabled);

#[cfg(target_arch = "aarch64")]
by_hand!(Neon math);
