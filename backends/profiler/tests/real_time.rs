//! No profiler allocates when it records.

use std::alloc::System;

use auralis_core::{
    BuildContext, CpuFeatures, Linked, Operation, Options, Profiler, ProfilerSettings,
};
use auralis_profiler as _;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Without a harness, whose threads would allocate meanwhile.
fn main() {
    let mut checked = Vec::new();
    for descriptor in <dyn Profiler>::linked() {
        let profiler = (descriptor.build)(&BuildContext {
            options: &Options::default(),
            settings: &ProfilerSettings::default(),
            cpu: CpuFeatures::NONE,
        })
        .unwrap();
        let id = profiler.register(&Operation::named("block"));
        let region = Region::new(ALLOCATOR);
        for start in 0..10_000 {
            profiler.record(id, start, start * 3);
        }
        let change = region.change();
        let calls = change.allocations + change.reallocations + change.deallocations;
        assert_eq!(calls, 0, "{}: {change:?}", descriptor.id);
        checked.push(descriptor.id);
    }
    checked.sort_unstable();
    assert_eq!(checked, ["histogram", "none", "trace"]);
}
