//! Lends a borrowed closure to threads that outlive it, and waits until they have left it.

#![allow(
    unsafe_code,
    reason = "a scoped thread per call would cost a system call and an allocation per audio block"
)]

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::thread;

/// What is lent: the part of a call that every thread which takes part runs.
type Work<'a> = &'a (dyn Fn() + Sync);

/// The bit of the state that says that the work may be entered.
const OPEN: u64 = 1 << 16;
/// The lowest bit of the call's number; the bits below [`OPEN`] count the visitors inside.
const CALL: u64 = 1 << 17;
const VISITORS: u64 = OPEN - 1;

/// Spins before a thread that waits for others lets the scheduler choose.
const SPINS: u32 = 4096;

/// A gate that one host opens for the time of one call, and that visitors enter to run its work.
#[derive(Debug, Default)]
pub struct Gate {
    /// The number of the call, whether the gate is open, and how many visitors are inside.
    state: AtomicU64,
    /// A `*const Work` on the stack of the host. Written only by the host that holds `hosted`, and
    /// only while the gate is closed with nobody inside.
    work: AtomicPtr<()>,
    hosted: AtomicBool,
}

impl Gate {
    /// Lends `work` to visitors while `meanwhile` runs, then waits until all have left it. Says
    /// `false`, and does nothing, if another call has the gate.
    pub fn host(&self, work: Work<'_>, meanwhile: impl FnOnce()) -> bool {
        if self.hosted.swap(true, Ordering::Acquire) {
            return false;
        }
        self.work
            .store(ptr::from_ref(&work).cast_mut().cast(), Ordering::Relaxed);
        let call = (self.state.load(Ordering::Relaxed) & !(CALL - 1)).wrapping_add(CALL);
        let closing = Closing(self);
        // Sequentially consistent, as is `has_news`: a visitor that goes to sleep and a host that
        // looks for sleepers can't miss each other.
        self.state.store(call | OPEN, Ordering::SeqCst);
        meanwhile();
        drop(closing);
        true
    }

    /// Whether a call is open that is not `last`.
    pub fn has_news(&self, last: u64) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        state & OPEN != 0 && state / CALL != last
    }

    /// Runs the work of the open call, once per call: `last` is the number of the last one. Says
    /// whether there was one.
    pub fn visit(&self, last: &mut u64) -> bool {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state & OPEN == 0 || state / CALL == *last {
                return false;
            }
            let entered = self.state.compare_exchange_weak(
                state,
                state + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match entered {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        let _leaving = Leaving(self);
        *last = state / CALL;
        let work = self
            .work
            .load(Ordering::Relaxed)
            .cast_const()
            .cast::<Work<'_>>();
        // SAFETY: the exchange above found the gate open and counted this thread in, in one step.
        // The host stored `work` before it opened the gate, and the exchange acquired that store.
        // `host` does not return, nor unwind, before `Closing` has closed the gate and then seen
        // the count at 0, and this thread is counted until `_leaving` is dropped, after the last
        // use of the closure: so `*work` and what it borrows outlive this call. No other host
        // stores another pointer before that, for `hosted` is given back after the count was 0.
        // `Work` is a shared reference to a `Sync` closure, which any thread may call.
        let work = unsafe { *work };
        work();
        true
    }
}

/// Closes the gate and waits for the visitors, even where the host's own part unwinds.
struct Closing<'a>(&'a Gate);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let state = &self.0.state;
        let mut inside = state.fetch_and(!OPEN, Ordering::AcqRel) & VISITORS;
        let mut spins = 0;
        while inside > 0 {
            wait(&mut spins);
            inside = state.load(Ordering::Acquire) & VISITORS;
        }
        self.0.hosted.store(false, Ordering::Release);
    }
}

/// Counts a visitor out, even where the work unwinds.
struct Leaving<'a>(&'a Gate);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_sub(1, Ordering::Release);
    }
}

fn wait(spins: &mut u32) {
    if *spins < SPINS {
        *spins += 1;
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const CALLS: usize = if cfg!(miri) { 50 } else { 20_000 };

    #[test]
    fn visitors_see_what_the_host_lent_and_have_left_when_it_returns() {
        let gate = Gate::default();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut last = 0;
                    while !done.load(Ordering::Relaxed) {
                        if !gate.visit(&mut last) {
                            thread::yield_now();
                        }
                    }
                });
            }
            for call in 0..CALLS {
                let (inside, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
                let lent = [call; 4];
                let work = || {
                    inside.fetch_add(1, Ordering::Relaxed);
                    let strange = lent.iter().filter(|&&n| n != call).count();
                    wrong.fetch_add(strange, Ordering::Relaxed);
                    inside.fetch_sub(1, Ordering::Relaxed);
                };
                assert!(gate.host(&work, || {
                    work();
                    assert!(!gate.host(&|| unreachable!(), || unreachable!()));
                }));
                assert_eq!(inside.into_inner(), 0);
                assert_eq!(wrong.into_inner(), 0);
            }
            done.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn a_visitor_runs_each_call_once_and_survives_as_a_count() {
        let gate = Gate::default();
        let (mut last, runs) = (0, AtomicUsize::new(0));
        assert!(!gate.visit(&mut last));
        let work = || {
            runs.fetch_add(1, Ordering::Relaxed);
        };
        for call in 1..=3 {
            assert!(gate.host(&work, || {
                assert!(gate.has_news(last));
                assert!(gate.visit(&mut last));
                assert!(!gate.visit(&mut last));
                assert!(!gate.has_news(last));
            }));
            assert_eq!(runs.load(Ordering::Relaxed), call);
        }
        let unwinding = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            gate.host(&|| std::panic::resume_unwind(Box::new("work")), || {
                gate.visit(&mut last);
            })
        }));
        assert!(unwinding.is_err());
        assert!(gate.host(&work, || {}));
    }
}
