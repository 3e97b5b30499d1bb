//! Auralis: a performance runtime for audio software.

#![forbid(unsafe_code)]

// A backend crate that nobody names contributes nothing to the registry.
use auralis_accelerator as _;
use auralis_buffer_pool as _;
use auralis_cache as _;
use auralis_executor as _;
use auralis_profiler as _;

#[cfg(feature = "cli")]
pub mod audio;
pub mod chain;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "plugins")]
mod conformance;
#[cfg(feature = "cli")]
pub mod demo;
#[cfg(feature = "cli")]
pub mod master;
pub mod meter;
pub mod optimizer;
mod parts;
pub mod plugins;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(all(feature = "cli", feature = "plugins"))]
pub mod scaffold;
mod session;
#[cfg(feature = "plugins")]
pub mod tuning;

pub use auralis_core as core;
pub use auralis_registry as registry;
pub use optimizer::Optimizer;
pub use parts::Parts;
pub use session::{Fault, Session, SessionSpec};

/// The README, whose examples are compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
