//! Measuring the accelerators of a program on this machine: answers first, then times.
//!
//! [`tune`] makes what [`auralis_registry::tuning`] describes and selection goes by.

mod gate;
mod limits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{Accelerator, BuildContext, Kernel, Options, UserKernel};
use auralis_registry::tuning::{
    Batch, Cell, Fingerprint, Grid, OWN_KERNEL, SizeTimes, Tuning, Wrong, least_times, work,
};
use auralis_registry::{Cpu, Facts, KernelCandidate, Registry};

pub use gate::{Contestant, contestants, variants};
pub use limits::{Level, Limits};

/// What is measured.
pub struct Field<'a> {
    /// The candidates.
    pub registry: &'a Registry,
    /// The features that they may use.
    pub cpu: Cpu,
    /// The options of each accelerator, by id.
    pub options: Box<dyn Fn(&str) -> Options + 'a>,
}

impl Field<'_> {
    /// Builds an accelerator as the configuration would; `None` if that fails.
    fn built(&self, facts: &Facts) -> Option<Arc<dyn Accelerator>> {
        let candidate = self.registry.candidate::<dyn Accelerator>(&facts.id)?;
        let context = BuildContext {
            options: &(self.options)(&facts.id),
            settings: &AcceleratorSettings::default(),
            cpu: self.cpu.available(),
        };
        let built = candidate.build(&context);
        built
            .map_err(|error| {
                let id = &facts.id;
                tracing::warn!(id, "not measured: can't be built: {}", error.report());
            })
            .ok()
    }
}

/// Something to be timed, once it is known how long it may take.
type Measurement<'a> = Box<dyn FnOnce(Duration) -> (Cell, Vec<Wrong>) + 'a>;

/// Measures every accelerator that can run here, and may be chosen unasked, at every size of every
/// kernel that it has, and every variant of the kernels of authors' own. What gives wrong answers is
/// not timed. Takes about `time`, but for the checks, which come first.
pub fn tune(field: &Field<'_>, time: Duration) -> Tuning {
    let end = Instant::now() + time;
    let (contestants, mut wrong) = contestants(field, |facts| facts.rank >= 0);
    let mut measurements: Vec<Measurement<'_>> = Vec::new();
    for &kernel in Kernel::ALL {
        let having = contestants.iter().filter(|c| c.kernels.contains(&kernel));
        let having: Vec<&Contestant> = having.collect();
        if having.is_empty() {
            continue;
        }
        for size in Grid::of(kernel).sizes() {
            let having = having.clone();
            measurements.push(Box::new(move |time| cell(kernel, size, &having, time)));
        }
    }
    for kernel in field.registry.kernels() {
        let (variants, found) = variants(kernel, field.cpu.available());
        wrong.extend(found);
        let variants = Arc::new(variants);
        for [length, _] in OWN_KERNEL.sizes() {
            let variants = Arc::clone(&variants);
            measurements.push(Box::new(move |time| {
                own_cell(kernel, length, &variants, time)
            }));
        }
    }
    let mut cells = Vec::with_capacity(measurements.len());
    let mut left = measurements.len() as u32;
    for measure in measurements {
        let share = end.saturating_duration_since(Instant::now()) / left;
        let (cell, failed) = measure(share);
        cells.push(cell);
        wrong.extend(failed);
        left -= 1;
    }
    // What failed at several sizes is told once.
    let mut told = BTreeMap::new();
    wrong.retain(|w| told.insert((w.kernel.clone(), w.id.clone()), ()).is_none());
    Tuning::new(Fingerprint::of(field.registry, field.cpu), cells, wrong)
}

fn cell(
    kernel: Kernel,
    size: [usize; 2],
    contestants: &[&Contestant],
    time: Duration,
) -> (Cell, Vec<Wrong>) {
    let ids: Vec<_> = contestants.iter().map(|c| c.id.as_str()).collect();
    let backends: Vec<_> = contestants
        .iter()
        .map(|c| Arc::clone(&c.accelerator))
        .collect();
    let batches = work::batches(kernel, size, &backends);
    let size = &size[..Grid::of(kernel).names.len()];
    timed(kernel.name(), size, &ids, batches, time)
}

fn own_cell(
    kernel: &KernelCandidate,
    length: usize,
    variants: &[UserKernel],
    time: Duration,
) -> (Cell, Vec<Wrong>) {
    let ids: Vec<_> = variants.iter().map(UserKernel::variant).collect();
    let batches = work::own_kernel(length, variants);
    let batches = batches.into_iter().map(Ok).collect();
    timed(&kernel.facts.name, &[length], &ids, batches, time)
}

/// Times what could be prepared, and notes what could not or failed.
fn timed(
    kernel: &str,
    size: &[usize],
    ids: &[&str],
    prepared: Vec<auralis_core::Result<Batch<'_>>>,
    time: Duration,
) -> (Cell, Vec<Wrong>) {
    let mut failed = Vec::new();
    let mut fail = |id: &str, error: &auralis_core::Error| {
        failed.push(Wrong {
            kernel: kernel.to_owned(),
            id: id.to_owned(),
            reason: format!("failed while it was timed: {}", error.report()),
        });
    };
    let (mut working, mut batches) = (Vec::new(), Vec::new());
    for (id, prepared) in ids.iter().zip(prepared) {
        match prepared {
            Ok(batch) => {
                working.push(*id);
                batches.push(batch);
            }
            Err(error) => fail(id, &error),
        }
    }
    let mut times = SizeTimes::new();
    for (id, least) in working.iter().zip(least_times(&mut batches, time)) {
        match least {
            Ok(nanoseconds) => {
                times.insert((*id).to_owned(), nanoseconds);
            }
            Err(error) => fail(id, &error),
        }
    }
    let cell = Cell {
        kernel: kernel.to_owned(),
        size: size.to_vec(),
        times,
    };
    (cell, failed)
}
