//! The stage `loudness`: brings the chain's output to a target loudness.

use auralis_core::Result;
use serde::{Deserialize, Serialize};

use super::gain::Trim;
use super::{Prepare, Processor, Role, Stage, StageSchema};

/// Brings the integrated loudness of the chain's output, after its limiter, to a target.
///
/// A file is measured first and the gain solved (see [`crate::master`]). A live session can't know
/// what is to come: there the stage applies the gain that the session was given, none at first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Loudness {
    /// The integrated loudness that is wanted, in LUFS (ITU-R BS.1770-4).
    #[serde(default = "target")]
    #[cfg_attr(test, schemars(range(min = -70.0, max = 0.0)))]
    pub target_lufs: f64,
    /// The most that the limiter may take off at any moment, in decibels.
    #[serde(default = "max_reduction")]
    #[cfg_attr(test, schemars(range(min = 0.0, max = 60.0)))]
    pub max_reduction_db: f64,
}

fn target() -> f64 {
    -14.0
}

fn max_reduction() -> f64 {
    12.0
}

auralis_core::inventory::submit! {
    StageSchema { name: "loudness", schema: include_str!("schemas/loudness.schema.json") }
}

#[typetag::serde(name = "loudness")]
impl Stage for Loudness {
    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>> {
        Ok(Box::new(Trim::new(context.loudness_gain_db, context)))
    }

    fn role(&self) -> Role<'_> {
        Role::Loudness(self)
    }
}
