//! Two small accelerators for the tests of the plugin boundary: one that works, one that misbehaves.
//!
//! `fixture` has at least one kernel of each interface; `faulty` panics, fails and changes the
//! floating-point control; `unavailable` needs a CPU that the tests hide.

pub mod answers;
mod faulty;
mod working;
