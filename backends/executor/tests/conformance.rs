//! Runs the conformance suite over the executors of this crate.

use auralis_executor as _;

fn main() -> std::process::ExitCode {
    auralis_testkit::runner::main()
}
