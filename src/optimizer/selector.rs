//! Choosing a backend of each kind: at first, and again where one broke.

use std::collections::BTreeMap;
use std::sync::Arc;

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, BufferPool, Cache, CacheSettings, Error, ErrorKind, Executor, ExecutorSettings,
    Kind, Options, PoolSettings, Profiler, ProfilerSettings, Result, UserKernel,
};
use auralis_registry::config::{Catalog, Config, Origin, Origins, Threshold};
use auralis_registry::tuning::Consulted;
use auralis_registry::{
    Authority, BackendRequest, Composition, Cpu, Criteria, KernelSelection, Registry, RegistryKind,
    Request, Selection, Source, compose, resolve, select,
};

use crate::Parts;

/// One backend of each kind, and why these.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The backends.
    pub parts: Parts,
    /// What was chosen for each kind, who decided, and why the others were not. A part that was put
    /// in by hand has none.
    pub selections: Vec<Selection>,
    /// Those that broke at run time, by kind: id to why.
    failed: BTreeMap<String, BTreeMap<String, String>>,
}

impl Chosen {
    pub(super) fn new(parts: Parts, selections: Vec<Selection>) -> Self {
        Self {
            parts,
            selections,
            failed: BTreeMap::new(),
        }
    }

    /// The selection of a kind; `None` if its part was put in by hand.
    pub fn selection(&self, kind: &str) -> Option<&Selection> {
        self.selections.iter().find(|s| s.kind == kind)
    }
}

/// What backends are chosen from, and by.
#[derive(Debug)]
pub(super) struct Selector {
    pub registry: Registry,
    pub catalog: Catalog,
    pub config: Config,
    pub origins: Origins,
    pub cpu: Cpu,
    /// The tuning file that was looked for, if any was.
    pub tuning: Option<Consulted>,
}

/// A kind as the configuration sets it up.
pub(super) trait Configured: RegistryKind {
    /// Selects and builds.
    fn choose(selector: &Selector, criteria: &Criteria) -> Result<(Arc<Self>, Selection)>;

    /// The part of this kind.
    fn part(parts: &mut Parts) -> &mut Arc<Self>;
}

impl Configured for dyn Accelerator {
    fn choose(selector: &Selector, criteria: &Criteria) -> Result<(Arc<Self>, Selection)> {
        let accelerator = &selector.config.accelerator;
        let composition = Composition {
            kernels: selector.of_backends(&accelerator.kernels),
            vectorization_threshold: match accelerator.vectorization_threshold {
                // As measured: short slices are sizes like others, which the reference runs where
                // it was fastest. Without a measurement the chosen backend runs at every length.
                Threshold::Auto => 0,
                Threshold::Samples(samples) => samples,
            },
        };
        let (accelerator, mut selection) = compose(
            &selector.registry,
            criteria,
            &AcceleratorSettings::default(),
            &selector.options(Self::NAME),
            &composition,
        )?;
        selection.tuning = selector.tuning.as_ref().and_then(Consulted::report);
        Ok((accelerator, selection))
    }

    fn part(parts: &mut Parts) -> &mut Arc<Self> {
        &mut parts.accelerator
    }
}

macro_rules! configured {
    ($($kind:ident $part:ident $settings:expr;)*) => {$(
        impl Configured for dyn $kind {
            fn choose(selector: &Selector, criteria: &Criteria) -> Result<(Arc<Self>, Selection)> {
                let settings: fn(&Config) -> <Self as Kind>::Settings = $settings;
                let settings = settings(&selector.config);
                let options = selector.options(Self::NAME);
                resolve::<Self>(&selector.registry, criteria, &settings, &options)
            }

            fn part(parts: &mut Parts) -> &mut Arc<Self> {
                &mut parts.$part
            }
        }
    )*};
}

configured! {
    BufferPool buffer_pool |config| PoolSettings {
        capacity_bytes: (config.buffer_pool.capacity_mb as usize).saturating_mul(1 << 20),
    };
    Cache cache |config| CacheSettings {
        capacity_bytes: config.cache.capacity_mb.saturating_mul(1 << 20),
        ttl: std::time::Duration::from_secs(config.cache.ttl_seconds),
    };
    Executor executor |config| ExecutorSettings {
        threads: config.executor.threads,
        helpers: config.executor.helpers,
    };
    Profiler profiler |config| ProfilerSettings {
        history: config.profiler.history,
    };
}

impl Selector {
    /// The part that was put in by hand, or else the one that the configuration asks for.
    pub fn first<K: Configured + ?Sized>(
        &self,
        by_hand: Option<Arc<K>>,
        selections: &mut Vec<Selection>,
    ) -> Result<Arc<K>> {
        if let Some(part) = by_hand {
            return Ok(part);
        }
        let (part, selection) = K::choose(self, &self.criteria(K::NAME))?;
        selections.push(selection);
        Ok(part)
    }

    /// A variant of each kernel of an author's own: the one that the configuration names, else the
    /// best that can run here.
    pub fn kernels(&self) -> Result<Vec<(UserKernel, KernelSelection)>> {
        let asked = &self.config.accelerator.kernels;
        let kernels = self.registry.kernels().iter();
        let choose = kernels.map(|kernel| {
            let name = &kernel.facts.name;
            let asked = asked.get(name).filter(|variant| *variant != "auto");
            let by = || self.authority(&format!("accelerator.kernels.{}", quoted(name)));
            let measured = self.tuning.as_ref().map(|tuning| tuning.variants(name));
            kernel.select(
                asked.map(|variant| (variant.as_str(), by())),
                self.cpu,
                &measured.unwrap_or_default(),
            )
        });
        choose.collect()
    }

    /// What the configuration says of the kernels that backends have.
    fn of_backends(&self, kernels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let kernels = kernels.iter();
        let of_backends = kernels.filter(|(name, _)| self.registry.kernel(name).is_none());
        of_backends.map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// What is chosen once these backends of a kind can't be had any more: id and why, in the words
    /// of a rejection. The other kinds keep their backends.
    pub fn without(
        &self,
        chosen: &Chosen,
        kind: &str,
        broken: &[(String, String)],
    ) -> Result<Chosen> {
        let mut next = chosen.clone();
        let failed = next.failed.entry(kind.to_owned()).or_default();
        failed.extend(broken.iter().cloned());
        match kind {
            <dyn Accelerator as Kind>::NAME => self.replace::<dyn Accelerator>(&mut next)?,
            <dyn BufferPool as Kind>::NAME => self.replace::<dyn BufferPool>(&mut next)?,
            <dyn Cache as Kind>::NAME => self.replace::<dyn Cache>(&mut next)?,
            <dyn Executor as Kind>::NAME => self.replace::<dyn Executor>(&mut next)?,
            <dyn Profiler as Kind>::NAME => self.replace::<dyn Profiler>(&mut next)?,
            other => {
                let message = format!("there is no kind of backend called {other:?}");
                return Err(Error::new(ErrorKind::NotFound, message));
            }
        }
        Ok(next)
    }

    fn replace<K: Configured + ?Sized>(&self, chosen: &mut Chosen) -> Result<()> {
        let Some(selection) = chosen.selections.iter_mut().find(|s| s.kind == K::NAME) else {
            let message = format!(
                "the {} was put in by hand: no other takes its place",
                K::NAME
            );
            return Err(Error::new(ErrorKind::Unavailable, message));
        };
        let mut criteria = self.criteria(K::NAME);
        criteria.failed = chosen.failed.get(K::NAME).cloned().unwrap_or_default();
        (*K::part(&mut chosen.parts), *selection) = K::choose(self, &criteria)?;
        Ok(())
    }

    /// The backends of dylibs that may be called where `chosen` works, of one kind.
    pub fn of_dylibs(&self, chosen: &Chosen, kind: &str) -> Vec<String> {
        let from_dylib = |id: &&String| {
            let mut facts = self.registry.facts();
            facts.any(|(k, f)| k == kind && f.id == **id && matches!(f.source, Source::Dylib(_)))
        };
        let called = chosen.selection(kind).into_iter().flat_map(|s| &s.called);
        called.filter(from_dylib).cloned().collect()
    }

    /// Why nothing may take the place of a backend that is named alone, and what would allow it;
    /// `None` if it is not named alone.
    pub fn strictness(&self, chosen: &Chosen, kind: &str, id: &str) -> Option<String> {
        let mut criteria = self.criteria(kind);
        if criteria.request.backend == BackendRequest::One(id.to_owned()) {
            let facts = self
                .registry
                .facts()
                .filter(|(k, f)| *k == kind && f.id != id);
            let facts: Vec<_> = facts.map(|(_, facts)| facts).collect();
            criteria.request = Request::default();
            criteria.failed = chosen.failed.get(kind).cloned().unwrap_or_default();
            let kind = chosen.selection(kind).map_or("", |s| s.kind);
            let instead = match select(kind, &facts, &criteria) {
                Ok(next) => format!("[{id:?}, {:?}]", next.chosen),
                Err(_) => "of several".to_owned(),
            };
            return Some(format!(
                "{kind}.backend = {id:?} names it alone, so nothing takes its place: the list \
                 {instead} would have allowed that"
            ));
        }
        let kernels = &self.config.accelerator.kernels;
        let (kernel, _) = kernels.iter().find(|(_, named)| *named == id)?;
        (kind == <dyn Accelerator as Kind>::NAME).then(|| {
            format!(
                "accelerator.kernels.{kernel} = {id:?} names it alone, so nothing takes its place: \
                 without that line the kernel goes where accelerator.backend allows"
            )
        })
    }

    fn criteria(&self, kind: &str) -> Criteria {
        let backend = self.config.backend(kind).cloned().unwrap_or_default();
        let by = self.authority(&format!("{kind}.backend"));
        let tuning = self.tuning.as_ref();
        let tuning = tuning.filter(|_| kind == <dyn Accelerator as Kind>::NAME);
        Criteria {
            request: Request::new(backend, by),
            cpu: self.cpu,
            measured: tuning.map(Consulted::measured).unwrap_or_default(),
            ..Criteria::default()
        }
    }

    /// Who has said the value of this key.
    fn authority(&self, key: &str) -> Authority {
        match self.origins.get(key) {
            None | Some(Origin::Default) => Authority::Rank,
            Some(Origin::File { .. }) => Authority::Config,
            Some(Origin::Environment { .. }) => Authority::Environment,
            Some(Origin::Flag { .. }) => Authority::Flag,
        }
    }

    pub fn options(&self, kind: &'static str) -> impl Fn(&str) -> Options {
        move |id| Options::new(self.catalog.options_for(kind, id, &self.config))
    }
}

/// A kernel's name as a part of a dotted key: in quotes where it holds a dot.
fn quoted(name: &str) -> String {
    match name.contains('.') {
        true => format!("{name:?}"),
        false => name.to_owned(),
    }
}
