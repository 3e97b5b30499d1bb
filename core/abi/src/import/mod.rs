//! The host's side: a plugin's tables, read and checked, behind the traits of core.

mod accelerator;
mod backend;
mod call;
mod layout;
mod plans;

use auralis_core::{Accelerator, Error, ErrorKind, Kind, Result};

pub use backend::PluginBackend;
use layout::find;

use crate::tables::{
    BackendsV1, BiquadsV1, ComplexFftV1, ConvolveV1, ConvolverV1, F64V1, FftF64V1, FirV1,
    RealFftV1, SlicesV1,
};
use crate::wire::{PluginHeader, Text};
use crate::{ABI_STABLE_LINE, ABI_VERSION, TARGET};

/// A plugin whose header and tables fit this host.
#[derive(Debug)]
pub struct Plugin {
    name: &'static str,
    version: &'static str,
    backends: Vec<PluginBackend>,
}

/// The tables of accelerators that a plugin serves.
#[derive(Clone, Copy, Debug)]
struct Tables {
    slices: Option<&'static SlicesV1>,
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
    /// then the layout of each table that both sides know, then asks for its backends. Backends of
    /// kinds that this host does not know are passed over.
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
        let Some(backends) = backends else {
            return Err(rejected(
                "the plugin does not serve the interface `backends/1`",
            ));
        };
        // SAFETY: as above.
        let backends = unsafe { PluginBackend::list(backends, tables) }?;
        if backends.is_empty() {
            let message = format!(
                "the plugin has no {} that it offers",
                <dyn Accelerator>::NAME
            );
            return Err(rejected(message));
        }
        Ok(Self {
            name,
            version,
            backends,
        })
    }

    /// The name of the plugin's crate.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The version of the plugin's crate.
    pub fn version(&self) -> &str {
        self.version
    }

    /// Its backends, by id.
    pub fn backends(&self) -> &[PluginBackend] {
        &self.backends
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
                slices: find(header)?,
                convolve: find(header)?,
                f64: find(header)?,
                complex_fft: find(header)?,
                real_fft: find(header)?,
                fft_f64: find(header)?,
                convolver: find(header)?,
                biquads: find(header)?,
                fir: find(header)?,
            })
        }
    }
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
