//! Accelerator backends of Auralis: one source of vectorised kernels, compiled for each instruction
//! set, and a plain reference that they are checked against.

#[macro_use]
mod slices;

mod arithmetic;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod check;
mod compiled;
mod generic;
mod isa;
mod kernels;
pub mod limits;
mod multiversion;
#[cfg(target_arch = "aarch64")]
mod neon;
mod plan;
mod scalar;
mod simd;
mod vectorized;
mod wide;
