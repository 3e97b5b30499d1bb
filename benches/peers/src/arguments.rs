//! The command line.

use std::path::PathBuf;

use crate::groups::GROUPS;

/// What `--help` prints.
pub const HELP: &str = "\
Compares the kernels of Auralis with the libraries that people would use instead.

Usage: benches/peers/run.sh [--runs N] [--only GROUP]... [--quick] [--config FILE] [--write]

  --runs N       repeats the whole comparison and takes the median of each ratio (default 1)
  --only GROUP   runs this group only; may be given again
  --quick        for a look: few rounds, nothing to be quoted
  --config FILE  an auralis.toml that chooses the backends (default: what is chosen by itself)
  --write        keeps the table as benches/results/peers-DATE.md and in docs/speed.md

The table goes to standard output, what is measured meanwhile to standard error.";

/// What was asked for.
#[derive(Debug)]
pub struct Arguments {
    /// How often everything is repeated.
    pub runs: usize,
    /// The groups; all if empty.
    pub only: Vec<String>,
    /// A short look.
    pub quick: bool,
    /// A configuration of ours.
    pub config: Option<PathBuf>,
    /// Keep the table.
    pub write: bool,
}

/// Reads the arguments; `None` if help was asked for.
pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut parsed = Arguments {
        runs: 1,
        only: Vec::new(),
        quick: false,
        config: None,
        write: false,
    };
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "-h" | "--help" => return Ok(None),
            "--quick" => parsed.quick = true,
            "--write" => parsed.write = true,
            "--config" => parsed.config = Some(value()?.into()),
            "--runs" => {
                let text = value()?;
                let runs = text.parse().ok().filter(|runs| *runs > 0);
                parsed.runs = runs.ok_or(format!("not a number of runs: {text}"))?;
            }
            "--only" => {
                let group = value()?;
                if !GROUPS.iter().any(|(name, _)| *name == group) {
                    let names: Vec<_> = GROUPS.iter().map(|(name, _)| *name).collect();
                    return Err(format!("no group {group}; there are {}", names.join(", ")));
                }
                parsed.only.push(group);
            }
            _ => return Err(format!("unknown argument {argument}; see --help")),
        }
    }
    if parsed.write && (parsed.quick || !parsed.only.is_empty()) {
        return Err("--write keeps whole tables only: not with --quick or --only".into());
    }
    Ok(Some(parsed))
}
