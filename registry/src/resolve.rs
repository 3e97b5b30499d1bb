//! From a request to a running backend: selects, builds, and goes on where that is allowed.

use std::collections::BTreeMap;
use std::sync::Arc;

use auralis_core::{BuildContext, Error, ErrorKind, Options, Result};

use crate::select::{Criteria, Selection, select};
use crate::{BackendRequest, Facts, Registry, RegistryKind, RejectedPlugin};

/// Selects a backend of kind `K` and builds it. `options` gives each backend its own options, by id.
///
/// Where the request is `auto` or a list and a backend fails to build, the next one is taken and
/// the failure is among the reasons in [`Selection::rejected`].
///
/// # Errors
///
/// Those of [`select`]; [`ErrorKind::Plugin`] if the backend that was asked for by name would have
/// come from a plugin that was rejected; the backend's own error if it was asked for by name.
pub fn resolve<K: RegistryKind + ?Sized>(
    registry: &Registry,
    criteria: &Criteria,
    settings: &K::Settings,
    options: &dyn Fn(&str) -> Options,
) -> Result<(Arc<K>, Selection)> {
    Builder::<K>::new(registry, criteria, settings, options).resolve()
}

/// Builds the backends of one kind, and remembers which failed.
pub(crate) struct Builder<'a, K: RegistryKind + ?Sized> {
    registry: &'a Registry,
    /// What fails to build is added to what has failed.
    pub(crate) criteria: Criteria,
    settings: &'a K::Settings,
    options: &'a dyn Fn(&str) -> Options,
}

impl<'a, K: RegistryKind + ?Sized> Builder<'a, K> {
    pub(crate) fn new(
        registry: &'a Registry,
        criteria: &Criteria,
        settings: &'a K::Settings,
        options: &'a dyn Fn(&str) -> Options,
    ) -> Self {
        Self {
            registry,
            criteria: Criteria {
                turned_away: turned_away(registry, K::NAME),
                lacking: lacking(registry),
                ..criteria.clone()
            },
            settings,
            options,
        }
    }

    pub(crate) fn facts(&self) -> Vec<&'a Facts> {
        self.registry
            .candidates::<K>()
            .iter()
            .map(|c| &c.facts)
            .collect()
    }

    /// Says what `criteria` select among what has not failed.
    pub(crate) fn select(&self, criteria: &Criteria) -> Result<Selection> {
        select(K::NAME, &self.facts(), criteria)
            .map_err(|error| explain_by_plugins::<K>(self.registry, criteria, error))
    }

    fn build(&self, id: &str) -> Result<Arc<K>> {
        let candidate = self.registry.candidate::<K>(id).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("no {} is called {id:?}", K::NAME),
            )
        })?;
        candidate.build(&BuildContext {
            options: &(self.options)(id),
            settings: self.settings,
            cpu: self.criteria.cpu.available(),
        })
    }

    /// Builds a candidate that was asked for by name.
    pub(crate) fn build_named(&self, id: &str) -> Result<Arc<K>> {
        self.build(id).map_err(|error| error.with(K::NAME, id))
    }

    /// Builds a candidate, or records why that failed. What failed once is not tried again.
    pub(crate) fn try_build(&mut self, id: &str) -> Option<Arc<K>> {
        if self.criteria.failed.contains_key(id) {
            return None;
        }
        self.build(id).map_err(|error| self.record(id, &error)).ok()
    }

    pub(crate) fn resolve(&mut self) -> Result<(Arc<K>, Selection)> {
        loop {
            let selection = self.select(&self.criteria)?;
            let id = &selection.chosen;
            match self.build(id) {
                Ok(backend) => {
                    let decided_by = selection.decided_by.name();
                    tracing::debug!(kind = K::NAME, id, decided_by, "backend selected");
                    return Ok((backend, selection));
                }
                Err(error) if matches!(self.criteria.request.backend, BackendRequest::One(_)) => {
                    return Err(error.with(K::NAME, id));
                }
                Err(error) => self.record(id, &error),
            }
        }
    }

    fn record(&mut self, id: &str, error: &Error) {
        let reason = format!("could not be built: {}", error.report());
        tracing::warn!(kind = K::NAME, id, reason, "backend skipped");
        self.criteria.failed.insert(id.to_owned(), reason);
    }
}

/// What rejected plugins would have brought of a kind, with the reason.
fn turned_away(registry: &Registry, kind: &str) -> BTreeMap<String, String> {
    let mut turned_away = BTreeMap::new();
    for plugin in registry.rejected() {
        for offer in plugin.offers.iter().filter(|o| o.kind == kind) {
            let RejectedPlugin { file, reason, .. } = plugin;
            let reason = || format!("its plugin {} was rejected: {reason}", file.display());
            turned_away.entry(offer.id.clone()).or_insert_with(reason);
        }
    }
    turned_away
}

/// The plugins of which nobody knows what they would have brought.
fn unread(registry: &Registry) -> impl Iterator<Item = &RejectedPlugin> {
    registry.rejected().iter().filter(|p| p.offers.is_empty())
}

/// Why an id that nobody has may be that of a plugin.
fn lacking(registry: &Registry) -> Vec<String> {
    let unread = unread(registry).map(|p| {
        let RejectedPlugin { file, reason, .. } = p;
        format!("the plugin {} was rejected: {reason}", file.display())
    });
    let switched_off = registry.switched_off().map(str::to_owned);
    switched_off.into_iter().chain(unread).collect()
}

/// An id that nobody has may be that of a plugin which was turned away.
fn explain_by_plugins<K: RegistryKind + ?Sized>(
    registry: &Registry,
    criteria: &Criteria,
    error: Error,
) -> Error {
    let BackendRequest::One(id) = &criteria.request.backend else {
        return error;
    };
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    if let Some(why) = registry.switched_off() {
        return Error::new(error.kind(), format!("{}; {why}", error.message()));
    }
    let brings = |p: &&RejectedPlugin| p.offers.iter().any(|o| o.is(K::NAME, id));
    if let Some(plugin) = registry.rejected().iter().find(brings) {
        let message = format!("{} {id:?} is unavailable: its plugin was rejected", K::NAME);
        return Error::new(ErrorKind::Plugin, message)
            .with("file", plugin.file.display())
            .with("reason", &plugin.reason);
    }
    let mut unread = unread(registry).peekable();
    if unread.peek().is_none() {
        return error;
    }
    // What an unread plugin would have brought can't be known: it is the likeliest to lack.
    let error = Error::new(ErrorKind::Plugin, error.message().to_owned());
    unread.fold(error, |error, plugin| {
        let told = format!("{}: {}", plugin.file.display(), plugin.reason);
        error.with("rejected plugin", told)
    })
}
