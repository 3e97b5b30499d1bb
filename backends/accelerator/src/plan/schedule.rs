//! Which sizes the partitions of a streaming convolution have, by a model of what they cost.

use std::ops::Range;

use super::cost::{products, transform};

/// Partitions of one size: whole multiples of the head's block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) block: usize,
    /// The taps that these partitions hold.
    pub(super) taps: Range<usize>,
}

/// How much more than the average call the longest may cost.
const UNEVEN: f64 = 3.0;

/// The head's blocks that a larger partition may be as long as.
const RATIOS: [usize; 6] = [4, 8, 16, 32, 64, 128];

/// The sizes that cost least on average among those whose longest call is not much longer than the
/// others: up to two larger ones behind the head.
pub(super) fn schedule(taps: usize, block: usize) -> Vec<Part> {
    let one = RATIOS.iter().map(|&ratio| vec![ratio]);
    let two = RATIOS.iter().flat_map(|&first| {
        let more = RATIOS.iter().map(move |&second| first * second);
        more.map(move |second| vec![first, second])
    });
    one.chain(two)
        .filter(|ratios| 2 * block * ratios[ratios.len() - 1] < taps)
        .map(|ratios| parts(taps, block, &ratios))
        .chain([parts(taps, block, &[])])
        .map(|parts| (cost(&parts), parts))
        .filter(|(cost, _)| cost.longest <= UNEVEN * cost.mean)
        .min_by(|(a, _), (b, _)| a.mean.total_cmp(&b.mean))
        .map(|(_, parts)| parts)
        .expect("all calls of a uniform schedule cost the same")
}

/// Each size begins two of its partitions into the response: an input of that size must be whole,
/// and then there is as much time again to work on it.
pub(super) fn parts(taps: usize, block: usize, ratios: &[usize]) -> Vec<Part> {
    let blocks: Vec<_> = [1].iter().chain(ratios).map(|r| r * block).collect();
    let begins = |index: usize| if index == 0 { 0 } else { 2 * blocks[index] };
    (0..blocks.len())
        .map(|index| Part {
            block: blocks[index],
            taps: begins(index)..if index + 1 < blocks.len() {
                begins(index + 1)
            } else {
                taps
            },
        })
        .collect()
}

/// Nanoseconds per call of one block of the head.
struct Cost {
    mean: f64,
    longest: f64,
}

fn cost(parts: &[Part]) -> Cost {
    let head = &parts[0];
    let call = 2.0 * transform(2 * head.block) + all_products(head);
    let mut cost = Cost {
        mean: call,
        longest: call,
    };
    let mut longest_transform = 0.0f64;
    for (index, part) in parts.iter().enumerate().skip(1) {
        let steps = part.block / head.block;
        let transform = transform(2 * part.block);
        cost.mean += (2.0 * transform + all_products(part)) / steps as f64;
        cost.longest += all_products(part) / (steps - 2 * index) as f64;
        longest_transform = longest_transform.max(transform);
    }
    cost.longest += longest_transform;
    cost
}

fn all_products(part: &Part) -> f64 {
    part.taps.len().div_ceil(part.block) as f64 * products(part.block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_cover_the_response_and_leave_time_for_their_work() {
        for block in [64, 100, 512, 8192] {
            for taps in [2 * block + 1, 8192, 65_536, 1 << 20] {
                let parts = schedule(taps, block);
                assert_eq!(parts[0].block, block);
                let mut end = 0;
                for (index, part) in parts.iter().enumerate() {
                    assert_eq!(part.taps.start, end, "{block} {taps} {parts:?}");
                    assert!(!part.taps.is_empty(), "{block} {taps} {parts:?}");
                    end = part.taps.end;
                    if index > 0 {
                        assert_eq!(part.taps.start, 2 * part.block);
                        assert!((part.block / block).is_multiple_of(4));
                    }
                }
                assert_eq!(end, taps);
                let Cost { mean, longest } = cost(&parts);
                assert!(longest <= UNEVEN * mean);
            }
        }
    }

    #[test]
    fn long_responses_get_longer_partitions_and_short_ones_none() {
        assert_eq!(schedule(512, 64).len(), 1);
        for (taps, block) in [(65_536, 64), (65_536, 512), (1 << 20, 64)] {
            assert!(schedule(taps, block).len() > 1, "{taps} {block}");
        }
    }
}
