//! Runs the conformance suite over the profilers of this crate.

use auralis_profiler as _;

fn main() -> std::process::ExitCode {
    auralis_testkit::runner::main()
}
