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
            "{}  {}\n  {} (seen by {} at {})",
            record.sha256.get(..12).unwrap_or(&record.sha256),
            record.file.display(),
            record.reason.as_deref().unwrap_or("no reason is known"),
            record.host.version,
            utc(record.time)
        ))?;
    }
    Ok(())
}

/// Seconds since 1970 as ISO 8601 writes them, by Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn utc(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn times_are_written_as_in_iso_8601() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }
}
