//! The plugin's own options: `[accelerator.options]` where it is asked for by name.

use auralis_core::{Error, ErrorKind, Options, Result};

/// How many samples `scale` may take at once.
pub const LANES: [usize; 3] = [4, 8, 16];

/// What a user may write. It stands in the plugin's file as data, so that a mistake is shown in the
/// user's configuration, at its line, before any of this code runs.
pub const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "lanes": {
            "description": "Samples that `scale` takes at once; the results are the same",
            "enum": [4, 8, 16],
            "default": 8
        }
    },
    "additionalProperties": false
}"#;

/// The number of lanes that the options ask for.
///
/// Options arrive as JSON. With `serde` as a dependency, `options.parse()` reads them into a struct.
pub fn lanes(options: &Options) -> Result<usize> {
    let wrong = |message: String| Err(Error::new(ErrorKind::Config, message));
    let Some(keys) = options.as_json().as_object() else {
        return wrong("the options of plugin-gain are not a table".into());
    };
    if let Some(key) = keys.keys().find(|key| *key != "lanes") {
        return wrong(format!(
            "plugin-gain has no option {key:?}; it has \"lanes\""
        ));
    }
    let Some(value) = keys.get("lanes") else {
        return Ok(8);
    };
    let lanes = LANES.into_iter().find(|lanes| value == lanes);
    lanes.map_or_else(
        || wrong(format!("\"lanes\" is 4, 8 or 16, not {value}")),
        Ok,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options by way of their JSON, as the host sends them.
    fn options(lanes: Option<usize>) -> Options {
        let mut options = Options::default().as_json().clone();
        if let Some(lanes) = lanes {
            options["lanes"] = lanes.into();
        }
        Options::new(options)
    }

    #[test]
    fn what_the_schema_allows_is_read_and_nothing_else() {
        assert_eq!(lanes(&options(None)).unwrap(), 8);
        for asked in LANES {
            assert_eq!(lanes(&options(Some(asked))).unwrap(), asked);
        }
        let error = lanes(&options(Some(5))).unwrap_err();
        assert!(error.report().contains("not 5"), "{error}");
        let mut unknown = Options::default().as_json().clone();
        unknown["lane"] = 8.into();
        let error = lanes(&Options::new(unknown)).unwrap_err();
        assert!(error.report().contains("\"lane\""), "{error}");
    }
}
