//! The program as its users run it: arguments, files and environment in; output, exit codes and
//! files out. One named trial each; what can't run here is shown as ignored, with the reason.

mod bad_input;
mod config_errors;
mod disk_cache;
mod files;
mod interrupt;
mod misbehaving;
mod partial;
mod plugin_verbs;
mod plugins;
mod process;
mod selection;
mod songs;
mod support;
mod tuning;
mod tutorial;
mod verbs;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let trials = [
        bad_input::trials(),
        config_errors::trials(),
        disk_cache::trials(),
        files::trials(),
        interrupt::trials(),
        misbehaving::trials(),
        partial::trials(),
        plugin_verbs::trials(),
        plugins::trials(),
        process::trials(),
        selection::trials(),
        tuning::trials(),
        tutorial::trials(),
        verbs::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
