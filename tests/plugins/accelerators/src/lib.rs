//! The accelerators of Auralis as a plugin.

auralis_abi::export_plugin!(auralis_accelerator);
