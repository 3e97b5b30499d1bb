//! The stage `gain`: a constant gain on all channels.

use std::sync::Arc;

use auralis_core::{Accelerator, AudioBlockMut, Executor, Result};
use serde::{Deserialize, Serialize};

use super::{Prepare, Processor, Stage, StageSchema, amplitude};

/// A constant gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gain {
    /// The gain in decibels.
    #[cfg_attr(test, schemars(range(min = -144.0, max = 60.0)))]
    pub gain_db: f64,
}

auralis_core::inventory::submit! {
    StageSchema { name: "gain", schema: include_str!("schemas/gain.schema.json") }
}

#[typetag::serde(name = "gain")]
impl Stage for Gain {
    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        Ok(Box::new(Trim::new(self.gain_db, context)))
    }
}

/// A prepared gain.
#[derive(Debug)]
pub(super) struct Trim {
    gain: f32,
    accelerator: Arc<dyn Accelerator>,
}

impl Trim {
    pub(super) fn new(gain_db: f64, context: &Prepare<'_>) -> Self {
        let accelerator = Arc::clone(&context.parts.accelerator);
        Self {
            gain: amplitude(gain_db) as f32,
            accelerator,
        }
    }
}

impl Processor for Trim {
    fn process(&mut self, block: &mut AudioBlockMut<'_>, _: Option<&dyn Executor>) -> Result<()> {
        if self.gain == 1.0 {
            return Ok(());
        }
        block
            .planes_mut()
            .try_for_each(|plane| self.accelerator.scale(plane, self.gain))
    }

    fn reset(&mut self) {}
}
