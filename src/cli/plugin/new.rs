//! `auralis plugin new`: the crate of a plugin, ready to be built and checked.

use std::path::{Path, PathBuf};

use auralis_core::ErrorKind;
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use serde::Serialize;

use crate::cli::{Global, Outcome, Stop, output};
use crate::scaffold::{self, Kind, Scaffold};

/// Makes the crate of a plugin.
#[derive(Debug, Args)]
pub struct New {
    /// The name of the crate, of its folder and of its backend
    name: String,
    /// What its backend is
    #[arg(long, value_parser = kinds())]
    kind: Kind,
    /// A checkout of Auralis to depend on by path [default: the one that this program was built
    /// from, if it is still there, else the published crates]
    #[arg(long, value_name = "CHECKOUT")]
    source: Option<PathBuf>,
}

/// One object of `plugin new --json`.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.new/1")]
struct Made<'a> {
    name: &'a str,
    kind: &'a str,
    files: &'a [PathBuf],
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::name)).try_map(|name| name.parse::<Kind>())
}

impl New {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let made = scaffold::create(&Scaffold {
            name: &self.name,
            kind: self.kind,
            folder: Path::new(""),
            source: self.source.as_deref(),
        });
        let files = made.map_err(|error| match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::NotFound => Stop::Usage(error.report()),
            _ => Stop::Failed(error),
        })?;
        if global.json {
            return output::json(&Made {
                name: &self.name,
                kind: self.kind.name(),
                files: &files,
            });
        }
        for file in &files {
            output::line(file.display())?;
        }
        let name = &self.name;
        output::remark(
            global,
            &format!("next: cd {name}, cargo build --release; {name}/README.md has the rest"),
        );
        Ok(())
    }
}
