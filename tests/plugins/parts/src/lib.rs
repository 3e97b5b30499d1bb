//! The buffer pools, caches, executors and profilers of Auralis as a plugin.

auralis_abi::export_plugin!(
    auralis_buffer_pool,
    auralis_cache,
    auralis_executor,
    auralis_profiler
);
