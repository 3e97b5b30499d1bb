//! The vocabulary of Auralis: five traits and what they exchange.
//!
//! | trait | what it stands for |
//! |---|---|
//! | [`Accelerator`] | kernels on samples: gains, filters, transforms, conversions |
//! | [`BufferPool`] | sample memory that a real-time thread may take and give back |
//! | [`Cache`] | results by content digest, bounded in bytes and time |
//! | [`Executor`] | one piece of work over a range, on one thread or many |
//! | [`Profiler`] | how long each operation took |
//!
//! A backend implements one of them, describes itself in a [`Descriptor`] and registers with
//! [`register!`]. `dyn` stands at the block; everything below it is static code.

#![deny(unsafe_code)]

pub mod accelerator;
mod block;
mod buffer;
pub mod buffer_pool;
pub mod cache;
mod cpu;
mod descriptor;
mod error;
pub mod executor;
mod float_control;
mod key;
pub mod manifest;
mod options;
pub mod profiler;
mod single_flight;
mod user_kernel;

pub use accelerator::{
    Accelerator, Biquad, BiquadCascade, Complex, ComplexFft, ConvolutionMode, Convolver,
    ConvolverSpec, Fir, FirBank, Kernel, Latency, OneByOne, RealFft, Window,
};
pub use block::{AudioBlock, AudioBlockMut, MAX_CHANNELS};
pub use buffer::{ALIGNMENT, Buffer, Lender, RawBuffer, Storage};
pub use buffer_pool::{BufferPool, Contents, PoolSettings, PoolStats};
pub use bytes::Bytes;
pub use cache::{Admission, Cache, CacheSettings, CacheStats};
pub use cpu::CpuFeatures;
pub use descriptor::{BuildContext, Descriptor, Kind, Linked};
pub use error::{Error, ErrorKind, Result};
pub use executor::{Executor, ExecutorExt, ExecutorSettings};
pub use float_control::{FloatControl, FlushToZero};
#[doc(hidden)]
pub use inventory;
pub use key::{Key, KeyArgument, KeyBuilder};
pub use options::{NoOptions, Options};
pub use profiler::{Operation, OperationId, Profiler, ProfilerExt, ProfilerSettings};
pub use single_flight::{Origin, SingleFlight};
pub use user_kernel::{
    Bound, KernelDescriptor, KernelFacts, KernelFn, Parameter, REFERENCE, UserKernel, Variant,
    VariantFacts,
};
