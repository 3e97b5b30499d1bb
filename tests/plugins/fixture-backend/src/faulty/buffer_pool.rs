//! The buffer pool `faulty`.

use std::sync::Arc;

use auralis_core::{
    Buffer, BufferPool, Contents, CpuFeatures, Descriptor, Error, ErrorKind, Lender, PoolStats,
    Result, Storage, register,
};

use super::{SCHEMA, Switches, UNLUCKY, flush_to_zero};

#[derive(Debug)]
struct Faulty(#[allow(dead_code, reason = "it is there for its drop")] Switches);

register! {
    Descriptor::<dyn BufferPool> {
        id: "faulty",
        summary: "Panics when it is asked for 13, lends no empty buffer, and drops what has 7",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: &[],
        options_schema: SCHEMA,
        build: |context| Ok(Arc::new(Faulty(Switches::of(context.options)?))),
    }
}

impl BufferPool for Faulty {
    fn prepare(&self, _: usize, count: usize) -> Result<()> {
        assert!(count != UNLUCKY, "{count} buffers are too many");
        Ok(())
    }

    fn acquire(&self, len: usize, _: Contents) -> Result<Buffer> {
        assert!(len != UNLUCKY, "{len} samples are unlucky");
        match len {
            0 => Err(Error::new(ErrorKind::Exhausted, "nothing is left").with("samples", len)),
            _ => Buffer::lend(Storage::zeroed(len)?, len, Arc::new(Clumsy), 0),
        }
    }

    fn is_real_time(&self) -> bool {
        false
    }

    fn stats(&self) -> PoolStats {
        flush_to_zero();
        PoolStats {
            peak: 4,
            ..PoolStats::default()
        }
    }
}

struct Clumsy;

impl Lender for Clumsy {
    fn release(&self, storage: Storage, _: usize) {
        flush_to_zero();
        assert!(storage.len() != 7, "seven samples fell down");
    }
}
