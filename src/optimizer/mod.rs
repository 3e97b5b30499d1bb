//! The orchestrator: holds one chosen backend of each kind and works with them.

mod builder;
mod cached;
mod fallback;
mod selector;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use auralis_core::profiler::{Operation, Report};
use auralis_core::{
    Accelerator, Buffer, BufferPool, CacheStats, Complex, ComplexFft, Contents, ConvolutionMode,
    CpuFeatures, Error, ErrorKind, Executor, ExecutorExt, Kind, PoolStats, Profiler, ProfilerExt,
    Result, SingleFlight, UserKernel,
};
use auralis_registry::config::{Config, Origins};
use auralis_registry::tuning::Consulted;
use auralis_registry::{Backend, KernelSelection, RejectedPlugin, Selection};
use serde::Serialize;

pub use builder::Builder;
#[cfg(feature = "cli")]
pub(crate) use builder::{catalog, configure};
pub use cached::{Cacheable, Watch};
pub use fallback::{Fallback, GivenUp};
pub use selector::Chosen;

use selector::Selector;

use crate::chain::Chain;
use crate::session::{Line, Preparation};
use crate::{Parts, Session, SessionSpec};

/// A filter of [`Optimizer::process_bands`]: reads the audio, fills its band.
pub type BandFilter<'a> = dyn Fn(&[f32], &mut [f32]) -> Result<()> + Sync + 'a;

/// Holds one backend of each kind, chosen by configuration, environment, measurement and CPU, and
/// says why.
///
/// ```
/// use auralis::Optimizer;
///
/// let optimizer = Optimizer::default();
/// let mut audio = vec![0.5; 960];
/// optimizer.apply_gain(&mut audio, &[2.0, 0.5])?;
/// assert_eq!(audio[..2], [1.0, 0.25]);
/// for selection in optimizer.selections() {
///     println!("{}: {} ({})", selection.kind, selection.chosen, selection.decided_by);
/// }
/// # Ok::<(), auralis::core::Error>(())
/// ```
#[derive(Debug)]
pub struct Optimizer {
    chosen: Chosen,
    kernels: Vec<(UserKernel, KernelSelection)>,
    selector: Selector,
    chain: Chain,
    cache: SingleFlight,
    watches: Mutex<cached::Watches>,
    transforms: Mutex<HashMap<usize, Box<dyn ComplexFft<f32>>>>,
}

/// Figures of all parts.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// The buffer pool.
    pub buffer_pool: PoolStats,
    /// The cache.
    pub cache: CacheStats,
    /// What [`Optimizer::cached`] saw of each function, and whether it still asks the cache.
    pub cached: Vec<(String, Watch)>,
    /// The profiler.
    pub profile: Report,
}

impl Optimizer {
    /// Starts from nothing but what is linked in.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Reads a configuration file; environment variables override it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with every fault of the file; what selection answers otherwise.
    pub fn from_config(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().config_file(path.as_ref()).build()
    }

    /// The chosen backends.
    pub fn parts(&self) -> &Parts {
        &self.chosen.parts
    }

    /// The chain of the configuration.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.selector.config
    }

    /// Which layer said each value of the configuration.
    pub fn origins(&self) -> &Origins {
        &self.selector.origins
    }

    /// What was chosen for each kind, who decided, and why the others were not. A part that was put
    /// in by hand has none.
    pub fn selections(&self) -> &[Selection] {
        &self.chosen.selections
    }

    /// The kernel of this name that an author has registered with [`core::kernel!`](crate::core::kernel), in
    /// the chosen variant: to be kept, and called per block.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is none: the error says which there are.
    pub fn kernel(&self, name: &str) -> Result<UserKernel> {
        let kernels = self.kernels.iter().map(|(kernel, _)| kernel);
        kernels
            .clone()
            .find(|kernel| kernel.name() == name)
            .cloned()
            .ok_or_else(|| {
                let all: Vec<_> = kernels.map(UserKernel::name).collect();
                let there_are = match all.is_empty() {
                    true => "none is registered".to_owned(),
                    false => format!("there are: {}", all.join(", ")),
                };
                let message = format!("no kernel is called {name:?} ({there_are})");
                Error::new(ErrorKind::NotFound, message)
            })
    }

    /// Which variant of each kernel of an author's own runs, who decided, and why not the others; by
    /// the kernels' names.
    pub fn kernels(&self) -> impl Iterator<Item = &KernelSelection> {
        self.kernels.iter().map(|(_, selection)| selection)
    }

    /// The chosen backends, with why they were chosen.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// Every candidate of every kind, and the plugins that were rejected.
    pub fn backends(&self) -> Vec<Backend> {
        self.backends_of(&self.chosen)
    }

    /// The same where `chosen` works.
    pub fn backends_of(&self, chosen: &Chosen) -> Vec<Backend> {
        let Selector { registry, cpu, .. } = &self.selector;
        auralis_registry::listing(registry, *cpu, &chosen.selections)
    }

    /// What is chosen in the place of `chosen` once the backend that `fault` names must not be
    /// called any more: one of `chosen`, whose code panicked or broke the rules of plugins
    /// ([`Error::faulty_backend`]). The other kinds keep their backends.
    ///
    /// # Errors
    ///
    /// An error of the kind of `fault` if the configuration names that backend alone: it says which
    /// list would have allowed a fallback. What selection answers if no candidate is left. `fault`
    /// itself if it names no backend.
    pub fn without(&self, chosen: &Chosen, fault: &Error) -> Result<Chosen> {
        let Some((kind, id)) = fault.faulty_backend() else {
            return Err(fault.duplicate());
        };
        let reason = why(fault);
        if let Some(strictness) = self.selector.strictness(chosen, kind, id) {
            let message = format!("{kind} {id:?} {reason}; {strictness}");
            return Err(Error::new(fault.kind(), message));
        }
        tracing::warn!(kind, id, reason, "backend given up");
        let broken = [(id.to_owned(), reason)];
        self.selector.without(chosen, kind, &broken)
    }

    /// The plugins that the configuration allows and that were rejected all the same.
    pub fn rejected_plugins(&self) -> &[RejectedPlugin] {
        self.selector.registry.rejected()
    }

    /// The tuning file that was looked for, and what came of it; `None` if none was.
    pub fn tuning(&self) -> Option<&Consulted> {
        self.selector.tuning.as_ref()
    }

    /// What tuning and benchmarks measure, and with which settings.
    #[cfg(all(feature = "cli", feature = "plugins"))]
    pub(crate) fn field(&self) -> crate::tuning::Field<'_> {
        crate::tuning::Field {
            registry: &self.selector.registry,
            cpu: self.selector.cpu,
            options: Box::new(self.selector.options(<dyn Accelerator as Kind>::NAME)),
        }
    }

    /// The CPU features that backends may use.
    pub fn cpu(&self) -> CpuFeatures {
        self.selector.cpu.available()
    }

    /// The reference executor, which works where it is called; `None` if the registry lacks it.
    #[cfg(feature = "cli")]
    pub(crate) fn sequential_executor(&self) -> Option<Arc<dyn Executor>> {
        use auralis_core::{BuildContext, ExecutorSettings, Options};

        let context = BuildContext {
            options: &Options::default(),
            settings: &ExecutorSettings::default(),
            cpu: self.cpu(),
        };
        self.selector
            .registry
            .candidate::<dyn Executor>("sequential")?
            .build(&context)
            .ok()
    }

    /// Prepares the chain for an audio callback.
    ///
    /// Where backends of plugins would work in it and others may take their place, the chain is
    /// prepared with those others too, as spares: each without the plugins' backends of the lines
    /// before it, until one has none. [`Session::process`] goes on with a spare when a backend
    /// breaks. Spares cost preparation and memory, nothing per block.
    ///
    /// # Errors
    ///
    /// What the stages can't make of this sample rate and these channels.
    pub fn session(&self, spec: SessionSpec) -> Result<Session> {
        let mut lines: Vec<Line> = Vec::new();
        let mut chosen = self.chosen.clone();
        loop {
            let plugins = self.plugins_at_work(&chosen);
            match Line::new(
                self.chain.stages(),
                spec,
                &chosen.parts,
                Preparation::default(),
            ) {
                Ok(line) => lines.push(line.of_plugins(&plugins)),
                Err(error) => {
                    // A plan that can't be made is no reason to be without a session.
                    chosen = self.without(&chosen, &error)?;
                    continue;
                }
            }
            match self.without_plugins(&chosen, &plugins) {
                Some(next) => chosen = next,
                None => return Session::of(lines, spec),
            }
        }
    }

    /// The backends of dylibs that a session would call, with their kinds.
    fn plugins_at_work(&self, chosen: &Chosen) -> Vec<(&'static str, String)> {
        // No stage asks a cache.
        let kinds = [
            <dyn Accelerator as Kind>::NAME,
            <dyn BufferPool as Kind>::NAME,
            <dyn Executor as Kind>::NAME,
            <dyn Profiler as Kind>::NAME,
        ];
        let of_kind = |kind| {
            let ids = self.selector.of_dylibs(chosen, kind).into_iter();
            ids.map(move |id| (kind, id))
        };
        kinds.into_iter().flat_map(of_kind).collect()
    }

    /// What is chosen without those of `plugins` that may be replaced; `None` if none may.
    fn without_plugins(
        &self,
        chosen: &Chosen,
        plugins: &[(&'static str, String)],
    ) -> Option<Chosen> {
        let mut next = None;
        for by_kind in plugins.chunk_by(|a, b| a.0 == b.0) {
            let kind = by_kind[0].0;
            let broken: Vec<_> = by_kind
                .iter()
                .map(|(_, id)| (id.clone(), "left out of a spare".to_owned()))
                .collect();
            let base = next.as_ref().unwrap_or(chosen);
            if let Ok(without) = self.selector.without(base, kind, &broken) {
                next = Some(without);
            }
        }
        next
    }

    /// The Fourier transform of as many points as there are samples: no padding, all bins.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for no samples.
    pub fn fft(&self, audio: &[f32]) -> Result<Vec<Complex<f32>>> {
        let mut spectrum: Vec<_> = audio.iter().map(|&re| Complex { re, im: 0.0 }).collect();
        let mut plans = self
            .transforms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !plans.contains_key(&audio.len()) {
            // A handful of lengths is what an application uses; more must not pile up.
            if plans.len() >= 16 {
                plans.clear();
            }
            plans.insert(
                audio.len(),
                self.chosen
                    .parts
                    .accelerator
                    .plan_complex_fft(audio.len())?,
            );
        }
        if let Some(plan) = plans.get_mut(&audio.len()) {
            plan.forward(&mut spectrum)?;
        }
        Ok(spectrum)
    }

    /// Convolves a whole signal; see [`ConvolutionMode`] for what comes out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for an empty signal or kernel.
    pub fn convolve(
        &self,
        signal: &[f32],
        kernel: &[f32],
        mode: ConvolutionMode,
    ) -> Result<Vec<f32>> {
        let mut output = vec![0.0; mode.output_len(signal.len(), kernel.len())];
        self.parts()
            .accelerator
            .convolve(&mut output, signal, kernel, mode)?;
        Ok(output)
    }

    /// Applies a gain per channel to interleaved audio, in place; one gain is for all channels.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the samples are not a multiple of the gains.
    pub fn apply_gain(&self, interleaved: &mut [f32], gains: &[f32]) -> Result<()> {
        self.chosen
            .parts
            .accelerator
            .channel_gains(interleaved, gains)
    }

    /// The root mean square over every stretch of `window` samples: `audio.len() - window + 1`
    /// values.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a window of 0, or longer than the audio.
    pub fn moving_rms(&self, audio: &[f32], window: usize) -> Result<Vec<f32>> {
        let len = (audio.len() + 1).saturating_sub(window.max(1));
        let mut output = vec![0.0; len];
        self.parts()
            .accelerator
            .moving_rms(&mut output, audio, window)?;
        Ok(output)
    }

    /// Runs each filter on the audio, at once where there are threads, and sums the bands with
    /// their gains, in the order given.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if there are not as many gains as filters; the error of the first
    /// band that failed or panicked, with its index.
    pub fn process_bands(
        &self,
        audio: &[f32],
        filters: &[&BandFilter<'_>],
        gains: &[f32],
    ) -> Result<Vec<f32>> {
        if filters.len() != gains.len() {
            let message = "there must be one gain for each filter";
            return Err(Error::new(ErrorKind::InvalidInput, message)
                .with("filters", filters.len())
                .with("gains", gains.len()));
        }
        let bands = self.chosen.parts.executor.try_map(filters.len(), |index| {
            let mut band = vec![0.0; audio.len()];
            filters[index](audio, &mut band)?;
            Ok(band)
        });
        let mut sum = vec![0.0; audio.len()];
        for (index, (band, &gain)) in bands.into_iter().zip(gains).enumerate() {
            let band = band.map_err(|e| e.with("band", index))?;
            self.chosen.parts.accelerator.mix(&mut sum, &band, gain)?;
        }
        Ok(sum)
    }

    /// A zeroed buffer of the pool. What was not prepared is prepared now: not for a real-time
    /// thread.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exhausted`] beyond the pool's budget.
    pub fn buffer(&self, len: usize) -> Result<Buffer> {
        self.chosen.parts.buffer(len, Contents::Zeroed)
    }

    /// Runs `f` and records under `name` how long it took.
    pub fn profiled<T>(&self, name: &str, f: impl FnOnce() -> T) -> T {
        let profiler = &self.chosen.parts.profiler;
        profiler.time(profiler.register(&Operation::named(name)), f)
    }

    /// Figures of all parts.
    pub fn stats(&self) -> Stats {
        Stats {
            buffer_pool: self.chosen.parts.buffer_pool.stats(),
            cache: self.chosen.parts.cache.stats(),
            cached: self
                .watches
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .list(),
            profile: self.chosen.parts.profiler.report(),
        }
    }

    /// Removes expired entries of the cache; says how many.
    pub fn sweep(&self) -> usize {
        self.chosen.parts.cache.sweep()
    }

    /// Ends the backends: threads are joined here unless a session still holds them.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Default for Optimizer {
    /// The built-in configuration, without file, environment and plugins.
    fn default() -> Self {
        Self::builder()
            .build()
            .expect("every kind has a reference backend that always builds")
    }
}

fn single_flight(parts: &Parts) -> SingleFlight {
    SingleFlight::new(Arc::clone(&parts.cache))
}

/// Why a backend was given up, in the words of a rejection.
fn why(fault: &Error) -> String {
    let how = match fault.kind() {
        ErrorKind::Panicked => "panicked",
        _ => "broke the rules of plugins",
    };
    format!("{how} at run time: {}", fault.message())
}
