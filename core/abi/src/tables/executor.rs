//! The table of executors.

use std::ffi::c_void;

use abi_stable::StableAbi;

use super::Interface;
use crate::kernel_table;
use crate::wire::{Instance, Message, Status};

/// The host's work over a range of indices.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct Task {
    /// What `call` takes first. It lives until `for_ranges` returns.
    pub context: *const c_void,
    /// Works on `start..end`, from any thread, several at once. It always returns: the host keeps
    /// its own panics and reports them itself, so that for the executor no range ever fails.
    pub call: unsafe extern "C" fn(context: *const c_void, start: usize, end: usize),
}

/// Calls `$callback!` with the functions of `executor/1`.
macro_rules! executor_v1 {
    ($callback:ident) => {
        $callback! {
            /// The methods of [`auralis_core::Executor`]. `is_real_time` answers 0 or 1.
            ExecutorV1 "executor/1" {
                for_ranges(len: usize, grain: usize, task: Task);
                threads() -> usize;
                is_real_time() -> u8;
            }
        }
    };
}

pub(crate) use executor_v1;

executor_v1!(kernel_table);
