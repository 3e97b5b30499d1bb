//! Auralis: a performance runtime for audio software.

#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
pub mod audio;
pub mod chain;
#[cfg(feature = "cli")]
pub mod demo;
#[cfg(feature = "cli")]
pub mod master;
pub mod meter;
mod parts;
#[cfg(feature = "cli")]
pub mod report;
mod session;

pub use auralis_core as core;
pub use parts::Parts;
pub use session::{Session, SessionSpec};
