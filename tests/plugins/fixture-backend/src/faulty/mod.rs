//! The backends `faulty`, one of each kind: they panic, fail and change the floating-point control.

mod accelerator;
mod buffer_pool;
mod cache;
mod executor;
mod profiler;

use std::fmt;
use std::panic::panic_any;

use auralis_core::{Options, Result};
use serde::Deserialize;

/// The schema of [`Switches`].
const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "armed": { "type": "boolean" },
        "panic_in_build": { "type": "boolean" },
        "panic_in_drop": { "type": "boolean" }
    },
    "required": ["armed"]
}"#;

/// The argument on which a method of a faulty part panics.
const UNLUCKY: usize = 13;

/// What the options switch on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    /// Must be said, so that a host's first test, which says nothing, does not build it.
    #[allow(dead_code, reason = "it only has to be there")]
    armed: bool,
    #[serde(default)]
    panic_in_build: bool,
    #[serde(default)]
    panic_in_drop: bool,
    /// What the executor answers; without it, it panics.
    #[serde(default)]
    threads: Option<usize>,
}

impl Switches {
    /// Read in `build`, which may panic here.
    fn of(options: &Options) -> Result<Self> {
        let switches: Self = options.parse()?;
        assert!(!switches.panic_in_build, "told to panic in build");
        Ok(switches)
    }
}

impl Drop for Switches {
    fn drop(&mut self) {
        assert!(!self.panic_in_drop, "told to panic in drop");
    }
}

/// What panics when it is printed, and as the payload of a panic also when it is dropped.
struct Bomb;

impl fmt::Debug for Bomb {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic_any(Bomb)
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload was dropped");
    }
}

#[cfg(target_arch = "x86_64")]
fn flush_to_zero() {
    let mxcsr = 0x9FC0u32;
    // SAFETY: the value is the default with FTZ and DAZ; a host under test undoes it.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mxcsr, options(nostack)) };
}

#[cfg(target_arch = "aarch64")]
fn flush_to_zero() {
    let fpcr = 1u64 << 24;
    // SAFETY: the value is the default with FZ; a host under test undoes it.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) fpcr, options(nomem, nostack)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn flush_to_zero() {}
