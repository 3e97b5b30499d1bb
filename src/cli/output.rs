//! What the program prints: results on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};

use clap::ColorChoice;
use serde::Serialize;

use super::{Global, Stop};

/// Prints a line of results. A reader that went away ends the program quietly.
pub fn line(text: impl std::fmt::Display) -> Result<(), Stop> {
    let written = writeln!(io::stdout().lock(), "{text}");
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => Err(Stop::Failed(
            auralis_core::Error::new(
                auralis_core::ErrorKind::Io,
                "can't write to standard output",
            )
            .because(e),
        )),
        Ok(()) => Ok(()),
    }
}

/// Prints an object as one line of JSON.
pub fn json(object: &impl Serialize) -> Result<(), Stop> {
    line(serde_json::to_string(object).expect("reports are plain data"))
}

/// Prints an error.
pub fn error(global: &Global, message: &str) {
    let (on, off) = if colored(global, io::stderr().is_terminal()) {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    // A rendered configuration error already begins with its own `error:`.
    let begun = message
        .trim_start_matches("\x1b[1m\x1b[91m")
        .starts_with("error");
    if begun {
        eprintln!("{message}");
    } else {
        eprintln!("{on}error{off}: {message}");
    }
}

/// Prints a warning, unless the user wants none.
pub fn warning(global: &Global, message: &str) {
    if global.quiet {
        return;
    }
    let (on, off) = if colored(global, io::stderr().is_terminal()) {
        ("\x1b[1;33m", "\x1b[0m")
    } else {
        ("", "")
    };
    eprintln!("{on}warning{off}: {message}");
}

/// Prints a remark, unless the user wants none.
pub fn remark(global: &Global, message: &str) {
    if !global.quiet {
        eprintln!("{message}");
    }
}

/// Whether to use colour on a stream that is a terminal or not.
pub fn colored(global: &Global, terminal: bool) -> bool {
    match global.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let declined = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
            terminal && !declined
        }
    }
}
