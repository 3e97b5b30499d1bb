//! Reads all layers, collects every fault, and deserialises what has none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::catalog::{Catalog, Requested};
use super::checks;
use super::diagnostics::{
    ConfigError, Diagnostic, DiagnosticKind, Fault, TextSource, Texts, shortened, whole_file,
};
use super::layers::{Change, Sources, read};
use super::model::Config;
use super::origins::Origins;
use super::schema;
use super::tree::{Node, Place, Value};

/// A configuration that passed every check, and where its values come from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// Which layer set each value.
    pub origins: Origins,
    /// The file that was read; `None`: there was none.
    pub file: Option<PathBuf>,
}

/// Reads the configuration from all sources and checks it against the catalog.
///
/// # Errors
/// All faults of all layers at once. A file that can't be read as text hides only its own faults.
pub fn load(sources: &Sources, catalog: &Catalog) -> Result<Loaded, ConfigError> {
    let file = sources.file();
    match file.as_deref().map(read).transpose() {
        Ok(text) => resolve(file, text.as_deref(), sources, catalog, Vec::new()),
        Err(unreadable) => resolve(None, None, sources, catalog, vec![*unreadable]),
    }
}

/// Checks the text of one file, without any other layer than the built-in defaults; `path` is what
/// faults are shown under.
///
/// # Errors
/// All faults of the text at once.
pub fn load_text(path: &Path, text: &str, catalog: &Catalog) -> Result<Loaded, ConfigError> {
    resolve(
        Some(path.to_owned()),
        Some(text),
        &Sources::default(),
        catalog,
        Vec::new(),
    )
}

fn resolve(
    file: Option<PathBuf>,
    text: Option<&str>,
    sources: &Sources,
    catalog: &Catalog,
    mut diagnostics: Vec<Diagnostic>,
) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::new();
    if let (Some(path), Some(text)) = (&file, text) {
        layers.add_file(path, text);
    }
    for change in sources.changes(&mut layers.texts, &mut layers.faults) {
        layers.add_change(change);
    }
    let faults = layers.faults(catalog, sources.has_plugin_path());
    diagnostics.extend(
        faults
            .into_iter()
            .map(|fault| layers.texts.diagnostic(fault)),
    );
    if !diagnostics.is_empty() {
        return Err(ConfigError::new(diagnostics));
    }
    let origins = Origins::of(layers.last(), &layers.texts);
    match typed(layers.last()) {
        Ok(config) => Ok(Loaded {
            config,
            origins,
            file,
        }),
        Err(message) => {
            let path = file.unwrap_or_default();
            let whole = whole_file(DiagnosticKind::InvalidValue, path, message);
            Err(ConfigError::new(vec![whole]))
        }
    }
}

fn typed(tree: &Node) -> Result<Config, String> {
    let json = tree.to_json().ok_or("a number has no form in 64 bits")?;
    serde_json::from_value(json).map_err(|error| error.to_string())
}

/// The tree after each layer: a value that a later layer hides is checked too.
struct Layers {
    texts: Texts,
    trees: Vec<Node>,
    faults: Vec<Fault>,
    /// The lines with syntax errors, by text: what was recovered from them is not worth checking.
    broken: BTreeSet<(usize, usize)>,
}

impl Layers {
    fn new() -> Self {
        let defaults = Config::commented_default();
        let (table, _) = DeTable::parse_recoverable(&defaults);
        let place = Place {
            text: Texts::DEFAULTS,
            start: 0,
            end: 0,
        };
        let tree = Node::from_table(table.get_ref(), place, 0);
        Self {
            texts: Texts::new(&defaults),
            trees: vec![tree],
            faults: Vec::new(),
            broken: BTreeSet::new(),
        }
    }

    fn last(&self) -> &Node {
        &self.trees[self.trees.len() - 1]
    }

    fn add_file(&mut self, path: &Path, content: &str) {
        let text = self
            .texts
            .add(TextSource::File(path.to_owned()), content.to_owned());
        let (table, errors) = DeTable::parse_recoverable(content);
        for error in without_echoes(errors) {
            let span = error.span().unwrap_or_default();
            let place = Place {
                text,
                start: span.start,
                end: span.end,
            };
            if self.broken.insert((text, self.texts.line(place))) {
                self.faults.push(syntax_fault(&error, content, place));
            }
        }
        let place = Place {
            text,
            start: 0,
            end: 0,
        };
        let mut tree = self.last().clone();
        tree.overlay(Node::from_table(table.get_ref(), place, 0));
        self.trees.push(tree);
    }

    fn add_change(&mut self, change: Change) {
        let mut tree = self.last().clone();
        match change.apply(&mut tree) {
            Ok(()) => self.trees.push(tree),
            Err(fault) => self.faults.push(*fault),
        }
    }

    /// All faults, in the order of layers and lines.
    fn faults(&mut self, catalog: &Catalog, plugin_path: bool) -> Vec<Fault> {
        let plugins = plugin_path || self.trees.iter().any(checks::names_plugins);
        let closed = catalog.is_complete() || !plugins;
        let schema = catalog.compose(closed, &self.requested());
        let mut faults = std::mem::take(&mut self.faults);
        for (index, tree) in self.trees.iter().enumerate() {
            let mut found = schema::check(&schema, tree);
            found.extend(checks::check(catalog, tree));
            // A later layer may bring what is missing; and a line that is not TOML may hold it.
            let whole = index + 1 == self.trees.len() && self.broken.is_empty();
            found.retain(|fault| whole || fault.kind != DiagnosticKind::MissingKey);
            faults.extend(found);
        }
        faults.retain(|fault| fault.place.text != Texts::DEFAULTS);
        let is_syntax = |fault: &Fault| {
            matches!(
                fault.kind,
                DiagnosticKind::Syntax | DiagnosticKind::DuplicateKey
            )
        };
        faults.retain(|fault| {
            is_syntax(fault)
                || !self
                    .broken
                    .contains(&(fault.place.text, self.texts.line(fault.place)))
        });
        faults.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
        faults.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        for fault in &mut faults {
            explain_option(fault, catalog);
            if !plugins {
                explain_backend(fault);
            }
        }
        faults
    }

    /// Whose options may stand in each section: a layer that asks for another backend leaves the options
    /// of the layers below as they are, so all that were asked for count.
    fn requested(&self) -> BTreeMap<&'static str, Requested> {
        let mut all = BTreeMap::new();
        for kind in Config::KINDS {
            let mut ids: Vec<String> = Vec::new();
            let mut any = false;
            for tree in &self.trees {
                let Some(node) = tree.get(kind).and_then(|section| section.get("backend")) else {
                    continue;
                };
                if node.place.text == Texts::DEFAULTS {
                    continue;
                }
                let named: Vec<&str> = match &node.value {
                    Value::Array(items) => items.iter().filter_map(Node::as_str).collect(),
                    _ => node.as_str().into_iter().collect(),
                };
                any |= named.is_empty() || named.contains(&"auto");
                ids.extend(named.into_iter().map(str::to_owned));
            }
            let requested = if any || ids.is_empty() {
                Requested::All
            } else {
                Requested::Ids(ids)
            };
            all.insert(kind, requested);
        }
        all
    }
}

/// An array that is never closed swallows the rest of the file, and each line of it is one more error
/// of the same cause: the first and the last say it.
fn without_echoes(mut errors: Vec<toml::de::Error>) -> Vec<toml::de::Error> {
    if errors
        .iter()
        .any(|error| error.message().starts_with("unclosed array"))
    {
        let mut seen = false;
        errors.retain(|error| {
            let echo = error.message().contains("in array") || error.message().contains("array el");
            !(echo && std::mem::replace(&mut seen, true))
        });
    }
    errors
}

fn syntax_fault(error: &toml::de::Error, content: &str, place: Place) -> Fault {
    if error.message() == "duplicate key" {
        let key = content.get(place.start..place.end).unwrap_or_default();
        let message = format!("duplicate key `{}`", shortened(key));
        return Fault::new(DiagnosticKind::DuplicateKey, place, message)
            .label("it stands above already".to_owned());
    }
    Fault::new(
        DiagnosticKind::Syntax,
        place,
        format!("not TOML: {}", error.message()),
    )
}

/// Adds to an unknown backend that there is no plugin that could bring it.
fn explain_backend(fault: &mut Fault) {
    if fault.message.starts_with("unknown backend ") {
        let note =
            "no plugin is allowed by this configuration: `auralis plugin pin FILE` allows one";
        fault.help = Some(match fault.help.take() {
            Some(help) => format!("{help}; {note}"),
            None => note.to_owned(),
        });
    }
}

/// Adds whose option an unknown one is, where it belongs to a backend that was not asked for.
fn explain_option(fault: &mut Fault, catalog: &Catalog) {
    if fault.kind != DiagnosticKind::UnknownKey {
        return;
    }
    let path = fault
        .key
        .as_deref()
        .and_then(|key| key.split_once(".options."));
    let note = path.and_then(|(kind, option)| catalog.whose_option(kind, option));
    if let Some(note) = note {
        fault.help = Some(match fault.help.take() {
            Some(help) => format!("{note}; {help}"),
            None => note,
        });
    }
}
