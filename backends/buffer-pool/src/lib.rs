//! Buffer pool backends of Auralis.
//!
//! | id | what it is for |
//! |---|---|
//! | `queue` | real-time work: lock-free queues of prepared buffers |
//! | `heap` | the reference: allocates each time |
//! | `debug` | finding faults: poisons what comes back, reports what does not |

#![forbid(unsafe_code)]

mod counters;
mod debug;
mod heap;
mod options;
mod queue;
