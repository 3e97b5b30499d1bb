//! One accelerator made of several, kernel by kernel.

use std::collections::BTreeMap;
use std::sync::Arc;

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, Complex, Error, ErrorKind, Kernel, Options, Result, for_each_plan,
    for_each_slice_kernel,
};

use crate::resolve::Builder;
use crate::select::{Criteria, Selection, auto_order, listed, suggestion};
use crate::{Authority, BackendRequest, Facts, Registry, Request};

const KERNELS: usize = Kernel::ALL.len();

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
/// Each kernel runs on the backend that `composition` names for it, else on the selected one if
/// that lists the kernel, else on the next candidate that lists it and builds: first those that
/// the request lists, then in the order of `auto`. A kernel that nobody has answers
/// [`ErrorKind::Unsupported`]. Only backends that run something are built. Where everything runs
/// on one backend, that backend itself is returned.
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

    let mut slots = Vec::with_capacity(KERNELS);
    for kernel in Kernel::ALL {
        slots.push(match overrides.get(kernel) {
            Some(id) => parts
                .named(id)
                .map_err(|e| e.with("kernel", kernel.name()))?,
            None => parts.having(*kernel).unwrap_or_else(|| chosen.clone()),
        });
    }
    let reference = match composition.vectorization_threshold {
        0 => None,
        threshold => parts.reference(threshold),
    };

    selection.kernels = Some(elsewhere(&slots, &chosen));
    let called = slots.iter().chain(&reference).map(|part| part.id.clone());
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
    Ok((assemble(slots, chosen, reference, threshold), selection))
}

/// The kernels that another backend than the chosen one runs.
fn elsewhere(slots: &[Part], chosen: &Part) -> BTreeMap<&'static str, String> {
    let slots = Kernel::NAMES.iter().zip(slots);
    let others = slots.filter(|(_, slot)| slot.id != chosen.id);
    others
        .map(|(name, slot)| (*name, slot.id.clone()))
        .collect()
}

/// One accelerator of the backend of each kernel, in the order of [`Kernel::ALL`].
fn assemble(
    slots: Vec<Part>,
    chosen: Part,
    reference: Option<Part>,
    threshold: usize,
) -> Arc<dyn Accelerator> {
    let first = &slots[0];
    if slots
        .iter()
        .chain(&reference)
        .all(|part| part.id == first.id)
    {
        return Arc::clone(&first.accelerator);
    }
    Arc::new(Composed {
        variant: chosen.accelerator.variant(),
        threshold: if reference.is_some() { threshold } else { 0 },
        reference: reference.unwrap_or(chosen).accelerator,
        slots: std::array::from_fn(|kernel| Arc::clone(&slots[kernel].accelerator)),
    })
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

    /// The preferred backend that has this kernel.
    fn having(&mut self, kernel: Kernel) -> Option<Part> {
        let order = self.order.clone();
        let mut having = order.into_iter().filter(|f| f.offers(kernel.name()));
        having.find_map(|facts| self.attempt(&facts.id))
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

/// An accelerator whose kernels run on different backends.
#[derive(Debug)]
struct Composed {
    variant: &'static str,
    reference: Arc<dyn Accelerator>,
    threshold: usize,
    slots: [Arc<dyn Accelerator>; KERNELS],
}

impl Composed {
    fn slot(&self, kernel: Kernel) -> &dyn Accelerator {
        &*self.slots[kernel as usize]
    }

    fn slot_for(&self, kernel: Kernel, samples: usize) -> &dyn Accelerator {
        if samples < self.threshold {
            &*self.reference
        } else {
            self.slot(kernel)
        }
    }
}

/// The number of samples that the first argument of a kernel holds.
trait Samples {
    fn samples(&self) -> usize;
}

macro_rules! samples {
    ($($sample:ty)*) => {$(
        impl Samples for [$sample] {
            fn samples(&self) -> usize {
                self.len()
            }
        }
    )*};
}

samples!(f32 f64 i16 [u8; 3] i32 Complex<f32>);

impl Samples for [&mut [f32]] {
    fn samples(&self) -> usize {
        self.iter().map(|plane| plane.len()).sum()
    }
}

macro_rules! forward_slices {
    ($($kernel:ident $method:ident (
        $first:ident: $slice:ty $(, $argument:ident: $type:ty)* $(,)?
    ) -> $result:ty;)*) => {$(
        fn $method(&self, $first: $slice $(, $argument: $type)*) -> Result<$result> {
            self.slot_for(Kernel::$kernel, $first.samples()).$method($first $(, $argument)*)
        }
    )*};
}

macro_rules! forward_plans {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),*) -> $plan:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$plan> {
            self.slot(Kernel::$kernel).$method($($argument),*)
        }
    )*};
}

impl Accelerator for Composed {
    for_each_slice_kernel!(forward_slices);
    for_each_plan!(forward_plans);

    fn variant(&self) -> &'static str {
        self.variant
    }
}
