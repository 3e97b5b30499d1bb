//! From times to winners: which backend runs a kernel at a size, and which is fastest altogether.

use std::collections::{BTreeMap, BTreeSet};

use auralis_core::Kernel;

/// The time of each backend at one size, by id, in any one unit.
pub type SizeTimes = BTreeMap<String, f64>;

/// How much faster another backend must be before it takes a size away from the one that is fastest
/// altogether: what is less is noise, and every change of backend costs a comparison.
pub const TOLERANCE: f64 = 0.02;

/// What was measured of one kernel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelTimes {
    /// The times at each size of the kernel's [`Grid`](super::Grid), in its order; nothing where it
    /// was not measured.
    pub sizes: Vec<SizeTimes>,
    /// The backends that gave wrong answers: id to what was found.
    pub wrong: BTreeMap<String, String>,
}

impl KernelTimes {
    /// The ids that may run a size, the best first. `favourite` comes first where it is within
    /// [`TOLERANCE`] of the fastest.
    pub fn order(&self, size: usize, favourite: &str) -> Vec<&str> {
        let times = self.sizes.get(size).into_iter().flatten();
        let mut right: Vec<_> = times
            .filter(|(id, _)| !self.wrong.contains_key(*id))
            .map(|(id, time)| (id.as_str(), *time))
            .collect();
        right.sort_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((_, best)) = right.first().copied() {
            let near =
                |(id, time): &(&str, f64)| *id == favourite && *time <= best * (1.0 + TOLERANCE);
            if let Some(at) = right.iter().position(near) {
                right[..=at].rotate_right(1);
            }
        }
        right.into_iter().map(|(id, _)| id).collect()
    }
}

/// The time of each backend altogether: the geometric mean, over all kernels and sizes, of its time in
/// parts of the best. One that was not measured everywhere, or was wrong anywhere, has none.
pub fn overall(kernels: &BTreeMap<Kernel, KernelTimes>) -> SizeTimes {
    geometric_means(kernels.values().flat_map(|kernel| {
        let sizes = kernel.sizes.iter().filter(|times| !times.is_empty());
        sizes.map(|times| (times, &kernel.wrong))
    }))
}

/// The same of the variants of one kernel.
pub fn altogether(kernel: &KernelTimes) -> SizeTimes {
    let sizes = kernel.sizes.iter().filter(|times| !times.is_empty());
    geometric_means(sizes.map(|times| (times, &kernel.wrong)))
}

fn geometric_means<'a>(
    cells: impl Iterator<Item = (&'a SizeTimes, &'a BTreeMap<String, String>)>,
) -> SizeTimes {
    let mut sums: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    let mut wrong: BTreeSet<&str> = BTreeSet::new();
    let mut count = 0;
    for (times, of_kernel) in cells {
        wrong.extend(of_kernel.keys().map(String::as_str));
        let right = times.iter().filter(|(id, _)| !of_kernel.contains_key(*id));
        let best = right
            .clone()
            .fold(f64::INFINITY, |best, (_, t)| best.min(*t));
        for (id, time) in right {
            let (sum, measured) = sums.entry(id).or_default();
            *sum += (time / best).ln();
            *measured += 1;
        }
        count += 1;
    }
    sums.into_iter()
        .filter(|(id, (_, measured))| *measured == count && !wrong.contains(id))
        .map(|(id, (sum, _))| (id.to_owned(), (sum / count as f64).exp()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(sizes: &[&[(&str, f64)]], wrong: &[&str]) -> KernelTimes {
        let times = |row: &&[(&str, f64)]| {
            let row = row.iter();
            row.map(|(id, t)| ((*id).to_owned(), *t)).collect()
        };
        KernelTimes {
            sizes: sizes.iter().map(times).collect(),
            wrong: wrong
                .iter()
                .map(|id| ((*id).into(), "wrong".into()))
                .collect(),
        }
    }

    #[test]
    fn the_fastest_right_one_wins_and_noise_goes_to_the_favourite() {
        let times = kernel(
            &[&[("a", 1.0), ("b", 1.01), ("c", 0.1), ("d", 1.5)], &[]],
            &["c"],
        );
        assert_eq!(times.order(0, "b"), ["b", "a", "d"]);
        assert_eq!(times.order(0, "d"), ["a", "b", "d"]);
        assert_eq!(times.order(0, "c"), ["a", "b", "d"]);
        assert!(times.order(1, "a").is_empty() && times.order(9, "a").is_empty());
    }

    #[test]
    fn only_what_is_right_everywhere_is_compared_altogether() {
        let kernels = BTreeMap::from([
            (
                Kernel::Dot,
                kernel(&[&[("a", 2.0), ("b", 1.0), ("c", 0.5)]], &["c"]),
            ),
            (
                Kernel::Mix,
                kernel(
                    &[&[("a", 1.0), ("b", 4.0), ("c", 0.5), ("part", 0.1)], &[]],
                    &[],
                ),
            ),
        ]);
        let overall = overall(&kernels);
        assert_eq!(overall.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!((overall["a"] - 20.0_f64.sqrt()).abs() < 1e-9);
        assert!((overall["b"] - 40.0_f64.sqrt()).abs() < 1e-9);
    }
}
