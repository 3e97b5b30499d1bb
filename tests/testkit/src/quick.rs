//! The quick part of the suite: what a host can afford before it first uses a plugin.

use auralis_core::{Accelerator, BufferPool, Cache, Executor, Kind, Profiler};

use crate::{Effort, Outcome, Subject, Trial, accelerator, buffer_pool, cache, executor, profiler};

/// A kind that has trials.
pub trait Tried: Kind {
    /// All of them, the quick ones among them.
    fn trials() -> Vec<Trial<Self>>;
}

macro_rules! tried {
    ($($kind:ident $module:ident)*) => {$(
        impl Tried for dyn $kind {
            fn trials() -> Vec<Trial<Self>> {
                $module::trials()
            }
        }
    )*};
}

tried! {
    Accelerator accelerator
    BufferPool buffer_pool
    Cache cache
    Executor executor
    Profiler profiler
}

impl<K: Kind + ?Sized> Trial<K> {
    /// Whether the subject lists what the trial needs.
    pub fn applies_to(&self, subject: &Subject<'_, K>) -> bool {
        self.needs.is_none_or(|needed| subject.offers(needed))
    }
}

/// Runs the quick part over one backend: every kernel or method that it lists, in few cases that
/// show wrong results, a wrong tail, writes past a slice, a changed floating-point control and
/// instructions that this CPU lacks. Nothing in it sleeps; an accelerator with all kernels takes
/// about 10 ms.
///
/// # Errors
///
/// The first failure, with the full name of its trial: `accelerator::acme::scale: length 67: sample
/// 66 is 0.5, expected 0.25`.
pub fn quick<K: Tried + ?Sized>(subject: &Subject<'_, K>) -> Outcome {
    let subject = subject.with_effort(Effort::Quick);
    let trials = K::trials();
    let quick = trials
        .iter()
        .filter(|trial| trial.quick && trial.applies_to(&subject));
    for trial in quick {
        (trial.run)(&subject)
            .map_err(|e| format!("{}::{}::{}: {e}", K::NAME, subject.id, trial.name))?;
    }
    Ok(())
}
