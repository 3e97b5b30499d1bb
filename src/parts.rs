//! The five chosen backends.

use std::sync::Arc;

use auralis_core::{
    Accelerator, Buffer, BufferPool, Cache, Contents, ErrorKind, Executor, Profiler, Result,
};

/// One backend of each kind: what a session, a meter or a mastering job works with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Kernels.
    pub accelerator: Arc<dyn Accelerator>,
    /// Sample memory.
    pub buffer_pool: Arc<dyn BufferPool>,
    /// Results by content.
    pub cache: Arc<dyn Cache>,
    /// Threads.
    pub executor: Arc<dyn Executor>,
    /// Durations.
    pub profiler: Arc<dyn Profiler>,
}

impl Parts {
    /// A buffer for something that is being prepared: one that an earlier user has given back, else
    /// one that the pool makes now. Not for a real-time thread.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Exhausted`] beyond the pool's budget.
    pub fn buffer(&self, len: usize, contents: Contents) -> Result<Buffer> {
        const ATTEMPTS: usize = 100;

        let mut outcome = self.buffer_pool.acquire(len, contents);
        for _ in 0..ATTEMPTS {
            match &outcome {
                Err(error) if error.kind() == ErrorKind::Exhausted => {}
                _ => break,
            }
            // Another thread may take what is made here: then another one is made.
            self.buffer_pool.prepare(len, 1)?;
            outcome = self.buffer_pool.acquire(len, contents);
        }
        outcome
    }

    /// The same for work that must not fail for want of budget: beyond it, memory of no pool.
    pub(crate) fn scratch(&self, len: usize) -> Result<Buffer> {
        self.buffer(len, Contents::Zeroed)
            .or_else(|error| match error.kind() {
                ErrorKind::Exhausted => {
                    tracing::debug!(
                        samples = len,
                        "the buffer pool is used up: memory of no pool"
                    );
                    Buffer::unpooled(len)
                }
                _ => Err(error),
            })
    }
}
