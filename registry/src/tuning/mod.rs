//! Tuning: what was measured of the accelerators on this machine, kernel by kernel and size by size.
//!
//! [`work`] calls one kernel at one size, [`least_times`] times several backends in turn, and a
//! [`Tuning`] holds what came of it with the [`Fingerprint`] of the machine and the backends that it
//! holds for. [`Consulted`] is such a file as selection found it. Whoever measures must have checked the
//! answers first: what was wrong is kept too, so that it is never chosen.

mod classes;
mod consulted;
mod cpu_model;
mod file;
mod fingerprint;
mod measure;
mod winners;
pub mod work;

pub use classes::{Grid, LENGTHS, OWN_KERNEL};
pub use consulted::{Consulted, Outcome, TuningReport};
pub use file::{Cell, Tuning, Wrong};
pub use fingerprint::Fingerprint;
pub use measure::{Batch, least_times};
pub use winners::{KernelTimes, SizeTimes, TOLERANCE, Winners};
