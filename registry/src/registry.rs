//! The registry: every candidate of the five kinds, and the plugins that were turned away.

use std::collections::BTreeMap;
#[cfg(feature = "plugins")]
use std::path::Path;
use std::path::PathBuf;

use auralis_core::{
    Accelerator, BufferPool, Cache, Error, ErrorKind, Executor, Kernel, KernelDescriptor, Kind,
    Linked, Profiler, Result,
};

use crate::{Candidate, Facts, KernelCandidate, Source};

/// The candidates of each kind: a value, not a global.
///
/// ```
/// use auralis_core::{Executor, NoOptions};
/// use auralis_registry::{Candidate, Facts, Registry};
/// # use std::{ops::Range, sync::Arc};
/// # #[derive(Debug)]
/// # struct Inline;
/// # impl Executor for Inline {
/// #     fn threads(&self) -> usize { 1 }
/// #     fn for_ranges(
/// #         &self, len: usize, _: usize, task: &(dyn Fn(Range<usize>) + Sync),
/// #     ) -> auralis_core::Result<()> {
/// #         auralis_core::executor::contain(0..len, task)
/// #     }
/// # }
///
/// let facts = Facts { id: "inline".into(), rank: 10, ..Facts::default() };
/// let registry = Registry::empty()
///     .with(Candidate::<dyn Executor>::new(facts, |_| Ok(Arc::new(Inline))))?;
/// assert_eq!(registry.candidates::<dyn Executor>().len(), 1);
/// # Ok::<(), auralis_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    accelerators: Vec<Candidate<dyn Accelerator>>,
    buffer_pools: Vec<Candidate<dyn BufferPool>>,
    caches: Vec<Candidate<dyn Cache>>,
    executors: Vec<Candidate<dyn Executor>>,
    profilers: Vec<Candidate<dyn Profiler>>,
    kernels: Vec<KernelCandidate>,
    /// The SHA-256 of the files of plugins.
    hashes: BTreeMap<PathBuf, String>,
    rejected: Vec<RejectedPlugin>,
    switched_off: Option<String>,
    #[cfg(feature = "plugins")]
    contested: Vec<Contested>,
}

/// An id that more than one plugin has, so that none of them may.
#[cfg(feature = "plugins")]
#[derive(Clone, Debug)]
struct Contested {
    offer: Offer,
    file: PathBuf,
}

/// A plugin that was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedPlugin {
    /// Its file.
    pub file: PathBuf,
    /// Why it was rejected.
    pub reason: String,
    /// The backends that it would have brought, as far as that could be read.
    pub offers: Vec<Offer>,
}

/// A backend that a plugin brings, or would have brought, or a kernel of an author's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The kind's name in the configuration; `kernel` for a kernel of an author's own.
    pub kind: String,
    /// The backend's id, or the kernel's name.
    pub id: String,
    /// The version of the crate that brings it; `None` if that is not known.
    pub version: Option<String>,
    /// Its rank; `None` if that is not known.
    pub rank: Option<i32>,
    /// The names of the CPU features that it needs, as far as they are known.
    pub requires: Vec<String>,
}

impl Offer {
    /// Whether this is the backend of this kind and id.
    pub fn is(&self, kind: &str, id: &str) -> bool {
        self.kind == kind && self.id == id
    }
}

#[cfg(feature = "plugins")]
impl Offer {
    /// A kernel of an author's own.
    pub(crate) fn kernel(name: &str) -> Self {
        Self {
            kind: KERNEL.to_owned(),
            id: name.to_owned(),
            ..Self::default()
        }
    }

    fn is_kernel(&self) -> bool {
        self.kind == KERNEL
    }

    pub(crate) fn of<K: Kind + ?Sized>(candidate: &Candidate<K>) -> Self {
        Self {
            kind: K::NAME.to_owned(),
            id: candidate.facts.id.clone(),
            version: Some(candidate.facts.version.clone()),
            rank: Some(candidate.facts.rank),
            requires: candidate
                .facts
                .requires
                .names()
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// What stands for the kind where a kernel of an author's own is offered.
#[cfg(feature = "plugins")]
const KERNEL: &str = "kernel";

/// A kind of which a [`Registry`] holds candidates: one of the five.
pub trait RegistryKind: Kind + slot::Slot {}

mod slot {
    use super::{Candidate, Kind, Registry};

    /// Where in a registry the candidates of a kind are.
    pub trait Slot: Kind {
        fn of(registry: &Registry) -> &Vec<Candidate<Self>>;
        fn of_mut(registry: &mut Registry) -> &mut Vec<Candidate<Self>>;
    }
}

macro_rules! slots {
    ($($kind:ident $field:ident)*) => {
        $(
            impl slot::Slot for dyn $kind {
                fn of(registry: &Registry) -> &Vec<Candidate<Self>> {
                    &registry.$field
                }

                fn of_mut(registry: &mut Registry) -> &mut Vec<Candidate<Self>> {
                    &mut registry.$field
                }
            }

            impl RegistryKind for dyn $kind {}
        )*

        impl Registry {
            /// A registry of the backends and kernels that are linked into this program.
            ///
            /// # Errors
            ///
            /// Two linked backends of one kind have the same id, or an id is not one: see
            /// [`insert`](Self::insert); the same of kernels, see
            /// [`insert_kernel`](Self::insert_kernel).
            pub fn linked() -> Result<Self> {
                let mut registry = Self::empty();
                $(for descriptor in <dyn $kind>::linked() {
                    registry.insert(Candidate::from(descriptor))?;
                })*
                for descriptor in KernelDescriptor::linked() {
                    registry.insert_kernel(KernelCandidate::from(descriptor))?;
                }
                Ok(registry)
            }

            /// Takes out what a file has brought, and says what that was.
            #[cfg(feature = "plugins")]
            fn take_out(&mut self, file: &Path) -> Vec<Offer> {
                let mut taken = Vec::new();
                $(self.$field.retain(|candidate| {
                    let stays = candidate.facts.source != Source::Dylib(file.to_owned());
                    if !stays {
                        taken.push(Offer::of(candidate));
                    }
                    stays
                });)*
                self.kernels.retain(|kernel| {
                    let stays = kernel.source != Source::Dylib(file.to_owned());
                    if !stays {
                        taken.push(Offer::kernel(&kernel.facts.name));
                    }
                    stays
                });
                taken
            }

            /// What is known of every candidate, with its kind: kind by kind, best rank first.
            pub fn facts(&self) -> impl Iterator<Item = (&'static str, &Facts)> {
                std::iter::empty()$(.chain(
                    self.$field.iter().map(|c| (<dyn $kind as Kind>::NAME, &c.facts))
                ))*
            }
        }
    };
}

slots! {
    Accelerator accelerators
    BufferPool buffer_pools
    Cache caches
    Executor executors
    Profiler profilers
}

impl Registry {
    /// A registry of nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The registry and this candidate.
    ///
    /// # Errors
    ///
    /// Those of [`insert`](Self::insert).
    pub fn with<K: RegistryKind + ?Sized>(mut self, candidate: Candidate<K>) -> Result<Self> {
        self.insert(candidate)?;
        Ok(self)
    }

    /// Adds a candidate.
    ///
    /// # Errors
    ///
    /// The kind has a candidate of this id already: the error names the sources of both. Or the id
    /// can't be asked for, being empty, `auto` or made of other characters than ASCII letters,
    /// digits, `-`, `_` and `.`. [`ErrorKind::Plugin`] if a dylib brings the candidate, else
    /// [`ErrorKind::InvalidInput`].
    pub fn insert<K: RegistryKind + ?Sized>(&mut self, candidate: Candidate<K>) -> Result<()> {
        let new = &candidate.facts;
        let refuse = |message: String| {
            let kind = match new.source {
                Source::Linked => ErrorKind::InvalidInput,
                Source::Dylib(_) => ErrorKind::Plugin,
            };
            Err(Error::new(kind, message))
        };
        if !is_id(&new.id) {
            return refuse(format!(
                "{:?} ({}) can't be the id of {} backend: an id is made of ASCII letters, digits, \
                 \"-\", \"_\" and \".\", and is not \"auto\"",
                new.id,
                new.source,
                article(K::NAME),
            ));
        }
        let candidates = K::of_mut(self);
        if let Some(old) = candidates.iter().find(|c| c.facts.id == new.id) {
            return refuse(format!(
                "two {} backends are called {:?}: one is {}, the other {}",
                K::NAME,
                new.id,
                old.facts.source,
                new.source
            ));
        }
        let place = candidates.partition_point(|c| c.facts.before(new));
        candidates.insert(place, candidate);
        Ok(())
    }

    /// The candidates of a kind: the highest rank first, ties by id.
    pub fn candidates<K: RegistryKind + ?Sized>(&self) -> &[Candidate<K>] {
        K::of(self)
    }

    /// The candidate of this id.
    pub fn candidate<K: RegistryKind + ?Sized>(&self, id: &str) -> Option<&Candidate<K>> {
        self.candidates::<K>().iter().find(|c| c.facts.id == id)
    }

    /// Adds a kernel of an author's own.
    ///
    /// # Errors
    ///
    /// There is a kernel of this name already: the error names the sources of both. Or the kernel
    /// describes itself wrongly, or its name is that of one of Auralis's own kernels or made of other
    /// characters than ASCII letters, digits, `-`, `_` and `.`. [`ErrorKind::Plugin`] if a dylib
    /// brings it, else [`ErrorKind::InvalidInput`].
    pub fn insert_kernel(&mut self, kernel: KernelCandidate) -> Result<()> {
        let (name, source) = (&kernel.facts.name, &kernel.source);
        let refuse = |message: String| {
            let kind = match source {
                Source::Linked => ErrorKind::InvalidInput,
                Source::Dylib(_) => ErrorKind::Plugin,
            };
            Err(Error::new(kind, message))
        };
        if !is_id(name) || Kernel::parse(name).is_some() {
            return refuse(format!(
                "{name:?} ({source}) can't be the name of a kernel of one's own: a name is made of \
                 ASCII letters, digits, \"-\", \"_\" and \".\", and is none of Auralis's own kernels"
            ));
        }
        if let Err(wrong) = kernel.facts.validate() {
            return refuse(format!("{} ({source})", wrong.report()));
        }
        if let Some(old) = self.kernel(name) {
            let old = &old.source;
            return refuse(format!(
                "two kernels are called {name:?}: one is {old}, the other {source}"
            ));
        }
        let place = self.kernels.partition_point(|k| k.facts.name < *name);
        self.kernels.insert(place, kernel);
        Ok(())
    }

    /// Records the SHA-256 of a plugin's file, in hexadecimal.
    #[cfg(feature = "plugins")]
    pub(crate) fn note_hash(&mut self, file: &Path, sha256: &str) {
        self.hashes.insert(file.to_owned(), sha256.to_owned());
    }

    /// The SHA-256 of the plugin's file that something comes from; `None` if it is linked.
    pub(crate) fn plugin_hash(&self, source: &Source) -> Option<&str> {
        match source {
            Source::Linked => None,
            Source::Dylib(file) => self.hashes.get(file).map(String::as_str),
        }
    }

    /// The kernels of authors' own, by name.
    pub fn kernels(&self) -> &[KernelCandidate] {
        &self.kernels
    }

    /// The kernel of this name.
    pub fn kernel(&self, name: &str) -> Option<&KernelCandidate> {
        self.kernels.iter().find(|k| k.facts.name == name)
    }

    /// The other plugin that brings, or has brought, what is offered.
    #[cfg(feature = "plugins")]
    pub(crate) fn rival(&self, offer: &Offer) -> Option<PathBuf> {
        let same = |c: &&Contested| c.offer.is(&offer.kind, &offer.id);
        let contested = self.contested.iter().find(same);
        let old = || match self.source(offer)? {
            Source::Dylib(file) => Some(file.clone()),
            Source::Linked => None,
        };
        contested.map(|c| c.file.clone()).or_else(old)
    }

    #[cfg(feature = "plugins")]
    fn source(&self, offer: &Offer) -> Option<&Source> {
        if offer.is_kernel() {
            return self.kernel(&offer.id).map(|kernel| &kernel.source);
        }
        let mut facts = self.facts();
        let same = facts.find(|(kind, facts)| *kind == offer.kind && facts.id == offer.id);
        same.map(|(_, facts)| &facts.source)
    }

    /// Takes out what the plugin in the file `rival` has brought, because the plugin in `file` offers
    /// the same. Gives the reason, which holds for both.
    #[cfg(feature = "plugins")]
    pub(crate) fn withdraw(&mut self, rival: &Path, offer: &Offer, file: &Path) -> Error {
        let what = match offer.is_kernel() {
            true => "kernel".to_owned(),
            false => format!("{} backend", offer.kind),
        };
        let message = format!(
            "two plugins bring the {what} {:?}, so neither does: {} and {}",
            offer.id,
            rival.display(),
            file.display()
        );
        let offers = self.take_out(rival);
        // One that was taken out before has been noted before.
        if !offers.is_empty() {
            self.contested.extend(offers.iter().map(|offer| Contested {
                offer: offer.clone(),
                file: rival.to_owned(),
            }));
            self.reject_plugin(RejectedPlugin {
                file: rival.to_owned(),
                reason: message.clone(),
                offers,
            });
        }
        Error::new(ErrorKind::Plugin, message)
    }

    /// Records that a plugin was rejected of which nothing but the file is known.
    pub fn reject(&mut self, file: impl Into<PathBuf>, reason: impl Into<String>) {
        self.reject_plugin(RejectedPlugin {
            file: file.into(),
            reason: reason.into(),
            offers: Vec::new(),
        });
    }

    /// Records a rejected plugin. Whoever asks for a backend that it would have brought is told.
    pub fn reject_plugin(&mut self, mut plugin: RejectedPlugin) {
        // An error of loading names the file too: once is enough where both are shown.
        let said = format!("file: {}", plugin.file.display());
        plugin.reason = plugin
            .reason
            .replace(&format!(" ({said})"), "")
            .replace(&format!(", {said})"), ")")
            .replace(&format!("({said}, "), "(");
        tracing::warn!(file = %plugin.file.display(), reason = plugin.reason, "plugin rejected");
        self.rejected.push(plugin);
    }

    /// Records that no plugin was loaded, whatever was allowed, and why: a whole clause. Whoever asks
    /// for an id that nobody has is told.
    pub fn switch_off_plugins(&mut self, why: impl Into<String>) {
        self.switched_off = Some(why.into());
    }

    /// Why no plugin was loaded; `None` if they may be.
    pub(crate) fn switched_off(&self) -> Option<&str> {
        self.switched_off.as_deref()
    }

    /// The plugins that were rejected, in the order in which that was found.
    pub fn rejected(&self) -> &[RejectedPlugin] {
        &self.rejected
    }
}

fn is_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !id.is_empty() && id != "auto" && id.chars().all(allowed)
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}
