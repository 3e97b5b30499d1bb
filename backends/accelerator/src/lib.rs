//! Accelerator backends of Auralis.
