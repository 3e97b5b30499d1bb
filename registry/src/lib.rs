//! Discovery, configuration and selection of Auralis backends.
//!
//! A [`Registry`] holds the candidates of each kind. [`select`] decides between them, a pure
//! function that says why; [`resolve`] also builds the one that was chosen, and [`compose`] makes
//! one accelerator of several, kernel by kernel. A [`KernelCandidate`] is a kernel of an author's
//! own, which selects among its variants. [`listing`] shows every candidate. [`tuning`] is what was
//! measured on this machine.

#![deny(unsafe_code)]

mod candidate;
mod compose;
mod composed;
pub mod config;
mod kernel;
mod listing;
#[cfg(feature = "plugins")]
pub mod plugin;
mod registry;
mod request;
mod resolve;
mod select;
pub mod tuning;

pub use candidate::{Build, Candidate, Facts, Source};
pub use compose::{Composition, compose};
pub use kernel::{KernelCandidate, KernelSelection};
pub use listing::{Backend, listing};
pub use registry::{Offer, Registry, RegistryKind, RejectedPlugin};
pub use request::{Authority, BackendRequest, Layers, Request};
pub use resolve::resolve;
pub use select::{Cpu, Criteria, Measured, Rejected, Selection, Share, select};
