//! AVX2 with FMA: x86-64 since Haswell (2013).

use auralis_core::{Accelerator, Descriptor, Kernel, NoOptions, register};

use crate::isa::{Avx2, Isa};
use crate::vectorized;

register! {
    Descriptor::<dyn Accelerator> {
        id: "avx2",
        summary: "Kernels compiled for AVX2 and FMA",
        version: env!("CARGO_PKG_VERSION"),
        rank: 20,
        requires: Avx2::REQUIRES,
        capabilities: Kernel::NAMES,
        options_schema: NoOptions::SCHEMA,
        build: vectorized::build::<Avx2>,
    }
}
