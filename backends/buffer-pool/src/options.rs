//! What a pool does when it is empty.

use serde::Deserialize;

/// What becomes of a request that finds no prepared buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum WhenEmpty {
    /// It fails.
    #[default]
    Fail,
    /// It is served by an allocation outside of the budget, which is freed on return.
    Allocate,
}
