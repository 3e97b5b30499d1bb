//! Mastering a file: measure, solve, render, and prove what was delivered.
//!
//! A chain with a loudness stage takes two passes. The first runs the chain up to its limiter and
//! keeps energy and peak of every cell of 64 frames; the gain is then solved in memory through the
//! limiter's own gain law; the second pass renders with it and measures what it wrote. Where that is
//! more than 0.05 LU off, the solve is corrected by the difference and the file rendered again,
//! twice at most. A chain without a loudness stage takes one pass.
//!
//! Where a stage changes the sample rate, those after it work at the new one, and so does everything
//! that is measured of the output.

mod analysis;
mod conveyor;
mod delivery;
mod folding;
mod job;
mod pipeline;
mod record;
mod resampler;
mod sink;
mod solve;
mod source;

pub use delivery::{Delivery, Timeline};
pub use job::{Job, NonFinite};
pub use record::Record;
