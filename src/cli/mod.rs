//! The command line: one file per verb.

mod analyze;
mod backends;
mod batch;
#[cfg(feature = "plugins")]
mod bench;
mod config;
mod demo;
mod explain;
mod inputs;
mod output;
#[cfg(feature = "plugins")]
mod plugin;
mod process;
mod progress;
#[cfg(feature = "plugins")]
mod tune;

use std::path::PathBuf;
use std::process::ExitCode;

use auralis_core::{Error, ErrorKind};
use auralis_registry::RejectedPlugin;
use auralis_registry::config::Sources;
use clap::{Args, ColorChoice, Parser, Subcommand};

use crate::Optimizer;

/// Masters audio files with backends that a config file and the CPU pick, and proves what it
/// delivered.
#[derive(Debug, Parser)]
#[command(name = "auralis", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 some inputs failed, the others are done; 2 wrong usage; 3 wrong configuration; \
4 no backend meets the request; 5 a requested plugin was rejected; 130 interrupted.";

/// What every verb takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Reads this configuration file, and no other
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Overrides one value of the configuration
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Goes by this tuning file, and no other; `auralis tune` writes it
    #[arg(long, global = true, value_name = "FILE")]
    tuning: Option<PathBuf>,
    /// Prints one JSON object per line
    #[arg(long, global = true)]
    json: bool,
    /// Loads no plugin, whatever the configuration says
    #[arg(long, global = true)]
    no_plugins: bool,
    /// Prints nothing but results and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Prints what the libraries log; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Makes three short songs, masters them and writes a report
    Demo(demo::Demo),
    /// Masters files and folders
    Process(process::Process),
    /// Measures loudness and peaks without writing anything
    Analyze(analyze::Analyze),
    /// Lists every candidate of every kind
    Backends,
    /// Says what was selected, who decided, and what was rejected and why
    Explain,
    /// Writes, shows and checks the configuration
    #[command(subcommand)]
    Config(config::Verb),
    #[cfg(feature = "plugins")]
    Tune(tune::Tune),
    #[cfg(feature = "plugins")]
    Bench(bench::Bench),
    /// Makes, inspects, checks and allows third-party backends
    #[cfg(feature = "plugins")]
    #[command(subcommand)]
    Plugin(plugin::Verb),
}

/// What ends a verb early.
enum Stop {
    /// An error to be printed.
    Failed(Error),
    /// Wrong usage that clap can't see.
    Usage(String),
    /// Inputs that failed; each was reported when it did.
    SomeFailed,
    /// A plugin is rejected; the results say why.
    #[cfg(feature = "plugins")]
    Rejected,
    /// Interrupted.
    Interrupted,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

type Outcome = Result<(), Stop>;

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    start_logging(cli.global.verbose);
    let global = &cli.global;
    let outcome = match &cli.verb {
        Verb::Demo(demo) => demo.run(global),
        Verb::Process(process) => process.run(global),
        Verb::Analyze(analyze) => analyze.run(global),
        Verb::Backends => backends::run(global),
        Verb::Explain => explain::run(global),
        Verb::Config(verb) => verb.run(global),
        #[cfg(feature = "plugins")]
        Verb::Tune(tune) => tune.run(global),
        #[cfg(feature = "plugins")]
        Verb::Bench(bench) => bench.run(global),
        #[cfg(feature = "plugins")]
        Verb::Plugin(verb) => verb.run(global),
    };
    ExitCode::from(match outcome {
        Ok(()) => 0,
        Err(Stop::SomeFailed) => 1,
        #[cfg(feature = "plugins")]
        Err(Stop::Rejected) => 5,
        Err(Stop::Interrupted) => 130,
        Err(Stop::Usage(message)) => {
            output::error(global, &message);
            2
        }
        Err(Stop::Failed(error)) => {
            let report = error.report();
            output::error(global, &format!("{report}{}", advice(&report)));
            exit_code(error.kind())
        }
    })
}

fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Config => 3,
        ErrorKind::Unavailable | ErrorKind::NotFound | ErrorKind::Unsupported => 4,
        ErrorKind::Plugin => 5,
        ErrorKind::Interrupted => 130,
        _ => 1,
    }
}

/// What a rejected plugin would have brought: kinds and ids.
fn offers(plugin: &RejectedPlugin) -> Vec<String> {
    let offers = plugin.offers.iter();
    offers.map(|o| format!("{}/{}", o.kind, o.id)).collect()
}

/// Which plugin was rejected, why, and what it would have brought.
fn rejection(plugin: &RejectedPlugin) -> String {
    let offers = offers(plugin);
    let lost = match offers.is_empty() {
        true => String::new(),
        false => format!(" (it would have brought {})", offers.join(", ")),
    };
    let RejectedPlugin { file, reason, .. } = plugin;
    let advice = advice(reason);
    format!("plugin {} rejected: {reason}{advice}{lost}", file.display())
}

/// What a user may do about a reason for which a plugin was rejected, in a clause of its own.
fn advice(reason: &str) -> &'static str {
    if reason.contains("is not the one that was pinned") {
        "; `auralis plugin pin FILE` pins it anew once you have checked it"
    } else {
        ""
    }
}

fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .without_time()
        .with_ansi(false)
        .init();
}

impl Global {
    /// The layers of the configuration, with `more` as further flags.
    fn sources(&self, more: &[String]) -> Result<Sources, Error> {
        let sets = self.set.iter().chain(more).cloned().collect();
        Ok(Sources::from_process(self.config.clone(), sets)?)
    }

    /// The orchestrator that the configuration asks for, for a verb that lists rejected plugins.
    fn listed_optimizer(&self, more: &[String]) -> Result<Optimizer, Error> {
        let sources = self.sources(more)?;
        let builder = Optimizer::builder()
            .sources(sources)
            .no_plugins(self.no_plugins);
        let builder = match &self.tuning {
            Some(file) => builder.tuning_file(file),
            None => builder,
        };
        builder.build()
    }

    /// The orchestrator that the configuration asks for. A plugin that it allows and that is rejected
    /// is heard, even where others can do its work.
    fn optimizer(&self, more: &[String]) -> Result<Optimizer, Error> {
        let optimizer = self.listed_optimizer(more)?;
        for plugin in optimizer.rejected_plugins() {
            output::warning(self, &rejection(plugin));
        }
        Ok(optimizer)
    }
}
