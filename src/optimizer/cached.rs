//! Results of pure functions by their arguments, for as long as that is worth its while.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use auralis_core::profiler::now;
use auralis_core::{Bytes, Error, ErrorKind, KeyArgument, KeyBuilder, Origin, Result};
use serde::Serialize;

use super::Optimizer;

/// A value that can be kept as bytes.
pub trait Cacheable: Sized {
    /// The value as bytes.
    fn to_bytes(&self) -> Bytes;

    /// The value of these bytes, if they are one.
    fn from_bytes(bytes: &Bytes) -> Option<Self>;
}

impl Cacheable for Bytes {
    fn to_bytes(&self) -> Bytes {
        self.clone()
    }

    fn from_bytes(bytes: &Bytes) -> Option<Self> {
        Some(bytes.clone())
    }
}

macro_rules! cacheable {
    ($($scalar:ident)*) => {$(
        impl Cacheable for $scalar {
            fn to_bytes(&self) -> Bytes {
                Bytes::copy_from_slice(&self.to_le_bytes())
            }

            fn from_bytes(bytes: &Bytes) -> Option<Self> {
                Some(Self::from_le_bytes(bytes.as_ref().try_into().ok()?))
            }
        }

        impl Cacheable for Vec<$scalar> {
            fn to_bytes(&self) -> Bytes {
                self.iter().flat_map(|value| value.to_le_bytes()).collect()
            }

            fn from_bytes(bytes: &Bytes) -> Option<Self> {
                let (values, rest) = bytes.as_chunks();
                rest.is_empty().then(|| values.iter().map(|v| $scalar::from_le_bytes(*v)).collect())
            }
        }
    )*};
}

cacheable!(f32 f64 u8 u32 u64 i32 i64);

/// What was seen of one cached function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Watch {
    /// Calls.
    pub calls: u64,
    /// Calls that the cache answered.
    pub hits: u64,
    /// Time spent on keys and on asking the cache, in nanoseconds.
    pub asking_ns: u64,
    /// Time spent on computing, in nanoseconds.
    pub computing_ns: u64,
    /// Whether the cache is no longer asked: asking cost more than it saved.
    pub bypassed: bool,
}

impl Watch {
    /// After this many calls it is judged whether the cache is worth asking.
    const TRIAL: u64 = 32;

    /// Asking pays as long as the work that hits saved costs more than all the asking.
    fn judge(&mut self) {
        let computed = self.calls - self.hits;
        if self.calls < Self::TRIAL || computed == 0 {
            return;
        }
        let saved = self.computing_ns / computed * self.hits;
        // Work that takes less than its key can never pay, hits or none; rare hits may still come.
        let hopeless = self.computing_ns / computed < self.asking_ns / self.calls;
        self.bypassed = hopeless || (self.calls >= 64 * Self::TRIAL && saved < self.asking_ns);
    }
}

#[derive(Debug, Default)]
pub(super) struct Watches {
    by_namespace: BTreeMap<String, Watch>,
    calls_since_sweep: u64,
}

impl Watches {
    pub(super) fn list(&self) -> Vec<(String, Watch)> {
        self.by_namespace
            .iter()
            .map(|(name, watch)| (name.clone(), *watch))
            .collect()
    }
}

impl Optimizer {
    /// The result of `function` for `arguments`: from the cache, or computed once however many
    /// threads ask at the same time. Not for a real-time thread.
    ///
    /// The key holds `namespace`, `version` (raise it when the function changes) and every argument
    /// by type and content. `function` is a plain `fn`: it has no state of its own. The method
    /// watches what asking costs; where that is more than the work, it stops asking and says so
    /// ([`Stats::cached`](super::Stats::cached), and a `tracing` event).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Panicked`] if `function` panicked; [`ErrorKind::Corrupt`] if the cache holds
    /// bytes of another type under the key: two functions share `namespace` and `version`.
    pub fn cached<A: KeyArgument + ?Sized, V: Cacheable>(
        &self,
        namespace: &str,
        version: u32,
        arguments: &A,
        function: fn(&A) -> V,
    ) -> Result<V> {
        if self.watch(namespace, |watch| watch.bypassed) {
            return Ok(function(arguments));
        }
        let began = now();
        let key = KeyBuilder::new(namespace, version)
            .argument(arguments)
            .finish();
        let mut computing = 0;
        let mut fresh = None;
        let (bytes, origin) = self.cache.get_or_compute(&key, || {
            let start = now();
            let value = function(arguments);
            computing = now() - start;
            let bytes = value.to_bytes();
            fresh = Some(value);
            Ok(bytes)
        })?;
        let asking = (now() - began).saturating_sub(computing);
        self.after_call(namespace, asking, computing, origin);
        match fresh {
            Some(value) => Ok(value),
            None => V::from_bytes(&bytes).ok_or_else(|| {
                let message = "the cache holds a value of another type under this key: two \
                               functions share a namespace";
                Error::new(ErrorKind::Corrupt, message).with("namespace", namespace)
            }),
        }
    }

    fn after_call(&self, namespace: &str, asking: u64, computing: u64, origin: Origin) {
        let bypassed = self.watch(namespace, |watch| {
            watch.calls += 1;
            // Waiting for another thread is neither asking nor computing.
            if origin != Origin::Shared {
                watch.asking_ns += asking;
                watch.computing_ns += computing;
            }
            watch.hits += u64::from(origin != Origin::Computed);
            watch.judge();
            watch.bypassed
        });
        if bypassed {
            tracing::info!(
                namespace,
                "asking the cache costs more than the work: it stops here"
            );
        }
        if self.is_sweep_due() {
            self.sweep();
        }
    }

    fn is_sweep_due(&self) -> bool {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.calls_since_sweep += 1;
        let due = watches.calls_since_sweep >= self.config().cache.sweep_interval;
        if due {
            watches.calls_since_sweep = 0;
        }
        due
    }

    fn watch<T>(&self, namespace: &str, f: impl FnOnce(&mut Watch) -> T) -> T {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if !watches.by_namespace.contains_key(namespace) {
            watches
                .by_namespace
                .insert(namespace.to_owned(), Watch::default());
        }
        f(watches
            .by_namespace
            .get_mut(namespace)
            .expect("it was just inserted"))
    }
}
