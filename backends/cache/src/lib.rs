//! Cache backends of Auralis.
//!
//! | id | what it is for |
//! |---|---|
//! | `lru` | the reference: exact order of use, one lock |
//! | `dashmap` | many threads: sharded, nearly least recently used |
//! | `disk` | results that outlive the process, shared by processes |
//! | `none` | keeps nothing |

#![forbid(unsafe_code)]

mod counters;
#[cfg(feature = "dashmap")]
mod dashmap;
mod disk;
mod lru;
mod memory;
mod none;
