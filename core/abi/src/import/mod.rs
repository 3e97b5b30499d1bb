//! The host's side: a plugin's tables, read and checked, behind the traits of core.

mod accelerator;
mod backend;
mod buffer_pool;
mod cache;
mod call;
mod executor;
mod instance;
mod layout;
mod log;
mod plans;
mod profiler;
mod user_kernel;

use std::sync::Arc;

use auralis_core::{
    Accelerator, BufferPool, Cache, Error, ErrorKind, Executor, Kind, Profiler, Result,
};

pub use backend::PluginBackend;
use instance::RemoteInstance;
use layout::find;
pub use user_kernel::PluginKernel;

use crate::tables::{
    BackendsV1, BiquadsV1, BufferPoolV1, CacheV1, ComplexFftV1, ConvolveV1, ConvolverV1,
    ExecutorV1, F64V1, FftF64V1, FirV1, Interface, MathV1, ProfilerV1, RealFftV1, SlicesV1,
    UserKernelsV1,
};
use crate::wire::{PluginHeader, Text};
use crate::{ABI_STABLE_LINE, ABI_VERSION, TARGET};

/// A kind whose backends may come from a plugin: all five.
pub trait Remote: Kind {
    /// Puts an instance behind the trait of its kind.
    #[doc(hidden)]
    fn connect(instance: RemoteInstance, tables: &Tables) -> Result<Arc<Self>>;
}

/// A plugin whose header and tables fit this host.
#[derive(Debug)]
pub struct Plugin {
    header: &'static PluginHeader,
    name: &'static str,
    version: &'static str,
    backends: Vec<PluginBackend>,
    kernels: Vec<PluginKernel>,
}

/// The tables that a plugin serves, by kind.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    accelerator: AcceleratorTables,
    buffer_pool: Option<&'static BufferPoolV1>,
    cache: Option<&'static CacheV1>,
    executor: Option<&'static ExecutorV1>,
    profiler: Option<&'static ProfilerV1>,
}

/// The tables of accelerators that a plugin serves. Each may be missing.
#[derive(Clone, Copy, Debug)]
struct AcceleratorTables {
    slices: Option<&'static SlicesV1>,
    math: Option<&'static MathV1>,
    convolve: Option<&'static ConvolveV1>,
    f64: Option<&'static F64V1>,
    complex_fft: Option<&'static ComplexFftV1>,
    real_fft: Option<&'static RealFftV1>,
    fft_f64: Option<&'static FftF64V1>,
    convolver: Option<&'static ConvolverV1>,
    biquads: Option<&'static BiquadsV1>,
    fir: Option<&'static FirV1>,
}

impl Plugin {
    /// Reads what a plugin exports under [`ROOT_SYMBOL`](crate::ROOT_SYMBOL): checks its header,
    /// then the layout of each table that both sides know, then asks for its backends and kernels. Backends of
    /// kinds that this host does not know are passed over. From here on the plugin's log goes to the
    /// host's, see [`Plugin::forward_log`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`] that says what does not fit, and names the interface if it is one.
    ///
    /// # Safety
    ///
    /// `header` points to the root symbol of a library that is never unloaded and keeps the rules of
    /// this crate.
    pub unsafe fn read(header: *const PluginHeader) -> Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::read_fitting(header, false) }
    }

    /// [`read`](Self::read) for a plugin whose panics may end the process.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    ///
    /// # Safety
    ///
    /// As for [`read`](Self::read).
    pub unsafe fn read_allowing_abort(header: *const PluginHeader) -> Result<Self> {
        // SAFETY: the caller's promise.
        unsafe { Self::read_fitting(header, true) }
    }

    /// # Safety
    ///
    /// As for [`read`](Self::read).
    unsafe fn read_fitting(header: *const PluginHeader, abort: bool) -> Result<Self> {
        // SAFETY: the caller's promise.
        let header = unsafe { fitting(header, abort) }?;
        // SAFETY: the caller's promise: the texts are static, the library is never unloaded.
        let (name, version) = unsafe { (text(header.name)?, text(header.version)?) };
        // SAFETY: the header is checked, and the library keeps the rules of this crate.
        let (tables, backends) = unsafe { (Tables::find(header)?, find::<BackendsV1>(header)?) };
        // SAFETY: as above.
        let kernels = match unsafe { find::<UserKernelsV1>(header) }? {
            // SAFETY: as above.
            Some(kernels) => unsafe { PluginKernel::list(kernels) }?,
            None => Vec::new(),
        };
        let backends = match backends {
            // SAFETY: as above.
            Some(backends) => unsafe { PluginBackend::list(backends, tables) }?,
            None if kernels.is_empty() => return Err(unserved(BackendsV1::ID)),
            None => Vec::new(),
        };
        if backends.is_empty() && kernels.is_empty() {
            let message = "the plugin has no backend of a kind that this host knows";
            return Err(rejected(message));
        }
        let plugin = Self {
            header,
            name,
            version,
            backends,
            kernels,
        };
        plugin.forward_log()?;
        Ok(plugin)
    }

    /// Sends what the plugin logs to the `tracing` subscriber of this host, up to the level that it
    /// wants now, as events of the target `auralis::plugin` with the plugin's name. [`Plugin::read`]
    /// does so; a host that changes its level later calls it again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`] if the plugin's table of this is another one than the host's. A plugin
    /// whose log goes elsewhere is no error.
    pub fn forward_log(&self) -> Result<()> {
        // SAFETY: the promise of whoever called `read`.
        match unsafe { log::forward(self.header) } {
            Err(error) if error.kind() == ErrorKind::Plugin => Err(error),
            Err(error) => {
                tracing::debug!(plugin = self.name, "{}", error.report());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The name of the plugin's crate.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The version of the plugin's crate.
    pub fn version(&self) -> &str {
        self.version
    }

    /// Its backends, by kind and id.
    pub fn backends(&self) -> &[PluginBackend] {
        &self.backends
    }

    /// Its kernels of authors' own, by name.
    pub fn kernels(&self) -> &[PluginKernel] {
        &self.kernels
    }
}

impl Tables {
    /// # Safety
    ///
    /// As for [`find`].
    unsafe fn find(header: &PluginHeader) -> Result<Self> {
        // SAFETY: the caller's promise.
        unsafe {
            Ok(Self {
                accelerator: AcceleratorTables {
                    slices: find(header)?,
                    math: find(header)?,
                    convolve: find(header)?,
                    f64: find(header)?,
                    complex_fft: find(header)?,
                    real_fft: find(header)?,
                    fft_f64: find(header)?,
                    convolver: find(header)?,
                    biquads: find(header)?,
                    fir: find(header)?,
                },
                buffer_pool: find(header)?,
                cache: find(header)?,
                executor: find(header)?,
                profiler: find(header)?,
            })
        }
    }

    /// The interface without which a backend of this kind can't work and which the plugin lacks, if
    /// so; `None` for a kind that this host does not know.
    fn lacking(&self, kind: &str) -> Option<Option<&'static str>> {
        fn unless<T: Interface>(table: Option<&T>) -> Option<&'static str> {
            table.is_none().then_some(T::ID)
        }
        Some(match kind {
            <dyn Accelerator>::NAME => None,
            <dyn BufferPool>::NAME => unless(self.buffer_pool),
            <dyn Cache>::NAME => unless(self.cache),
            <dyn Executor>::NAME => unless(self.executor),
            <dyn Profiler>::NAME => unless(self.profiler),
            _ => return None,
        })
    }
}

/// The error of a plugin that lacks an interface.
fn unserved(interface: &str) -> Error {
    rejected(format!(
        "the plugin does not serve the interface `{interface}`"
    ))
}

/// The header, if everything in it fits this host.
///
/// # Safety
///
/// As for [`Plugin::read`].
unsafe fn fitting(header: *const PluginHeader, abort: bool) -> Result<&'static PluginHeader> {
    if header.is_null() {
        return Err(rejected("the plugin's header is null"));
    }
    // SAFETY: magic, size and abi stand at these places in every version, by the caller's promise.
    let (magic, size, abi) = unsafe { ((*header).magic, (*header).size, (*header).abi) };
    if magic != PluginHeader::MAGIC {
        return Err(rejected(
            "the plugin's header does not begin with the magic of auralis",
        ));
    }
    if abi != ABI_VERSION {
        let message = format!("the plugin speaks ABI {abi}, this host ABI {ABI_VERSION}");
        return Err(rejected(message));
    }
    if (size as usize) < size_of::<PluginHeader>() {
        let message = format!(
            "the plugin's header has {size} bytes, ABI {ABI_VERSION} needs {}",
            size_of::<PluginHeader>()
        );
        return Err(rejected(message));
    }
    // SAFETY: it is of this ABI version and large enough, and static by the caller's promise.
    let header = unsafe { &*header };
    // SAFETY: the texts are static, by the caller's promise.
    let (target, panic) = unsafe { (text(header.target)?, text(header.panic)?) };
    if target != TARGET {
        let message = format!("the plugin was built for {target}, this host for {TARGET}");
        return Err(rejected(message));
    }
    if panic != "unwind" && !abort {
        let message =
            format!("the plugin was built with panic = {panic:?}, which must be \"unwind\"");
        return Err(rejected(message));
    }
    if header.abi_stable != 0 && header.abi_stable != ABI_STABLE_LINE {
        let line = |packed: u32| format!("{}.{}", packed >> 16, packed & 0xFFFF);
        let message = format!(
            "the plugin describes its layouts by abi_stable {}, this host reads {}",
            line(header.abi_stable),
            line(ABI_STABLE_LINE)
        );
        return Err(rejected(message));
    }
    Ok(header)
}

/// # Safety
///
/// As for [`Text::open_str`], for ever.
unsafe fn text(text: Text) -> Result<&'static str> {
    // SAFETY: the caller's promise.
    unsafe { text.open_str() }
        .map_err(|e| rejected("the plugin describes itself wrongly").because(e))
}

fn rejected(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Plugin, message)
}
