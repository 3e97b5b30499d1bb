//! What a backend says of itself, and how it registers.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{CpuFeatures, Options, Result};

/// One of the five kinds of part, named by its trait object: `dyn Accelerator`, `dyn Cache`, ...
pub trait Kind: Send + Sync + 'static {
    /// The kind's name in the configuration: `accelerator`, `buffer_pool`, ...
    const NAME: &'static str;
    /// What the configuration says to every backend of the kind.
    type Settings: Clone + Default + fmt::Debug + Serialize + DeserializeOwned + Send + Sync;
}

/// What a backend is built from.
#[derive(Clone, Copy, Debug)]
pub struct BuildContext<'a, K: Kind + ?Sized> {
    /// The backend's own options.
    pub options: &'a Options,
    /// What the configuration says to every backend of the kind.
    pub settings: &'a K::Settings,
    /// The CPU's features, less those that the configuration hides. A backend uses no other.
    pub cpu: CpuFeatures,
}

/// Static facts about one backend, and how to build it.
pub struct Descriptor<K: Kind + ?Sized> {
    /// The name by which the configuration asks for it, unique within its kind.
    pub id: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// The version of the crate that brings it.
    pub version: &'static str,
    /// Preference where nothing was asked or measured: the highest available rank is chosen. A
    /// reference backend has rank 0. Negative: only by name.
    pub rank: i32,
    /// The CPU features without which it can't run.
    pub requires: CpuFeatures,
    /// What it offers of its kind's optional parts: for an accelerator, its kernels by name.
    pub capabilities: &'static [&'static str],
    /// The JSON Schema of its options.
    pub options_schema: &'static str,
    /// Builds it. Everything that can fail, allocate or start threads happens here or later in a
    /// `prepare` or `plan` call, never per block.
    pub build: fn(&BuildContext<'_, K>) -> Result<Arc<K>>,
}

impl<K: Kind + ?Sized> fmt::Debug for Descriptor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} (rank {})", K::NAME, self.id, self.rank)
    }
}

/// A kind whose linked backends can be listed.
pub trait Linked: Kind {
    /// The descriptors that crates linked into this program have registered, in no order.
    fn linked() -> Vec<&'static Descriptor<Self>>;
}

macro_rules! linked {
    ($($kind:ident)*) => {$(
        inventory::collect!(Descriptor<dyn $crate::$kind>);

        impl Linked for dyn $crate::$kind {
            fn linked() -> Vec<&'static Descriptor<Self>> {
                inventory::iter::<Descriptor<Self>>().collect()
            }
        }
    )*};
}

linked!(Accelerator BufferPool Cache Executor Profiler);

/// Registers a backend with every program that links its crate, and writes down in the program's file
/// what it is: see [`manifest`](crate::manifest).
///
/// A crate that nobody names contributes nothing: the program must say `use that_crate as _;`.
///
/// ```
/// use std::sync::Arc;
/// use auralis_core::{register, CpuFeatures, Descriptor, Executor, NoOptions, Result};
///
/// #[derive(Debug)]
/// struct Inline;
///
/// impl Executor for Inline {
///     fn threads(&self) -> usize {
///         1
///     }
///
///     fn for_ranges(
///         &self,
///         len: usize,
///         grain: usize,
///         task: &(dyn Fn(std::ops::Range<usize>) + Sync),
///     ) -> Result<()> {
///         auralis_core::executor::contain(0..len, task)
///     }
/// }
///
/// register! {
///     Descriptor::<dyn Executor> {
///         id: "inline",
///         summary: "Runs everything where it is called",
///         version: env!("CARGO_PKG_VERSION"),
///         rank: -1,
///         requires: CpuFeatures::NONE,
///         capabilities: &[],
///         options_schema: NoOptions::SCHEMA,
///         build: |_| Ok(Arc::new(Inline)),
///     }
/// }
/// ```
#[macro_export]
macro_rules! register {
    ($($descriptor:tt)*) => {
        $crate::inventory::submit! { $($descriptor)* }
        $crate::manifest_record! { $crate::manifest::Record::backend(&{ $($descriptor)* }) }
    };
}
