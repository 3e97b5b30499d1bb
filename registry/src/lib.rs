//! Discovery, configuration and selection of Auralis backends.

#![forbid(unsafe_code)]

pub mod config;
