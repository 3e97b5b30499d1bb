//! The trial of options that have the wrong shape: every backend of every kind refuses them.

use auralis_core::{ErrorKind, Kind};
use serde_json::{Value, json};

use crate::{Effort, Outcome, Subject, Trial, check};

/// Options of the wrong shape are [`ErrorKind::Config`]: neither a crash nor passed over.
pub(crate) fn trial<K: Kind + ?Sized>() -> Trial<K> {
    Trial {
        name: "wrong_options_are_refused",
        needs: None,
        quick: true,
        run: wrong_options_are_refused,
    }
}

const UNKNOWN: &str = "no such option";

fn wrong_options_are_refused<K: Kind + ?Sized>(subject: &Subject<'_, K>) -> Outcome {
    let mut wrong = vec![
        ("an unknown key".to_owned(), json!({ UNKNOWN: 1 })),
        ("null, no object".to_owned(), Value::Null),
        ("a number, no object".to_owned(), json!(7)),
        ("an array, no object".to_owned(), json!([{ UNKNOWN: 1 }])),
    ];
    let bytes = match subject.effort {
        Effort::Quick => 4 << 10,
        Effort::Full => 1 << 20,
    };
    let text = "x".repeat(bytes);
    wrong.push((
        format!("an unknown key with {bytes} bytes of text"),
        json!({ UNKNOWN: text }),
    ));
    wrong.push((
        format!("{bytes} bytes of text, no object"),
        Value::String(text),
    ));
    wrong.extend(wrong_types(&subject.schema()));
    wrong
        .into_iter()
        .try_for_each(|(what, options)| refused(subject, &what, options))
}

/// Each option of the schema with a value that none of its types has.
fn wrong_types(schema: &Value) -> Vec<(String, Value)> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .filter_map(|(name, schema)| {
            let wrong = other_type(schema)?;
            Some((format!("`{name}` as {wrong}"), json!({ name: wrong })))
        })
        .collect()
}

/// A value that a schema with a `type` rules out; none for a schema that says its types otherwise.
fn other_type(schema: &Value) -> Option<Value> {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let candidates = [
        ("object", json!({ UNKNOWN: 1 })),
        ("array", json!([[]])),
        ("boolean", json!(true)),
    ];
    candidates
        .into_iter()
        .find_map(|(name, value)| (!types.contains(&name)).then_some(value))
}

fn refused<K: Kind + ?Sized>(subject: &Subject<'_, K>, what: &str, options: Value) -> Outcome {
    match subject.built(&K::Settings::default(), options) {
        Ok(_) => Err(format!(
            "options that are wrong ({what}) are accepted, expected an error of kind Config"
        )),
        Err(error) => check(error.kind() == ErrorKind::Config, || {
            let kind = error.kind();
            format!(
                "options that are wrong ({what}) are an error of kind {kind:?}, expected Config"
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_with_a_type_has_a_wrong_value() {
        let schema = json!({ "properties": {
            "gain": { "type": "number" },
            "table": { "type": "object" },
            "any": {},
            "several": { "type": ["object", "array", "null"] },
        }});
        let found = wrong_types(&schema);
        let wrong: Vec<_> = found.iter().map(|(_, value)| value.clone()).collect();
        assert_eq!(
            wrong,
            [
                json!({ "gain": { UNKNOWN: 1 } }),
                json!({ "several": true }),
                json!({ "table": [[]] }),
            ]
        );
        assert_eq!(found[0].0, "`gain` as {\"no such option\":1}");
        assert!(wrong_types(&Value::Null).is_empty());
    }
}
