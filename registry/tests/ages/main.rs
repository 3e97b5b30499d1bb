//! Plugins that this checkout did not make: in C, older than this host, newer than this host. Each
//! goes the whole way into this host: its manifest, its test run in a child, its tables.

mod c_example;
mod conformance;
mod frozen;
mod host;
mod nested;
mod newer;

use std::env;
use std::process::{self, ExitCode};

use auralis_registry::plugin::child;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    if let Some(file) = child::asked(env::args_os()) {
        process::exit(child::serve(&file, &|_| Ok(())));
    }
    let mut trials = c_example::trials();
    trials.push(trial("an_older_plugin_works", frozen::works));
    trials.push(trial(
        "a_newer_plugin_works_without_what_is_new",
        newer::works,
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok::<(), Failed>(())
    })
}
