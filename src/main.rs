//! The `auralis` program.

#![forbid(unsafe_code)]

fn main() {}
