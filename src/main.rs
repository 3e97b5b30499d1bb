//! The `auralis` program.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    auralis::cli::run()
}
