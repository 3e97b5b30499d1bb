//! Meters: integrated loudness and true peak, by the accelerator's filters.
//!
//! ITU-R BS.1770-4 says what loudness and true peak are, EBU Tech 3341 what a meter must show.

mod gate;
mod k_weighting;
mod loudness;
mod true_peak;

pub use gate::{Gate, lufs_of_energy};
pub use k_weighting::{channel_weights, k_weighting};
#[cfg(feature = "cli")]
pub(crate) use loudness::energy;
pub use loudness::{LoudnessMeter, SUB_BLOCKS_PER_BLOCK, sub_block_frames};
pub use true_peak::TruePeak;
