//! What a trial is given, and what it says.

use std::cell::RefCell;
use std::sync::Arc;

use auralis_core::{BuildContext, CpuFeatures, Kind, Options, Result};
use tempfile::TempDir;

/// What a trial says: nothing, or what was expected and what was found.
pub type Outcome = std::result::Result<(), String>;

/// How much a trial does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Few lengths, of which some reach the vector body and some the tail: microseconds.
    Quick,
    /// Every length and alignment that can make a difference.
    Full,
}

/// One named check of a backend of kind `K`.
pub struct Trial<K: Kind + ?Sized> {
    /// The last part of its name: `accelerator::avx2::dot` runs the trial `dot`.
    pub name: &'static str,
    /// The capability without which the trial does not apply: for an accelerator, a kernel.
    pub needs: Option<&'static str>,
    /// Whether the quick part runs it.
    pub quick: bool,
    /// The check.
    pub run: fn(&Subject<'_, K>) -> Outcome,
}

impl<K: Kind + ?Sized> Clone for Trial<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Kind + ?Sized> Copy for Trial<K> {}

/// How a [`Subject`] builds an instance.
pub type Build<'a, K> = dyn Fn(&BuildContext<'_, K>) -> Result<Arc<K>> + 'a;

/// A backend under test: builds fresh instances of it.
pub struct Subject<'a, K: Kind + ?Sized> {
    /// The backend's id.
    pub id: &'a str,
    /// What its descriptor lists.
    pub capabilities: &'a [&'a str],
    /// The CPU features that it may use.
    pub cpu: CpuFeatures,
    /// How much its trials do.
    pub effort: Effort,
    options_schema: &'a str,
    build: &'a Build<'a, K>,
    directories: RefCell<Vec<TempDir>>,
}

impl<'a, K: Kind + ?Sized> Subject<'a, K> {
    /// A subject that builds with `build`, where the options have the JSON Schema `options_schema`.
    pub fn new(
        id: &'a str,
        capabilities: &'a [&'a str],
        options_schema: &'a str,
        cpu: CpuFeatures,
        build: &'a Build<'a, K>,
    ) -> Self {
        Self {
            id,
            capabilities,
            cpu,
            effort: Effort::Full,
            options_schema,
            build,
            directories: RefCell::default(),
        }
    }

    /// The same backend, for trials that do as much as `effort` says.
    pub fn with_effort(&self, effort: Effort) -> Self {
        let Self {
            id,
            capabilities,
            cpu,
            options_schema,
            build,
            ..
        } = *self;
        Self {
            effort,
            ..Self::new(id, capabilities, options_schema, cpu, build)
        }
    }

    /// `few` of the quick part's cases, or `all`.
    pub(crate) fn either<T: ?Sized>(&self, few: &'static T, all: &'static T) -> &'static T {
        match self.effort {
            Effort::Quick => few,
            Effort::Full => all,
        }
    }

    /// Whether the descriptor lists `capability`.
    pub fn offers(&self, capability: &str) -> bool {
        self.capabilities.contains(&capability)
    }

    /// A fresh instance with default settings.
    pub fn instance(&self) -> std::result::Result<Arc<K>, String> {
        self.instance_with(&K::Settings::default())
    }

    /// A fresh instance with these settings. A backend that takes a `directory` gets an empty one of
    /// its own.
    pub fn instance_with(&self, settings: &K::Settings) -> std::result::Result<Arc<K>, String> {
        let mut options = serde_json::Map::new();
        if self.takes("directory") {
            let directory = TempDir::new().map_err(|e| e.to_string())?;
            options.insert(
                "directory".into(),
                directory.path().to_string_lossy().into(),
            );
            self.directories.borrow_mut().push(directory);
        }
        self.instance_from(settings, options.into())
    }

    /// An instance with these settings and options.
    pub fn instance_from(
        &self,
        settings: &K::Settings,
        options: serde_json::Value,
    ) -> std::result::Result<Arc<K>, String> {
        self.built(settings, options)
            .map_err(|e| format!("can't be built: {}", e.report()))
    }

    /// What the backend answers to these settings and options.
    pub(crate) fn built(
        &self,
        settings: &K::Settings,
        options: serde_json::Value,
    ) -> Result<Arc<K>> {
        let options = Options::new(options);
        (self.build)(&BuildContext {
            options: &options,
            settings,
            cpu: self.cpu,
        })
    }

    /// Whether the options have a property of this name.
    pub fn takes(&self, option: &str) -> bool {
        self.schema()["properties"].get(option).is_some()
    }

    /// The JSON Schema of the options; null if it is no JSON.
    pub(crate) fn schema(&self) -> serde_json::Value {
        serde_json::from_str(self.options_schema).unwrap_or_default()
    }
}

/// Fails with `message` unless `holds`.
pub fn check(holds: bool, message: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(message()) }
}
