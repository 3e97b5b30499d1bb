//! From times to winners: which backend runs a kernel at a size, and which is fastest altogether.

use std::collections::{BTreeMap, BTreeSet};

use auralis_core::Kernel;

/// The time of each backend at one size, by id, in nanoseconds.
pub type SizeTimes = BTreeMap<String, f64>;

/// How much faster another backend must be before it takes a size away from the one that is fastest
/// altogether: what is less is noise.
pub const TOLERANCE: f64 = 0.03;

/// The same in nanoseconds: one or two cycles, which the place of the code in memory may cost.
const CYCLES: f64 = 0.5;

/// What a call of a kernel on slices costs more where it goes through a table, in nanoseconds.
const TABLE: f64 = 1.0;

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
    /// [`TOLERANCE`] or half a nanosecond of the fastest.
    pub fn order(&self, size: usize, favourite: &str) -> Vec<&str> {
        let times = self.sizes.get(size).into_iter().flatten();
        let mut right: Vec<_> = times
            .filter(|(id, _)| !self.wrong.contains_key(*id))
            .map(|(id, time)| (id.as_str(), *time))
            .collect();
        right.sort_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((_, best)) = right.first().copied() {
            let near = |(id, time): &(&str, f64)| *id == favourite && *time <= near_to(best);
            if let Some(at) = right.iter().position(near) {
                right[..=at].rotate_right(1);
            }
        }
        right.into_iter().map(|(id, _)| id).collect()
    }
}

fn near_to(best: f64) -> f64 {
    (best * (1.0 + TOLERANCE)).max(best + CYCLES)
}

/// Who runs which size of which kernel.
///
/// [Kernels of one length](Kernel::has_one_length) share a way: either all calls go through a table,
/// which finds the fastest backend of each length, or none does and all go to the backend that is
/// fastest altogether. The table is there where it gains more than it costs, in the geometric mean over
/// all kernels and lengths. Where that backend lacks one of them, there is no choice.
#[derive(Clone, Debug)]
pub struct Winners<'a> {
    kernels: &'a BTreeMap<Kernel, KernelTimes>,
    favourite: &'a str,
    table: bool,
}

impl<'a> Winners<'a> {
    /// Those of what was measured, where `favourite` is fastest altogether.
    pub fn new(kernels: &'a BTreeMap<Kernel, KernelTimes>, favourite: &'a str) -> Self {
        let of_one_length = kernels.iter().filter(|(kernel, _)| kernel.has_one_length());
        let mut gains = of_one_length.flat_map(|(_, times)| {
            let measured = times.sizes.iter().enumerate();
            let measured = measured.filter(|(_, times)| !times.is_empty());
            measured.map(|(size, found)| {
                let first = *times.order(size, favourite).first()?;
                let own = found.get(favourite);
                let own = own.filter(|_| !times.wrong.contains_key(favourite))?;
                Some((own / (found[first] + TABLE)).ln())
            })
        });
        let gain = gains.try_fold(0.0, |sum, gain| Some(sum + gain?));
        Self {
            kernels,
            favourite,
            table: gain.is_none_or(|gain| gain > 0.0),
        }
    }

    /// The ids that may run a size of a kernel, the best first; none if it was not measured.
    pub fn order(&self, kernel: Kernel, size: usize) -> Vec<&'a str> {
        let Some(times) = self.kernels.get(&kernel) else {
            return Vec::new();
        };
        let mut order = times.order(size, self.favourite);
        if !self.table
            && kernel.has_one_length()
            && let Some(at) = order.iter().position(|id| *id == self.favourite)
        {
            order[..=at].rotate_right(1);
        }
        order
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
            &[
                &[("a", 100.0), ("b", 101.0), ("c", 10.0), ("d", 150.0)],
                &[],
                &[("a", 4.0), ("b", 4.4)],
            ],
            &["c"],
        );
        assert_eq!(times.order(2, "b"), ["b", "a"]);
        assert_eq!(times.order(0, "b"), ["b", "a", "d"]);
        assert_eq!(times.order(0, "d"), ["a", "b", "d"]);
        assert_eq!(times.order(0, "c"), ["a", "b", "d"]);
        assert!(times.order(1, "a").is_empty() && times.order(9, "a").is_empty());
    }

    #[test]
    fn a_table_must_gain_more_than_it_costs() {
        // `b` is faster on short slices by so much; transforms are no matter of the table.
        let winners = |short: f64| {
            let fft = kernel(&[&[("a", 100.0), ("b", 50.0)]], &[]);
            let dot = kernel(
                &[
                    &[("a", 5.0), ("b", 5.0 - short)],
                    &[("a", 20.0), ("b", 30.0)],
                    &[],
                ],
                &[],
            );
            let kernels = BTreeMap::from([(Kernel::Dot, dot), (Kernel::RealFft, fft)]);
            let winners = Winners::new(&kernels, "a");
            assert_eq!(winners.order(Kernel::RealFft, 0), ["b", "a"]);
            assert!(winners.order(Kernel::Dot, 2).is_empty());
            assert!(winners.order(Kernel::Mix, 0).is_empty());
            assert_eq!(winners.order(Kernel::Dot, 1), ["a", "b"]);
            winners.order(Kernel::Dot, 0).join(" ")
        };
        // The table is worth 5 / 4.8 on the one and costs 21 / 20 on the other.
        assert_eq!(winners(1.2), "a b");
        assert_eq!(winners(1.5), "b a");
    }

    #[test]
    fn a_favourite_that_lacks_a_kernel_leaves_no_choice() {
        for (times, wrong) in [
            (&[("b", 9.0), ("c", 8.0)][..], &[][..]),
            (&[("a", 1.0), ("c", 8.0)], &["a"]),
        ] {
            let dot = kernel(&[&[("a", 4.0), ("b", 3.2)]], &[]);
            let mix = kernel(&[times], wrong);
            let kernels = BTreeMap::from([(Kernel::Dot, dot), (Kernel::Mix, mix)]);
            let winners = Winners::new(&kernels, "a");
            assert_eq!(winners.order(Kernel::Dot, 0), ["b", "a"]);
            assert_eq!(winners.order(Kernel::Mix, 0)[0], "c");
        }
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
