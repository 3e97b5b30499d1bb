//! Profiler backends of Auralis.
//!
//! | id | what it is for |
//! |---|---|
//! | `histogram` | always on: exact totals, percentiles, fixed memory |
//! | `trace` | the same, and the last runs one by one |
//! | `none` | measures nothing; the reference |

#![forbid(unsafe_code)]

mod buckets;
mod histogram;
mod none;
mod ring;
mod trace;
