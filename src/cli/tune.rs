//! `auralis tune`: measures the accelerators and writes down the fastest, kernel by kernel.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use auralis_core::{Error, ErrorKind, Kernel};
use auralis_registry::Measured;
use auralis_registry::tuning::{Cell, Grid, KernelTimes, OWN_KERNEL, SizeTimes, Tuning, Winners};
use clap::Args;
use serde::Serialize;

use super::{Global, Outcome, output};

/// Measures the accelerators on this machine, kernel by kernel, and writes down the fastest
///
/// Every accelerator that can run here is timed at many sizes of every kernel that it has; from then on
/// each size of each kernel runs where it was fastest, unless a backend is asked for by name. Answers
/// are checked first: what is wrong is never chosen. A machine that is busy measures badly.
///
/// Takes about 30 seconds. The tuning file is `auralis/tuning.json` in the user's folder for caches,
/// unless `--tuning` or AURALIS_TUNING names another.
#[derive(Debug, Args)]
pub struct Tune {
    /// Takes less than 10 seconds, and measures less well
    #[arg(long)]
    quick: bool,
    /// How long to measure
    #[arg(long, value_name = "SECONDS", default_value = "30", conflicts_with = "quick",
          value_parser = clap::value_parser!(u16).range(1..=600))]
    time: u16,
}

/// How long `--quick` measures, so that it ends within 10 seconds with its checks.
const QUICK: Duration = Duration::from_secs(6);

/// One object of `tune --json`: a kernel at a size.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.tune/1")]
struct Row<'a> {
    kernel: &'a str,
    size: &'a [usize],
    /// The id of the backend, or variant, that runs it from now on; `null` if none is right.
    winner: Option<&'a str>,
    /// The least time of one call in nanoseconds.
    times: &'a SizeTimes,
    /// What was not timed because its answers are wrong.
    wrong: &'a BTreeMap<String, String>,
}

impl Tune {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let optimizer = global.optimizer(&[])?;
        let Some(consulted) = optimizer.tuning() else {
            let message = "there is no place for the tuning file: the environment names neither a \
                           home nor a folder for caches (`--tuning FILE` names one)";
            return Err(Error::new(ErrorKind::InvalidInput, message).into());
        };
        let time = match self.quick {
            true => QUICK,
            false => Duration::from_secs(self.time.into()),
        };
        let begin = Instant::now();
        output::remark(global, &format!("measuring for {} s", time.as_secs()));
        let tuning = crate::tuning::tune(&optimizer.field(), time);
        tuning.write(&consulted.file)?;
        let results = Results::of(&tuning);
        match global.json {
            true => results.json()?,
            false => results.table()?,
        }
        for wrong in &tuning.wrong {
            let message = format!(
                "{} of {} is wrong: {}",
                wrong.kernel, wrong.id, wrong.reason
            );
            output::warning(global, &message);
        }
        output::remark(
            global,
            &format!(
                "measured in {:.1} s, written to {}",
                begin.elapsed().as_secs_f64(),
                consulted.file.display()
            ),
        );
        Ok(())
    }
}

/// What was measured, with who won.
struct Results<'a> {
    tuning: &'a Tuning,
    measured: Measured,
    /// The backend that is fastest altogether.
    favourite: String,
}

impl<'a> Results<'a> {
    fn of(tuning: &'a Tuning) -> Self {
        let measured = tuning.measured();
        let fastest = measured.times.iter().min_by(|a, b| a.1.total_cmp(b.1));
        Self {
            tuning,
            favourite: fastest.map(|(id, _)| id.clone()).unwrap_or_default(),
            measured,
        }
    }

    /// The cells of each kernel, in order.
    fn kernels(&self) -> impl Iterator<Item = &'a [Cell]> {
        self.tuning.cells.chunk_by(|a, b| a.kernel == b.kernel)
    }

    /// Who runs each size of a kernel.
    fn winners<'t>(&'t self, name: &str, times: &'t KernelTimes) -> Vec<Option<&'t str>> {
        if let Some(kernel) = Kernel::parse(name) {
            let winners = Winners::new(&self.measured.kernels, &self.favourite);
            let sizes = 0..times.sizes.len();
            return sizes
                .map(|size| winners.order(kernel, size).first().copied())
                .collect();
        }
        // One variant runs at every length.
        let altogether = self.tuning.variants(name);
        let best = altogether.iter().min_by(|a, b| a.1.total_cmp(b.1));
        let best = best.and_then(|(id, _)| times.sizes.iter().find_map(|s| s.get_key_value(id)));
        vec![best.map(|(id, _)| id.as_str()); times.sizes.len()]
    }

    fn json(&self) -> Outcome {
        for cells in self.kernels() {
            let kernel = &cells[0].kernel;
            let times = self.tuning.kernel(kernel);
            for (cell, winner) in cells.iter().zip(self.winners(kernel, &times)) {
                output::json(&Row {
                    kernel,
                    size: &cell.size,
                    winner,
                    times: &cell.times,
                    wrong: &times.wrong,
                })?;
            }
        }
        Ok(())
    }

    /// A row for each kernel, under a heading for those that are measured at the same sizes.
    fn table(&self) -> Outcome {
        let mut last = None;
        for cells in self.kernels() {
            let kernel = &cells[0].kernel;
            let grid = Kernel::parse(kernel).map_or(OWN_KERNEL, Grid::of);
            if last.replace(grid) != Some(grid) {
                let sizes: Vec<_> = grid.sizes().map(|size| grid.shown(size)).collect();
                output::line(format_args!("\n{}", row(&grid.names.join(" x "), &sizes)))?;
            }
            let times = self.tuning.kernel(kernel);
            let winners = self.winners(kernel, &times);
            let winners: Vec<_> = winners
                .into_iter()
                .map(|winner| winner.unwrap_or("-").to_owned())
                .collect();
            output::line(row(kernel, &winners))?;
        }
        output::line("")?;
        for (id, time) in &self.measured.times {
            output::line(format_args!(
                "{id:<18} takes {time:.2} times as long as the best"
            ))?;
        }
        Ok(())
    }
}

fn row(name: &str, columns: &[String]) -> String {
    let columns: String = columns.iter().map(|c| format!(" {c:>12}")).collect();
    format!("{name:<18}{columns}")
}
