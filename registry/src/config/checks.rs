//! What a schema can't say: paths of plugins, pins, requests that need options.

use std::path::Path;

use super::catalog::Catalog;
use super::diagnostics::{DiagnosticKind, Fault, shortened};
use super::model::Config;
use super::tree::Node;

/// The faults of a tree beyond those against the schema.
pub(super) fn check(catalog: &Catalog, tree: &Node) -> Vec<Fault> {
    let mut faults = Vec::new();
    for kind in Config::KINDS {
        if let Some(section) = tree.get(kind) {
            faults.extend(catalog.auto_in_list(kind, section));
            faults.extend(catalog.missing_options(kind, section));
        }
    }
    for (index, node) in items(tree, "plugins.directories").enumerate() {
        faults.extend(relative_path(
            node,
            &format!("plugins.directories[{index}]"),
        ));
    }
    for (index, node) in items(tree, "plugins.allow").enumerate() {
        let key = format!("plugins.allow[{index}]");
        faults.extend(relative_path(node.get("file").unwrap_or(node), &key));
        faults.extend(node.get("sha256").and_then(|pin| malformed_pin(pin, &key)));
    }
    faults
}

/// Whether a tree names plugins or places of plugins.
pub(super) fn names_plugins(tree: &Node) -> bool {
    items(tree, "plugins.directories")
        .chain(items(tree, "plugins.allow"))
        .next()
        .is_some()
}

fn items<'a>(tree: &'a Node, key: &str) -> impl Iterator<Item = &'a Node> {
    tree.at(key).into_iter().flat_map(Node::items)
}

fn relative_path(node: &Node, key: &str) -> Option<Fault> {
    let path = node.as_str()?;
    (!Path::new(path).is_absolute()).then(|| {
        let message = format!(
            "`{key}` must be an absolute path, found `{}`",
            shortened(path)
        );
        Fault::new(DiagnosticKind::InvalidValue, node.place, message)
            .about(key)
            .label("not absolute".to_owned())
            .help("plugins are never looked up in the current directory or by name".to_owned())
    })
}

fn malformed_pin(node: &Node, key: &str) -> Option<Fault> {
    let pin = node.as_str()?;
    let whole = pin.len() == 64 && pin.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!whole).then(|| {
        let message = format!("`{key}.sha256` is not a SHA-256: expected 64 hexadecimal digits");
        Fault::new(DiagnosticKind::InvalidValue, node.place, message)
            .about(format!("{key}.sha256"))
            .label(format!("found {} characters", pin.chars().count()))
    })
}
