//! A plugin whose traits have one method more than its host's: `shimmer`.

use std::sync::Arc;

use auralis_core::{
    Accelerator, CpuFeatures, Descriptor, Error, ErrorKind, Fir, NoOptions, Result, register,
};

auralis_abi::export_plugin!(auralis_core);

#[derive(Debug)]
struct Newer;

impl Accelerator for Newer {
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        data.iter_mut().for_each(|x| *x *= gain);
        Ok(())
    }

    fn peak(&self, data: &[f32]) -> Result<f32> {
        Ok(data.iter().fold(0.0, |peak, x| x.abs().max(peak)))
    }

    fn shimmer(&self, data: &mut [f32], depth: f32) -> Result<()> {
        data.iter_mut().step_by(2).for_each(|x| *x *= 1.0 - depth);
        Ok(())
    }

    fn plan_fir(&self, taps: &[f32]) -> Result<Box<dyn Fir>> {
        if taps.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "a filter needs a tap"));
        }
        Ok(Box::new(Direct {
            taps: taps.into(),
            past: vec![0.0; taps.len()],
        }))
    }
}

/// A filter in direct form over a list of past samples, the newest first.
#[derive(Debug)]
struct Direct {
    taps: Vec<f32>,
    past: Vec<f32>,
}

impl Fir for Direct {
    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        if dst.len() != src.len() {
            return Err(Error::new(ErrorKind::InvalidInput, "the lengths differ"));
        }
        for (y, x) in dst.iter_mut().zip(src) {
            self.past.rotate_right(1);
            self.past[0] = *x;
            *y = self
                .taps
                .iter()
                .zip(&self.past)
                .map(|(tap, x)| tap * x)
                .sum();
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.past.fill(0.0);
    }
}

register! {
    Descriptor::<dyn Accelerator> {
        id: "newer",
        summary: "An accelerator of a version to come",
        version: env!("CARGO_PKG_VERSION"),
        rank: 10,
        requires: CpuFeatures::NONE,
        capabilities: &["scale", "peak", "fir", "shimmer"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Newer))
        },
    }
}
