//! Work that outlives its backends: one that breaks is given up, and the next candidate takes over.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auralis_core::{Error, ErrorKind, Result};
use auralis_registry::Selection;
use serde::Serialize;

use super::{Chosen, Optimizer, why};

/// A backend that broke while it worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenUp {
    /// The kind: `accelerator`, `executor` and so on.
    pub kind: String,
    /// The backend's id.
    pub id: String,
    /// What went wrong, as every thread saw it that met it.
    pub reason: String,
    /// The file at which it was seen first; `None` if it was between files.
    pub file: Option<PathBuf>,
    /// What took over; `None` if nothing may.
    pub successor: Option<String>,
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind, id, reason, ..
        } = self;
        write!(f, "{kind} {id} was given up")?;
        if let Some(file) = &self.file {
            write!(f, " at {}", file.display())?;
        }
        write!(f, ", because it {reason}; ")?;
        match &self.successor {
            Some(successor) => write!(f, "{successor} took over"),
            None => f.write_str("nothing takes its place"),
        }
    }
}

/// The backends that a batch works with, one choice after the other.
///
/// Pieces of work that run at the same time share it: whichever meets a broken backend first has the
/// next one chosen, the others join. A broken backend is not called again by what begins later.
pub struct Fallback<'a> {
    optimizer: &'a Optimizer,
    notify: Box<dyn Fn(&GivenUp) + Send + Sync + 'a>,
    standing: Mutex<Standing>,
}

struct Standing {
    chosen: Arc<Chosen>,
    given_up: Vec<GivenUp>,
    /// Why no work begins any more.
    refused: Option<Error>,
}

impl fmt::Debug for Fallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback")
            .field("given_up", &self.given_up())
            .finish_non_exhaustive()
    }
}

impl<'a> Fallback<'a> {
    /// Begins with what the orchestrator chose. `notify` is told of each backend that is given up.
    pub fn new(optimizer: &'a Optimizer, notify: impl Fn(&GivenUp) + Send + Sync + 'a) -> Self {
        Self {
            optimizer,
            notify: Box::new(notify),
            standing: Mutex::new(Standing {
                chosen: Arc::new(optimizer.chosen().clone()),
                given_up: Vec::new(),
                refused: None,
            }),
        }
    }

    /// The backends in force.
    pub fn chosen(&self) -> Arc<Chosen> {
        Arc::clone(&self.standing().chosen)
    }

    /// The backends that broke so far, in the order in which that was found.
    pub fn given_up(&self) -> Vec<GivenUp> {
        self.standing().given_up.clone()
    }

    /// Does a piece of work, about `file` if it is about one, and does it again from the start with
    /// the next choice for as long as it fails because a backend broke. Says which backends it was
    /// done with at last.
    ///
    /// # Errors
    ///
    /// What the work fails with otherwise. Where no other backend may take the place of a broken
    /// one: that, for this work and all that comes after it.
    pub fn attempt<T>(
        &self,
        file: Option<&Path>,
        mut work: impl FnMut(&Arc<Chosen>) -> Result<T>,
    ) -> (Result<T>, Arc<Chosen>) {
        let (mut chosen, refused) = {
            let standing = self.standing();
            let refused = standing.refused.as_ref().map(Error::duplicate);
            (Arc::clone(&standing.chosen), refused)
        };
        if let Some(refused) = refused {
            return (Err(refused), chosen);
        }
        loop {
            let error = match work(&chosen) {
                Ok(done) => return (Ok(done), chosen),
                Err(error) => error,
            };
            match self.after(&chosen, &error, file) {
                None => return (Err(error), chosen),
                Some(Err(refused)) => return (Err(refused), chosen),
                Some(Ok(next)) => chosen = next,
            }
        }
    }

    /// Calls `task` once with each index of `order`, from the threads of the executor in force. The
    /// next executor goes on where one breaks.
    ///
    /// # Errors
    ///
    /// What the executor answers otherwise, or that it left something out.
    pub fn spread(&self, order: &[usize], task: &(dyn Fn(usize) + Sync)) -> Result<()> {
        let done: Vec<AtomicBool> = order.iter().map(|_| AtomicBool::new(false)).collect();
        let waiting = || {
            let places = (0..order.len()).filter(|place| !done[*place].load(Ordering::Acquire));
            places.collect::<Vec<_>>()
        };
        let (outcome, _) = self.attempt(None, |chosen| {
            let executor = &chosen.parts.executor;
            let places = waiting();
            let next = AtomicUsize::new(0);
            executor.for_ranges(executor.threads().min(places.len()), 1, &|_| {
                while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    task(order[place]);
                    done[place].store(true, Ordering::Release);
                }
            })
        });
        outcome?;
        match waiting().len() {
            0 => Ok(()),
            left => Err(
                Error::new(ErrorKind::Panicked, "the executor left work out").with("pieces", left),
            ),
        }
    }

    /// What to go on with after `error`, which work with `used` ended in; `None` if that has nothing
    /// to do with broken backends.
    fn after(
        &self,
        used: &Arc<Chosen>,
        error: &Error,
        file: Option<&Path>,
    ) -> Option<Result<Arc<Chosen>>> {
        let (kind, id) = error.faulty_backend()?;
        let reason = why(error);
        let mut standing = self.standing();
        let standing = &mut *standing;
        let known = standing
            .given_up
            .iter_mut()
            .find(|g| g.kind == kind && g.id == id);
        if let Some(known) = known {
            // The first to tell may only have met what another thread left behind.
            if !known.reason.contains(&reason) {
                known.reason = format!("{}; {reason}", known.reason);
            }
            if let Some(refused) = &standing.refused {
                return Some(Err(refused.duplicate()));
            }
            // Who has the latest choice already has nothing to join.
            let newer = !Arc::ptr_eq(&standing.chosen, used);
            return newer.then(|| Ok(Arc::clone(&standing.chosen)));
        }
        let next = self.optimizer.without(&standing.chosen, error);
        let given_up = GivenUp {
            kind: kind.to_owned(),
            id: id.to_owned(),
            reason,
            file: file.map(Path::to_path_buf),
            successor: next.as_ref().ok().and_then(|next| {
                let (old, new) = (standing.chosen.selection(kind)?, next.selection(kind)?);
                Some(successor(old, new, id))
            }),
        };
        (self.notify)(&given_up);
        standing.given_up.push(given_up);
        Some(match next {
            Ok(next) => {
                standing.chosen = Arc::new(next);
                Ok(Arc::clone(&standing.chosen))
            }
            Err(refused) => {
                standing.refused = Some(refused.duplicate());
                Err(refused)
            }
        })
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What does in `new` what `id` did in `old`.
fn successor(old: &Selection, new: &Selection, id: &str) -> String {
    if old.chosen == id {
        return new.chosen.clone();
    }
    let kernels = old.kernels.iter().flatten().filter(|(_, by)| *by == id);
    let of_kernel = |kernel: &str| {
        let elsewhere = new.kernels.as_ref().and_then(|kernels| kernels.get(kernel));
        elsewhere.unwrap_or(&new.chosen).as_str()
    };
    let mut successors: Vec<_> = kernels.map(|(kernel, _)| of_kernel(kernel)).collect();
    successors.sort_unstable();
    successors.dedup();
    match successors.as_slice() {
        [] => new.chosen.clone(),
        successors => successors.join(", "),
    }
}
