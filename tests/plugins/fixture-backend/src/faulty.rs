//! The backend `faulty`: each kernel misbehaves in a way of its own.

use std::panic::panic_any;
use std::sync::Arc;

use auralis_core::{
    Accelerator, ConvolutionMode, CpuFeatures, Descriptor, Error, ErrorKind, Fir, Result, register,
};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Must be said, so that a host's first test, which says nothing, does not build it.
    #[allow(dead_code, reason = "it only has to be there")]
    armed: bool,
    #[serde(default)]
    panic_in_build: bool,
    #[serde(default)]
    panic_in_drop: bool,
}

#[derive(Debug)]
struct Faulty(Options);

register! {
    Descriptor::<dyn Accelerator> {
        id: "faulty",
        summary: "Panics, fails and changes the floating-point control",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &["scale", "add", "mul", "dot", "sum_squares", "convolve", "fir"],
        options_schema: r#"{
            "type": "object",
            "properties": {
                "armed": {"type": "boolean"},
                "panic_in_build": {"type": "boolean"},
                "panic_in_drop": {"type": "boolean"}
            },
            "required": ["armed"],
            "additionalProperties": false
        }"#,
        build: |context| {
            let options: Options = context.options.parse()?;
            assert!(!options.panic_in_build, "told to panic in build");
            Ok(Arc::new(Faulty(options)))
        },
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        assert!(!self.0.panic_in_drop, "told to panic in drop");
    }
}

/// A panic payload whose own drop panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload was dropped");
    }
}

impl Accelerator for Faulty {
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        match gain.is_nan() {
            true => panic!("no gain for {} samples", data.len()),
            false => Ok(()),
        }
    }

    fn mul(&self, _: &mut [f32], _: &[f32]) -> Result<()> {
        panic_any(Bomb)
    }

    fn add(&self, _: &mut [f32], _: &[f32]) -> Result<()> {
        let cause = Error::new(ErrorKind::Io, "the disk is full");
        let text = "can't add";
        Err(Error::new(ErrorKind::Exhausted, text)
            .with("left", 3)
            .with("right", 4)
            .because(cause))
    }

    fn dot(&self, _: &[f32], _: &[f32]) -> Result<f32> {
        Err(Error::new(
            ErrorKind::InvalidInput,
            "the same text whatever comes",
        ))
    }

    fn sum_squares(&self, data: &[f32]) -> Result<f32> {
        flush_to_zero();
        Ok(data.iter().map(|x| x * x).sum())
    }

    fn convolve(&self, _: &mut [f32], _: &[f32], _: &[f32], _: ConvolutionMode) -> Result<()> {
        Err(Error::new(ErrorKind::Corrupt, "ä".repeat(2000)))
    }

    fn plan_fir(&self, _: &[f32]) -> Result<Box<dyn Fir>> {
        Ok(Box::new(FaultyFir))
    }
}

#[derive(Debug)]
struct FaultyFir;

impl Fir for FaultyFir {
    fn process(&mut self, _: &mut [f32], src: &[f32]) -> Result<()> {
        assert!(src.is_empty(), "this filter takes nothing");
        Ok(())
    }

    fn reset(&mut self) {
        panic!("this filter can't be reset");
    }
}

impl Drop for FaultyFir {
    fn drop(&mut self) {
        panic!("this filter can't be dropped");
    }
}

#[cfg(target_arch = "x86_64")]
fn flush_to_zero() {
    let mxcsr = 0x9FC0u32;
    // SAFETY: the value is the default with FTZ and DAZ; a host under test undoes it.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack)) };
}

#[cfg(target_arch = "aarch64")]
fn flush_to_zero() {
    let fpcr = 1u64 << 24;
    // SAFETY: the value is the default with FZ; a host under test undoes it.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) fpcr, options(nomem, nostack)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn flush_to_zero() {}
