//! Auralis: a performance runtime for audio software.
