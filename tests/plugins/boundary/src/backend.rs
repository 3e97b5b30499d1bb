//! The backend `boundary`: the kernels behind the trait.

use std::sync::Arc;

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, BuildContext, Convolver, ConvolverSpec, CpuFeatures, Descriptor, Error, ErrorKind,
    Linked, NoOptions, Options, Result, register,
};

use crate::kernels;

#[derive(Debug)]
struct Boundary {
    convolving: Arc<dyn Accelerator>,
}

register! {
    Descriptor::<dyn Accelerator> {
        id: "boundary",
        summary: "Kernels that are also exported raw",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &["scale", "mix", "convolver"],
        options_schema: NoOptions::SCHEMA,
        build: |context| {
            let NoOptions {} = context.options.parse()?;
            Ok(Arc::new(Boundary { convolving: convolving(context.cpu)? }))
        },
    }
}

/// The linked accelerator of the highest rank that this CPU can run.
pub fn convolving(cpu: CpuFeatures) -> Result<Arc<dyn Accelerator>> {
    let best = <dyn Accelerator>::linked()
        .into_iter()
        .filter(|d| d.id != "boundary" && d.requires.missing_from(cpu).is_empty())
        .max_by_key(|d| d.rank);
    let Some(best) = best else {
        return Err(Error::new(ErrorKind::NotFound, "no accelerator is linked"));
    };
    (best.build)(&BuildContext {
        options: &Options::default(),
        settings: &AcceleratorSettings::default(),
        cpu,
    })
}

#[cold]
fn lengths_differ() -> Error {
    Error::new(ErrorKind::InvalidInput, "the lengths differ")
}

impl Accelerator for Boundary {
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        kernels::scale(data, gain);
        Ok(())
    }

    fn mix(&self, dst: &mut [f32], src: &[f32], gain: f32) -> Result<()> {
        if dst.len() != src.len() {
            return Err(lengths_differ());
        }
        kernels::mix(dst, src, gain);
        Ok(())
    }

    fn plan_convolver(&self, spec: &ConvolverSpec<'_>) -> Result<Box<dyn Convolver>> {
        self.convolving.plan_convolver(spec)
    }
}
