//! The conformance trials of this module alone, for every instruction set that this CPU has.
