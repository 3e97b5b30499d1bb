//! Small backends for the tests of the plugin boundary: some that work, some that misbehave.
//!
//! `fixture` has at least one kernel of each interface; `faulty`, of each kind, panics, fails and
//! changes the floating-point control; `unavailable` needs a CPU that the tests hide.

pub mod answers;
mod faulty;
mod working;
