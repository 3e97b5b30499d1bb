//! The `auralis` program.

fn main() {}
