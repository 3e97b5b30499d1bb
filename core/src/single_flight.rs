//! One computation per missing key, however many ask at once.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::executor::panic_message;
use crate::{Cache, Error, ErrorKind, Key, Result};

/// Wraps any [`Cache`] so that a missing key is computed once however many threads ask for it.
///
/// The others wait for that one result. Where the computation fails or panics, they receive its
/// error, and the next one to ask computes anew. The value is returned whether or not the cache
/// admitted it.
///
/// A computation must not ask for its own key: it would wait for itself.
#[derive(Debug)]
pub struct SingleFlight {
    cache: Arc<dyn Cache>,
    flights: Mutex<HashMap<Key, Arc<Flight>>>,
}

#[derive(Debug, Default)]
struct Flight {
    outcome: Mutex<Option<Result<Bytes>>>,
    landed: Condvar,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The cache had it.
    Hit,
    /// This call computed it.
    Computed,
    /// Another thread computed it while this one waited.
    Shared,
}

impl SingleFlight {
    /// A single-flight front of `cache`.
    pub fn new(cache: Arc<dyn Cache>) -> Self {
        Self {
            cache,
            flights: Mutex::default(),
        }
    }

    /// The cache behind.
    pub fn cache(&self) -> &Arc<dyn Cache> {
        &self.cache
    }

    /// The value under `key`: from the cache, or from `compute`, which then fills the cache.
    ///
    /// # Errors
    ///
    /// What `compute` failed with; [`ErrorKind::Panicked`] if it panicked. Nothing is stored then.
    pub fn get_or_compute(
        &self,
        key: &Key,
        compute: impl FnOnce() -> Result<Bytes>,
    ) -> Result<(Bytes, Origin)> {
        if let Some(value) = self.cache.get(key) {
            return Ok((value, Origin::Hit));
        }
        let (flight, mine) = self.board(key);
        if !mine {
            return flight.wait().map(|value| (value, Origin::Shared));
        }
        // Another flight may have landed between the look into the cache and the boarding.
        let (outcome, origin) = match self.cache.get(key) {
            Some(value) => (Ok(value), Origin::Hit),
            None => (contained(compute), Origin::Computed),
        };
        if let (Ok(value), Origin::Computed) = (&outcome, origin) {
            self.cache.put(key, value.clone());
        }
        lock(&self.flights).remove(key);
        flight.land(match &outcome {
            Ok(value) => Ok(value.clone()),
            Err(error) => Err(error.duplicate()),
        });
        outcome.map(|value| (value, origin))
    }

    fn board(&self, key: &Key) -> (Arc<Flight>, bool) {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(key) {
            return (Arc::clone(flight), false);
        }
        let flight = Arc::new(Flight::default());
        flights.insert(*key, Arc::clone(&flight));
        (flight, true)
    }
}

impl Flight {
    fn land(&self, outcome: Result<Bytes>) {
        *lock(&self.outcome) = Some(outcome);
        self.landed.notify_all();
    }

    fn wait(&self) -> Result<Bytes> {
        let mut outcome = lock(&self.outcome);
        loop {
            match &*outcome {
                Some(Ok(value)) => return Ok(value.clone()),
                Some(Err(error)) => return Err(error.duplicate()),
                None => {
                    outcome = self
                        .landed
                        .wait(outcome)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

fn contained(compute: impl FnOnce() -> Result<Bytes>) -> Result<Bytes> {
    catch_unwind(AssertUnwindSafe(compute)).unwrap_or_else(|payload| {
        Err(Error::new(
            ErrorKind::Panicked,
            "the computation of a cached value panicked",
        )
        .with("panic", panic_message(&*payload)))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::{Admission, CacheStats, KeyBuilder};

    #[derive(Debug, Default)]
    struct Unbounded(Mutex<HashMap<Key, Bytes>>);

    impl Cache for Unbounded {
        fn get(&self, key: &Key) -> Option<Bytes> {
            lock(&self.0).get(key).cloned()
        }
        fn put(&self, key: &Key, value: Bytes) -> Admission {
            lock(&self.0).insert(*key, value);
            Admission::Stored
        }
        fn remove(&self, key: &Key) -> bool {
            lock(&self.0).remove(key).is_some()
        }
        fn sweep(&self) -> usize {
            0
        }
        fn stats(&self) -> CacheStats {
            CacheStats::default()
        }
    }

    fn key() -> Key {
        KeyBuilder::new("test", 1).finish()
    }

    #[test]
    fn eight_threads_compute_one_key_once() {
        let flight = SingleFlight::new(Arc::new(Unbounded::default()));
        let (calls, start) = (AtomicUsize::new(0), Barrier::new(8));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    let (value, _) = flight
                        .get_or_compute(&key(), || {
                            calls.fetch_add(1, Ordering::Relaxed);
                            thread::sleep(std::time::Duration::from_millis(20));
                            Ok(Bytes::from_static(b"value"))
                        })
                        .unwrap();
                    assert_eq!(value, "value");
                });
            }
        });
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_failure_releases_the_waiters_and_is_not_stored() {
        let flight = SingleFlight::new(Arc::new(Unbounded::default()));
        let failed = flight
            .get_or_compute(&key(), || panic!("no luck"))
            .unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Panicked);
        let failed = flight
            .get_or_compute(&key(), || Err(Error::new(ErrorKind::Io, "no disk")))
            .unwrap_err();
        assert_eq!(failed.to_string(), "no disk");
        let (value, origin) = flight.get_or_compute(&key(), || Ok(Bytes::new())).unwrap();
        assert_eq!((value.len(), origin), (0, Origin::Computed));
        let (_, origin) = flight.get_or_compute(&key(), || unreachable!()).unwrap();
        assert_eq!(origin, Origin::Hit);
        assert!(lock(&flight.flights).is_empty());
    }

    #[test]
    fn waiters_of_a_failed_flight_get_its_error() {
        let flight = SingleFlight::new(Arc::new(Unbounded::default()));
        let inside = Barrier::new(2);
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                flight.get_or_compute(&key(), || {
                    inside.wait();
                    thread::sleep(std::time::Duration::from_millis(30));
                    Err(Error::new(ErrorKind::Corrupt, "bad bytes"))
                })
            });
            inside.wait();
            let second = flight.get_or_compute(&key(), || Ok(Bytes::from_static(b"late")));
            assert_eq!(first.join().unwrap().unwrap_err().to_string(), "bad bytes");
            match second {
                Ok((value, origin)) => {
                    assert_eq!((&value[..], origin), (&b"late"[..], Origin::Computed))
                }
                Err(error) => assert_eq!(error.to_string(), "bad bytes"),
            }
        });
    }
}
