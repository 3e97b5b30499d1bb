//! The chain: stages as the configuration names them, and the processors that they prepare.

mod convolution;
#[cfg(feature = "cli")]
mod convolve;
mod equalizer;
mod gain;
mod limiter;
mod loudness;
mod multiband;
#[cfg(feature = "cli")]
mod resample;

use std::fmt::Debug;
use std::path::Path;

use auralis_core::{AudioBlockMut, Error, ErrorKind, Executor, Result};

#[cfg(feature = "cli")]
pub use convolve::Convolve;
pub use equalizer::{Band, BandShape, Equalizer};
pub use gain::Gain;
pub use limiter::{CELL, Law, Limiter};
pub use loudness::Loudness;
pub use multiband::Multiband;
#[cfg(feature = "cli")]
pub use resample::Resample;

use crate::Parts;

/// One stage of a chain: what the configuration says in a `[[chain]]` table.
///
/// A stage is one file in `src/chain/`. Its name in the configuration is its typetag; its JSON
/// Schema is registered beside it with [`StageSchema`].
#[typetag::serde(tag = "stage")]
pub trait Stage: Debug + Send + Sync {
    /// Checks what is wrong at every sample rate, before any file is touched.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for settings that do not go together.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Plans, allocates and checks everything that the stage needs for this audio.
    ///
    /// # Errors
    ///
    /// What can't be made at this sample rate, or of these parts.
    fn prepare(&self, context: &Prepare<'_>) -> Result<Box<dyn Processor>>;

    /// What the stage is to the loudness solve.
    fn role(&self) -> Role<'_> {
        Role::Filter
    }

    /// The file that the stage reads when it is prepared, if any: what is in it decides the output,
    /// so a record of the work is keyed by that too.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// The sample rate of what follows, where the stage changes it: mastering a file resamples
    /// there, in the place of the stage.
    fn resamples_to(&self) -> Option<u32> {
        None
    }
}

/// What a stage is to the loudness solve.
#[derive(Clone, Copy, Debug)]
pub enum Role<'a> {
    /// Linear and time-invariant: it commutes with a gain.
    Filter,
    /// Sets the loudness of the chain's output.
    Loudness(&'a Loudness),
    /// Holds the true peak under a ceiling.
    Limiter(&'a Limiter),
}

/// What a stage is prepared for.
#[derive(Clone, Copy, Debug)]
pub struct Prepare<'a> {
    /// Frames per second.
    pub sample_rate: u32,
    /// Channels of every block.
    pub channels: usize,
    /// The most frames that a block will have.
    pub max_frames: usize,
    /// The backends to work with.
    pub parts: &'a Parts,
    /// The executor that `process` may spread its work over, if any.
    pub executor: Option<&'a dyn Executor>,
    /// The gain that the loudness stage applies, in decibels.
    pub loudness_gain_db: f64,
}

/// A prepared stage: what runs block after block.
///
/// `process` is real-time safe: it does not allocate, lock, log or panic.
pub trait Processor: Debug + Send {
    /// The frames by which the output lies behind the input.
    fn latency(&self) -> usize {
        0
    }

    /// Processes the next frames in place. `executor` is the one of [`Prepare`].
    ///
    /// # Errors
    ///
    /// Only what the backends answer; the block's contents are then undefined.
    fn process(
        &mut self,
        block: &mut AudioBlockMut<'_>,
        executor: Option<&dyn Executor>,
    ) -> Result<()>;

    /// Forgets what came before.
    fn reset(&mut self);
}

/// The JSON Schema of a stage's table, without the key `stage` itself.
#[derive(Clone, Copy, Debug)]
pub struct StageSchema {
    /// The stage's name in the configuration.
    pub name: &'static str,
    /// A JSON Schema of type `object`.
    pub schema: &'static str,
}

auralis_core::inventory::collect!(StageSchema);

/// Every stage that is linked in, by name.
pub fn stage_schemas() -> Vec<StageSchema> {
    let mut schemas: Vec<_> = auralis_core::inventory::iter::<StageSchema>
        .into_iter()
        .copied()
        .collect();
    schemas.sort_by_key(|s| s.name);
    schemas
}

/// The stages of a chain around the one that changes the sample rate.
pub type AroundResampling<'a> = (&'a [Box<dyn Stage>], u32, &'a [Box<dyn Stage>]);

/// The stages of a chain, in order, checked as a whole.
#[derive(Debug, Default)]
pub struct Chain {
    stages: Vec<Box<dyn Stage>>,
}

impl Chain {
    /// A chain of these stages.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if there are two `loudness`, `limiter` or `resample` stages, if a stage
    /// follows the limiter: what follows it could exceed its ceiling, or if a stage's settings do not
    /// go together.
    pub fn new(stages: Vec<Box<dyn Stage>>) -> Result<Self> {
        let (mut loudness, mut limiter, mut resample) = (None, None, None);
        for (index, stage) in stages.iter().enumerate() {
            stage
                .check()
                .map_err(|e| e.with("stage", format_args!("chain[{index}]")))?;
            if let Some(first) = limiter {
                let message = "a stage follows the limiter, which must be the last of the chain";
                return Err(Error::new(ErrorKind::Config, message)
                    .with("limiter", format_args!("chain[{first}]"))
                    .with("stage", format_args!("chain[{index}]")));
            }
            if stage.resamples_to().is_some() {
                only(
                    &mut resample,
                    index,
                    "a chain has one resample stage at most",
                )?;
            }
            match stage.role() {
                Role::Filter => {}
                Role::Limiter(_) => limiter = Some(index),
                Role::Loudness(_) => {
                    only(
                        &mut loudness,
                        index,
                        "a chain has one loudness stage at most",
                    )?;
                }
            }
        }
        Ok(Self { stages })
    }

    /// A chain from the tables of the configuration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a table is not a stage, or the stages do not go together.
    pub fn from_tables(tables: &[serde_json::Value]) -> Result<Self> {
        let stages = tables
            .iter()
            .enumerate()
            .map(|(index, table)| {
                serde_json::from_value(table.clone()).map_err(|e| {
                    Error::new(ErrorKind::Config, "this is not a stage of the chain")
                        .with("stage", format_args!("chain[{index}]"))
                        .because(e)
                })
            })
            .collect::<Result<_>>()?;
        Self::new(stages)
    }

    /// The stages, in order.
    pub fn stages(&self) -> &[Box<dyn Stage>] {
        &self.stages
    }

    /// The loudness stage, if there is one.
    pub fn loudness(&self) -> Option<&Loudness> {
        self.stages.iter().find_map(|s| match s.role() {
            Role::Loudness(loudness) => Some(loudness),
            _ => None,
        })
    }

    /// The limiter, if there is one: the last stage.
    pub fn limiter(&self) -> Option<&Limiter> {
        self.stages.iter().find_map(|s| match s.role() {
            Role::Limiter(limiter) => Some(limiter),
            _ => None,
        })
    }

    /// The stages before and after the one that changes the sample rate, and the rate after it, if
    /// there is one that changes `sample_rate`.
    pub fn around_resampling(&self, sample_rate: u32) -> Option<AroundResampling<'_>> {
        let mut rates = self.stages.iter().map(|stage| stage.resamples_to());
        let at = rates.position(|rate| rate.is_some_and(|rate| rate != sample_rate))?;
        let (before, rest) = self.stages.split_at(at);
        let (stage, after) = rest.split_first()?;
        Some((before, stage.resamples_to()?, after))
    }

    /// The chain as JSON with every default filled in: what a record of the work is keyed by.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.stages).expect("stages are plain data")
    }
}

/// Notes the place of a stage that there may be but one of.
fn only(place: &mut Option<usize>, index: usize, message: &'static str) -> Result<()> {
    match place.replace(index) {
        None => Ok(()),
        Some(first) => Err(Error::new(ErrorKind::Config, message)
            .with("first", format_args!("chain[{first}]"))
            .with("second", format_args!("chain[{index}]"))),
    }
}

/// Decibels as a factor of amplitude.
pub(crate) fn amplitude(decibels: f64) -> f64 {
    10f64.powf(decibels / 20.0)
}

/// A factor of amplitude in decibels.
#[cfg(feature = "cli")]
pub(crate) fn decibels(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema files are what `schemars` derives from the stages; `AURALIS_BLESS=1` rewrites them.
    #[test]
    fn the_schema_files_are_those_of_the_stages() {
        let derived = [
            #[cfg(feature = "cli")]
            ("convolve", schemars::schema_for!(Convolve)),
            ("equalizer", schemars::schema_for!(Equalizer)),
            ("gain", schemars::schema_for!(Gain)),
            ("limiter", schemars::schema_for!(Limiter)),
            ("loudness", schemars::schema_for!(Loudness)),
            ("multiband", schemars::schema_for!(Multiband)),
            #[cfg(feature = "cli")]
            ("resample", schemars::schema_for!(Resample)),
        ];
        let registered = stage_schemas();
        assert_eq!(
            registered.iter().map(|s| s.name).collect::<Vec<_>>(),
            derived.each_ref().map(|d| d.0)
        );
        for ((name, derived), registered) in derived.into_iter().zip(registered) {
            let text = serde_json::to_string_pretty(&derived).unwrap() + "\n";
            if std::env::var_os("AURALIS_BLESS").is_some() {
                std::fs::write(format!("src/chain/schemas/{name}.schema.json"), text).unwrap();
            } else {
                assert_eq!(registered.schema, text, "{name}: run with AURALIS_BLESS=1");
            }
        }
    }

    fn stages(names: &[&str]) -> Result<Chain> {
        let table = |name: &&str| match *name {
            "gain" => serde_json::json!({"stage": "gain", "gain_db": 1.0}),
            other => serde_json::json!({"stage": other}),
        };
        Chain::from_tables(&names.iter().map(table).collect::<Vec<_>>())
    }

    #[test]
    fn a_chain_is_checked_as_a_whole() {
        let chain = stages(&["gain", "loudness", "limiter"]).unwrap();
        assert_eq!(chain.loudness().unwrap().target_lufs, -14.0);
        assert_eq!(chain.limiter().unwrap().ceiling_dbtp, -1.0);
        let cases = [
            (
                &["limiter", "gain"][..],
                "a stage follows the limiter, which must be the last of the chain \
                 (limiter: chain[0], stage: chain[1])",
            ),
            (
                &["loudness", "loudness"],
                "a chain has one loudness stage at most (first: chain[0], second: chain[1])",
            ),
            (
                &["nothing"],
                "this is not a stage of the chain (stage: chain[0])",
            ),
        ];
        for (names, message) in cases {
            let error = stages(names).unwrap_err();
            assert_eq!(
                (error.kind(), error.to_string()),
                (ErrorKind::Config, message.into())
            );
        }
    }
}
