//! From configuration to chosen backends.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use auralis_core::{
    Accelerator, BufferPool, Cache, CpuFeatures, Executor, Kernel, Profiler, Result,
};
use auralis_registry::config::{Catalog, Config, Loaded, Sources, load};
use auralis_registry::tuning::Consulted;
use auralis_registry::{Cpu, Offer, Registry};

use super::selector::Selector;
use super::{Chosen, Optimizer, single_flight};
use crate::Parts;
use crate::chain::{Chain, stage_schemas};

/// Makes an [`Optimizer`].
///
/// A part that is put in by hand is used as it is, whatever the configuration says of its kind:
/// that is how tests swap a backend for a double.
#[derive(Debug, Default)]
pub struct Builder {
    registry: Option<Registry>,
    sources: Option<Sources>,
    no_plugins: bool,
    probe_program: Option<PathBuf>,
    tuning_file: Option<PathBuf>,
    accelerator: Option<Arc<dyn Accelerator>>,
    buffer_pool: Option<Arc<dyn BufferPool>>,
    cache: Option<Arc<dyn Cache>>,
    executor: Option<Arc<dyn Executor>>,
    profiler: Option<Arc<dyn Profiler>>,
}

impl Builder {
    /// Reads this configuration file, with the process's environment above it.
    #[must_use]
    pub fn config_file(self, path: impl Into<PathBuf>) -> Self {
        self.sources(Sources {
            explicit: Some(path.into()),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            ..Sources::default()
        })
    }

    /// Reads the configuration from these sources.
    #[must_use]
    pub fn sources(mut self, sources: Sources) -> Self {
        self.sources = Some(sources);
        self
    }

    /// Chooses among these backends in the place of those that are linked in.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Loads no plugin, whatever the configuration says.
    #[must_use]
    pub fn no_plugins(mut self, no_plugins: bool) -> Self {
        self.no_plugins = no_plugins;
        self
    }

    /// Has plugins that this machine does not know tested by this program, whose `main` begins with
    /// `auralis::plugins::probe_if_asked()`. Without it, a program that begins so itself tests them,
    /// else an `auralis` in the folder of the program or above.
    #[must_use]
    pub fn probe_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.probe_program = Some(program.into());
        self
    }

    /// Goes by what this tuning file says was measured, in the place of the user's. A file that does
    /// not fit this machine and these backends is ignored: [`Optimizer::tuning`] says why.
    #[must_use]
    pub fn tuning_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.tuning_file = Some(file.into());
        self
    }

    /// Puts in an accelerator.
    #[must_use]
    pub fn with_accelerator(mut self, accelerator: Arc<dyn Accelerator>) -> Self {
        self.accelerator = Some(accelerator);
        self
    }

    /// Puts in a buffer pool.
    #[must_use]
    pub fn with_buffer_pool(mut self, buffer_pool: Arc<dyn BufferPool>) -> Self {
        self.buffer_pool = Some(buffer_pool);
        self
    }

    /// Puts in a cache.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Puts in an executor.
    #[must_use]
    pub fn with_executor(mut self, executor: Arc<dyn Executor>) -> Self {
        self.executor = Some(executor);
        self
    }

    /// Puts in a profiler.
    #[must_use]
    pub fn with_profiler(mut self, profiler: Arc<dyn Profiler>) -> Self {
        self.profiler = Some(profiler);
        self
    }

    /// Reads the configuration, loads the plugins that it allows, chooses and builds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](auralis_core::ErrorKind::Config) with every fault of the configuration;
    /// `Unavailable` or `NotFound` for a backend that was asked for and can't be had; `Plugin` if it
    /// would have come from a plugin that was rejected. The same for a variant of a kernel.
    pub fn build(self) -> Result<Optimizer> {
        let mut registry = match self.registry {
            Some(registry) => registry,
            None => Registry::linked()?,
        };
        let sources = self.sources.unwrap_or_default();
        let Configured { loaded, catalog } = configure_tested_by(
            self.probe_program.as_deref(),
            &mut registry,
            &sources,
            self.no_plugins,
        )?;
        let Loaded {
            config, origins, ..
        } = loaded;
        let chain = Chain::from_tables(&config.chain)?;
        let hidden = config
            .cpu
            .disable
            .iter()
            .filter_map(|name| CpuFeatures::parse(name));
        let cpu = Cpu::detect(hidden.fold(CpuFeatures::NONE, CpuFeatures::union));
        let tuning = self.tuning_file.or_else(|| sources.tuning_file());
        let selector = Selector {
            tuning: tuning.map(|file| Consulted::at(&file, &registry, cpu)),
            registry,
            catalog,
            config,
            origins,
            cpu,
        };
        let mut selections = Vec::new();
        let parts = Parts {
            accelerator: selector.first(self.accelerator, &mut selections)?,
            buffer_pool: selector.first(self.buffer_pool, &mut selections)?,
            cache: selector.first(self.cache, &mut selections)?,
            executor: selector.first(self.executor, &mut selections)?,
            profiler: selector.first(self.profiler, &mut selections)?,
        };
        Ok(Optimizer {
            cache: single_flight(&parts),
            chosen: Chosen::new(parts, selections),
            kernels: selector.kernels()?,
            selector,
            chain,
            watches: Mutex::default(),
            transforms: Mutex::default(),
        })
    }
}

/// A configuration that was checked against everything that can be had.
pub(crate) struct Configured {
    pub loaded: Loaded,
    pub catalog: Catalog,
}

/// Loads the configuration, adds the plugins that it allows to `registry`, and checks it again with
/// what they bring.
#[cfg(feature = "cli")]
pub(crate) fn configure(
    registry: &mut Registry,
    sources: &Sources,
    no_plugins: bool,
) -> Result<Configured> {
    configure_tested_by(None, registry, sources, no_plugins)
}

/// [`configure`] where `probe_program` tests the plugins that this machine does not know.
fn configure_tested_by(
    probe_program: Option<&Path>,
    registry: &mut Registry,
    sources: &Sources,
    no_plugins: bool,
) -> Result<Configured> {
    let first = catalog(registry, false)?;
    let loaded = load(sources, &first)?;
    if no_plugins {
        registry.switch_off_plugins("plugins are switched off by `--no-plugins`");
    }
    if no_plugins || !crate::plugins::load(registry, &loaded.config.plugins, sources, probe_program)
    {
        return Ok(Configured {
            loaded,
            catalog: first,
        });
    }
    let rejected = registry.rejected();
    // What a rejected plugin would have brought may not be known: selection then says what is missing.
    let mut catalog = catalog(registry, rejected.iter().all(|p| !p.offers.is_empty()))?;
    let is_known = |offer: &Offer| registry.facts().any(|(kind, f)| offer.is(kind, &f.id));
    let offers = rejected.iter().flat_map(|p| &p.offers);
    for offer in offers.filter(|o| Config::KINDS.contains(&&*o.kind) && !is_known(o)) {
        catalog = catalog.backend(&offer.kind, &offer.id, ANY_OPTIONS)?;
    }
    Ok(Configured {
        loaded: load(sources, &catalog)?,
        catalog,
    })
}

/// The schema of a backend's options of which nothing is known.
const ANY_OPTIONS: &str = r#"{ "additionalProperties": true }"#;

/// What a configuration may name.
pub(crate) fn catalog(registry: &Registry, complete: bool) -> Result<Catalog> {
    let mut catalog = Catalog::new()
        .cpu_features(CpuFeatures::known())
        .kernels(Kernel::NAMES.iter().copied())
        .complete(complete);
    for stage in stage_schemas() {
        catalog = catalog.stage(stage.name, stage.schema)?;
    }
    for (kind, facts) in registry.facts() {
        catalog = catalog.backend(kind, &facts.id, &facts.options_schema)?;
    }
    for kernel in registry.kernels() {
        let variants = kernel.facts.variants.iter().map(|v| v.id.as_str());
        catalog = catalog.user_kernel(&kernel.facts.name, variants.chain(["auto"]));
    }
    Ok(catalog)
}
