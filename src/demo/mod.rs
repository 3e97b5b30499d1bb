//! Three short songs made from nothing, for a first look without any input.

mod instruments;
mod signal;
mod synthesis;

pub use synthesis::{Song, songs};
