//! The portable backend: the generic kernels, cloned per instruction set by the `multiversion` crate.
//!
//! The crate's attribute makes the clones, detects the CPU and calls the right one, but it can't be
//! told which features the host hides. So each function below offers one instruction set and leaves
//! the rest to the function below it; which one is asked first follows from the host's features.
//! What it returns is a table of safe function pointers, chosen once, when the backend is built.
//! What every CPU of an architecture has (SSE2, NEON) can't be hidden: "portable" is compiled with it.

use std::sync::Arc;

use auralis_core::{
    Accelerator, BuildContext, Complex, CpuFeatures, Descriptor, Kernel, NoOptions, Result, Window,
    register,
};
use multiversion::target::match_target;
use multiversion::{inherit_target, multiversion};

use crate::arithmetic::{Fused, Separate};
use crate::check;
use crate::generic::Generic;
use crate::plan::for_each_planned;
use crate::vectorized;

register! {
    Descriptor::<dyn Accelerator> {
        id: "multiversion",
        summary: "One portable source, cloned for each instruction set",
        version: env!("CARGO_PKG_VERSION"),
        rank: 10,
        requires: CpuFeatures::NONE,
        capabilities: Kernel::NAMES,
        options_schema: NoOptions::SCHEMA,
        build,
    }
}

fn build(context: &BuildContext<'_, dyn Accelerator>) -> Result<Arc<dyn Accelerator>> {
    context.options.parse::<NoOptions>()?;
    let allowed = LEVELS
        .iter()
        .find(|level| context.cpu.contains(level.needs));
    let kernels = allowed.map_or_else(portable, |level| (level.clones)());
    let planned = vectorized::by_name(kernels.variant, context.cpu);
    Ok(Arc::new(Multiversion { kernels, planned }))
}

/// An instruction set: the features that the host must allow, and its clones.
struct Level {
    needs: CpuFeatures,
    clones: fn() -> Kernels,
}

/// From the widest down.
const LEVELS: &[Level] = &[
    Level {
        needs: AVX512,
        clones: avx512,
    },
    Level {
        needs: AVX2,
        clones: avx2,
    },
    Level {
        needs: SSE42,
        clones: sse42,
    },
    Level {
        needs: NEON,
        clones: neon,
    },
];

const NEON: CpuFeatures = CpuFeatures::of(&["neon"]);
// A feature stands for those that the compiler takes it to imply, so all of them must be allowed.
const SSE42: CpuFeatures = CpuFeatures::of(&["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"]);
const AVX2: CpuFeatures = SSE42.union(CpuFeatures::of(&[
    "avx", "f16c", "fma", "bmi1", "bmi2", "lzcnt", "avx2",
]));
/// The crate takes AVX-512 to be all that Ice Lake (2019) brought; it detects the rest by itself.
const AVX512: CpuFeatures = AVX2.union(CpuFeatures::of(&[
    "avx512f",
    "avx512bw",
    "avx512cd",
    "avx512dq",
    "avx512vl",
    "avx512vbmi",
    "avx512vnni",
]));

macro_rules! table {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {
        #[derive(Clone, Copy, Debug)]
        struct Kernels {
            variant: &'static str,
            $($name: fn($($type),*) -> $result,)*
        }
    };
}

for_each_kernel!(table);

/// The table of the clones for the target at hand.
macro_rules! clones {
    ($variant:literal $arithmetic:ty;
     $($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {{
        $(
            #[inherit_target]
            fn $name($($arg: $type),*) -> $result {
                Generic::<$arithmetic>::default().$name($($arg),*)
            }
        )*
        Kernels { variant: $variant, $($name),* }
    }};
}

macro_rules! level {
    ($name:ident $variant:literal $target:tt $arithmetic:ty, else $below:ident) => {
        #[multiversion(
            targets($target),
            attrs(allow(
                dead_code,
                reason = "no clone is called where every CPU has the features"
            ))
        )]
        fn $name() -> Kernels {
            match_target! {
                $target => for_each_kernel!(clones; $variant $arithmetic),
                _ => $below(),
            }
        }
    };
}

level! { avx512 "avx512" "x86_64+avx512f+bmi1+bmi2+lzcnt+popcnt" Fused<64>, else avx2 }
level! { avx2 "avx2" "x86_64+avx2+fma+bmi1+bmi2+lzcnt+popcnt" Fused<32>, else sse42 }
level! { sse42 "sse4.2" "x86_64+sse3+ssse3+sse4.1+sse4.2+popcnt" Separate<16>, else portable }
level! { neon "neon" "aarch64+neon" Fused<16>, else portable }

/// What the compiler targets by default.
#[multiversion(targets(), dispatcher = "static")]
fn portable() -> Kernels {
    for_each_kernel!(clones; "portable" Separate<16>)
}

#[derive(Clone, Debug)]
struct Multiversion {
    kernels: Kernels,
    /// Plans, and works on whole signals, with the instruction set of the clones.
    planned: Arc<dyn Accelerator>,
}

macro_rules! methods {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {$(
        fn $name(&self, $($arg: $type),*) -> Result<$result> {
            $check?;
            Ok((self.kernels.$name)($($arg),*))
        }
    )*};
}

macro_rules! planned {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {$(
        fn $name(&self, $($arg: $type),*) -> Result<$result> {
            self.planned.$name($($arg),*)
        }
    )*};
}

impl Accelerator for Multiversion {
    for_each_kernel!(methods);
    for_each_planned!(planned);

    fn window(&self, dst: &mut [f32], window: Window) -> Result<()> {
        self.planned.window(dst, window)
    }

    fn variant(&self) -> &'static str {
        self.kernels.variant
    }

    fn with_others(&self, others: Arc<dyn Accelerator>) -> Option<Arc<dyn Accelerator>> {
        Some(Arc::new(Self {
            kernels: self.kernels,
            planned: self.planned.with_others(others)?,
        }))
    }
}
