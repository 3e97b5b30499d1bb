//! One accelerator made of several, kernel by kernel.

use std::collections::BTreeMap;
use std::sync::Arc;

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{Accelerator, Error, ErrorKind, Kernel, Options, Result};

use crate::composed::{Cells, Composed, Threshold};
use crate::resolve::Builder;
use crate::select::{Criteria, Selection, Share, auto_order, listed, suggestion};
use crate::tuning::{Grid, Winners};
use crate::{Authority, BackendRequest, Facts, Registry, Request};

/// What the configuration says of single kernels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composition {
    /// The backend of single kernels: the kernel's name to the backend's id. `auto` is as if the
    /// kernel were not named.
    pub kernels: BTreeMap<String, String>,
    /// A kernel on slices whose first slice is shorter than this many samples runs on the
    /// reference; 0: never. The length of a list of planes is that of all planes together.
    pub vectorization_threshold: usize,
}

/// Selects an accelerator as [`resolve`](crate::resolve) does, and fills what it lacks.
///
/// Each kernel runs on the backend that `composition` names for it; else, where the request is
/// `auto` and the kernel was measured, on the fastest one, size by size; else on the selected one if
/// that lists the kernel, else on the next candidate that lists it and builds: first those that
/// the request lists, then in the order of `auto`. Banks of filters, which are not measured, run where
/// `fir` would without measurements. A kernel that nobody has answers [`ErrorKind::Unsupported`]. Only
/// backends that run something are built. Where everything runs on one backend, that backend itself
/// is returned; where only its kernels of [one length](Kernel::has_one_length) do, they are called
/// without a way through the table.
///
/// The reference of the threshold is the available candidate of the lowest rank, negative ones
/// aside, that lists every kernel. Where there is none, the threshold has no effect and a warning
/// is logged.
///
/// # Errors
///
/// Those of [`resolve`](crate::resolve); [`ErrorKind::Config`] for a kernel that does not exist;
/// for the backend of a single kernel those of a backend asked for by name, and
/// [`ErrorKind::Unavailable`] if it lacks the kernel.
pub fn compose(
    registry: &Registry,
    criteria: &Criteria,
    settings: &AcceleratorSettings,
    options: &dyn Fn(&str) -> Options,
    composition: &Composition,
) -> Result<(Arc<dyn Accelerator>, Selection)> {
    let mut builder = Builder::<dyn Accelerator>::new(registry, criteria, settings, options);
    let overrides = overrides(&builder, &composition.kernels)?;
    let (accelerator, mut selection) = builder.resolve()?;
    let chosen = Part {
        id: selection.chosen.clone(),
        accelerator,
    };
    let mut parts = Parts {
        order: preference(&builder, &selection),
        built: vec![chosen.clone()],
        builder,
    };

    let by_measurement = criteria.request.backend == BackendRequest::Auto;
    let winners = Winners::new(&criteria.measured.kernels, &chosen.id);
    let mut table = Vec::with_capacity(Kernel::ALL.len());
    let mut measured = BTreeMap::new();
    for &kernel in Kernel::ALL {
        let parts_of_kernel = match overrides.get(&kernel) {
            Some(id) => {
                let named = parts.named(id);
                PerSize::all(kernel, named.map_err(|e| e.with("kernel", kernel.name()))?)
            }
            None => {
                let fastest = by_measurement
                    .then(|| parts.fastest(kernel, &winners))
                    .flatten();
                if let Some(fastest) = &fastest {
                    measured.insert(kernel.name(), fastest.shares());
                }
                fastest.unwrap_or_else(|| {
                    let part = parts.having(kernel);
                    PerSize::all(
                        kernel,
                        part.unwrap_or_else(|| parts.left_with(kernel, &chosen)),
                    )
                })
            }
        };
        table.push(parts_of_kernel);
    }
    let bank = match overrides.get(&Kernel::Fir) {
        Some(id) => Some(parts.named(id)?),
        None => parts.having(Kernel::Fir),
    };
    let bank = bank.unwrap_or_else(|| parts.left_with(Kernel::Fir, &chosen));
    let reference = match composition.vectorization_threshold {
        0 => None,
        threshold => parts.reference(threshold),
    };

    selection.kernels = Some(elsewhere(&table, &chosen));
    selection.measured = (!measured.is_empty()).then_some(measured);
    let working = table.iter().flat_map(|per_size| &per_size.parts);
    let called = working.chain([&bank]).chain(&reference);
    let called = called.map(|part| part.id.clone());
    selection.called.extend(called);
    selection.called.sort();
    selection.called.dedup();
    for rejected in &mut selection.rejected {
        if let Some(reason) = parts.builder.criteria.failed.remove(&rejected.id) {
            rejected.reason = reason;
            rejected.available = false;
        }
    }

    let threshold = composition.vectorization_threshold;
    let accelerator = assemble(&table, &chosen, bank, reference, threshold);
    Ok((accelerator, selection))
}

/// The parts that run a kernel, by size.
struct PerSize {
    kernel: Kernel,
    /// One for each size of the kernel's grid.
    parts: Vec<Part>,
}

impl PerSize {
    /// The same part for every size.
    fn all(kernel: Kernel, part: Part) -> Self {
        Self {
            kernel,
            parts: vec![part; Grid::of(kernel).len()],
        }
    }

    /// From which size on which backend runs: one share where they are all alike, and neighbours in
    /// a single dimension brought together.
    fn shares(&self) -> Vec<Share> {
        let grid = Grid::of(self.kernel);
        let (rows, columns) = (grid.rows_from(), grid.columns_from());
        let corners = rows
            .iter()
            .flat_map(|&a| columns.iter().map(move |&b| [a, b]));
        let share = |(corner, part): ([usize; 2], &Part)| Share {
            from: corner[..grid.names.len()].to_vec(),
            backend: part.id.clone(),
        };
        let mut shares: Vec<_> = corners.zip(&self.parts).map(share).collect();
        if columns.len() == 1 || shares.iter().all(|s| s.backend == shares[0].backend) {
            shares.dedup_by(|next, share| next.backend == share.backend);
        }
        shares
    }

    /// Whether every size runs on this part.
    fn is(&self, part: &Part) -> bool {
        self.parts.iter().all(|other| other.id == part.id)
    }

    fn cells(&self) -> Cells {
        let accelerators = self.parts.iter().map(|part| Arc::clone(&part.accelerator));
        accelerators.collect()
    }
}

/// The kernels that another backend than the chosen one runs: for one that several run, the other one
/// of the greatest sizes.
fn elsewhere(table: &[PerSize], chosen: &Part) -> BTreeMap<&'static str, String> {
    let other = |per_size: &PerSize| {
        let other = per_size.parts.iter().rfind(|part| part.id != chosen.id)?;
        Some((per_size.kernel.name(), other.id.clone()))
    };
    table.iter().filter_map(other).collect()
}

/// One accelerator of the parts of each kernel, in the order of [`Kernel::ALL`].
fn assemble(
    table: &[PerSize],
    chosen: &Part,
    bank: Part,
    reference: Option<Part>,
    threshold: usize,
) -> Arc<dyn Accelerator> {
    let all_on = |part: &Part| table.iter().all(|per_size| per_size.is(part));
    let first = &table[0].parts[0];
    let slices = table
        .iter()
        .filter(|per_size| per_size.kernel.has_one_length());
    let composed = || -> Arc<dyn Accelerator> {
        let cells = table.iter().map(PerSize::cells).collect();
        let bank = Arc::clone(&bank.accelerator);
        Arc::new(Composed::new(chosen.accelerator.variant(), cells, bank))
    };
    let accelerator = match all_on(first) {
        true => Arc::clone(&first.accelerator),
        false if slices.clone().all(|per_size| per_size.is(first)) => {
            let composed = composed();
            let split = first.accelerator.with_others(Arc::clone(&composed));
            split.unwrap_or(composed)
        }
        false => composed(),
    };
    match reference {
        Some(reference) if !all_on(&reference) => Arc::new(Threshold {
            length: threshold,
            short: reference.accelerator,
            others: accelerator,
        }),
        _ => accelerator,
    }
}

/// The configured backends of single kernels, checked but not built.
fn overrides<'a>(
    builder: &Builder<'_, dyn Accelerator>,
    kernels: &'a BTreeMap<String, String>,
) -> Result<BTreeMap<Kernel, &'a str>> {
    let mut overrides = BTreeMap::new();
    for (name, id) in kernels.iter().filter(|(_, id)| *id != "auto") {
        let kernel = Kernel::parse(name).ok_or_else(|| unknown_kernel(name))?;
        let by_name = Criteria {
            request: Request::new(BackendRequest::One(id.clone()), Authority::Config),
            ..builder.criteria.clone()
        };
        builder
            .select(&by_name)
            .map_err(|e| e.with("kernel", name))?;
        let having: Vec<_> = builder
            .facts()
            .into_iter()
            .filter(|f| f.offers(name))
            .collect();
        if !having.iter().any(|facts| facts.id == *id) {
            let having = listed("those that have it", having.iter().map(|f| f.id.as_str()));
            let message = format!("accelerator {id:?} has no kernel {name:?} ({having})");
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        overrides.insert(kernel, id.as_str());
    }
    Ok(overrides)
}

fn unknown_kernel(name: &str) -> Error {
    let near = suggestion(name, Kernel::NAMES.iter().copied());
    let all = listed("there are", Kernel::NAMES.iter().copied());
    let message = format!("no kernel is called {name:?}{near} ({all})");
    Error::new(ErrorKind::Config, message).with("section", "[accelerator.kernels]")
}

/// The order in which candidates are asked whether they have a kernel.
fn preference<'a>(builder: &Builder<'a, dyn Accelerator>, selection: &Selection) -> Vec<&'a Facts> {
    let facts = builder.facts();
    let asked = std::iter::once(&selection.chosen).chain(&selection.fallbacks);
    let asked = asked.filter_map(|id| facts.iter().copied().find(|f| f.id == *id));
    let auto = auto_order(selection.kind, &facts, &builder.criteria);
    asked.chain(auto).collect()
}

/// An accelerator without a kernel.
#[derive(Debug)]
struct Nothing;

impl Accelerator for Nothing {}

/// A backend that runs something.
#[derive(Clone, Debug)]
struct Part {
    id: String,
    accelerator: Arc<dyn Accelerator>,
}

/// The backends built so far, and what others are taken from.
struct Parts<'a> {
    order: Vec<&'a Facts>,
    built: Vec<Part>,
    builder: Builder<'a, dyn Accelerator>,
}

impl Parts<'_> {
    fn built(&self, id: &str) -> Option<Part> {
        self.built.iter().find(|part| part.id == id).cloned()
    }

    fn keep(&mut self, id: &str, accelerator: Arc<dyn Accelerator>) -> Part {
        let part = Part {
            id: id.to_owned(),
            accelerator,
        };
        self.built.push(part.clone());
        part
    }

    /// This backend, or the error that it can't be had.
    fn named(&mut self, id: &str) -> Result<Part> {
        match self.built(id) {
            Some(part) => Ok(part),
            None => self
                .builder
                .build_named(id)
                .map(|accelerator| self.keep(id, accelerator)),
        }
    }

    /// This backend, unless it fails to build.
    fn attempt(&mut self, id: &str) -> Option<Part> {
        self.built(id).or_else(|| {
            let accelerator = self.builder.try_build(id)?;
            Some(self.keep(id, accelerator))
        })
    }

    /// What runs a kernel that nobody may run: the chosen backend, which says so, or nothing at all where
    /// that one has it and is wrong.
    fn left_with(&self, kernel: Kernel, chosen: &Part) -> Part {
        if !self.wrong(kernel).contains_key(&chosen.id) {
            return chosen.clone();
        }
        Part {
            id: "none".to_owned(),
            accelerator: Arc::new(Nothing),
        }
    }

    /// The backends that were measured and are wrong, where the request leaves the choice open.
    fn wrong(&self, kernel: Kernel) -> BTreeMap<String, String> {
        let criteria = &self.builder.criteria;
        let measured = criteria.measured.kernels.get(&kernel);
        let measured = measured.filter(|_| criteria.request.backend == BackendRequest::Auto);
        measured
            .map(|times| times.wrong.clone())
            .unwrap_or_default()
    }

    /// The preferred backend that has this kernel; one that was measured and is wrong, only if it was
    /// asked for.
    fn having(&mut self, kernel: Kernel) -> Option<Part> {
        let order = self.order.clone();
        let wrong = self.wrong(kernel);
        let mut having = order
            .into_iter()
            .filter(|f| f.offers(kernel.name()) && !wrong.contains_key(&f.id));
        having.find_map(|facts| self.attempt(&facts.id))
    }

    /// The backends that were measured fastest at each size of a kernel; `None` if it was not
    /// measured. A size that was not measured goes where the next smaller one goes, or else where
    /// the next greater one does.
    fn fastest(&mut self, kernel: Kernel, winners: &Winners<'_>) -> Option<PerSize> {
        let order = self.order.clone();
        let may_run = |id: &str| order.iter().any(|f| f.id == id && f.offers(kernel.name()));
        let mut parts: Vec<Option<Part>> = (0..Grid::of(kernel).len())
            .map(|size| {
                let mut best = winners.order(kernel, size).into_iter();
                best.find_map(|id| may_run(id).then(|| self.attempt(id)).flatten())
            })
            .collect();
        let first = parts.iter().flatten().next()?.clone();
        let mut last = first;
        for part in &mut parts {
            last = part.get_or_insert(last).clone();
        }
        Some(PerSize {
            kernel,
            parts: parts.into_iter().flatten().collect(),
        })
    }

    /// The backend for slices shorter than the threshold.
    fn reference(&mut self, threshold: usize) -> Option<Part> {
        let mut complete = self.order.clone();
        complete.retain(|f| f.rank >= 0 && Kernel::NAMES.iter().all(|name| f.offers(name)));
        complete.sort_by(|a, b| a.rank.cmp(&b.rank).then_with(|| a.id.cmp(&b.id)));
        let reference = complete
            .into_iter()
            .find_map(|facts| self.attempt(&facts.id));
        if reference.is_none() {
            tracing::warn!(
                threshold,
                "no accelerator that has every kernel is available: the vectorization threshold \
                 has no effect"
            );
        }
        reference
    }
}
