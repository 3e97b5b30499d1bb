//! No pool that calls itself real-time allocates or frees when it lends what was prepared.

use std::alloc::System;

use auralis_buffer_pool as _;
use auralis_core::{
    BufferPool, BuildContext, Contents, CpuFeatures, Linked, Options, PoolSettings,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Without a harness, whose threads would allocate meanwhile.
fn main() {
    let mut checked = Vec::new();
    for descriptor in <dyn BufferPool>::linked() {
        let pool = (descriptor.build)(&BuildContext {
            options: &Options::default(),
            settings: &PoolSettings::default(),
            cpu: CpuFeatures::NONE,
        })
        .unwrap();
        if !pool.is_real_time() {
            continue;
        }
        pool.prepare(512, 3).unwrap();
        pool.prepare(2048, 1).unwrap();
        let region = Region::new(ALLOCATOR);
        for _ in 0..1000 {
            let small = [(); 3].map(|()| pool.acquire(512, Contents::Stale).unwrap());
            let large = pool.acquire(2000, Contents::Zeroed).unwrap();
            assert!(pool.acquire(512, Contents::Stale).is_err());
            drop((small, large));
        }
        let change = region.change();
        let calls = change.allocations + change.reallocations + change.deallocations;
        assert_eq!(calls, 0, "{}: {change:?}", descriptor.id);
        checked.push(descriptor.id);
    }
    assert_eq!(checked, ["queue"]);
}
