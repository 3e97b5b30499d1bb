//! The conformance suite and the test doubles of Auralis.
