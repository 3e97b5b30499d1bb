//! Cache backends of Auralis.
