//! The gated mean of ITU-R BS.1770-4 and the loudness range of EBU Tech 3342, in constant memory.

/// The loudness of a weighted mean square, in LUFS.
pub fn lufs_of_energy(energy: f64) -> f64 {
    -0.691 + 10.0 * energy.log10()
}

/// Below this a block does not count at all, in LUFS.
const ABSOLUTE_GATE: f64 = -70.0;
/// How far below the mean of what remains a block no longer counts, in LU.
const RELATIVE_GATE: f64 = -10.0;
/// The same for the loudness range, and the shares of what remains between whose ends it lies.
const RANGE_GATE: f64 = -20.0;
const RANGE: [f64; 2] = [0.10, 0.95];
/// Blocks are sorted into bins so narrow, in LU, that only one bin straddles the relative gate.
const BIN: f64 = 0.01;
const BINS: usize = 9_000;

/// Collects the energies of gating blocks and gives their gated mean.
///
/// The count and the sum of the energies are kept per bin of 0.01 LU from -70 to +20 LUFS, so memory
/// does not grow; only the blocks in the one bin at the relative gate are counted all or none.
#[derive(Clone, Debug)]
pub struct Gate {
    bins: Vec<(u64, f64)>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            bins: vec![(0, 0.0); BINS],
        }
    }
}

impl Gate {
    /// Adds a block of this weighted mean square.
    pub fn add(&mut self, energy: f64) {
        let lufs = lufs_of_energy(energy);
        if lufs >= ABSOLUTE_GATE {
            let bin = (((lufs - ABSOLUTE_GATE) / BIN) as usize).min(BINS - 1);
            self.bins[bin].0 += 1;
            self.bins[bin].1 += energy;
        }
    }

    /// The gated loudness in LUFS; negative infinity if no block passed the absolute gate.
    pub fn loudness(&self) -> f64 {
        lufs_of_energy(mean(&self.bins[self.first_above(RELATIVE_GATE)..]))
    }

    /// The loudness range in LU, of blocks of 3 s (EBU Tech 3342); 0 if no block passed the absolute
    /// gate.
    pub fn range(&self) -> f64 {
        let first = self.first_above(RANGE_GATE);
        let count: u64 = self.bins[first..].iter().map(|(count, _)| count).sum();
        let [low, high] = RANGE.map(|share| {
            let mut before = (count.saturating_sub(1) as f64 * share).round() as u64;
            let found = self.bins[first..].iter().position(|&(count, _)| {
                let here = before < count;
                before = before.saturating_sub(count);
                here
            });
            found.unwrap_or(0)
        });
        (high - low) as f64 * BIN
    }

    /// The bin of the relative gate, so far below the mean of what passed the absolute one.
    fn first_above(&self, relative: f64) -> usize {
        let threshold = lufs_of_energy(mean(&self.bins)) + relative;
        let first = ((threshold - ABSOLUTE_GATE) / BIN).max(0.0) as usize;
        first.min(BINS - 1)
    }

    /// Forgets every block.
    pub fn reset(&mut self) {
        self.bins.fill((0, 0.0));
    }
}

fn mean(bins: &[(u64, f64)]) -> f64 {
    let (count, sum) = bins
        .iter()
        .fold((0, 0.0), |(n, s), (count, sum)| (n + count, s + sum));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn energy(lufs: f64) -> f64 {
        10f64.powf((lufs + 0.691) / 10.0)
    }

    #[test]
    fn quiet_blocks_do_not_count() {
        let mut gate = Gate::default();
        assert_eq!(gate.loudness(), f64::NEG_INFINITY);
        (0..100).for_each(|_| gate.add(energy(-75.0)));
        assert_eq!(gate.loudness(), f64::NEG_INFINITY);
        (0..100).for_each(|_| gate.add(energy(-20.0)));
        (0..100).for_each(|_| gate.add(energy(-40.0)));
        assert!((gate.loudness() + 20.0).abs() < 1e-9, "{}", gate.loudness());
    }

    #[test]
    fn the_range_leaves_out_the_rarest_and_the_quiet() {
        let mut gate = Gate::default();
        assert_eq!(gate.range(), 0.0);
        (0..5).for_each(|_| gate.add(energy(-60.0)));
        (0..5).for_each(|_| gate.add(energy(-35.0)));
        (0..46).for_each(|_| gate.add(energy(-30.0)));
        (0..46).for_each(|_| gate.add(energy(-20.0)));
        (0..3).for_each(|_| gate.add(energy(-10.0)));
        assert!((gate.range() - 10.0).abs() <= 2.0 * BIN, "{}", gate.range());
    }

    #[test]
    fn blocks_above_the_relative_gate_are_averaged_in_energy() {
        let mut gate = Gate::default();
        gate.add(energy(-20.0));
        gate.add(energy(-25.0));
        let mean = lufs_of_energy((energy(-20.0) + energy(-25.0)) / 2.0);
        assert!((gate.loudness() - mean).abs() < 1e-9);
    }
}
