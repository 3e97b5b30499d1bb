//! The frozen tables of functions, one per interface.
//!
//! **Nothing here may change once it is released**: what is new gets a new table under a new name.

mod accelerator;
mod backends;
mod buffer_pool;
mod cache;
mod executor;
mod log;
mod profiler;
mod user_kernels;

use abi_stable::StableAbi;

pub use accelerator::{
    BiquadsV1, ComplexFftFunctions, ComplexFftV1, ConvolveV1, ConvolverV1, F64V1, FftF64V1, FirV1,
    MathV1, RealFftFunctions, RealFftV1, SlicesV1,
};
pub use backends::{BackendRecord, BackendsV1, BuiltBackend};
pub use buffer_pool::{Buffer, BufferPoolV1, PoolStats};
pub use cache::{CacheStats, CacheV1, Lookup};
pub use executor::{ExecutorV1, Task};
pub use log::{LogSink, LogV1};
pub use profiler::{
    EventRecord, NO_PERIOD, NOT_COUNTED, OperationRecord, ProfilerV1, ReportRecord,
};
pub use user_kernels::{ParameterRecord, UserKernelRecord, UserKernelsV1, VariantRecord};

pub(crate) use accelerator::{accelerator_convolve_v1, accelerator_f64_v1, accelerator_math_v1};
pub(crate) use buffer_pool::buffer_pool_v1;
pub(crate) use cache::cache_v1;
pub(crate) use executor::executor_v1;
pub(crate) use profiler::profiler_v1;

/// A table that has a name of its own.
pub trait Interface: StableAbi + Sized + 'static {
    /// The name by which `get_interface` finds it.
    const ID: &'static str;
}

/// Defines a table of functions on an instance: kernels, or the methods of another kind. Every
/// function takes the instance first, then its arguments, then where the result goes, if there is
/// one, then the message.
#[doc(hidden)]
#[macro_export]
macro_rules! kernel_table {
    ($(#[$doc:meta])* $name:ident $id:literal {
        $($method:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, StableAbi)]
        #[repr(C)]
        pub struct $name {
            $(
                #[doc = concat!("`", stringify!($method), "` of the trait, or the kernel of this name.")]
                pub $method: Option<
                    unsafe extern "C" fn(
                        instance: *const Instance,
                        $($argument: $type,)*
                        $(result: *mut $result,)?
                        message: *mut Message,
                    ) -> Status,
                >,
            )*
        }

        impl Interface for $name {
            const ID: &'static str = $id;
        }
    };
}
