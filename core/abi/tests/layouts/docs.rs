//! The documentation of the tables, read from their source: descriptions do not carry it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

/// The documentation of types by name, and of members by `Type.member`.
pub struct Docs {
    texts: HashMap<String, String>,
    generic: HashSet<String>,
}

impl Docs {
    /// Reads every source file of this crate.
    pub fn read() -> Self {
        let mut docs = Self {
            texts: HashMap::new(),
            generic: HashSet::new(),
        };
        docs.folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        docs
    }

    pub fn is_generic(&self, name: &str) -> bool {
        self.generic.contains(name)
    }

    /// What is said of a type.
    pub fn of_type(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// What is said of a constant.
    pub fn of_constant(&self, name: &str) -> Option<&str> {
        self.of_type(name)
    }

    /// What is said of a member.
    pub fn of_member(&self, name: &str, member: &str) -> Option<&str> {
        self.texts
            .get(&format!("{name}.{member}"))
            .map(String::as_str)
    }

    fn folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.folder(&path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                self.source(&fs::read_to_string(&path).unwrap());
            }
        }
    }

    fn source(&mut self, source: &str) {
        let mut text = String::new();
        let mut within = String::new();
        for line in source.lines().map(str::trim) {
            if let Some(words) = line.strip_prefix("///") {
                text = format!("{text}\n{}", words.trim());
                continue;
            }
            if line.starts_with("#[") || line.starts_with('$') {
                continue;
            }
            let said = plain(text.trim());
            text.clear();
            if let Some(name) = named_type(line) {
                if line.contains(&format!("{name}<")) {
                    self.generic.insert(name.to_owned());
                }
                within = name.to_owned();
                self.keep(within.clone(), said);
            } else if let Some((name, _)) = line
                .strip_prefix("pub const ")
                .and_then(|l| l.split_once(':'))
            {
                self.keep(name.to_owned(), said);
            } else if let Some((name, _)) =
                line.strip_prefix("pub ").and_then(|l| l.split_once(':'))
            {
                self.keep(format!("{within}.{name}"), said);
            }
        }
    }

    fn keep(&mut self, name: String, text: String) {
        if !text.is_empty() {
            self.texts.insert(name, text);
        }
    }
}

/// The name of the type that begins on this line: a structure, or `Name "id" {` and
/// `Name for Native "..." {` within the macros that define tables and codes.
fn named_type(line: &str) -> Option<&str> {
    let structure = line.strip_prefix("pub struct ");
    let in_a_macro = || {
        let (name, rest) = line.split_once(' ')?;
        let defines = rest.starts_with('"') || rest.starts_with("for ");
        (defines && line.ends_with('{') && name.starts_with(char::is_uppercase)).then_some(line)
    };
    let from_name = structure.or_else(in_a_macro)?;
    from_name
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .filter(|name| !name.is_empty())
}

/// Without the marks of Markdown and the paths of Rust.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        plain += before;
        let linked = after
            .split_once(']')
            .filter(|_| after.starts_with('`') || after.contains("]("));
        let Some((name, tail)) = linked else {
            plain.push('[');
            rest = after;
            continue;
        };
        plain += name;
        rest = match tail.strip_prefix('(').and_then(|t| t.split_once(')')) {
            Some((_, tail)) => tail,
            None => tail,
        };
    }
    plain += rest;
    plain
        .replace('`', "")
        .replace("auralis_core::", "")
        .replace("crate::", "")
}
