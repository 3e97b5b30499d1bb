//! The five chosen backends.

use std::sync::Arc;

use auralis_core::{Accelerator, BufferPool, Cache, Executor, Profiler};

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
