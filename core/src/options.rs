//! A backend's own options, on their way from the configuration to its `build` function.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// The table `[<kind>.options]` of the configuration as JSON: the form in which options reach a
/// backend, linked or dylib alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Options(Value);

impl Default for Options {
    fn default() -> Self {
        Self(Value::Object(serde_json::Map::new()))
    }
}

impl Options {
    /// Options from a JSON object.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The options as JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Reads the options as the backend's own struct, which should deny unknown fields.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that says which key is wrong, and how.
    pub fn parse<C: DeserializeOwned>(&self) -> Result<C> {
        C::deserialize(&self.0).map_err(|e| {
            Error::new(ErrorKind::Config, "the backend's options are wrong").because(e)
        })
    }
}

/// The options of a backend that has none.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

impl NoOptions {
    /// The JSON Schema of no options at all.
    pub const SCHEMA: &str = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
}
