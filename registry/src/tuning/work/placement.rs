//! Where in memory things lie is luck, and can make a fifth of the time of one and the same code: so they are
//! moved about while they are timed, and the least time is that of the code. Mytkowicz et al., "Producing
//! Wrong Data Without Doing Anything Obviously Wrong!", ASPLOS 2009.

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use auralis_core::{Kernel, Result};

use super::Planned;
use super::operands::Operands;

/// So many depths of the stack, or places of an object, are taken in turn.
const DEPTHS: usize = 16;

/// The bytes of a cache line.
const LINE: usize = 64;

/// Samples in one place or in several.
pub(super) type Places = Rc<RefCell<Vec<Operands>>>;

/// Up to so many samples of an operand, there are several places of them.
const SHORT: usize = 4096;

/// The samples of a kernel at a size.
pub(super) fn places(kernel: Kernel, size: [usize; 2]) -> Places {
    let count = if size[0] + size[1] <= SHORT { 4 } else { 1 };
    let places = (0..count).map(|_| Operands::new(kernel, size));
    Rc::new(RefCell::new(places.collect()))
}

/// Samples, and a stack on which every batch of calls begins at another depth.
pub(super) struct Stage {
    places: Places,
    batches: usize,
}

impl Stage {
    pub(super) fn new(places: &Places) -> Self {
        Self {
            places: Rc::clone(places),
            batches: 0,
        }
    }

    /// How long the calls take.
    pub(super) fn time(
        &mut self,
        mut calls: impl FnMut(&mut Operands) -> Result<()>,
    ) -> Result<Duration> {
        self.batches += 1;
        let places = &mut *self.places.borrow_mut();
        // Each depth is met in each place.
        let (depth, place) = (self.batches / places.len(), self.batches % places.len());
        let operands = &mut places[place];
        operands.restore();
        at_depth(depth % DEPTHS, &mut || {
            let begin = Instant::now();
            calls(operands)?;
            Ok(begin.elapsed())
        })
    }
}

#[inline(never)]
fn at_depth(depth: usize, timed: &mut dyn FnMut() -> Result<Duration>) -> Result<Duration> {
    let line = black_box([0_u8; LINE]);
    let took = match depth {
        0 => timed(),
        _ => at_depth(depth - 1, timed),
    };
    // It is in use until here: so no call takes the place of this one.
    black_box(line);
    took
}

/// An object that is planned anew whenever more time went into its work than into plans.
pub(super) struct Replanned<P> {
    plan: P,
    planned: Planned,
    plans: usize,
    planning: Duration,
    working: Duration,
}

impl<P: FnMut() -> Result<Planned>> Replanned<P> {
    pub(super) fn new(mut plan: P) -> Result<Self> {
        let begin = Instant::now();
        let planned = plan()?;
        Ok(Self {
            plan,
            planned,
            plans: 1,
            planning: begin.elapsed(),
            working: Duration::ZERO,
        })
    }

    /// What is to work next.
    pub(super) fn next(&mut self) -> Result<&mut Planned> {
        if self.working > self.planning {
            let begin = Instant::now();
            // While this is there, the next object finds its memory elsewhere.
            let taken = black_box(vec![0_u8; LINE * (self.plans % DEPTHS)]);
            self.planned = (self.plan)()?;
            drop(taken);
            self.plans += 1;
            self.planning += begin.elapsed();
        }
        Ok(&mut self.planned)
    }

    /// Tells how long it has worked.
    pub(super) fn has_worked(&mut self, time: Duration) {
        self.working += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_take_about_as_long_as_work() {
        let mut made = 0;
        let plan = || {
            made += 1;
            std::thread::sleep(Duration::from_millis(1));
            Ok(Box::new(|_: &mut Operands, _| Ok(())) as Planned)
        };
        let mut replanned = Replanned::new(plan).unwrap();
        for _ in 0..5 {
            replanned.next().unwrap();
        }
        // A second one, then no third before an hour of planning.
        replanned.has_worked(Duration::from_secs(3600));
        replanned.next().unwrap();
        assert_eq!(replanned.plans, 2);
        replanned.planning = Duration::from_secs(3601);
        replanned.next().unwrap();
        assert_eq!(replanned.plans, 2);
        drop(replanned);
        assert_eq!(made, 2);
    }
}
