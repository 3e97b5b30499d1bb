//! `auralis plugin quarantine`: what failed its test run, and how to give it another one.

use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};
use auralis_registry::plugin::{Clear, Record, Store};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::{Global, Outcome, output};

/// Lists and lifts the quarantine of plugins that failed their test run.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lists the plugins in quarantine, and why
    List,
    /// Lifts quarantine, so that the next load tries the plugin again
    Clear(Which),
}

/// Which quarantine is to be lifted.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The plugin's file, or the beginning of its SHA-256
    plugin: Option<PathBuf>,
    /// Of all plugins
    #[arg(long)]
    all: bool,
}

/// One object of `plugin quarantine list --json` and `plugin quarantine clear --json`.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.quarantine/1")]
struct Quarantined<'a> {
    file: &'a Path,
    sha256: &'a str,
    reason: Option<&'a str>,
    signal: Option<&'a str>,
    host: &'a str,
    cpu: &'a [String],
    time: u64,
}

impl Verb {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let store = Store::for_user()?;
        match self {
            Self::List => {
                let records = store.quarantined()?;
                if records.is_empty() {
                    output::remark(global, "no plugin is in quarantine");
                }
                print(global, &records)
            }
            Self::Clear(which) => {
                let lifted = store.clear(&which.clear()?)?;
                if lifted.is_empty() && !which.all {
                    return Err(which.unknown(&store).into());
                }
                print(global, &lifted)?;
                let count = lifted.len();
                let plugins = if count == 1 { "plugin" } else { "plugins" };
                output::remark(
                    global,
                    &format!("lifted the quarantine of {count} {plugins}"),
                );
                Ok(())
            }
        }
    }
}

impl Which {
    fn clear(&self) -> Result<Clear> {
        let Some(plugin) = &self.plugin else {
            return Ok(Clear::All);
        };
        Clear::named(plugin)
    }

    fn unknown(&self, store: &Store) -> Error {
        let name = self.plugin.as_deref().unwrap_or(Path::new(""));
        let message = "no plugin of this name or SHA-256 is in quarantine \
                       (`auralis plugin quarantine list` shows which are)";
        Error::new(ErrorKind::InvalidInput, message)
            .with("asked for", name.display())
            .with("store", store.folder().display())
    }
}

fn print(global: &Global, records: &[Record]) -> Outcome {
    for record in records {
        let quarantined = Quarantined {
            file: &record.file,
            sha256: &record.sha256,
            reason: record.reason.as_deref(),
            signal: record.signal.as_deref(),
            host: &record.host.version,
            cpu: &record.host.cpu,
            time: record.time,
        };
        if global.json {
            output::json(&quarantined)?;
            continue;
        }
        output::line(format_args!(
            "{}  {}\n  {} (seen by {})",
            record.sha256.get(..12).unwrap_or(&record.sha256),
            record.file.display(),
            record.reason.as_deref().unwrap_or("no reason is known"),
            record.host.version
        ))?;
    }
    Ok(())
}
