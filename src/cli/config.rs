//! `auralis config`: writes, shows and checks the configuration.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use auralis_core::{Error, ErrorKind};
use auralis_registry::Registry;
use auralis_registry::config::{Config, schema};
use clap::Subcommand;
use serde_json::json;

use super::{Global, Outcome, output};
use crate::chain::Chain;
use crate::optimizer::{catalog, configure};

/// Writes, shows and checks the configuration.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Writes a commented `auralis.toml` with every default
    Init {
        /// Where to write it
        #[arg(default_value = "auralis.toml")]
        file: PathBuf,
        /// Overwrites a file that exists
        #[arg(long)]
        force: bool,
    },
    /// Shows the configuration in force
    Show {
        /// Names the layer and line of each value
        #[arg(long)]
        origin: bool,
    },
    /// Checks the configuration and says everything that is wrong with it
    Check,
    /// Prints the JSON Schema of the configuration
    Schema,
}

impl Verb {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        match self {
            Self::Init { file, force } => init(global, file, *force),
            Self::Show { origin } => show(global, *origin),
            Self::Check => check(global),
            Self::Schema => {
                let schema = schema(&catalog(&Registry::linked()?, true)?);
                output::line(format_args!("{schema:#}"))
            }
        }
    }
}

fn init(global: &Global, path: &PathBuf, force: bool) -> Outcome {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options
        .open(path)
        .and_then(|mut file| file.write_all(Config::commented_default().as_bytes()))
        .map_err(|e| {
            let message = match e.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    "the file exists already (`--force` overwrites it)"
                }
                _ => "can't write the configuration",
            };
            Error::new(ErrorKind::Io, message)
                .with("file", path.display())
                .because(e)
        })?;
    output::remark(global, &format!("wrote {}", path.display()));
    Ok(())
}

fn show(global: &Global, origin: bool) -> Outcome {
    let mut registry = Registry::linked()?;
    let configured = configure(&mut registry, &global.sources(&[])?, global.no_plugins)?;
    let origins: Vec<_> = configured.loaded.origins.iter().collect();
    let width = origins
        .iter()
        .map(|(k, v, _)| k.len() + v.chars().count() + 3)
        .max()
        .unwrap_or(0);
    for (key, value, from) in origins {
        if global.json {
            let mut object = json!({
                "schema": "auralis.config/1", "key": key, "value": value
            });
            if origin {
                object["origin"] = json!(from);
            }
            output::json(&object)?;
        } else if origin {
            let pair = format!("{key} = {value}");
            output::line(format_args!("{pair:<width$}  # {from}"))?;
        } else {
            output::line(format_args!("{key} = {value}"))?;
        }
    }
    Ok(())
}

fn check(global: &Global) -> Outcome {
    let mut registry = Registry::linked()?;
    let configured = configure(&mut registry, &global.sources(&[])?, global.no_plugins)?;
    Chain::from_tables(&configured.loaded.config.chain)?;
    let file = configured
        .loaded
        .file
        .as_ref()
        .map(|file| file.display().to_string());
    if global.json {
        return output::json(&json!({
            "schema": "auralis.config-check/1", "file": file, "valid": true
        }));
    }
    output::line(match file {
        Some(file) => format!("{file}: nothing wrong"),
        None => "no configuration file: the built-in defaults are in force".into(),
    })
}
