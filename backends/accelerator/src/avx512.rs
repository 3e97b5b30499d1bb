//! AVX-512: x86-64 since Skylake-X (2017) and Zen 4 (2022).

use auralis_core::{Accelerator, Descriptor, Kernel, NoOptions, register};

use crate::isa::{Avx512, Isa};
use crate::vectorized;

register! {
    Descriptor::<dyn Accelerator> {
        id: "avx512",
        summary: "Kernels compiled for AVX-512",
        version: env!("CARGO_PKG_VERSION"),
        rank: 30,
        requires: Avx512::REQUIRES,
        capabilities: Kernel::NAMES,
        options_schema: NoOptions::SCHEMA,
        build: vectorized::build::<Avx512>,
    }
}
