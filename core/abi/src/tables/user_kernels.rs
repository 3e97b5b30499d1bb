//! The table of kernels of authors' own.

use abi_stable::StableAbi;

use super::Interface;
use crate::wire::{Message, Planes, Slice, SliceMut, Status, Text};

/// A number that a kernel takes at each call.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct ParameterRecord {
    /// Its name.
    pub name: Text,
    /// The least value that the conformance suite tries.
    pub min: f32,
    /// The greatest value that it tries.
    pub max: f32,
}

/// A form of a kernel for CPUs that have certain features.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct VariantRecord {
    /// Its id, unique within the kernel.
    pub id: Text,
    /// The names of the CPU features that it needs.
    pub requires: Slice<Text>,
}

/// What a plugin says of one kernel: [`auralis_core::KernelFacts`] in wire form.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct UserKernelRecord {
    /// Its name, unique among kernels.
    pub name: Text,
    /// What it does, in one line.
    pub summary: Text,
    /// The version of the crate that brings it.
    pub version: Text,
    /// How many sources it reads, at most 64.
    pub sources: usize,
    /// What it takes besides samples.
    pub parameters: Slice<ParameterRecord>,
    /// Its variants from plain to best. The first is `reference` and needs nothing.
    pub variants: Slice<VariantRecord>,
    /// How far a variant's sample may be from the reference's, in parts of that.
    pub relative: f32,
    /// How much further it may be.
    pub absolute: f32,
}

/// The kernels of a plugin. What a record points to lives for ever.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct UserKernelsV1 {
    /// How many there are.
    pub count: Option<unsafe extern "C" fn() -> usize>,
    /// Fills `kernel` with what is to be said of the one at `index`.
    pub describe: Option<
        unsafe extern "C" fn(
            index: usize,
            kernel: *mut UserKernelRecord,
            message: *mut Message,
        ) -> Status,
    >,
    /// Runs the kernel at `index` in the variant at `variant`, an index of its record's list that the
    /// CPU can run: changes `data` in place. Each of `sources` has as many samples as `data`. Another
    /// number of sources or parameters than the record says, or another length, is refused.
    pub run: Option<
        unsafe extern "C" fn(
            index: usize,
            variant: usize,
            data: SliceMut<f32>,
            sources: Planes,
            parameters: Slice<f32>,
            message: *mut Message,
        ) -> Status,
    >,
}

impl Interface for UserKernelsV1 {
    const ID: &'static str = "user-kernels/1";
}
