//! The faults by name.

use std::sync::OnceLock;

/// The environment variable that names the fault.
const VARIABLE: &str = "MISBEHAVE";

/// Whether this is the fault that was asked for.
pub fn is(name: &str) -> bool {
    static ASKED: OnceLock<String> = OnceLock::new();
    ASKED.get_or_init(|| std::env::var(VARIABLE).unwrap_or_default()) == name
}
