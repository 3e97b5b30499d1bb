//! NEON: every 64-bit Arm.

use auralis_core::{Accelerator, Descriptor, Kernel, NoOptions, register};

use crate::isa::{Isa, Neon};
use crate::vectorized;

register! {
    Descriptor::<dyn Accelerator> {
        id: "neon",
        summary: "Kernels compiled for NEON",
        version: env!("CARGO_PKG_VERSION"),
        rank: 20,
        requires: Neon::REQUIRES,
        capabilities: Kernel::NAMES,
        options_schema: NoOptions::SCHEMA,
        build: vectorized::build::<Neon>,
    }
}
