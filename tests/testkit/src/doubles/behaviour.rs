//! What a double does before each call.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use auralis_core::{Error, ErrorKind, Result};

/// What a double does before each call.
pub trait Behaviour: Debug + Send + Sync {
    /// Sees a call: its method, and the lengths and counts among its arguments, in their order. An
    /// error takes the place of the call.
    ///
    /// # Errors
    ///
    /// Whatever the call is to fail with.
    fn before(&self, method: &'static str, sizes: &[usize]) -> Result<()>;
}

/// One call of a double.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// The lengths and counts among its arguments, in their order.
    pub sizes: Vec<usize>,
}

/// The calls of a double, shared with it.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    /// The calls so far.
    pub fn list(&self) -> Vec<Call> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The methods called so far.
    pub fn names(&self) -> Vec<&'static str> {
        self.list().iter().map(|call| call.method).collect()
    }

    /// How often a method was called.
    pub fn count(&self, method: &str) -> usize {
        self.names().iter().filter(|name| **name == method).count()
    }
}

/// Writes each call down.
#[derive(Clone, Debug, Default)]
pub struct Record(Calls);

impl Record {
    /// The list.
    pub fn calls(&self) -> Calls {
        self.0.clone()
    }
}

impl Behaviour for Record {
    fn before(&self, method: &'static str, sizes: &[usize]) -> Result<()> {
        let call = Call {
            method,
            sizes: sizes.to_vec(),
        };
        let mut calls = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
        Ok(())
    }
}

/// Fails one call.
#[derive(Debug)]
pub struct FailOnce {
    at: usize,
    calls: AtomicUsize,
}

impl FailOnce {
    /// Fails the `n`-th call, counted from 1; 0: none.
    pub fn at(n: usize) -> Self {
        Self {
            at: n,
            calls: AtomicUsize::new(0),
        }
    }
}

impl Behaviour for FailOnce {
    fn before(&self, method: &'static str, _sizes: &[usize]) -> Result<()> {
        let call = 1 + self.calls.fetch_add(1, Ordering::Relaxed);
        if call != self.at {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, "a planted failure")
            .with("method", method)
            .with("call", call))
    }
}

/// Sleeps before each call.
#[derive(Clone, Copy, Debug)]
pub struct Delay(pub Duration);

impl Behaviour for Delay {
    fn before(&self, _method: &'static str, _sizes: &[usize]) -> Result<()> {
        thread::sleep(self.0);
        Ok(())
    }
}
