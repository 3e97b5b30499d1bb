//! Which layer, and which line of it, set each value.

use super::diagnostics::{Origin, Texts};
use super::tree::{Node, Value, key_text};

/// Where each value of a configuration comes from, in the order of the sections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins {
    leaves: Vec<Leaf>,
}

/// One value: its dotted key, its text, its layer.
#[derive(Clone, Debug, PartialEq)]
struct Leaf {
    key: String,
    value: String,
    origin: Origin,
}

impl Origins {
    /// Each value: dotted key (`cache.capacity_mb`, `chain[0].bands`), TOML text, layer.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Origin)> {
        self.leaves
            .iter()
            .map(|leaf| (leaf.key.as_str(), leaf.value.as_str(), &leaf.origin))
    }

    /// Which layer set a dotted key.
    pub fn get(&self, key: &str) -> Option<&Origin> {
        self.leaves
            .iter()
            .find(|leaf| leaf.key == key)
            .map(|leaf| &leaf.origin)
    }

    pub(super) fn of(tree: &Node, texts: &Texts) -> Self {
        let mut origins = Self::default();
        for entry in tree.entries() {
            let key = key_text(&entry.key);
            match &entry.node.value {
                // The entries of the chain are tables with keys of their own.
                Value::Array(stages) if key == "chain" && !stages.is_empty() => {
                    for (index, stage) in stages.iter().enumerate() {
                        origins.collect(stage, format!("{key}[{index}]"), texts);
                    }
                }
                _ => origins.collect(&entry.node, key, texts),
            }
        }
        origins
    }

    fn collect(&mut self, node: &Node, key: String, texts: &Texts) {
        if let Value::Table(entries) = &node.value {
            for entry in entries {
                self.collect(
                    &entry.node,
                    format!("{key}.{}", key_text(&entry.key)),
                    texts,
                );
            }
            return;
        }
        let (value, origin) = (node.to_toml(), texts.origin(node.place));
        self.leaves.push(Leaf { key, value, origin });
    }
}
