//! Checks a tree against a JSON Schema and collects every fault with its place.
//!
//! The subset of JSON Schema that is checked is the one in [`CHECKED`]; a schema with another
//! constraint is refused by [`unchecked_keywords`], so that nothing passes unchecked. `oneOf` is read
//! like `anyOf`: the alternatives of a configuration differ by type or by a constant.

use std::fmt::Display;

use serde_json::Value as Json;

use super::diagnostics::{DiagnosticKind, Fault, shortened};
use super::tree::{Node, Place, Value, key_text};
use super::wording::{describe, did_you_mean, explain, toml_type};

/// The constraining keywords that are checked.
const CHECKED: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "enum",
    "const",
    "items",
    "minItems",
    "maxItems",
    "anyOf",
    "oneOf",
];

/// The keywords that constrain nothing.
const ANNOTATIONS: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "format",
    "deprecated",
];

/// The keywords in a schema, `$ref`s resolved, that would constrain and that the checker does not know.
pub fn unchecked_keywords(schema: &Json) -> Vec<String> {
    let mut unknown = Vec::new();
    collect_unchecked(schema, &mut unknown);
    unknown.sort();
    unknown.dedup();
    unknown
}

fn collect_unchecked(schema: &Json, unknown: &mut Vec<String>) {
    let Json::Object(keywords) = schema else {
        if !schema.is_boolean() {
            unknown.push(format!("a schema that is {schema}"));
        }
        return;
    };
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties", Json::Object(properties)) => {
                properties
                    .values()
                    .for_each(|property| collect_unchecked(property, unknown));
            }
            ("items" | "additionalProperties", inner) => collect_unchecked(inner, unknown),
            ("anyOf" | "oneOf", Json::Array(branches)) => {
                branches
                    .iter()
                    .for_each(|branch| collect_unchecked(branch, unknown));
            }
            ("enum", Json::Array(values)) if values.iter().all(is_scalar) => {}
            ("const", value) if is_scalar(value) => {}
            ("type", Json::String(_)) | ("required", Json::Array(_)) => {}
            ("type", Json::Array(types)) if types.iter().all(Json::is_string) => {}
            ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", value)
                if value.is_number() => {}
            ("minItems" | "maxItems", value) if value.is_u64() => {}
            (known, value) if CHECKED.contains(&known) => {
                unknown.push(format!("{known}: {value}"));
            }
            (annotation, _) if ANNOTATIONS.contains(&annotation) => {}
            (other, _) => unknown.push(other.to_owned()),
        }
    }
}

fn is_scalar(value: &Json) -> bool {
    !value.is_array() && !value.is_object()
}

/// Checks `node` against `schema`, both at the root of the configuration.
pub(super) fn check(schema: &Json, node: &Node) -> Vec<Fault> {
    let mut faults = Vec::new();
    walk(schema, node, "", &mut faults);
    faults
}

fn walk(schema: &Json, node: &Node, path: &str, faults: &mut Vec<Fault>) {
    if let Value::Float(number) = node.value
        && !number.is_finite()
    {
        faults.push(out_of_range(path, node.place, "a finite number", number));
        return;
    }
    if let Some(branches) = branches(schema) {
        walk_branches(schema, branches, node, path, faults);
        return;
    }
    if !has_type(schema, node) {
        faults.push(wrong_type(schema, node, path));
        return;
    }
    if let Some(allowed) = constants(schema) {
        if !allowed.iter().any(|value| equals(value, node)) {
            faults.push(unknown_value(schema, &allowed, node, path));
        }
        return;
    }
    match &node.value {
        #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
        Value::Integer(number) => check_range(schema, *number as f64, number, node, path, faults),
        Value::Float(number) => check_range(schema, *number, number, node, path, faults),
        Value::Array(items) => walk_array(schema, items, node, path, faults),
        Value::Table(_) => walk_table(schema, node, path, &owner(path), faults),
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

fn walk_array(schema: &Json, items: &[Node], node: &Node, path: &str, faults: &mut Vec<Fault>) {
    let limit = |keyword: &str| schema.get(keyword).and_then(Json::as_u64);
    let length = items.len() as u64;
    if limit("minItems").is_some_and(|least| length < least)
        || limit("maxItems").is_some_and(|most| length > most)
    {
        let found = format!("{length} entries");
        faults.push(out_of_range(path, node.place, &describe(schema), found));
    }
    let item_schema = schema.get("items").unwrap_or(&Json::Bool(true));
    for (index, item) in items.iter().enumerate() {
        walk(item_schema, item, &format!("{path}[{index}]"), faults);
    }
}

/// `owner` names what the keys belong to: a section, a stage.
fn walk_table(schema: &Json, node: &Node, path: &str, owner: &str, faults: &mut Vec<Fault>) {
    let properties = schema.get("properties").and_then(Json::as_object);
    for entry in node.entries() {
        let key = &entry.key;
        let inner = join(path, key);
        match properties.and_then(|known| known.get(key)) {
            Some(property) => walk(property, &entry.node, &inner, faults),
            None => match schema.get("additionalProperties") {
                Some(Json::Bool(false)) => {
                    let known = properties
                        .into_iter()
                        .flatten()
                        .map(|(key, _)| key.as_str());
                    let mut known: Vec<&str> = known.collect();
                    known.sort_unstable();
                    faults.push(unknown_key(key, owner, &known, entry.key_place, &inner));
                }
                Some(other) => walk(other, &entry.node, &inner, faults),
                None => walk(&Json::Bool(true), &entry.node, &inner, faults),
            },
        }
    }
    let required = schema.get("required").and_then(Json::as_array);
    for key in required.into_iter().flatten().filter_map(Json::as_str) {
        if node.get(key).is_none() {
            let property = properties.and_then(|known| known.get(key));
            faults.push(
                Fault::new(
                    DiagnosticKind::MissingKey,
                    node.place,
                    format!("missing key `{key}` in {owner}"),
                )
                .about(join(path, key))
                .label(format!("`{key}` is needed here"))
                .help(property.map(|property| explain(property, key))),
            );
        }
    }
}

fn walk_branches(
    schema: &Json,
    branches: &[Json],
    node: &Node,
    path: &str,
    faults: &mut Vec<Fault>,
) {
    if let (Some(tag), Value::Table(_)) = (discriminator(branches), &node.value) {
        walk_tagged(tag, branches, node, path, faults);
        return;
    }
    let fitting: Vec<&Json> = branches
        .iter()
        .filter(|branch| has_type(branch, node))
        .collect();
    let tried: Vec<Vec<Fault>> = fitting
        .iter()
        .map(|branch| {
            let mut faults = Vec::new();
            walk(branch, node, path, &mut faults);
            faults
        })
        .collect();
    if tried.iter().any(Vec::is_empty) {
        return;
    }
    let all_constants: Option<Vec<Vec<&Json>>> =
        fitting.iter().map(|branch| constants(branch)).collect();
    match all_constants {
        _ if fitting.is_empty() => faults.push(wrong_type(schema, node, path)),
        Some(allowed) => {
            // The branch's title says what the values are; the whole schema says what else may stand.
            let titled = fitting.iter().find(|branch| branch.get("title").is_some());
            let shown = titled.copied().unwrap_or(schema);
            faults.push(unknown_value(shown, &allowed.concat(), node, path));
        }
        None => faults.extend(tried.into_iter().min_by_key(Vec::len).unwrap_or_default()),
    }
}

/// Alternatives told apart by one key's constant: the stages of a chain.
fn walk_tagged(tag: &str, branches: &[Json], node: &Node, path: &str, faults: &mut Vec<Fault>) {
    let name_of = |branch: &'_ Json| branch["properties"][tag]["const"].clone();
    let names: Vec<Json> = branches.iter().map(name_of).collect();
    let chosen = node
        .get(tag)
        .and_then(|value| names.iter().position(|name| equals(name, value)));
    if let Some(chosen) = chosen {
        let name = names[chosen].as_str().unwrap_or_default();
        walk_table(
            &branches[chosen],
            node,
            path,
            &format!("the {tag} `{name}`"),
            faults,
        );
        return;
    }
    let mut of_any = serde_json::Map::new();
    for branch in branches {
        for (key, _) in branch["properties"].as_object().into_iter().flatten() {
            of_any.insert(key.clone(), Json::Bool(true));
        }
    }
    of_any.insert(
        tag.to_owned(),
        serde_json::json!({ "enum": names, "title": tag }),
    );
    let union = serde_json::json!({
        "properties": of_any,
        "required": [tag],
        "additionalProperties": false,
    });
    walk_table(&union, node, path, &owner(path), faults);
}

/// The key by whose constant all of these tables are told apart.
fn discriminator(branches: &[Json]) -> Option<&str> {
    let first = branches.first()?.get("properties")?.as_object()?;
    let is_tag = |key: &str| {
        branches
            .iter()
            .all(|branch| branch["properties"][key].get("const").is_some())
    };
    first.keys().map(String::as_str).find(|key| is_tag(key))
}

pub(super) fn branches(schema: &Json) -> Option<&[Json]> {
    let branches = schema.get("anyOf").or_else(|| schema.get("oneOf"))?;
    branches.as_array().map(Vec::as_slice)
}

/// The values a schema is limited to by `const` or `enum`.
pub(super) fn constants(schema: &Json) -> Option<Vec<&Json>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(value), _) => Some(vec![value]),
        (None, Some(values)) => values.as_array().map(|values| values.iter().collect()),
        (None, None) => None,
    }
}

fn equals(value: &Json, node: &Node) -> bool {
    match (value, &node.value) {
        (Json::String(expected), Value::String(found)) => expected == found,
        (Json::Bool(expected), Value::Boolean(found)) => expected == found,
        (Json::Number(expected), Value::Float(found)) => expected.as_f64() == Some(*found),
        (Json::Number(expected), Value::Integer(found)) => expected.as_i128() == Some(*found),
        _ => false,
    }
}

/// The JSON types that a schema accepts; `None`: any.
pub(super) fn types(schema: &Json) -> Option<Vec<&str>> {
    if let Some(declared) = schema.get("type") {
        return Some(match declared {
            Json::String(one) => vec![one.as_str()],
            several => several
                .as_array()?
                .iter()
                .filter_map(Json::as_str)
                .collect(),
        });
    }
    if let Some(values) = constants(schema) {
        return Some(values.into_iter().map(json_type).collect());
    }
    let branches = branches(schema)?;
    let of_branches: Option<Vec<Vec<&str>>> = branches.iter().map(types).collect();
    of_branches.map(|types| types.concat())
}

fn json_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn has_type(schema: &Json, node: &Node) -> bool {
    let Some(types) = types(schema) else {
        return true;
    };
    let fits = |name: &&str| {
        matches!(
            (*name, &node.value),
            ("string", Value::String(_))
                | ("integer", Value::Integer(_))
                | ("number", Value::Integer(_) | Value::Float(_))
                | ("boolean", Value::Boolean(_))
                | ("array", Value::Array(_))
                | ("object", Value::Table(_))
        )
    };
    types.iter().any(fits)
}

fn check_range(
    schema: &Json,
    number: f64,
    written: impl Display,
    node: &Node,
    path: &str,
    faults: &mut Vec<Fault>,
) {
    let limit = |keyword: &str| schema.get(keyword).and_then(Json::as_f64);
    let inside = limit("minimum").is_none_or(|least| number >= least)
        && limit("maximum").is_none_or(|most| number <= most)
        && limit("exclusiveMinimum").is_none_or(|below| number > below)
        && limit("exclusiveMaximum").is_none_or(|above| number < above);
    if !inside {
        faults.push(out_of_range(path, node.place, &describe(schema), written));
        return;
    }
    // What is kept is a 64-bit number; a double holds every such integer's magnitude.
    if matches!(node.value, Value::Integer(_)) && node.to_json().is_none() {
        faults.push(out_of_range(
            path,
            node.place,
            "a number of 64 bits",
            "a larger one",
        ));
    }
}

fn out_of_range(path: &str, place: Place, expected: &str, found: impl Display) -> Fault {
    Fault::new(
        DiagnosticKind::OutOfRange,
        place,
        format!("`{path}` is out of range"),
    )
    .about(path)
    .label(format!("expected {expected}, found {found}"))
}

fn wrong_type(schema: &Json, node: &Node, path: &str) -> Fault {
    let (expected, found) = (describe(schema), toml_type(node));
    Fault::new(
        DiagnosticKind::WrongType,
        node.place,
        format!("wrong type of `{path}`: expected {expected}, found {found}"),
    )
    .about(path)
    .label(format!("expected {expected}"))
}

fn unknown_key(key: &str, owner: &str, known: &[&str], place: Place, path: &str) -> Fault {
    let help = if known.is_empty() {
        format!("{owner} has no keys")
    } else {
        format!("keys of {owner}: {}", known.join(", "))
    };
    let message = format!("unknown key `{}` in {owner}", shortened(key));
    Fault::new(DiagnosticKind::UnknownKey, place, message)
        .about(path)
        .label(did_you_mean(key, known))
        .help(help)
}

/// A title names what the values are: a backend, a stage.
fn unknown_value(schema: &Json, allowed: &[&Json], node: &Node, path: &str) -> Fault {
    let noun = schema.get("title").and_then(Json::as_str);
    let found = match &node.value {
        Value::String(text) => format!("`{}`", shortened(text)),
        _ => shortened(&node.to_toml()),
    };
    let names: Vec<&str> = allowed.iter().filter_map(|value| value.as_str()).collect();
    let message = match noun {
        Some(noun) => format!("unknown {noun} {found}"),
        None => format!("unknown value {found} of `{path}`"),
    };
    Fault::new(DiagnosticKind::UnknownValue, node.place, message)
        .about(path)
        .label(node.as_str().and_then(|text| did_you_mean(text, &names)))
        .help(explain(schema, path))
}

fn owner(path: &str) -> String {
    if path.is_empty() {
        "the configuration".to_owned()
    } else {
        format!("`{path}`")
    }
}

fn join(path: &str, key: &str) -> String {
    let key = shortened(&key_text(key));
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}
