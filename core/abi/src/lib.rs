//! The frozen wire form of the Auralis traits, for backends that ship as dylibs.
