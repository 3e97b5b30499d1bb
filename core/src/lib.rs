//! The vocabulary of Auralis: five traits and what they exchange.

mod error;

pub use error::{Error, ErrorKind, Result};
