//! A plugin with nothing but a convolver: all else comes from another backend.

use std::sync::Arc;

use auralis_core::{
    Accelerator, Convolver, ConvolverSpec, CpuFeatures, Descriptor, Error, ErrorKind, Latency,
    Result, register,
};

auralis_abi::export_plugin!();

register! {
    Descriptor::<dyn Accelerator> {
        id: "convolver",
        summary: "Convolves tap by tap",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &["convolver"],
        options_schema: r#"{"type":"object","additionalProperties":false}"#,
        build: |context| match context.options.as_json().as_object() {
            Some(options) if options.is_empty() => Ok(Arc::new(Convolvers)),
            _ => Err(Error::new(ErrorKind::Config, "there are no options")),
        },
    }
}

#[derive(Debug)]
struct Convolvers;

impl Accelerator for Convolvers {
    fn plan_convolver(&self, spec: &ConvolverSpec<'_>) -> Result<Box<dyn Convolver>> {
        Ok(Box::new(Direct::new(spec)?))
    }
}

/// A convolution in direct form, added up in double precision.
#[derive(Debug)]
struct Direct {
    taps: Vec<f32>,
    latency: usize,
    /// The last inputs, the newest first from `newest` on. They stand here twice, one copy behind the
    /// other, so that they are in one piece wherever they begin.
    past: Vec<f32>,
    newest: usize,
}

impl Direct {
    fn new(spec: &ConvolverSpec<'_>) -> Result<Self> {
        if spec.impulse.is_empty() || spec.block == 0 {
            return Err(invalid("a convolver needs at least one tap and a block"));
        }
        // A block that has no place in memory is none, whatever the latency.
        let longest = spec.block.checked_add(spec.impulse.len());
        let longest = longest.and_then(|samples| samples.checked_mul(2));
        let mut past = Vec::new();
        past.try_reserve_exact(longest.unwrap_or(usize::MAX))
            .map_err(|e| invalid("the block is too long").because(e))?;
        let latency = match spec.latency {
            Latency::Zero => 0,
            Latency::OneBlock => spec.block,
        };
        past.resize(2 * (spec.impulse.len() + latency), 0.0);
        Ok(Self {
            taps: spec.impulse.to_vec(),
            latency,
            past,
            newest: 0,
        })
    }

    fn push(&mut self, sample: f32) {
        let span = self.past.len() / 2;
        self.newest = self.newest.checked_sub(1).unwrap_or(span - 1);
        self.past[self.newest] = sample;
        self.past[self.newest + span] = sample;
    }

    fn output(&self) -> f32 {
        let past = &self.past[self.newest + self.latency..];
        let products = self.taps.iter().zip(past);
        let sum: f64 = products
            .map(|(tap, sample)| f64::from(*tap) * f64::from(*sample))
            .sum();
        sum as f32
    }
}

impl Convolver for Direct {
    fn latency(&self) -> usize {
        self.latency
    }

    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        if dst.len() != src.len() {
            return Err(invalid("the slices are not of equal length"));
        }
        for (output, input) in dst.iter_mut().zip(src) {
            self.push(*input);
            *output = self.output();
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.past.fill(0.0);
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}
