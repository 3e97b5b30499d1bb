//! `auralis plugin`: third-party backends, from their first line to their place in the configuration.

mod check;
mod inspect;
mod list;
mod new;
mod pin;
mod quarantine;
mod seal;
mod trials;

use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};
use auralis_registry::config::load;
use auralis_registry::plugin::{Allowance, Voucher};
use auralis_registry::{Registry, RejectedPlugin};
use clap::Subcommand;

use super::{Global, Outcome, Stop};
use crate::optimizer::catalog;
use crate::plugins::allowed_files;

/// Makes, inspects, checks and allows third-party backends.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Makes the crate of a plugin
    New(new::New),
    /// Says what a plugin is and whether it would be loaded, and runs no code of it
    Inspect(inspect::Inspect),
    /// Runs the conformance suite over a plugin, in a process of its own
    Check(check::Check),
    /// Lists the plugins that the configuration and AURALIS_PLUGIN_PATH name
    List,
    /// Writes the hash of a finished plugin into it, so that any damage on its way is found
    Seal(seal::Seal),
    /// Allows a plugin by its SHA-256 in the configuration
    Pin(pin::Pin),
    /// Lists and lifts the quarantine of plugins that failed their test run
    #[command(subcommand)]
    Quarantine(quarantine::Verb),
    /// Runs trials for `plugin check`, which asks for them on standard input
    #[command(hide = true)]
    Trials,
}

impl Verb {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        if global.no_plugins {
            let message =
                "`--no-plugins` has no meaning for `auralis plugin`, which is about plugins";
            return Err(Stop::Usage(message.into()));
        }
        match self {
            Self::New(new) => new.run(global),
            Self::Inspect(inspect) => inspect.run(global),
            Self::Check(check) => check.run(global),
            Self::List => list::run(global),
            Self::Seal(seal) => seal.run(global),
            Self::Pin(pin) => pin.run(global),
            Self::Quarantine(verb) => verb.run(global),
            Self::Trials => trials::run(),
        }
    }
}

/// The absolute path of a file that was named on the command line, without links if it exists.
fn named(file: &Path) -> Result<PathBuf> {
    file.canonicalize()
        .or_else(|_| std::path::absolute(file))
        .map_err(|e| {
            Error::new(ErrorKind::Plugin, "the file can't be found")
                .with("file", file.display())
                .because(e)
        })
}

/// For looking at a file that nobody vouches for.
fn unvouched() -> Allowance {
    Allowance {
        voucher: Voucher::Caller,
        ..Allowance::default()
    }
}

/// The plugins that the configuration and the environment name.
struct Allowed {
    files: Vec<(PathBuf, Allowance)>,
    /// Folders that can't be used, and why.
    rejected: Vec<RejectedPlugin>,
}

impl Allowed {
    /// Reads the configuration, which may name backends of plugins: none is loaded for that.
    fn find(global: &Global) -> Result<Self> {
        let mut registry = Registry::linked()?;
        let sources = global.sources(&[])?;
        let plugins = load(&sources, &catalog(&registry, false)?)?.config.plugins;
        let files = allowed_files(&mut registry, &plugins, &sources);
        let rejected = registry.rejected().to_vec();
        Ok(Self { files, rejected })
    }

    /// What is said of this file. One that is not named needs no voucher: it is only looked at.
    fn of(self, file: &Path) -> Allowance {
        let same = |path: &Path| path == file || path.canonicalize().is_ok_and(|p| p == file);
        let found = self.files.into_iter().find(|(path, _)| same(path));
        found.map_or_else(unvouched, |(_, allowance)| allowance)
    }
}
