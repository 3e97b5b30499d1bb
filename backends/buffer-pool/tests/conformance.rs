//! Runs the conformance suite over the buffer pools of this crate.

use auralis_buffer_pool as _;

fn main() -> std::process::ExitCode {
    auralis_testkit::runner::main()
}
