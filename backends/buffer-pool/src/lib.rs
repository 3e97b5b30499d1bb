//! Buffer pool backends of Auralis.
