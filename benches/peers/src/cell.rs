//! One comparison: entries that do the same work on the same data, checked and then timed in turn.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// How long one batch of calls lasts: short enough to fall between two time slices.
const BATCH_NS: f64 = 30_000.0;
/// Above this, a call spans time slices: then the process's own time is measured.
const LONG_NS: f64 = 500_000.0;

const OURS: &str = "Auralis";
const CONTROL: &str = "Auralis again";

/// How much time a comparison may take.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The fewest rounds of a cell.
    pub least_rounds: usize,
    /// The most rounds of a cell.
    pub most_rounds: usize,
    /// How long a cell is measured, beyond the fewest rounds.
    pub budget_ns: f64,
}

impl Effort {
    /// What a figure that is kept is measured with.
    pub const FULL: Self = Self {
        least_rounds: 20,
        most_rounds: 400,
        budget_ns: 2e8,
    };
    /// For a look.
    pub const QUICK: Self = Self {
        least_rounds: 3,
        most_rounds: 60,
        budget_ns: 2e7,
    };
}

/// What a cell is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The kernel.
    pub kernel: &'static str,
    /// The size, as the table says it.
    pub size: String,
}

/// A peer and why it was not timed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRun {
    /// The peer.
    pub who: String,
    /// Why.
    pub why: String,
}

/// The least time of every entry of a cell, in nanoseconds a call.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The cell.
    pub key: Key,
    /// Ours and its control; none if ours gave a wrong answer.
    pub ours: Option<(f64, f64)>,
    /// The peers that were timed.
    pub peers: Vec<(String, f64)>,
    /// Those that were not.
    pub not_run: Vec<NotRun>,
}

type Calls<'a, D> = Box<dyn FnMut(&mut D, u32) + 'a>;
type Read<D> = fn(&D) -> Vec<f64>;

struct Entry<'a, D> {
    who: String,
    calls: Calls<'a, D>,
    /// Reads the answer; none for a loop that only moves memory.
    read: Option<Read<D>>,
    /// Times itself, in another process: nanoseconds for so many calls.
    timed_elsewhere: Option<Box<dyn FnMut(u32) -> f64 + 'a>>,
}

/// Entries on the same data.
pub struct Cell<'a, D> {
    key: Key,
    data: D,
    expected: Vec<f64>,
    tolerance: f64,
    read: Read<D>,
    entries: Vec<Entry<'a, D>>,
    not_run: Vec<NotRun>,
    process_time: bool,
}

impl<'a, D: Clone + 'a> Cell<'a, D> {
    /// A comparison on `data`. After one call of an entry on a copy of it, what `read` finds must be
    /// within `tolerance` of `expected`, relative to the largest magnitude there.
    pub fn new(
        kernel: &'static str,
        size: impl ToString,
        data: D,
        expected: Vec<f64>,
        tolerance: f64,
        read: Read<D>,
    ) -> Self {
        Self {
            key: Key {
                kernel,
                size: size.to_string(),
            },
            data,
            expected,
            tolerance,
            read,
            entries: Vec::new(),
            not_run: Vec::new(),
            process_time: false,
        }
    }

    /// Measures the time that all threads of the process take, whatever a call lasts: for entries
    /// that have threads of their own.
    pub fn process_time(mut self) -> Self {
        self.process_time = true;
        self
    }

    /// Adds ours, and ours again as the control: what the two differ by is noise.
    pub fn ours<F: FnMut(&mut D) + 'a>(mut self, make: impl Fn() -> F) -> Self {
        for who in [OURS, CONTROL] {
            let read = self.read;
            self.push(who, make(), Some(read));
        }
        self
    }

    /// Adds a peer, or why it can't be had.
    pub fn peer<F: FnMut(&mut D) + 'a>(self, who: &str, call: Result<F, impl ToString>) -> Self {
        let read = self.read;
        self.peer_read(who, call, read)
    }

    /// Adds a peer whose answer is read in its own way.
    pub fn peer_read<F: FnMut(&mut D) + 'a>(
        mut self,
        who: &str,
        call: Result<F, impl ToString>,
        read: Read<D>,
    ) -> Self {
        match call {
            Ok(call) => self.push(who, call, Some(read)),
            Err(why) => self.not_run.push(NotRun {
                who: who.into(),
                why: why.to_string(),
            }),
        }
        self
    }

    /// Adds a peer in another process, which times itself: `answer` puts its answer into the data.
    pub fn peer_elsewhere<A: FnMut(&mut D) + 'a, T: FnMut(u32) -> f64 + 'a>(
        mut self,
        who: &str,
        peer: Result<(A, T), impl ToString>,
    ) -> Self {
        match peer {
            Ok((answer, time)) => {
                let read = self.read;
                self.push(who, answer, Some(read));
                if let Some(entry) = self.entries.last_mut() {
                    entry.timed_elsewhere = Some(Box::new(time));
                }
            }
            Err(why) => self.not_run.push(NotRun {
                who: who.into(),
                why: why.to_string(),
            }),
        }
        self
    }

    /// Adds what has no answer: a loop that shows how fast the machine can be at all.
    pub fn limit<F: FnMut(&mut D) + 'a>(mut self, who: &str, call: F) -> Self {
        self.push(who, call, None);
        self
    }

    fn push(&mut self, who: &str, mut call: impl FnMut(&mut D) + 'a, read: Option<Read<D>>) {
        self.entries.push(Entry {
            who: who.into(),
            calls: Box::new(move |data, calls| {
                for _ in 0..calls {
                    call(data);
                }
            }),
            read,
            timed_elsewhere: None,
        });
    }

    /// Checks every entry, and times in turn those that are right.
    pub fn measure(mut self, effort: Effort) -> Measured {
        self.drop_the_wrong();
        let times = self.times(effort);
        let mut timed: Vec<_> = self
            .entries
            .into_iter()
            .map(|entry| entry.who)
            .zip(times)
            .collect();
        let of = |who| {
            timed
                .iter()
                .find(|(entry, _)| entry == who)
                .map(|(_, ns)| *ns)
        };
        let ours = of(OURS).zip(of(CONTROL));
        timed.retain(|(who, _)| who != OURS && who != CONTROL);
        let measured = Measured {
            key: self.key,
            ours,
            peers: timed,
            not_run: self.not_run,
        };
        progress(&measured);
        measured
    }

    fn drop_the_wrong(&mut self) {
        let Self {
            data,
            expected,
            tolerance,
            not_run,
            entries,
            ..
        } = self;
        entries.retain_mut(|entry| {
            let mut copy = data.clone();
            (entry.calls)(&mut copy, 1);
            let fault = entry
                .read
                .and_then(|read| fault(&read(&copy), expected, *tolerance));
            if let Some(why) = &fault {
                let who = entry.who.clone();
                not_run.push(NotRun {
                    who,
                    why: format!("wrong answer: {why}"),
                });
            }
            fault.is_none()
        });
    }

    /// The least time of a call of every entry.
    fn times(&mut self, effort: Effort) -> Vec<f64> {
        let Self {
            data,
            entries,
            process_time,
            ..
        } = self;
        // The first figures only say how many calls make a batch, and on which clock.
        let mut least: Vec<f64> = entries
            .iter_mut()
            .map(|entry| {
                time(entry, data, 1, false);
                time(entry, data, 1, false)
            })
            .collect();
        let plan: Vec<(u32, bool)> = entries
            .iter_mut()
            .zip(&least)
            .map(|(entry, once)| {
                let calls = (BATCH_NS / once).clamp(1.0, 10_000.0) as u32;
                let exact = time(entry, data, calls, false) / f64::from(calls);
                let calls = (BATCH_NS / exact).clamp(1.0, 100_000.0) as u32;
                (calls, *process_time || exact > LONG_NS)
            })
            .collect();
        let round: f64 = plan
            .iter()
            .zip(&least)
            .map(|(p, t)| f64::from(p.0) * t)
            .sum();
        let rounds =
            ((effort.budget_ns / round) as usize).clamp(effort.least_rounds, effort.most_rounds);
        least.fill(f64::INFINITY);
        for round in 0..rounds {
            for turn in 0..entries.len() {
                // Nobody is always first.
                let i = (turn + round) % entries.len();
                let (calls, process) = plan[i];
                let entry = &mut entries[i];
                if calls > 1 {
                    (entry.calls)(data, 1);
                }
                least[i] = least[i].min(time(entry, data, calls, process) / f64::from(calls));
            }
        }
        least
    }
}

fn time<D>(entry: &mut Entry<'_, D>, data: &mut D, calls: u32, process: bool) -> f64 {
    if let Some(elsewhere) = &mut entry.timed_elsewhere {
        return elsewhere(calls);
    }
    if process {
        let began = process_ns();
        (entry.calls)(data, calls);
        return process_ns() - began;
    }
    let began = Instant::now();
    (entry.calls)(data, calls);
    began.elapsed().as_nanos() as f64
}

/// The time that all threads of this process have run.
fn process_ns() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// What is wrong with an answer.
fn fault(found: &[f64], expected: &[f64], tolerance: f64) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!(
            "{} values in place of {}",
            found.len(),
            expected.len()
        ));
    }
    let largest = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let allowed = tolerance * largest;
    let wrong = found
        .iter()
        .zip(expected)
        .position(|(f, e)| (f - e).abs() > allowed || f.is_nan())?;
    Some(format!(
        "{} in place of {} at {wrong} (allowed: {allowed:.3e})",
        found[wrong], expected[wrong]
    ))
}

fn progress(measured: &Measured) {
    let Key { kernel, size } = &measured.key;
    let peers: Vec<_> = measured
        .peers
        .iter()
        .map(|(who, ns)| format!("{who} {ns:.1}"))
        .collect();
    let (ours, control) = measured.ours.unwrap_or((f64::NAN, f64::NAN));
    eprintln!(
        "{kernel} {size}: Auralis {ours:.1}, again {control:.1}, {}",
        peers.join(", ")
    );
}
