//! Doubles: [`Recording`], [`FailingAt`] and [`Slow`], to be laid over any backend of any kind.
//!
//! ```
//! use std::sync::Arc;
//! use auralis_core::{Cache, Key};
//! use auralis_testkit::doubles::{FailingAt, Recording};
//!
//! fn under_test(cache: &dyn Cache) -> bool {
//!     cache.get(&Key::from_bytes([0; 32])).is_none()
//! }
//!
//! fn a_lost_cache_is_a_miss(real: Arc<dyn Cache>) {
//!     let recording = Recording::new(real);
//!     let calls = recording.calls();
//!     assert!(under_test(&recording));
//!     assert_eq!(calls.names(), ["get"]);
//!     assert!(under_test(&FailingAt::new(Arc::new(recording) as Arc<dyn Cache>, 1)));
//! }
//! ```
//!
//! Methods that only tell a fact or a figure (`threads`, `is_real_time`, `variant`, `stats`,
//! `report`, `events`) are passed on as they are: they are not calls. What an accelerator plans is
//! the inner backend's own.

mod behaviour;
mod kinds;

use std::sync::Arc;
use std::time::Duration;

pub use behaviour::{Behaviour, Call, Calls, Delay, FailOnce, Record};

/// A backend of kind `K` that lets a [`Behaviour`] see each call before the inner backend does.
#[derive(Clone, Debug)]
pub struct Double<K: ?Sized, B> {
    inner: Arc<K>,
    behaviour: B,
}

impl<K: ?Sized, B: Behaviour> Double<K, B> {
    /// `inner`, behind `behaviour`.
    pub fn with(inner: Arc<K>, behaviour: B) -> Self {
        Self { inner, behaviour }
    }
}

/// Keeps a list of the calls that it passes on.
pub type Recording<K> = Double<K, Record>;

impl<K: ?Sized> Recording<K> {
    /// `inner`, and an empty list.
    pub fn new(inner: Arc<K>) -> Self {
        Self::with(inner, Record::default())
    }

    /// The list, which goes on to grow: a test keeps it and gives the double away.
    pub fn calls(&self) -> Calls {
        self.behaviour.calls()
    }
}

/// Fails at one call: with an error of kind [`Unavailable`](auralis_core::ErrorKind::Unavailable),
/// or as its method can: a miss, a refusal, a run that is not recorded.
pub type FailingAt<K> = Double<K, FailOnce>;

impl<K: ?Sized> FailingAt<K> {
    /// `inner`, whose `n`-th call fails, counted from 1. Those before and after it do not.
    pub fn new(inner: Arc<K>, n: usize) -> Self {
        Self::with(inner, FailOnce::at(n))
    }
}

/// Sleeps before each call.
pub type Slow<K> = Double<K, Delay>;

impl<K: ?Sized> Slow<K> {
    /// `inner`, each call of which begins with a sleep.
    pub fn new(inner: Arc<K>, delay: Duration) -> Self {
        Self::with(inner, Delay(delay))
    }
}
