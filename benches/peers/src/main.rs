//! The kernels of Auralis beside the libraries that people would use instead, on this machine.

mod aligned;
mod arguments;
mod cell;
mod groups;
mod machine;
mod peers;
mod report;

use std::path::Path;
use std::process::ExitCode;

use auralis::Optimizer;

use crate::arguments::Arguments;
use crate::cell::Effort;
use crate::groups::{Context, Findings, GROUPS};
use crate::peers::python::Python;

fn main() -> ExitCode {
    let outcome = match arguments::parse(std::env::args().skip(1)) {
        Ok(None) => {
            println!("{}", arguments::HELP);
            Ok(())
        }
        Ok(Some(arguments)) => compare(&arguments),
        Err(why) => Err(why),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compare(arguments: &Arguments) -> Result<(), String> {
    let optimizer = match &arguments.config {
        Some(file) => Optimizer::from_config(file),
        None => Optimizer::builder().build(),
    };
    let context = Context {
        optimizer: optimizer.map_err(|error| error.to_string())?,
        python: Python::start(),
        effort: if arguments.quick {
            Effort::QUICK
        } else {
            Effort::FULL
        },
    };
    let runs: Vec<Findings> = (0..arguments.runs)
        .map(|run| {
            eprintln!("run {} of {}", run + 1, arguments.runs);
            let mut findings = Findings::default();
            for (name, group) in GROUPS {
                if arguments.only.is_empty() || arguments.only.iter().any(|only| only == name) {
                    group(&context, &mut findings);
                }
            }
            findings
        })
        .collect();
    let table = report::table(&machine::lines(&context), &runs);
    println!("{table}");
    if arguments.write {
        report::keep(Path::new(machine::FOLDER), &machine::date(), &table)?;
    }
    Ok(())
}
