//! The orchestrator: holds one chosen backend of each kind and works with them.

mod builder;
mod cached;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use auralis_core::profiler::{Operation, Report};
use auralis_core::{
    Buffer, CacheStats, Complex, ComplexFft, Contents, ConvolutionMode, CpuFeatures, Error,
    ErrorKind, ExecutorExt, PoolStats, ProfilerExt, Result, SingleFlight,
};
use auralis_registry::config::{Config, Origins};
use auralis_registry::{Backend, Cpu, Registry, RejectedPlugin, Selection};
use serde::Serialize;

pub use builder::Builder;
#[cfg(feature = "cli")]
pub(crate) use builder::{catalog, configure};
pub use cached::{Cacheable, Watch};

use crate::chain::Chain;
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
    parts: Parts,
    chain: Chain,
    registry: Registry,
    cpu: Cpu,
    selections: Vec<Selection>,
    config: Config,
    origins: Origins,
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
        &self.parts
    }

    /// The chain of the configuration.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Which layer said each value of the configuration.
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// What was chosen for each kind, who decided, and why the others were not. A part that was put
    /// in by hand has none.
    pub fn selections(&self) -> &[Selection] {
        &self.selections
    }

    /// Every candidate of every kind, and the plugins that were rejected.
    pub fn backends(&self) -> Vec<Backend> {
        auralis_registry::listing(&self.registry, self.cpu, &self.selections)
    }

    /// The plugins that the configuration allows and that were rejected all the same.
    pub fn rejected_plugins(&self) -> &[RejectedPlugin] {
        self.registry.rejected()
    }

    /// The CPU features that backends may use.
    pub fn cpu(&self) -> CpuFeatures {
        self.cpu.available()
    }

    /// The reference executor, which works where it is called; `None` if the registry lacks it.
    #[cfg(feature = "cli")]
    pub(crate) fn sequential_executor(&self) -> Option<Arc<dyn auralis_core::Executor>> {
        use auralis_core::{BuildContext, Executor, ExecutorSettings, Options};

        let context = BuildContext {
            options: &Options::default(),
            settings: &ExecutorSettings::default(),
            cpu: self.cpu.available(),
        };
        self.registry
            .candidate::<dyn Executor>("sequential")?
            .build(&context)
            .ok()
    }

    /// Prepares the chain for an audio callback.
    ///
    /// # Errors
    ///
    /// What the stages can't make of this sample rate and these channels.
    pub fn session(&self, spec: SessionSpec) -> Result<Session> {
        Session::new(&self.chain, spec, &self.parts)
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
                self.parts.accelerator.plan_complex_fft(audio.len())?,
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
        self.parts
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
        self.parts.accelerator.channel_gains(interleaved, gains)
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
        self.parts
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
        let bands = self.parts.executor.try_map(filters.len(), |index| {
            let mut band = vec![0.0; audio.len()];
            filters[index](audio, &mut band)?;
            Ok(band)
        });
        let mut sum = vec![0.0; audio.len()];
        for (index, (band, &gain)) in bands.into_iter().zip(gains).enumerate() {
            let band = band.map_err(|e| e.with("band", index))?;
            self.parts.accelerator.mix(&mut sum, &band, gain)?;
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
        self.parts.buffer(len, Contents::Zeroed)
    }

    /// Runs `f` and records under `name` how long it took.
    pub fn profiled<T>(&self, name: &str, f: impl FnOnce() -> T) -> T {
        let profiler = &self.parts.profiler;
        profiler.time(profiler.register(&Operation::named(name)), f)
    }

    /// Figures of all parts.
    pub fn stats(&self) -> Stats {
        Stats {
            buffer_pool: self.parts.buffer_pool.stats(),
            cache: self.parts.cache.stats(),
            cached: self
                .watches
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .list(),
            profile: self.parts.profiler.report(),
        }
    }

    /// Removes expired entries of the cache; says how many.
    pub fn sweep(&self) -> usize {
        self.parts.cache.sweep()
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
