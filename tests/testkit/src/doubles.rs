//! Test doubles, to be laid over any backend of any kind.
