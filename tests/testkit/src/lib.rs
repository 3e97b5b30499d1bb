//! The conformance suite and the test doubles of Auralis.
//!
//! A backend conforms if every [`Trial`] of its kind passes. The suite builds its own instances
//! through a [`Subject`], so that it runs alike over what is linked and what a dylib brings.
//! [`quick`] runs the part of it that takes milliseconds. [`user_kernel`] holds the variants of a kernel
//! of an author's own to its reference.

#![forbid(unsafe_code)]

pub mod accelerator;
pub mod buffer_pool;
pub mod cache;
pub mod doubles;
pub mod executor;
mod options;
pub mod profiler;
mod quick;
#[cfg(feature = "runner")]
pub mod runner;
mod subject;

pub use accelerator::user_kernel;
pub use quick::{Tried, quick};
pub use subject::{Effort, Outcome, Subject, Trial, check};
