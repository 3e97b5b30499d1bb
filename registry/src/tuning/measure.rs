//! Timing: several ways to do the same, in turn, and the least time of each.

use std::time::{Duration, Instant};

use auralis_core::Result;

/// Does its work as many times as it is told, and says how long that took.
pub type Batch<'a> = Box<dyn FnMut(u32) -> Result<Duration> + 'a>;

/// How long a batch should take: far below a time slice of the system, so that many batches see no
/// interruption, and far above what reading the clock costs.
const BATCH: Duration = Duration::from_micros(40);

/// The fewest rounds, whatever the time allows.
const FEWEST_ROUNDS: u32 = 3;

/// What is slower than the fastest by this factor can't win: it sits out once that is plain.
const HOPELESS: f64 = 2.0;

/// The rounds after which it is.
const PLAIN: u32 = 8;

/// One who takes part.
struct Entrant {
    calls: u32,
    least: Result<f64>,
}

/// The least time of one call of each, in nanoseconds, over as many rounds as `time` allows. Each
/// round takes every batch once, and begins with another one than the round before.
///
/// What fails, in whichever round, has its error for a time.
pub fn least_times(batches: &mut [Batch<'_>], time: Duration) -> Vec<Result<f64>> {
    let end = Instant::now() + time;
    let mut entrants: Vec<Entrant> = batches.iter_mut().map(|b| enter(b)).collect();
    let count = batches.len();
    let mut round = 0;
    while count > 0 && (round < FEWEST_ROUNDS || Instant::now() < end) {
        let best = entrants.iter().filter_map(|e| e.least.as_ref().ok());
        let limit = match round < PLAIN {
            true => f64::INFINITY,
            false => HOPELESS * best.fold(f64::INFINITY, |best, time| best.min(*time)),
        };
        for place in 0..count {
            let index = (place + round as usize) % count;
            let Entrant { calls, least } = &mut entrants[index];
            let Ok(so_far) = least else { continue };
            if *so_far > limit {
                continue;
            }
            match batches[index](*calls) {
                Ok(took) => *so_far = so_far.min(per_call(took, *calls)),
                Err(error) => *least = Err(error),
            }
        }
        round += 1;
    }
    entrants.into_iter().map(|entrant| entrant.least).collect()
}

/// Finds out how many calls fill a batch.
fn enter(batch: &mut Batch<'_>) -> Entrant {
    // The first call meets cold caches and pages that were never touched.
    let mut took = batch(1);
    let mut calls = 1;
    while let Ok(last) = took
        && last < BATCH
        && calls < MOST_CALLS
    {
        let wanted = BATCH.as_nanos() / last.as_nanos().max(1) + 1;
        calls = (u128::from(calls) * wanted.clamp(2, 16)).min(u128::from(MOST_CALLS)) as u32;
        took = batch(calls);
    }
    Entrant {
        calls,
        least: took.map(|took| per_call(took, calls)),
    }
}

/// Kernels that work in place are called on what they left: not so often that it fades away.
const MOST_CALLS: u32 = 1 << 13;

fn per_call(took: Duration, calls: u32) -> f64 {
    // A clock that has not moved says nothing of the work: count it as a nanosecond.
    took.as_nanos().max(1) as f64 / f64::from(calls)
}

#[cfg(test)]
mod tests {
    use auralis_core::{Error, ErrorKind};

    use super::*;

    #[test]
    fn each_has_its_least_time_and_what_fails_its_error() {
        let each = |nanos: u64| -> Batch<'static> {
            let mut noise = 7;
            Box::new(move |calls| {
                noise = noise * 5 % 11;
                Ok(Duration::from_nanos(u64::from(calls) * nanos + noise))
            })
        };
        let mut left = 2;
        let failing: Batch<'_> = Box::new(move |_| match left {
            0 => Err(Error::new(ErrorKind::Io, "worn out")),
            _ => {
                left -= 1;
                Ok(Duration::from_micros(50))
            }
        });
        let mut batches = [each(100), each(4000), failing];
        let times = least_times(&mut batches, Duration::from_millis(1));
        assert!((100.0..101.0).contains(times[0].as_ref().unwrap()));
        assert!((4000.0..4010.0).contains(times[1].as_ref().unwrap()));
        assert_eq!(times[2].as_ref().unwrap_err().message(), "worn out");
        assert!(least_times(&mut [], Duration::ZERO).is_empty());
    }
}
