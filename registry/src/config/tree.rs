//! The configuration as a tree in which every node knows where it was written.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where something was written: a byte range of one of the [`Texts`](super::diagnostics::Texts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub text: usize,
    pub start: usize,
    pub end: usize,
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    String(String),
    /// Saturates at the ends of the type: no schema allows values near them.
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table, where it was written, and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub node: Node,
}

/// One step of a dotted key: a key of a table or, all digits, an index of an array.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub key: String,
    pub place: Place,
}

impl Node {
    pub(super) fn new(value: Value, place: Place) -> Self {
        Self { value, place }
    }

    /// The entry's value in a table; `None` for an absent key and for what is not a table.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.node)
    }

    /// The value at a dotted key made of table keys only.
    pub(super) fn at(&self, dotted: &str) -> Option<&Node> {
        dotted.split('.').try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a table; none for what is not a table.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The items of an array; none for what is not an array.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Lays `over` on top: tables are merged, everything else is replaced.
    pub(super) fn overlay(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Table(below), Value::Table(above)) => {
                self.place = over.place;
                for entry in above {
                    match below.iter_mut().find(|old| old.key == entry.key) {
                        Some(old) => {
                            old.key_place = entry.key_place;
                            old.node.overlay(entry.node);
                        }
                        None => below.push(entry),
                    }
                }
            }
            (value, above) => {
                *value = above;
                self.place = over.place;
            }
        }
    }

    /// Puts `value` at the end of `steps`, making tables on the way; says which step is past the end of
    /// an array, and that array's length.
    pub(super) fn put(&mut self, steps: &[Step], value: Node) -> Result<(), (Place, usize)> {
        let Some((step, rest)) = steps.split_first() else {
            self.overlay(value);
            return Ok(());
        };
        if let (Value::Array(items), Ok(index)) = (&mut self.value, step.key.parse::<usize>()) {
            let length = items.len();
            let item = items.get_mut(index).ok_or((step.place, length))?;
            return item.put(rest, value);
        }
        if !matches!(self.value, Value::Table(_)) {
            *self = Node::new(Value::Table(Vec::new()), step.place);
        }
        let Value::Table(entries) = &mut self.value else {
            return Ok(());
        };
        let position = entries.iter().position(|entry| entry.key == step.key);
        let position = position.unwrap_or_else(|| {
            let node = Node::new(Value::Table(Vec::new()), step.place);
            entries.push(Entry {
                key: step.key.clone(),
                key_place: step.place,
                node,
            });
            entries.len() - 1
        });
        let entry = &mut entries[position];
        entry.key_place = step.place;
        entry.node.put(rest, value)
    }

    /// A table of TOML's parser; `text` is its source's index, `offset` where the source starts in that.
    pub(super) fn from_table(table: &DeTable<'_>, place: Place, offset: usize) -> Self {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                key_place: shifted(key.span(), place.text, offset),
                node: Self::from_value(value, place.text, offset),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_place);
        Node::new(Value::Table(entries), place)
    }

    /// A value of TOML's parser; see [`Node::from_table`].
    pub(super) fn from_value(value: &Spanned<DeValue<'_>>, text: usize, offset: usize) -> Self {
        let place = shifted(value.span(), text, offset);
        let value = match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => Value::Integer(integer(number.as_str(), number.radix())),
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(truth) => Value::Boolean(*truth),
            DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
            DeValue::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|item| Self::from_value(item, text, offset))
                    .collect(),
            ),
            DeValue::Table(table) => return Self::from_table(table, place, offset),
        };
        Node::new(value, place)
    }

    /// The same as JSON. `None` where a number has no form in JSON: not finite, or beyond 64 bits.
    pub(super) fn to_json(&self) -> Option<serde_json::Value> {
        use serde_json::{Number, Value as Json};
        Some(match &self.value {
            Value::String(text) | Value::Datetime(text) => Json::String(text.clone()),
            Value::Integer(number) => Json::Number(match i64::try_from(*number) {
                Ok(number) => number.into(),
                Err(_) => u64::try_from(*number).ok()?.into(),
            }),
            Value::Float(number) => Json::Number(Number::from_f64(*number)?),
            Value::Boolean(truth) => Json::Bool(*truth),
            Value::Array(items) => {
                Json::Array(items.iter().map(Self::to_json).collect::<Option<_>>()?)
            }
            Value::Table(entries) => Json::Object(
                entries
                    .iter()
                    .map(|entry| Some((entry.key.clone(), entry.node.to_json()?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }

    /// The same as TOML on one line.
    pub(super) fn to_toml(&self) -> String {
        match &self.value {
            Value::String(text) => toml::Value::String(text.clone()).to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => toml::Value::Float(*number).to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Datetime(datetime) => datetime.clone(),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::to_toml).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Value::Table(entries) => {
                let pairs: Vec<String> = entries
                    .iter()
                    .map(|entry| format!("{} = {}", key_text(&entry.key), entry.node.to_toml()))
                    .collect();
                format!("{{ {} }}", pairs.join(", "))
            }
        }
    }
}

/// A key as it stands in a TOML file: bare where it can be, else quoted.
pub(super) fn key_text(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !key.is_empty() && key.bytes().all(bare) {
        key.to_owned()
    } else {
        toml::Value::String(key.to_owned()).to_string()
    }
}

fn shifted(span: std::ops::Range<usize>, text: usize, offset: usize) -> Place {
    Place {
        text,
        start: span.start + offset,
        end: span.end + offset,
    }
}

fn integer(digits: &str, radix: u32) -> i128 {
    i128::from_str_radix(digits, radix).unwrap_or(if digits.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    })
}
