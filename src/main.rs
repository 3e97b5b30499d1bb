//! The `auralis` program.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    #[cfg(feature = "plugins")]
    auralis::plugins::probe_if_asked();
    auralis::cli::run()
}
