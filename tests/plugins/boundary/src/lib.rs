//! The same kernels behind the guarded tables and as raw functions, to measure what the boundary costs.

mod backend;
mod kernels;
mod raw;

// The accelerators whose convolver both ways end in.
auralis_abi::export_plugin!(auralis_accelerator);
