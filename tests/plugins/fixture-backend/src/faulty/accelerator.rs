//! The accelerator `faulty`: each kernel misbehaves in a way of its own.

use std::mem::ManuallyDrop;
use std::panic::panic_any;
use std::sync::Arc;

use auralis_core::{
    Accelerator, ConvolutionMode, CpuFeatures, Descriptor, Error, ErrorKind, Fir, Result, register,
};

use super::{Bomb, SCHEMA, Switches, flush_to_zero};

#[derive(Debug)]
struct Faulty(#[allow(dead_code, reason = "it is there for its drop")] Switches);

register! {
    Descriptor::<dyn Accelerator> {
        id: "faulty",
        summary: "Panics, fails and changes the floating-point control",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &["scale", "add", "mul", "dot", "sum_squares", "peak", "convolve", "fir"],
        options_schema: SCHEMA,
        build: |context| {
            Ok(Arc::new(Faulty(Switches::of(context.options)?)))
        },
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

    /// Says something at each level, and something that can't be said.
    fn peak(&self, data: &[f32]) -> Result<f32> {
        tracing::error!("an error");
        tracing::warn!(samples = data.len(), text = "a word", "a warning");
        tracing::info!(unspeakable = ?ManuallyDrop::new(Bomb), "lost");
        tracing::info!(target: "elsewhere", "information");
        tracing::debug!("for debugging");
        tracing::trace!("for tracing");
        Ok(data.iter().fold(0.0, |peak, x| x.abs().max(peak)))
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
