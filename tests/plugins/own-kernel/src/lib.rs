//! A plugin with nothing but a kernel of an application's own: the one that `examples/own_kernel.rs`
//! registers.

mod soft_clip;

auralis_abi::export_plugin!();
