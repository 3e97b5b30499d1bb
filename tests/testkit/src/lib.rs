//! The conformance suite and the test doubles of Auralis.
//!
//! A backend conforms if every [`Trial`] of its kind passes. The suite builds its own instances
//! through a [`Subject`], so that it runs alike over what is linked and what a dylib brings.

#![forbid(unsafe_code)]

pub mod accelerator;
pub mod buffer_pool;
pub mod cache;
pub mod doubles;
pub mod executor;
pub mod profiler;
#[cfg(feature = "runner")]
pub mod runner;
mod subject;

pub use subject::{Outcome, Subject, Trial, check};
