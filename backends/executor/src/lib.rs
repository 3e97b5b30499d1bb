//! Executor backends of Auralis.
//!
//! | id | what it is for |
//! |---|---|
//! | `sequential` | the reference: everything on the calling thread |
//! | `rayon` | batch work: a work-stealing pool of its own |
//! | `pinned` | real-time work: fixed helpers beside the calling thread |

#![deny(unsafe_code)]

#[cfg(any(feature = "pinned", feature = "rayon"))]
mod cut;
#[cfg(feature = "pinned")]
mod pinned;
#[cfg(feature = "rayon")]
mod rayon;
mod sequential;
