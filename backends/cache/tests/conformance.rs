//! Runs the conformance suite over the caches of this crate.

use auralis_cache as _;

fn main() -> std::process::ExitCode {
    auralis_testkit::runner::main()
}
