//! Real dylibs: what fits works as if it were linked, what does not is refused with a reason.

mod loaded;
mod probed;
mod refused;
mod stored;
mod support;

use std::env;
use std::process::ExitCode;

use auralis_registry::plugin::child;
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    if let Some(file) = child::asked(env::args_os()) {
        std::process::exit(child::serve(&file, &|_| probed::misbehave(&file)));
    }
    let trials = [
        loaded::trials(),
        probed::trials(),
        refused::trials(),
        stored::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
