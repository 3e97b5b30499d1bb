//! Auralis: a performance runtime for audio software.

#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
pub mod audio;
