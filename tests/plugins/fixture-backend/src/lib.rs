//! Small backends for the tests of the plugin boundary: some work, some misbehave.
//!
//! `fixture` has at least one kernel of each interface; `faulty`, of every kind, panics, fails and
//! changes the floating-point control; `panics-later` works for a while; `unavailable` needs a CPU
//! that the tests hide.

pub mod answers;
mod faulty;
mod late;
mod working;
