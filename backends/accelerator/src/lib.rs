//! Accelerator backends of Auralis.

mod isa;
