//! `auralis plugin pin`: allows a plugin by its SHA-256 in the configuration.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use auralis_core::{Error, ErrorKind, Result};
use auralis_registry::Registry;
use auralis_registry::config::load_text;
use auralis_registry::plugin::{Allowance, Verdict, inspect};
use clap::Args;
use serde::Serialize;
use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value,
};

use crate::cli::{Global, Outcome, output};
use crate::optimizer::catalog;

/// Allows a plugin by its SHA-256 in the configuration.
#[derive(Debug, Args)]
pub struct Pin {
    /// The plugin
    file: PathBuf,
    /// Allows it although it was built to abort on a panic, which ends the whole program
    #[arg(long)]
    allow_abort: bool,
}

/// One object of `plugin pin --json`.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.pin/1")]
struct Pinned<'a> {
    file: &'a Path,
    sha256: &'a str,
    config: &'a Path,
    /// Whether the configuration was made now.
    made: bool,
}

impl Pin {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let (file, sha256) = self.inspected()?;
        let found = global.sources(&[])?.file();
        let config = found.unwrap_or_else(|| PathBuf::from("auralis.toml"));
        let config = super::named(&config)?;
        let entry = Entry {
            file: &file,
            sha256: &sha256,
            allow_abort: self.allow_abort,
        };
        let (before, made) = match fs::read_to_string(&config) {
            Ok(text) => (text, false),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => (String::new(), true),
            Err(e) => return Err(unreadable(&config, e).into()),
        };
        let after = entry
            .written_into(&before)
            .map_err(|e| e.with("file", config.display()))?;
        load_text(&config, &after, &catalog(&Registry::linked()?, false)?).map_err(Error::from)?;
        replace(&config, &after)?;
        if global.json {
            let (file, sha256, config) = (&*file, &*sha256, &*config);
            return output::json(&Pinned {
                file,
                sha256,
                config,
                made,
            });
        }
        output::line(format_args!(
            "{} {}: [plugins] allow has {}",
            if made { "made" } else { "changed" },
            config.display(),
            entry.table()
        ))
    }

    /// The file without links, and its hash. Quarantine does not matter: a pin says which file is
    /// meant, not that it works.
    fn inspected(&self) -> Result<(PathBuf, String)> {
        let path = super::named(&self.file)?;
        let allowance = Allowance {
            abort: self.allow_abort,
            ..super::unvouched()
        };
        let inspection = inspect(&path, &allowance, None);
        match (inspection.verdict, inspection.sha256) {
            (Verdict::Accepted, Some(sha256)) => Ok((path, sha256)),
            _ => {
                let reason = inspection.reason.unwrap_or_default();
                let aborts = inspection
                    .manifest
                    .is_some_and(|m| m.plugin.panic != "unwind");
                let advice = match aborts && !self.allow_abort {
                    true => "; here it is `auralis plugin pin --allow-abort FILE`",
                    false => "",
                };
                let message =
                    format!("only what `plugin inspect` accepts can be pinned: {reason}{advice}");
                Err(Error::new(ErrorKind::Plugin, message).with("file", path.display()))
            }
        }
    }
}

fn unreadable(config: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Config, "can't read the configuration")
        .with("file", config.display())
        .because(error)
}

/// Writes a file beside its name and renames it, with the permissions that it has.
fn replace(path: &Path, text: &str) -> Result<()> {
    let write = || -> std::io::Result<()> {
        // A link stays one: what it leads to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut draft = draft(folder)?;
        draft.write_all(text.as_bytes())?;
        if let Ok(metadata) = fs::metadata(&path) {
            draft.as_file().set_permissions(metadata.permissions())?;
        }
        draft.as_file().sync_all()?;
        draft.persist(&path)?;
        Ok(())
    };
    write().map_err(|e| {
        Error::new(ErrorKind::Io, "can't write the configuration")
            .with("file", path.display())
            .because(e)
    })
}

#[cfg(unix)]
fn draft(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    // As any new file: what the user's mask leaves of it.
    tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

#[cfg(not(unix))]
fn draft(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(folder)
}

/// An entry of `[plugins] allow`.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    file: &'a Path,
    sha256: &'a str,
    allow_abort: bool,
}

impl Entry<'_> {
    /// The text of a configuration with this entry in the place of an older one for the same file,
    /// or behind the others. All else stays as it is.
    fn written_into(&self, text: &str) -> Result<String> {
        let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| {
            Error::new(ErrorKind::Config, "the configuration is no TOML").because(e)
        })?;
        let plugins = document
            .entry("plugins")
            .or_insert(Item::Table(Table::new()))
            .as_table_like_mut()
            .ok_or_else(|| wrong("`plugins` is no table"))?;
        match plugins.entry("allow").or_insert(value(Array::new())) {
            Item::Value(Value::Array(entries)) => self.put_into_array(entries),
            Item::ArrayOfTables(entries) => self.put_into_tables(entries),
            _ => return Err(wrong("`plugins.allow` is no array")),
        }
        Ok(document.to_string())
    }

    fn put_into_array(&self, entries: &mut Array) {
        let index = entries.iter().position(|entry| match entry {
            Value::String(file) => self.is_of(file.value()),
            Value::InlineTable(table) => self.is_in(table),
            _ => false,
        });
        match index.and_then(|index| entries.get_mut(index)) {
            Some(Value::InlineTable(table)) => self.fill(table),
            Some(other) => {
                let decor = other.decor().clone();
                *other = Value::InlineTable(self.table());
                *other.decor_mut() = decor;
            }
            None => self.append_to(entries),
        }
    }

    /// Behind the last entry, on a line of its own if that has one.
    fn append_to(&self, entries: &mut Array) {
        let mut entry = Value::InlineTable(self.table());
        let last = entries.get(entries.len().saturating_sub(1));
        let line = last
            .and_then(|last| last.decor().prefix()?.as_str())
            .and_then(|prefix| Some(prefix[prefix.rfind('\n')?..].to_owned()));
        let Some(line) = line else {
            return entries.push(entry);
        };
        // A comment behind the last entry stays there.
        let rest = take_rest(entries);
        let (comment, end) = rest.split_at(rest.rfind('\n').unwrap_or(rest.len()));
        entry.decor_mut().set_prefix(format!("{comment}{line}"));
        entries.push_formatted(entry);
        entries.set_trailing(end);
    }

    fn put_into_tables(&self, entries: &mut ArrayOfTables) {
        let index = entries.iter().position(|table| self.is_in(table));
        match index.and_then(|index| entries.get_mut(index)) {
            Some(table) => self.fill(table),
            None => {
                let mut table = Table::new();
                table.insert("file", value(self.file.to_string_lossy().as_ref()));
                self.fill(&mut table);
                entries.push(table);
            }
        }
    }

    fn is_in(&self, table: &dyn TableLike) -> bool {
        let file = table.get("file").and_then(Item::as_str);
        file.is_some_and(|file| self.is_of(file))
    }

    /// Whether an entry with this file is for the same one, whatever links name it.
    fn is_of(&self, file: &str) -> bool {
        let file = Path::new(file);
        file == self.file || file.canonicalize().is_ok_and(|file| file == self.file)
    }

    fn fill(&self, table: &mut dyn TableLike) {
        table.insert("sha256", value(self.sha256));
        if self.allow_abort {
            table.insert("allow_abort", value(true));
        } else {
            table.remove("allow_abort");
        }
    }

    fn table(&self) -> InlineTable {
        let mut table = InlineTable::new();
        table.insert("file", self.file.to_string_lossy().as_ref().into());
        self.fill(&mut table);
        table
    }
}

/// What stands between the last entry of an array and its end, less the comma.
fn take_rest(entries: &mut Array) -> String {
    let mut rest = String::new();
    let last = entries.len().saturating_sub(1);
    if let Some(last) = entries.get_mut(last) {
        let decor = last.decor_mut();
        rest.push_str(decor.suffix().and_then(|s| s.as_str()).unwrap_or_default());
        decor.set_suffix("");
    }
    rest.push_str(entries.trailing().as_str().unwrap_or_default());
    rest
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(text: &str) -> String {
        let entry = Entry {
            file: Path::new("/opt/libacme.so"),
            sha256: "ab12",
            allow_abort: false,
        };
        entry.written_into(text).unwrap()
    }

    const NEW: &str = r#"{ file = "/opt/libacme.so", sha256 = "ab12" }"#;

    #[test]
    fn the_entry_stands_where_it_belongs_and_all_else_stays() {
        let cases = [
            ("", format!("[plugins]\nallow = [{NEW}]\n")),
            (
                "# mine\n[cpu]\ndisable = [] # none\n",
                format!("# mine\n[cpu]\ndisable = [] # none\n\n[plugins]\nallow = [{NEW}]\n"),
            ),
            (
                "[plugins] # here\nallow = []  # none yet\n[cache]\n",
                format!("[plugins] # here\nallow = [{NEW}]  # none yet\n[cache]\n"),
            ),
            (
                "[plugins]\nallow = [\"/a.so\"]\n",
                format!("[plugins]\nallow = [\"/a.so\", {NEW}]\n"),
            ),
            (
                "[plugins]\nallow = [\n    # first\n    \"/a.so\", # why\n]\n",
                format!("[plugins]\nallow = [\n    # first\n    \"/a.so\", # why\n    {NEW},\n]\n"),
            ),
            ("plugins.allow = []\n", format!("plugins.allow = [{NEW}]\n")),
            (
                "plugins = { directories = [] }\n",
                format!("plugins = {{ directories = [] , allow = [{NEW}] }}\n"),
            ),
            (
                "[[plugins.allow]]\nfile = \"/a.so\" # a\n",
                "[[plugins.allow]]\nfile = \"/a.so\" # a\n\n[[plugins.allow]]\nfile = \"/opt/libacme.so\"\nsha256 = \"ab12\"\n".to_owned(),
            ),
        ];
        for (before, after) in cases {
            assert_eq!(pinned(before), after, "{before}");
        }
    }

    #[test]
    fn an_older_entry_of_the_same_file_is_updated() {
        let cases = [
            (
                "[plugins]\nallow = [\"/opt/libacme.so\", \"/b.so\"] # all\n",
                format!("[plugins]\nallow = [{NEW}, \"/b.so\"] # all\n"),
            ),
            (
                "[plugins]\nallow = [{ sha256 = \"00\", file = \"/opt/libacme.so\" }]\n",
                "[plugins]\nallow = [{ sha256 = \"ab12\", file = \"/opt/libacme.so\" }]\n"
                    .to_owned(),
            ),
            (
                "[[plugins.allow]]\nfile = \"/opt/libacme.so\" # a\nsha256 = \"00\"\n",
                "[[plugins.allow]]\nfile = \"/opt/libacme.so\" # a\nsha256 = \"ab12\"\n".to_owned(),
            ),
            (
                "[plugins]\nallow = [{ file = \"/opt/libacme.so\", sha256 = \"00\", allow_abort = true }]\n",
                format!("[plugins]\nallow = [{NEW}]\n"),
            ),
        ];
        for (before, after) in cases {
            assert_eq!(pinned(before), after, "{before}");
            assert_eq!(pinned(&after), after, "a second time");
        }
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let entry = Entry {
            file: Path::new("/opt/libacme.so"),
            sha256: "ab12",
            allow_abort: true,
        };
        for (text, message) in [
            ("[plugins", "the configuration is no TOML"),
            ("plugins = 1", "`plugins` is no table"),
            ("[plugins]\nallow = 1", "`plugins.allow` is no array"),
        ] {
            let error = entry.written_into(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with(message), "{error}");
        }
        assert!(
            entry
                .written_into("")
                .unwrap()
                .contains("allow_abort = true")
        );
    }
}
