//! Accelerator backends of Auralis.

mod isa;
mod plan;
