//! Candidates: what is known of one backend, linked or from a dylib, and how to build it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use auralis_core::{BuildContext, CpuFeatures, Descriptor, Kind, Result};

/// Builds a backend of kind `K`.
pub type Build<K> = dyn Fn(&BuildContext<'_, K>) -> Result<Arc<K>> + Send + Sync;

/// Where a backend's code comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Source {
    /// A crate that is linked into this program.
    #[default]
    Linked,
    /// A dylib.
    Dylib(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked => f.write_str("linked"),
            Self::Dylib(file) => file.display().fmt(f),
        }
    }
}

/// What is known of a backend without building it: what selection goes by. The fields are those of
/// a [`Descriptor`], owned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The name by which the configuration asks for it: ASCII letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// What it is, in one line.
    pub summary: String,
    /// The version of the crate that brings it.
    pub version: String,
    /// Where its code comes from.
    pub source: Source,
    /// Preference where nothing was asked or measured; negative: only by name.
    pub rank: i32,
    /// The CPU features without which it can't run.
    pub requires: CpuFeatures,
    /// What it offers of its kind's optional parts: for an accelerator, its kernels by name.
    pub capabilities: Vec<String>,
    /// The JSON Schema of its options.
    pub options_schema: String,
}

impl Facts {
    /// Whether the backend lists this capability.
    pub fn offers(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|c| c == capability)
    }
}

/// A backend that may be chosen.
pub struct Candidate<K: Kind + ?Sized> {
    /// What is known of it.
    pub facts: Facts,
    build: Arc<Build<K>>,
}

impl<K: Kind + ?Sized> Candidate<K> {
    /// A candidate of these facts that `build` builds: for dylibs and tests.
    pub fn new(
        facts: Facts,
        build: impl Fn(&BuildContext<'_, K>) -> Result<Arc<K>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            facts,
            build: Arc::new(build),
        }
    }

    /// Builds the backend.
    ///
    /// # Errors
    ///
    /// What the backend answers.
    pub fn build(&self, context: &BuildContext<'_, K>) -> Result<Arc<K>> {
        (self.build)(context)
    }
}

impl<K: Kind + ?Sized> From<&'static Descriptor<K>> for Candidate<K> {
    fn from(descriptor: &'static Descriptor<K>) -> Self {
        let facts = Facts {
            id: descriptor.id.to_owned(),
            summary: descriptor.summary.to_owned(),
            version: descriptor.version.to_owned(),
            source: Source::Linked,
            rank: descriptor.rank,
            requires: descriptor.requires,
            capabilities: descriptor
                .capabilities
                .iter()
                .map(|&c| c.to_owned())
                .collect(),
            options_schema: descriptor.options_schema.to_owned(),
        };
        Self::new(facts, descriptor.build)
    }
}

impl<K: Kind + ?Sized> Clone for Candidate<K> {
    fn clone(&self) -> Self {
        Self {
            facts: self.facts.clone(),
            build: Arc::clone(&self.build),
        }
    }
}

impl<K: Kind + ?Sized> fmt::Debug for Candidate<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts {
            id, rank, source, ..
        } = &self.facts;
        write!(f, "{}/{id} (rank {rank}, {source})", K::NAME)
    }
}
