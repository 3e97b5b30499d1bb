//! `auralis bench`: every accelerator side by side, kernel by kernel and size by size.

mod standing;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use auralis_core::{Error, ErrorKind, Kernel};
use auralis_registry::tuning::work::{self, Cost};
use auralis_registry::tuning::{Batch, Grid, OWN_KERNEL, least_times};
use clap::Args;
use serde::Serialize;

use self::standing::Standing;
use super::{Global, Outcome, Stop, output};
use crate::tuning::{Contestant, Field, Limits, contestants, variants};

/// Times the accelerators side by side, against what this machine can do at most
///
/// `selected` is what the program works with: where it is made of several backends, a call takes its
/// way through a table. Answers are checked first: what is wrong is not timed. The last column is a
/// control, the first backend timed a second time as if it were another one: as far as it is from 1, any
/// other ratio may be wrong. The last line says how what is selected stands beside the fastest single
/// backend of each kernel and size.
#[derive(Debug, Args)]
pub struct Bench {
    /// Only these kernels
    #[arg(long = "kernel", value_name = "NAME")]
    kernels: Vec<String>,
    /// Only these sizes: `512`, or `64x512` for a kernel that has two dimensions
    #[arg(long = "size", value_name = "SIZE", value_parser = size)]
    sizes: Vec<Size>,
    /// Only these backends, `selected`, or variants of kernels of your own
    #[arg(long = "backend", value_name = "ID")]
    backends: Vec<String>,
    /// How long to measure each kernel at each size
    #[arg(long, value_name = "MILLISECONDS", default_value = "40",
          value_parser = clap::value_parser!(u16).range(1..=10_000))]
    time: u16,
}

/// The column of the accelerator that the orchestrator holds.
const SELECTED: &str = "selected";

type Size = Vec<usize>;

/// What is larger would want more memory than a bench may.
const LARGEST_SIZE: usize = 1 << 24;

fn size(text: &str) -> Result<Size, String> {
    let number = |part: &str| match part.parse() {
        Ok(number @ 1..=LARGEST_SIZE) => Ok(number),
        _ => Err(format!("{part:?} is no size from 1 to {LARGEST_SIZE}")),
    };
    let size: Size = text.split('x').map(number).collect::<Result<_, _>>()?;
    match size.len() {
        1 | 2 => Ok(size),
        _ => Err("a size has one or two dimensions".to_owned()),
    }
}

/// One object of `bench --json`: a backend at a kernel and a size.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.bench/1")]
struct Row<'a> {
    kernel: &'a str,
    size: &'a [usize],
    backend: &'a str,
    /// The least time of one call.
    nanoseconds: f64,
    /// Bytes read and written, in 10⁹ per second.
    gigabytes_per_second: f64,
    /// Additions and multiplications, in 10⁹ per second; `null` where there are none.
    gigaflops: Option<f64>,
    /// 100 where the machine can do no better.
    percent_of_limit: f64,
    /// The time of the first backend measured as another one, in parts of its own.
    control: f64,
}

/// The limits, as one object of `bench --json` each.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.limit/1")]
struct Limit {
    /// `L1 load`, ..., or `multiply-add`.
    limit: String,
    instructions: &'static str,
    gigabytes_per_second: Option<f64>,
    gigaflops: Option<f64>,
}

impl Bench {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let optimizer = global.optimizer(&[])?;
        let field = optimizer.field();
        self.check(&field)?;
        let printer = Printer {
            global,
            limits: Limits::measure(field.cpu.available()),
            time: Duration::from_millis(self.time.into()),
            standing: RefCell::default(),
        };
        printer.limits()?;
        let (mut contestants, wrong) =
            contestants(&field, |facts| match self.backends.as_slice() {
                [] => facts.rank >= 0,
                named => named.contains(&facts.id),
            });
        if self.backends.is_empty() || self.backends.iter().any(|id| id == SELECTED) {
            contestants.push(Contestant {
                id: SELECTED.to_owned(),
                accelerator: Arc::clone(&optimizer.parts().accelerator),
                kernels: Kernel::ALL.to_vec(),
            });
        }
        for &kernel in Kernel::ALL.iter().filter(|k| self.is_asked(k.name())) {
            let having = contestants.iter().filter(|c| c.kernels.contains(&kernel));
            self.kernel(&printer, kernel, &having.collect::<Vec<_>>())?;
        }
        let mut wrong = wrong;
        for kernel in field.registry.kernels() {
            let name = &kernel.facts.name;
            if !self.is_asked(name) {
                continue;
            }
            let (mut right, found) = variants(kernel, field.cpu.available());
            wrong.extend(found);
            right.retain(|v| {
                self.backends.is_empty() || self.backends.iter().any(|b| b == v.variant())
            });
            let ids: Vec<_> = right.iter().map(|v| v.variant()).collect();
            printer.head(name, &OWN_KERNEL, &ids)?;
            for size in self.sizes(&OWN_KERNEL) {
                let again = right
                    .iter()
                    .chain(right.first())
                    .cloned()
                    .collect::<Vec<_>>();
                let cost = work::own_cost(size[0], kernel.facts.sources);
                printer.row(name, &size, &ids, &cost, work::own_kernel(size[0], &again))?;
            }
        }
        printer.standing()?;
        for wrong in wrong.iter().filter(|wrong| self.is_asked(&wrong.kernel)) {
            let message = format!(
                "{} of {} is wrong: {}",
                wrong.kernel, wrong.id, wrong.reason
            );
            output::warning(global, &message);
        }
        Ok(())
    }

    /// That what is asked for by name exists.
    fn check(&self, field: &Field<'_>) -> Outcome {
        let own = || field.registry.kernels().iter();
        for name in &self.kernels {
            let known = Kernel::parse(name).is_some() || own().any(|k| k.facts.name == *name);
            if !known {
                let own = own().map(|k| k.facts.name.as_str());
                let all: Vec<_> = Kernel::NAMES.iter().copied().chain(own).collect();
                let all = all.join(", ");
                return Err(Stop::Usage(format!(
                    "no kernel is called {name:?} (there are: {all})"
                )));
            }
        }
        let ids = field
            .registry
            .facts()
            .filter(|(kind, _)| *kind == "accelerator");
        let ids: Vec<_> = ids.map(|(_, facts)| facts.id.as_str()).collect();
        for id in &self.backends {
            let is_variant = own().any(|k| k.facts.variants.iter().any(|v| v.id == *id));
            if id != SELECTED && !is_variant && !ids.contains(&id.as_str()) {
                let all = ids.join(", ");
                let message = format!("no accelerator is called {id:?} (there are: {all})");
                return Err(Error::new(ErrorKind::NotFound, message).into());
            }
        }
        Ok(())
    }

    fn is_asked(&self, kernel: &str) -> bool {
        self.kernels.is_empty() || self.kernels.iter().any(|name| name == kernel)
    }

    /// The sizes that are asked for and have the dimensions of the grid, or those of the grid.
    fn sizes(&self, grid: &Grid) -> Vec<[usize; 2]> {
        if self.sizes.is_empty() {
            return grid.sizes().collect();
        }
        let fitting = self.sizes.iter().filter(|s| s.len() == grid.names.len());
        fitting
            .map(|s| [s[0], s.get(1).copied().unwrap_or(0)])
            .collect()
    }

    fn kernel(&self, printer: &Printer<'_>, kernel: Kernel, having: &[&Contestant]) -> Outcome {
        let grid = Grid::of(kernel);
        let sizes = self.sizes(&grid);
        if having.is_empty() || sizes.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = having.iter().map(|c| c.id.as_str()).collect();
        let backends = having.iter().chain(having.first());
        let backends: Vec<_> = backends.map(|c| Arc::clone(&c.accelerator)).collect();
        printer.head(kernel.name(), &grid, &ids)?;
        for size in sizes {
            let batches = work::batches(kernel, size, &backends);
            let batches = batches.into_iter().collect::<Result<Vec<_>, _>>()?;
            let cost = work::cost(kernel, size);
            printer.row(
                kernel.name(),
                &size[..grid.names.len()],
                &ids,
                &cost,
                batches,
            )?;
        }
        Ok(())
    }
}

/// Measures and prints.
struct Printer<'a> {
    global: &'a Global,
    limits: Limits,
    time: Duration,
    standing: RefCell<Standing>,
}

impl Printer<'_> {
    fn limits(&self) -> Outcome {
        let Limits {
            instructions,
            gigaflops,
            levels,
        } = &self.limits;
        if !self.global.json {
            output::line(format_args!(
                "one core, with {instructions}: {gigaflops:.1} GFLOP/s of multiply-adds"
            ))?;
            output::line("GB/s        load     store   load + store   2 loads + store")?;
            return levels.iter().try_for_each(|level| {
                output::line(format_args!(
                    "{:<8}{:>8.1}{:>10.1}{:>15.1}{:>18.1}",
                    level.name, level.load, level.store, level.update, level.add
                ))
            });
        }
        output::json(&Limit {
            limit: "multiply-add".to_owned(),
            instructions,
            gigabytes_per_second: None,
            gigaflops: Some(*gigaflops),
        })?;
        for level in levels {
            for (stream, rate) in [
                ("load", level.load),
                ("store", level.store),
                ("load + store", level.update),
                ("2 loads + store", level.add),
            ] {
                output::json(&Limit {
                    limit: format!("{} {stream}", level.name),
                    instructions,
                    gigabytes_per_second: Some(rate),
                    gigaflops: None,
                })?;
            }
        }
        Ok(())
    }

    fn head(&self, kernel: &str, grid: &Grid, ids: &[&str]) -> Outcome {
        if self.global.json {
            return Ok(());
        }
        let columns: String = ids.iter().map(|id| format!("{id:>30}")).collect();
        let sizes = grid.names.join(" x ");
        output::line(format_args!(
            "\n{kernel}\n{sizes:>20}{columns}{:>9}",
            "control"
        ))
    }

    fn standing(&self) -> Outcome {
        let standing = self.standing.borrow();
        match (standing.is_empty(), self.global.json) {
            (true, _) => Ok(()),
            (false, true) => output::json(&*standing),
            (false, false) => output::line(format_args!("\n{}", standing.sentence())),
        }
    }

    /// Times the batches of the backends, and one more of the first of them.
    fn row(
        &self,
        kernel: &str,
        size: &[usize],
        ids: &[&str],
        cost: &Cost,
        mut batches: Vec<Batch<'_>>,
    ) -> Outcome {
        let times = least_times(&mut batches, self.time);
        let times = times.into_iter().collect::<Result<Vec<f64>, _>>()?;
        let control = match (times.first(), times.last()) {
            (Some(first), Some(again)) => again / first,
            _ => return Ok(()),
        };
        let named = || ids.iter().zip(&times);
        let selected = named().find(|(id, _)| **id == SELECTED);
        let single = named().filter(|(id, _)| **id != SELECTED);
        let best = single.map(|(_, time)| *time).reduce(f64::min);
        if let (Some((_, &selected)), Some(best)) = (selected, best) {
            let mut standing = self.standing.borrow_mut();
            standing.add(kernel, size, [selected, best], control);
        }
        let limit = self.limits.nanoseconds(cost);
        let rows = ids.iter().zip(&times).map(|(id, &nanoseconds)| Row {
            kernel,
            size,
            backend: id,
            nanoseconds,
            gigabytes_per_second: (cost.loads + cost.stores) as f64 / nanoseconds,
            gigaflops: (cost.operations > 0).then(|| cost.operations as f64 / nanoseconds),
            percent_of_limit: 100.0 * limit / nanoseconds,
            control,
        });
        if self.global.json {
            return rows.into_iter().try_for_each(|row| output::json(&row));
        }
        // What is limited by computing is told in operations, what by memory in bytes.
        let computes = cost.operations > 4 * (cost.loads + cost.stores);
        let columns: String = rows
            .map(|row| {
                let rate = match (computes, row.gigaflops) {
                    (true, Some(rate)) => format!("{rate:.1} GF/s"),
                    _ => format!("{:.1} GB/s", row.gigabytes_per_second),
                };
                let (time, share) = (row.nanoseconds, row.percent_of_limit);
                format!("{time:>11.1} ns {rate:>10} {share:>4.0}%")
            })
            .collect();
        let size: Vec<_> = size.iter().map(usize::to_string).collect();
        let size = size.join(" x ");
        output::line(format_args!("{size:>20}{columns}{control:>9.2}"))
    }
}
