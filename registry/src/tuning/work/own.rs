//! How a kernel of an author's own is called.

use auralis_core::{Kernel, UserKernel};

use super::super::Batch;
use super::cost::Cost;
use super::placement::{Stage, places};

/// What one call of such a kernel moves, with the copy that comes before it.
pub fn own_cost(length: usize, sources: usize) -> Cost {
    Cost::each(length, 4 * (2 + sources), 8, 0)
}

/// A batch of calls at this length for each variant of a kernel. The parameters lie in the middle of
/// their ranges; the sources all hold the same samples. A copy of the samples is a part of each call.
pub fn own_kernel(length: usize, variants: &[UserKernel]) -> Vec<Batch<'static>> {
    let places = places(Kernel::Scale, [length, 0]);
    let batch = |kernel: &UserKernel| {
        let facts = kernel.facts();
        let middle = |(_, min, max): &(String, f32, f32)| min / 2.0 + max / 2.0;
        let parameters: Vec<f32> = facts.parameters.iter().map(middle).collect();
        let (count, kernel) = (facts.sources, kernel.clone());
        let mut stage = Stage::new(&places);
        let batch: Batch<'static> = Box::new(move |calls| {
            stage.time(|o| {
                let mut sources: [&[f32]; auralis_core::MAX_CHANNELS] =
                    [&[]; auralis_core::MAX_CHANNELS];
                sources[..count].fill(&o.other);
                for _ in 0..calls {
                    // What the kernel leaves may be anything: each call begins with the samples.
                    o.data.copy_from_slice(&o.third);
                    kernel.call(&mut o.data, &sources[..count], &parameters)?;
                }
                Ok(())
            })
        });
        batch
    };
    variants.iter().map(batch).collect()
}
