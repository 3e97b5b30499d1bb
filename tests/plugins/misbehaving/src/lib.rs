//! A plugin that breaks in the way that the environment variable `MISBEHAVE` names.
//!
//! Without the variable it works and conforms: so a test knows that it is the fault that is found.

mod at_load;
mod backend;
mod fault;

auralis_abi::export_plugin!();
