//! A plugin whose table of slice kernels has one field more than the released one.
