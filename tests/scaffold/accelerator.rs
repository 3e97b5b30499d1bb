//! The conformance suite over the template of an accelerator.

#[allow(
    unused_imports,
    reason = "without a harness the unit tests of the template have no functions; cargo runs them in what it makes"
)]
#[path = "../../src/scaffold/templates/accelerator/lib.rs"]
mod template;

fn main() -> std::process::ExitCode {
    auralis_testkit::runner::main()
}
