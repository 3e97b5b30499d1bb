//! What exists to be configured: stages, backends with their options, CPU features, kernels.

use std::collections::BTreeMap;

use auralis_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value as Json, json};

use super::diagnostics::{DiagnosticKind, Fault};
use super::model::Config;
use super::schema::unchecked_keywords;
use super::tree::{Node, Value};

/// How deep `$ref`s may nest: a schema that refers to itself is refused.
const DEEPEST_REFERENCE: usize = 16;

/// What a configuration may name.
///
/// The caller fills it from its registry and its stages. While it is not [complete](Catalog::complete)
/// and the configuration names plugins, backends and kernels it does not know are accepted, because a
/// plugin may bring them; loading again with the complete catalog checks them too.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    stages: BTreeMap<String, Json>,
    backends: BTreeMap<&'static str, BTreeMap<String, Json>>,
    cpu_features: Vec<String>,
    kernels: Vec<String>,
    user_kernels: BTreeMap<String, Vec<String>>,
    complete: bool,
}

/// The backends whose options may stand in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Requested {
    All,
    Ids(Vec<String>),
}

impl Catalog {
    /// A catalog of nothing. Without a stage the chain's entries are not checked beyond their form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stage: its name in the chain, and the JSON Schema of its keys, `stage` left out.
    ///
    /// # Errors
    /// `InvalidInput` when the text is not a schema of an object in the subset that is checked.
    pub fn stage(mut self, name: &str, schema: &str) -> Result<Self> {
        let mut schema = read_schema(schema).map_err(|error| error.with("stage", name))?;
        let tag = json!({ "const": name, "description": "Which stage this is." });
        members(&mut schema, "properties").insert("stage".to_owned(), tag);
        let mut required: Vec<Json> = schema["required"].as_array().cloned().unwrap_or_default();
        if !required.contains(&json!("stage")) {
            required.insert(0, json!("stage"));
        }
        schema["required"] = required.into();
        self.stages.insert(name.to_owned(), schema);
        Ok(self)
    }

    /// Adds a backend of a kind (one of [`Config::KINDS`]; `-` stands for `_`), and the JSON Schema of
    /// its options; `{}` where it has none.
    ///
    /// # Errors
    /// `InvalidInput` when there is no such kind, or the text is not a schema of an object in the subset
    /// that is checked.
    pub fn backend(mut self, kind: &str, id: &str, options: &str) -> Result<Self> {
        let name = kind.replace('-', "_");
        let known = Config::KINDS
            .into_iter()
            .find(|known| *known == name)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidInput,
                    format!("no kind `{kind}`, there are {}", Config::KINDS.join(", ")),
                )
            })?;
        let schema = read_schema(options).map_err(|error| error.with(known, id))?;
        self.backends
            .entry(known)
            .or_default()
            .insert(id.to_owned(), schema);
        Ok(self)
    }

    /// Adds names of CPU features that `cpu.disable` may hold.
    #[must_use]
    pub fn cpu_features<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.cpu_features.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds names of kernels that `accelerator.kernels` may hold.
    #[must_use]
    pub fn kernels<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.kernels.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds a kernel of an author's own, with the variants that `accelerator.kernels` may give it.
    #[must_use]
    pub fn user_kernel<S: Into<String>>(
        mut self,
        name: &str,
        variants: impl IntoIterator<Item = S>,
    ) -> Self {
        let variants = variants.into_iter().map(Into::into).collect();
        self.user_kernels.insert(name.to_owned(), variants);
        self
    }

    /// Says that no plugin can bring more than is here: all are loaded, or none may be.
    #[must_use]
    pub fn complete(mut self, complete: bool) -> Self {
        self.complete = complete;
        self
    }

    /// The options of a configuration that concern one backend, as it takes them: those its schema
    /// knows, an object; all of them for a backend that is not in the catalog.
    pub fn options_for(&self, kind: &str, id: &str, config: &Config) -> Json {
        let kind = kind.replace('-', "_");
        let written = config.options(&kind).cloned().unwrap_or_else(|| json!({}));
        let schema = self
            .backends
            .get(kind.as_str())
            .and_then(|backends| backends.get(id));
        let (Some(schema), Json::Object(options)) = (schema, &written) else {
            return written;
        };
        if schema["additionalProperties"] != json!(false) {
            return written;
        }
        let known = options
            .iter()
            .filter(|(key, _)| schema["properties"].get(key).is_some());
        Json::Object(
            known
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    fn ids(&self, kind: &str) -> Vec<&str> {
        let backends = self.backends.get(kind).into_iter().flatten();
        backends.map(|(id, _)| id.as_str()).collect()
    }

    /// The whole schema. `closed`: nothing exists beyond the catalog; `requested`: whose options may
    /// stand in a kind's section, all where a kind is absent.
    pub(super) fn compose(
        &self,
        closed: bool,
        requested: &BTreeMap<&'static str, Requested>,
    ) -> Json {
        let mut schema = config_schema();
        let sections = members(&mut schema, "properties");
        for kind in Config::KINDS {
            let section = members(&mut sections[kind], "properties");
            let ids = self.ids(kind);
            replace(&mut section["backend"], backend_schema(&ids, closed));
            let wanted = requested.get(kind).unwrap_or(&Requested::All);
            replace(
                &mut section["options"],
                self.options_schema(kind, wanted, closed),
            );
        }
        let accelerator = members(&mut sections["accelerator"], "properties");
        replace(&mut accelerator["kernels"], self.kernels_schema(closed));
        let disable = json!({ "items": { "enum": self.cpu_features, "title": "CPU feature" } });
        replace(
            &mut members(&mut sections["cpu"], "properties")["disable"],
            disable,
        );
        if !self.stages.is_empty() {
            let stages: Vec<&Json> = self.stages.values().collect();
            replace(
                &mut sections["chain"],
                json!({ "items": { "oneOf": stages } }),
            );
        }
        schema
    }

    fn kernels_schema(&self, closed: bool) -> Json {
        let ids = self.ids("accelerator");
        if !closed {
            return json!({ "additionalProperties": { "type": "string", "examples": ids } });
        }
        let backend = json!({ "enum": ids, "title": "backend" });
        let own = self.kernels.iter();
        let own = own.map(|name| (name.clone(), backend.clone()));
        let users = self.user_kernels.iter().map(|(name, variants)| {
            let variant = json!({ "enum": variants, "title": "variant" });
            (name.clone(), variant)
        });
        let kernels: Map<String, Json> = own.chain(users).collect();
        json!({ "properties": kernels, "additionalProperties": false })
    }

    /// The options of all requested backends together: each takes those it knows.
    fn options_schema(&self, kind: &str, requested: &Requested, closed: bool) -> Json {
        let known = self.backends.get(kind);
        // Of a plugin's backend that is not loaded yet, nothing can be said.
        let schemas: Option<Vec<&Json>> = match requested {
            Requested::All => Some(known.into_iter().flat_map(BTreeMap::values).collect()),
            Requested::Ids(ids) => ids.iter().map(|id| known?.get(id)).collect(),
        };
        let Some(schemas) = schemas else {
            return json!({ "additionalProperties": true });
        };
        let mut properties: BTreeMap<&String, Vec<&Json>> = BTreeMap::new();
        for (key, schema) in schemas
            .iter()
            .filter_map(|s| s["properties"].as_object())
            .flatten()
        {
            let variants = properties.entry(key).or_default();
            if !variants.contains(&schema) {
                variants.push(schema);
            }
        }
        let properties: Map<String, Json> = properties
            .into_iter()
            .map(|(key, variants)| {
                let schema = match variants.as_slice() {
                    [one] => (*one).clone(),
                    several => json!({ "anyOf": several }),
                };
                (key.clone(), schema)
            })
            .collect();
        let open = schemas
            .iter()
            .any(|schema| schema["additionalProperties"] != json!(false))
            || (*requested == Requested::All && !closed);
        json!({ "properties": properties, "additionalProperties": open })
    }

    /// The options that a backend asked for by name needs and does not have.
    pub(super) fn missing_options(&self, kind: &str, section: &Node) -> Vec<Fault> {
        let Some(request) = section.get("backend") else {
            return Vec::new();
        };
        let named: Vec<&Node> = match &request.value {
            Value::Array(items) => items.iter().collect(),
            _ => vec![request],
        };
        let mut faults = Vec::new();
        for node in named {
            let Some(id) = node.as_str() else { continue };
            let schema = self
                .backends
                .get(kind)
                .and_then(|backends| backends.get(id));
            let required = schema.and_then(|schema| schema["required"].as_array());
            for key in required.into_iter().flatten().filter_map(Json::as_str) {
                if section
                    .get("options")
                    .and_then(|options| options.get(key))
                    .is_none()
                {
                    let message = format!("backend `{id}` needs the option `{key}`");
                    faults.push(
                        Fault::new(DiagnosticKind::MissingKey, node.place, message)
                            .about(format!("{kind}.options.{key}"))
                            .help(format!("set `{key}` in [{kind}.options]")),
                    );
                }
            }
        }
        faults
    }

    /// A note for an option that is unknown here but belongs to a backend that was not asked for.
    pub(super) fn whose_option(&self, kind: &str, option: &str) -> Option<String> {
        let backends = self.backends.get(kind).into_iter().flatten();
        let owners: Vec<&str> = backends
            .filter(|(_, schema)| schema["properties"].get(option).is_some())
            .map(|(id, _)| id.as_str())
            .collect();
        let owners = (!owners.is_empty()).then(|| owners.join(", "))?;
        Some(format!("`{option}` is an option of {owners}"))
    }

    /// A fault for `"auto"` inside a list.
    pub(super) fn auto_in_list(&self, kind: &str, section: &Node) -> Vec<Fault> {
        let listed = section
            .get("backend")
            .into_iter()
            .flat_map(Node::items)
            .enumerate();
        listed
            .filter(|(_, node)| node.as_str() == Some("auto"))
            .map(|(index, node)| {
                let message = "`auto` can't stand in a list of backends";
                Fault::new(DiagnosticKind::InvalidValue, node.place, message)
                    .about(format!("{kind}.backend[{index}]"))
                    .help(format!(
                        "write `backend = \"auto\"`, or list ids: {}",
                        self.ids(kind).join(", ")
                    ))
            })
            .collect()
    }
}

/// The JSON Schema of the whole configuration: its own keys, the stages, the backends' options.
///
/// It is what `auralis config schema` prints and what editors read. In a catalog that is not complete,
/// ids of backends are examples, since a plugin may bring others.
pub fn schema(catalog: &Catalog) -> Json {
    catalog.compose(catalog.complete, &BTreeMap::new())
}

/// The schema of the typed model, without what a catalog adds.
fn config_schema() -> Json {
    serde_json::from_str(include_str!("../../schemas/config.schema.json"))
        .expect("the schema in this crate is JSON: a test reads it")
}

fn backend_schema(ids: &[&str], closed: bool) -> Json {
    let with_auto: Vec<&str> = std::iter::once("auto").chain(ids.iter().copied()).collect();
    let (one, each) = if closed {
        (
            json!({ "enum": with_auto, "title": "backend" }),
            // `auto` in a list gets an explanation of its own.
            json!({ "enum": with_auto, "title": "backend" }),
        )
    } else {
        (
            json!({ "type": "string", "examples": with_auto }),
            json!({ "type": "string" }),
        )
    };
    json!({ "anyOf": [one, { "type": "array", "items": each, "minItems": 1 }] })
}

/// Puts the keywords of `with` in place of those of `schema`.
fn replace(schema: &mut Json, with: Json) {
    if let (Json::Object(schema), Json::Object(with)) = (schema, with) {
        schema.extend(with);
    }
}

/// The object at `key` of a schema, made where there is none.
fn members<'a>(schema: &'a mut Json, key: &str) -> &'a mut Map<String, Json> {
    let value = &mut schema[key];
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("made an object above")
}

fn read_schema(text: &str) -> Result<Json> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidInput, message);
    let whole: Json = serde_json::from_str(text)
        .map_err(|error| invalid("a schema is not JSON".to_owned()).because(error))?;
    let mut used = whole.clone();
    if let Json::Object(keywords) = &mut used {
        keywords
            .retain(|keyword, _| !matches!(keyword.as_str(), "$defs" | "definitions" | "$schema"));
    }
    let mut schema = inline(&used, &whole, 0).map_err(invalid)?;
    let is_object = schema.is_object() && schema.get("type").is_none_or(|name| name == "object");
    if !is_object {
        return Err(invalid(
            "a schema of keys must be of type object".to_owned(),
        ));
    }
    let unchecked = unchecked_keywords(&schema);
    if !unchecked.is_empty() {
        let list = unchecked.join(", ");
        return Err(invalid(format!(
            "a schema has constraints that are not checked: {list}"
        )));
    }
    schema["type"] = json!("object");
    members(&mut schema, "properties");
    close(&mut schema);
    Ok(schema)
}

/// Replaces each `$ref` by what it refers to.
fn inline(schema: &Json, root: &Json, depth: usize) -> Result<Json, String> {
    Ok(match schema {
        Json::Object(keywords) => {
            let mut result = Map::new();
            if let Some(Json::String(reference)) = keywords.get("$ref") {
                let target = reference
                    .strip_prefix('#')
                    .and_then(|path| root.pointer(path));
                let target = target.ok_or_else(|| format!("no schema at `{reference}`"))?;
                if depth == DEEPEST_REFERENCE {
                    return Err(format!("`{reference}` refers to itself"));
                }
                if let Json::Object(target) = inline(target, root, depth + 1)? {
                    result.extend(target);
                }
            }
            for (keyword, value) in keywords {
                if keyword != "$ref" || !value.is_string() {
                    result.insert(keyword.clone(), inline(value, root, depth)?);
                }
            }
            Json::Object(result)
        }
        Json::Array(items) => items
            .iter()
            .map(|item| inline(item, root, depth))
            .collect::<Result<_, _>>()?,
        scalar => scalar.clone(),
    })
}

/// Refuses unknown keys in every table whose schema lists its keys and does not say otherwise.
fn close(schema: &mut Json) {
    let Json::Object(keywords) = schema else {
        return;
    };
    if keywords.contains_key("properties") {
        keywords
            .entry("additionalProperties")
            .or_insert(json!(false));
    }
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties", Json::Object(properties)) => properties.values_mut().for_each(close),
            ("items" | "additionalProperties", inner) => close(inner),
            ("anyOf" | "oneOf", Json::Array(branches)) => branches.iter_mut().for_each(close),
            _ => {}
        }
    }
}
