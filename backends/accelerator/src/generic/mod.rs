//! Every kernel once, in safe Rust that the compiler vectorises for the instruction set it is
//! compiled for. All of it is inlined, so that it takes on the target features of its caller.

mod complex;
mod convert;
mod gain;
mod layout;
mod math;
mod reduce;

pub(crate) use math::{EXP_LIMITS, LN_2_HIGH, LN_2_LOW, ROUND, TANH_LIMIT};

/// The kernels, computing as `A` says. Arguments have been checked: see [`crate::check`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Generic<A>(A);
