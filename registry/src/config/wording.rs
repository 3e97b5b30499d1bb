//! Says in words what a schema accepts, what was found, and what is near.

use serde_json::Value as Json;

use super::schema::{branches, constants, types};
use super::tree::{Node, Value};

/// What a schema accepts, in words.
pub(super) fn describe(schema: &Json) -> String {
    if let Some(branches) = branches(schema) {
        let words = branches
            .iter()
            .filter(|branch| types(branch) != Some(vec!["null"]));
        let mut words: Vec<String> = words.map(describe).collect();
        words.dedup();
        return words.join(" or ");
    }
    if let (Some(noun), Some(_)) = (
        schema.get("title").and_then(Json::as_str),
        constants(schema),
    ) {
        return format!("a {noun}");
    }
    if let Some(values) = constants(schema) {
        return values
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" or ");
    }
    let names = types(schema).unwrap_or_default();
    let words: Vec<String> = names
        .iter()
        .filter(|name| **name != "null")
        .map(|name| match *name {
            "integer" => format!("an integer{}", limits(schema)),
            "number" => format!("a number{}", limits(schema)),
            "array" => describe_array(schema),
            "object" => "a table".to_owned(),
            other => format!("a {other}"),
        })
        .collect();
    if words.is_empty() {
        "any value".to_owned()
    } else {
        words.join(" or ")
    }
}

fn describe_array(schema: &Json) -> String {
    let each = schema
        .get("items")
        .map(describe)
        .filter(|words| words != "any value");
    let of = each.map_or_else(String::new, |words| format!(", each {words}"));
    let count = |keyword: &str| schema.get(keyword).and_then(Json::as_u64);
    let size = match (count("minItems"), count("maxItems")) {
        (Some(least), Some(most)) => format!(" of {least} to {most} entries"),
        (Some(1), None) => " of at least 1 entry".to_owned(),
        (Some(least), None) => format!(" of at least {least} entries"),
        (None, Some(most)) => format!(" of at most {most} entries"),
        (None, None) => String::new(),
    };
    format!("an array{size}{of}")
}

fn limits(schema: &Json) -> String {
    let limit = |keyword: &str| schema.get(keyword).filter(|value| value.is_number());
    let least = limit("minimum").map(|value| format!("from {value}"));
    let least = least.or_else(|| limit("exclusiveMinimum").map(|value| format!("above {value}")));
    let most = match (limit("maximum"), limit("exclusiveMaximum"), &least) {
        (Some(value), _, Some(_)) => Some(format!("to {value}")),
        (Some(value), _, None) => Some(format!("of at most {value}")),
        (None, Some(value), Some(_)) => Some(format!("to below {value}")),
        (None, Some(value), None) => Some(format!("below {value}")),
        (None, None, _) => None,
    };
    match (least, most) {
        (Some(least), Some(most)) => format!(" {least} {most}"),
        (Some(least), None) if least.starts_with("from") => format!(" {least} up"),
        (Some(one), None) | (None, Some(one)) => format!(" {one}"),
        (None, None) => String::new(),
    }
}

/// What may stand at a key: each name where there are names to choose from.
pub(super) fn explain(schema: &Json, key: &str) -> String {
    match (
        schema.get("title").and_then(Json::as_str),
        constants(schema),
    ) {
        (Some(noun), Some(names)) if names.is_empty() => format!("there is no {noun}"),
        (Some(noun), Some(names)) => {
            let names: Vec<&str> = names.into_iter().filter_map(Json::as_str).collect();
            format!("the {noun}s are: {}", names.join(", "))
        }
        _ => format!("`{key}` is {}", describe(schema)),
    }
}

pub(super) fn toml_type(node: &Node) -> &'static str {
    match node.value {
        Value::String(_) => "a string",
        Value::Integer(_) => "an integer",
        Value::Float(_) => "a float",
        Value::Boolean(_) => "a boolean",
        Value::Datetime(_) => "a date or time",
        Value::Array(_) => "an array",
        Value::Table(_) => "a table",
    }
}

/// The nearest of the known names, as a question, where one is near.
pub(super) fn did_you_mean(found: &str, known: &[&str]) -> Option<String> {
    // Comparing is quadratic in the length, and no known name is long.
    if found.len() > 100 {
        return None;
    }
    let found = found.to_lowercase();
    known
        .iter()
        .map(|name| (likeness(&found, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// Jaro and Winkler's measure favours a common start; one slip of the finger counts as near anywhere.
fn likeness(found: &str, name: &str) -> f64 {
    let slip = name.len() > 2 && strsim::osa_distance(found, name) == 1;
    strsim::jaro_winkler(found, name).max(if slip { 0.9 } else { 0.0 })
}
