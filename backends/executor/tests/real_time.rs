//! No executor that calls itself real-time allocates after its first call, on any of its threads.

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};

use auralis_core::{BuildContext, CpuFeatures, Executor, ExecutorSettings, Linked, Options};
use auralis_executor as _;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Without a harness, whose threads would allocate meanwhile.
fn main() {
    let mut checked = Vec::new();
    for descriptor in <dyn Executor>::linked() {
        let executor = (descriptor.build)(&BuildContext {
            options: &Options::default(),
            settings: &ExecutorSettings {
                threads: 3,
                helpers: 2,
            },
            cpu: CpuFeatures::NONE,
        })
        .unwrap();
        if !executor.is_real_time() {
            continue;
        }
        let sum = AtomicUsize::new(0);
        let nested = |range: std::ops::Range<usize>| {
            sum.fetch_add(range.len(), Ordering::Relaxed);
        };
        let task = |range: std::ops::Range<usize>| {
            if executor.for_ranges(range.len(), 1, &nested).is_err() {
                sum.store(usize::MAX / 2, Ordering::Relaxed);
            }
        };
        // The helpers allocate what their threads need while they start: wait until each has run.
        for _ in 0..200 {
            executor.for_ranges(64, 1, &task).unwrap();
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        sum.store(0, Ordering::Relaxed);
        let region = Region::new(ALLOCATOR);
        for _ in 0..1000 {
            executor.for_ranges(64, 1, &task).unwrap();
        }
        let change = region.change();
        assert_eq!(sum.into_inner(), 64_000);
        assert_eq!(
            change.allocations + change.reallocations,
            0,
            "{}: {change:?}",
            descriptor.id
        );
        checked.push(descriptor.id);
    }
    checked.sort_unstable();
    assert_eq!(checked, ["pinned", "sequential"]);
}
