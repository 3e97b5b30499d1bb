//! The limiter's gain law: from the peaks of cells to the gains at their edges.

use super::Limiter;

/// Makes of each cell's peak the gain at a cell's edge, a fixed number of cells later.
///
/// With `r[i] = min(1, ceiling / peak[i])` the gain that cell `i` needs, and `k` cells of
/// look-ahead:
///
/// - `v[i] = min(r[i-1], ..., r[i+k])`: what the edge before cell `i` must obey, looking ahead;
/// - `w[i] = min(v[i], 1 - (1 - w[i-1]) a)`: it falls at once and rises with the release constant;
/// - `g[i] = mean(w[i-k], ..., w[i])`: smooth, and still no larger than `r[i-1]` and `r[i]`.
///
/// Each cell is bounded at both of its edges by what it needs, so a straight line between them keeps
/// it under the ceiling. The loudness solve runs the same law over a whole file in memory.
#[derive(Clone, Debug)]
pub struct Law {
    ceiling: f32,
    release: f32,
    /// The last `k + 2` needed gains, and the last `k + 1` released ones.
    needed: Ring,
    released: Ring,
    /// Whether all of them are 1.
    resting: bool,
}

/// A gain that has risen this far is 1, as is one that rounding keeps from rising on.
const RELEASED: f32 = 1.0 - 1e-6;

#[derive(Clone, Debug)]
struct Ring {
    values: Vec<f32>,
    next: usize,
}

impl Ring {
    fn of_ones(len: usize) -> Self {
        Self {
            values: vec![1.0; len],
            next: 0,
        }
    }

    fn push(&mut self, value: f32) {
        self.values[self.next] = value;
        self.next += 1;
        if self.next == self.values.len() {
            self.next = 0;
        }
    }

    /// The value that was pushed last.
    fn last(&self) -> f32 {
        let before = self.next.checked_sub(1);
        self.values[before.unwrap_or(self.values.len() - 1)]
    }
}

impl Law {
    pub(super) fn new(limiter: &Limiter, cells_per_second: f64) -> Self {
        let cells = (limiter.lookahead_ms / 1000.0 * cells_per_second)
            .round()
            .max(1.0) as usize;
        let release = (-1000.0 / (limiter.release_ms * cells_per_second)).exp();
        Self {
            ceiling: limiter.ceiling(),
            release: release as f32,
            needed: Ring::of_ones(cells + 2),
            released: Ring::of_ones(cells + 1),
            resting: true,
        }
    }

    /// The cells by which the audio must lie behind the peaks: when the peak of cell `n` is known,
    /// [`next`](Self::next) gives the gain at the end of cell `n + 1 - latency`, where the audio that
    /// goes out next ends.
    pub fn latency(&self) -> usize {
        self.needed.values.len()
    }

    /// Takes the peak of the next cell and gives the gain of the next edge.
    pub fn next(&mut self, peak: f32) -> f32 {
        let exceeds = peak > self.ceiling;
        if self.resting && !exceeds {
            return 1.0;
        }
        self.needed
            .push(if exceeds { self.ceiling / peak } else { 1.0 });
        let allowed = self.needed.values.iter().copied().fold(1.0, lesser);
        let last = self.released.last();
        let rising = 1.0 - (1.0 - last) * self.release;
        let risen = if last < rising && rising < RELEASED {
            rising
        } else {
            1.0
        };
        self.released.push(allowed.min(risen));
        let released = &self.released.values;
        let (mut sum, mut smallest, mut largest) = (0.0, 1.0, 0.0);
        for &gain in released {
            sum += gain;
            smallest = lesser(smallest, gain);
            largest = greater(largest, gain);
        }
        self.resting = lesser(allowed, smallest) == 1.0;
        // A mean of equal gains must not exceed them by rounding, nor 1 where nothing is limited.
        lesser(sum / released.len() as f32, largest)
    }

    /// Forgets what came before.
    pub fn reset(&mut self) {
        self.needed.values.fill(1.0);
        self.released.values.fill(1.0);
        self.resting = true;
    }
}

/// The lesser of two numbers in one instruction: what [`f32::min`] does about NaN, which no gain is,
/// takes as long again.
fn lesser(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

fn greater(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law() -> Law {
        let limiter = Limiter {
            ceiling_dbtp: -1.0,
            lookahead_ms: 5.0,
            release_ms: 60.0,
        };
        Law::new(&limiter, 44_100.0 / 64.0)
    }

    #[test]
    fn no_cell_exceeds_the_ceiling_between_its_edges() {
        let mut seed = 7u64;
        let peaks: Vec<f32> = (0..5000)
            .map(|i| {
                seed = seed
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                let random = (seed >> 40) as f32 / (1u64 << 24) as f32;
                if i % 1000 < 300 {
                    random * 0.5
                } else {
                    random * 4.0
                }
            })
            .collect();
        let mut law = law();
        let (latency, ceiling) = (law.latency(), law.ceiling);
        let edges: Vec<f32> = peaks.iter().map(|&peak| law.next(peak)).collect();
        // After the peak of cell n, the edge at the end of cell n + 1 - latency.
        for cell in 1..peaks.len() - latency {
            let (start, end) = (edges[cell + latency - 2], edges[cell + latency - 1]);
            let loudest = peaks[cell] * start.max(end);
            assert!(loudest <= ceiling * 1.000_001, "cell {cell}: {loudest}");
        }
    }

    #[test]
    fn what_needs_no_limiting_keeps_its_gain_exactly() {
        let mut law = law();
        assert!((0..1000).all(|_| law.next(0.88) == 1.0));
    }

    #[test]
    fn the_gain_returns_after_a_peak() {
        let mut law = law();
        law.next(8.0);
        let gains: Vec<f32> = (0..2000).map(|_| law.next(0.1)).collect();
        assert!(gains.iter().copied().fold(1.0, f32::min) < 0.12);
        assert!(gains[1999] > 0.9999);
    }

    #[test]
    fn the_gain_arrives_at_1_however_slowly() {
        for release_ms in [1.0, 60.0, 10_000.0] {
            let limiter = Limiter {
                ceiling_dbtp: -1.0,
                lookahead_ms: 5.0,
                release_ms,
            };
            let mut law = Law::new(&limiter, 44_100.0 / 64.0);
            law.next(8.0);
            let gain = (0..100_000).map(|_| law.next(0.1)).last();
            assert_eq!(gain, Some(1.0), "{release_ms} ms");
        }
    }
}
