//! A bounded ring of events that any thread writes to without waiting.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use auralis_core::OperationId;
use auralis_core::profiler::{Event, Nanoseconds};

/// The last events. A writer that finds its slot held by another one drops its event, and a reader
/// leaves out what changes under it: nobody waits.
#[derive(Debug)]
pub struct Ring {
    next: AtomicU64,
    slots: Box<[Slot]>,
}

/// One event under a sequence lock: the stamp is odd while it is written, and names the event's
/// place in the order of all events once it is whole. See Boehm, "Can seqlocks get along with
/// programming language memory models?" (2012), for the fences.
#[derive(Debug, Default)]
struct Slot {
    stamp: AtomicU64,
    operation: AtomicU32,
    thread: AtomicU32,
    start: AtomicU64,
    end: AtomicU64,
}

impl Ring {
    /// A ring that keeps `capacity` events.
    pub fn new(capacity: usize) -> Self {
        Self {
            next: AtomicU64::new(0),
            slots: (0..capacity).map(|_| Slot::default()).collect(),
        }
    }

    /// The memory that the events take, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    /// Adds an event in the place of the oldest.
    pub fn push(&self, id: OperationId, start: Nanoseconds, end: Nanoseconds) {
        if self.slots.is_empty() {
            return;
        }
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = &self.slots[(place % self.slots.len() as u64) as usize];
        let event = Event {
            operation: id.0,
            thread: thread_number(),
            start_ns: start,
            end_ns: end,
        };
        slot.write(place, event);
    }

    /// The events that are whole, oldest first.
    pub fn events(&self) -> Vec<Event> {
        let mut events: Vec<(u64, Event)> = self.slots.iter().filter_map(Slot::read).collect();
        events.sort_unstable_by_key(|(place, _)| *place);
        events.into_iter().map(|(_, event)| event).collect()
    }
}

impl Slot {
    fn write(&self, place: u64, event: Event) {
        let writing = 2 * place + 1;
        let before = self.stamp.load(Ordering::Relaxed);
        let is_held = before % 2 == 1;
        let is_late = before > writing;
        if is_held || is_late || !self.claim(before, writing) {
            return;
        }
        fence(Ordering::Release);
        self.operation.store(event.operation, Ordering::Relaxed);
        self.thread.store(event.thread, Ordering::Relaxed);
        self.start.store(event.start_ns, Ordering::Relaxed);
        self.end.store(event.end_ns, Ordering::Relaxed);
        self.stamp.store(writing + 1, Ordering::Release);
    }

    fn claim(&self, before: u64, writing: u64) -> bool {
        let claimed =
            self.stamp
                .compare_exchange(before, writing, Ordering::Acquire, Ordering::Relaxed);
        claimed.is_ok()
    }

    fn read(&self) -> Option<(u64, Event)> {
        let stamp = self.stamp.load(Ordering::Acquire);
        if stamp == 0 || stamp % 2 == 1 {
            return None;
        }
        let event = Event {
            operation: self.operation.load(Ordering::Relaxed),
            thread: self.thread.load(Ordering::Relaxed),
            start_ns: self.start.load(Ordering::Relaxed),
            end_ns: self.end.load(Ordering::Relaxed),
        };
        fence(Ordering::Acquire);
        let whole = self.stamp.load(Ordering::Relaxed) == stamp;
        whole.then_some((stamp, event))
    }
}

/// A small number for the calling thread: 1, 2, ... in the order of their first event.
fn thread_number() -> u32 {
    static THREADS: AtomicU32 = AtomicU32::new(1);
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    #[test]
    fn the_last_events_are_kept_in_order() {
        let ring = Ring::new(3);
        assert!(ring.events().is_empty());
        for n in 0..5 {
            ring.push(OperationId(n), n.into(), u64::from(n) + 1);
        }
        let kept: Vec<u32> = ring.events().iter().map(|event| event.operation).collect();
        assert_eq!(kept, [2, 3, 4]);
        let none = Ring::new(0);
        none.push(OperationId(0), 0, 1);
        assert!(none.events().is_empty());
    }

    #[test]
    fn a_slot_that_is_being_written_is_neither_read_nor_overwritten() {
        let slot = Slot::default();
        let event = |operation| Event {
            operation,
            thread: 1,
            start_ns: 0,
            end_ns: 0,
        };
        slot.write(4, event(4));
        slot.write(2, event(2));
        assert_eq!(slot.read().unwrap().1.operation, 4);
        assert!(slot.claim(10, 13));
        assert!(slot.read().is_none());
        slot.write(8, event(8));
        assert!(slot.read().is_none());
    }

    #[test]
    fn no_event_is_torn() {
        let (ring, done) = (Ring::new(4), AtomicBool::new(false));
        thread::scope(|scope| {
            for id in 1..=3_u32 {
                let (ring, done) = (&ring, &done);
                scope.spawn(move || {
                    for round in 0..30_000_u64 {
                        let start = round * 7 + u64::from(id);
                        ring.push(OperationId(id), start, start * 3 + u64::from(id));
                    }
                    done.store(true, Ordering::Relaxed);
                });
            }
            while !done.load(Ordering::Relaxed) {
                for event in ring.events() {
                    let id = u64::from(event.operation);
                    assert_eq!(event.end_ns, event.start_ns * 3 + id);
                    assert_eq!((event.start_ns - id) % 7, 0);
                }
            }
        });
    }
}
