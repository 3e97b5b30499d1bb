//! Plugins that this checkout did not make: in C, older than this host, newer than this host.

mod c;
mod conformance;
mod frozen;
mod library;
mod nested;
mod newer;
