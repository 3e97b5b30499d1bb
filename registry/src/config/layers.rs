//! Where a configuration comes from: the file, environment variables, flags.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::diagnostics::{
    ConfigError, Diagnostic, DiagnosticKind, Fault, TextSource, Texts, shortened, whole_file,
};
use super::tree::{Node, Place, Step, Value};

/// The name of the file that is looked for in the working directory and above it.
const FILE_NAME: &str = "auralis.toml";

/// The name of the file in the user's config directory.
const USER_FILE: &str = "auralis/config.toml";

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// The most steps a dotted key of a variable or a flag may have.
const MOST_STEPS: usize = 32;

/// What stands before the names of variables.
const PREFIX: &str = "AURALIS_";

/// The variable that names plugin directories; it is not a key of the configuration.
const PLUGIN_PATH: &str = "AURALIS_PLUGIN_PATH";

/// The variable that names the tuning file; it is not a key of the configuration.
const TUNING: &str = "AURALIS_TUNING";

/// The name of the tuning file in the user's folder for caches.
const TUNING_FILE: &str = "auralis/tuning.json";

/// Everything that a configuration is read from, in rising precedence after the built-in defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file of `--config`; it replaces the search for a file.
    pub explicit: Option<PathBuf>,
    /// The absolute path where the search for `auralis.toml` starts, upwards; empty: no search.
    pub working_directory: PathBuf,
    /// The environment: `AURALIS_SECTION__KEY` sets a key, and the user's config directory is in it.
    pub environment: Vec<(String, String)>,
    /// The arguments of `--set`: `key=value` with a dotted key, `chain[1].target_lufs=-10`.
    pub sets: Vec<String>,
}

impl Sources {
    /// The sources of this process: its working directory and its environment.
    ///
    /// # Errors
    /// When a variable that sets a key is not UTF-8.
    pub fn from_process(explicit: Option<PathBuf>, sets: Vec<String>) -> Result<Self, ConfigError> {
        let mut environment = Vec::new();
        let mut unreadable = Vec::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => environment.push((name, value)),
                (Ok(name), Err(value)) if is_config(&name) => {
                    unreadable.push(not_unicode(&name, value));
                }
                // Any other variable is of no interest here.
                _ => {}
            }
        }
        if !unreadable.is_empty() {
            return Err(ConfigError::new(unreadable));
        }
        // Without a working directory there is nothing to search upwards from.
        let working_directory = std::env::current_dir().unwrap_or_default();
        Ok(Self {
            explicit,
            working_directory,
            environment,
            sets,
        })
    }

    /// The file that is read, if there is one: `explicit`, or the nearest `auralis.toml` upwards, or
    /// the one in the user's config directory.
    pub fn file(&self) -> Option<PathBuf> {
        self.explicit
            .clone()
            .or_else(|| self.upwards())
            .or_else(|| self.in_user_directory())
    }

    /// Where the tuning file is, or would be: where `AURALIS_TUNING` says, else in the user's folder for
    /// caches. `None` if the environment names neither.
    pub fn tuning_file(&self) -> Option<PathBuf> {
        let folder = |name| self.absolute(name);
        let named = || self.variable(TUNING).map(PathBuf::from);
        let caches = || {
            let caches = if cfg!(windows) {
                folder("LOCALAPPDATA")
            } else {
                folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
            };
            caches.map(|caches| caches.join(TUNING_FILE))
        };
        named().or_else(caches)
    }

    fn upwards(&self) -> Option<PathBuf> {
        let here = self.working_directory.ancestors();
        here.filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(FILE_NAME))
            .find(|path| path.is_file())
    }

    fn in_user_directory(&self) -> Option<PathBuf> {
        let folder = |name| self.absolute(name);
        let user = if cfg!(windows) {
            folder("APPDATA")
        } else {
            folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))
        };
        user.map(|folder| folder.join(USER_FILE))
            .filter(|path| path.is_file())
    }

    /// The folder that a variable names. Relative paths are to be ignored, says the XDG base directory
    /// specification.
    fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether the environment names places of plugins.
    pub(super) fn has_plugin_path(&self) -> bool {
        self.variable(PLUGIN_PATH).is_some()
    }

    /// The changes that variables and then flags make, in order of application, and what is malformed.
    pub(super) fn changes(&self, texts: &mut Texts, faults: &mut Vec<Fault>) -> Vec<Change> {
        let mut variables: Vec<_> = self
            .environment
            .iter()
            .filter(|(name, _)| is_config(name))
            .collect();
        variables.sort();
        let from_variables = variables.into_iter().map(|(name, value)| {
            let source = TextSource::Variable(name.clone());
            let text = texts.add(source, format!("{name}={value}"));
            variable_change(text, name, value)
        });
        let mut changes: Vec<Result<Change, Box<Fault>>> = from_variables.collect();
        changes.extend(self.sets.iter().map(|set| {
            let text = texts.add(TextSource::Flag, format!("{FLAG}{set}"));
            flag_change(text, set)
        }));
        let mut good = Vec::new();
        for change in changes {
            match change {
                Ok(change) => good.push(change),
                Err(fault) => faults.push(*fault),
            }
        }
        good
    }
}

/// One key set by a variable or a flag.
#[derive(Debug)]
pub(super) struct Change {
    pub steps: Vec<Step>,
    pub value: Node,
}

impl Change {
    /// The change on top of `tree`.
    pub(super) fn apply(self, tree: &mut Node) -> Result<(), Box<Fault>> {
        let steps: Vec<String> = self.steps.iter().map(|step| shortened(&step.key)).collect();
        tree.put(&self.steps, self.value)
            .map_err(|(place, length)| {
                let key = steps.join(".");
                let message = format!("no such entry in `{key}`: the array has {length} entries");
                let fault = Fault::new(DiagnosticKind::UnknownKey, place, message).about(key);
                Box::new(fault.label("entries count from 0".to_owned()))
            })
    }
}

const FLAG: &str = "--set ";

fn is_config(name: &str) -> bool {
    name.starts_with(PREFIX) && name.contains("__")
}

fn variable_change(text: usize, name: &str, value: &str) -> Result<Change, Box<Fault>> {
    let mut steps = Vec::new();
    let mut start = PREFIX.len();
    for part in name[start..].split("__") {
        let place = Place {
            text,
            start,
            end: start + part.len(),
        };
        steps.push(Step {
            key: part.to_ascii_lowercase(),
            place,
        });
        start = place.end + "__".len();
    }
    let name_place = Place {
        text,
        start: 0,
        end: name.len(),
    };
    let form = format!("write {PREFIX}SECTION__KEY=value");
    Ok(Change {
        steps: checked_steps(steps, name_place, form)?,
        value: value_node(value, text, name.len() + "=".len()),
    })
}

fn flag_change(text: usize, set: &str) -> Result<Change, Box<Fault>> {
    let form = format!("write {FLAG}section.key=value");
    let Some((key, value)) = set.split_once('=') else {
        let place = Place {
            text,
            start: FLAG.len(),
            end: FLAG.len() + set.len(),
        };
        let message = "a setting without `=`";
        return Err(Box::new(
            Fault::new(DiagnosticKind::Syntax, place, message).help(form),
        ));
    };
    let mut steps = Vec::new();
    let mut start = FLAG.len();
    // `chain[1].gain_db` is the same as `chain.1.gain_db`.
    for part in key.split(['.', '[']) {
        let name = part.strip_suffix(']').unwrap_or(part);
        let spaces = name.len() - name.trim_start().len();
        let (name, from) = (name.trim(), start + spaces);
        let place = Place {
            text,
            start: from,
            end: from + name.len(),
        };
        steps.push(Step {
            key: name.to_owned(),
            place,
        });
        start += part.len() + 1;
    }
    let key_place = Place {
        text,
        start: FLAG.len(),
        end: FLAG.len() + key.len(),
    };
    Ok(Change {
        steps: checked_steps(steps, key_place, form)?,
        value: value_node(value, text, key_place.end + "=".len()),
    })
}

fn checked_steps(steps: Vec<Step>, whole: Place, form: String) -> Result<Vec<Step>, Box<Fault>> {
    let message = if steps.len() > MOST_STEPS {
        format!(
            "a key of {} parts, at most {MOST_STEPS} are possible",
            steps.len()
        )
    } else if steps.iter().any(|step| step.key.is_empty()) {
        "a key with an empty part".to_owned()
    } else {
        return Ok(steps);
    };
    Err(Box::new(
        Fault::new(DiagnosticKind::Syntax, whole, message).help(form),
    ))
}

/// A TOML value where it is one, else a string.
fn value_node(written: &str, text: usize, start: usize) -> Node {
    let trimmed = written.trim();
    match DeValue::parse(trimmed) {
        Ok(value) => {
            let spaces = written.len() - written.trim_start().len();
            Node::from_value(&value, text, start + spaces)
        }
        Err(_) => {
            let place = Place {
                text,
                start,
                end: start + written.len(),
            };
            Node::new(Value::String(written.to_owned()), place)
        }
    }
}

fn not_unicode(name: &str, value: OsString) -> Diagnostic {
    let mut texts = Texts::new("");
    let shown = format!("{name}={}", value.to_string_lossy());
    let place = Place {
        text: 1,
        start: name.len() + 1,
        end: shown.len(),
    };
    texts.add(TextSource::Variable(name.to_owned()), shown);
    let message = format!("the value of {name} is not UTF-8");
    texts.diagnostic(Fault::new(DiagnosticKind::NotUtf8, place, message))
}

/// The text of a configuration file.
pub(super) fn read(path: &Path) -> Result<String, Box<Diagnostic>> {
    let unreadable = |error: std::io::Error| {
        let message = format!(
            "can't read the configuration file {}: {error}",
            path.display()
        );
        Box::new(whole_file(
            DiagnosticKind::Unreadable,
            path.to_owned(),
            message,
        ))
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        let message = format!(
            "{} is a directory, not a configuration file",
            path.display()
        );
        let whole = whole_file(DiagnosticKind::Unreadable, path.to_owned(), message);
        return Err(Box::new(whole));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(Box::new(too_large(
            path,
            &format!("{} bytes", metadata.len()),
        )));
    }
    // A pipe or a device has no length to look at first.
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Box::new(too_large(path, "more")));
    }
    String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(path, &error)))
}

fn too_large(path: &Path, size: &str) -> Diagnostic {
    let message = format!(
        "{} is too large for a configuration: {size}, at most {LARGEST_FILE} bytes (1 MiB) are read",
        path.display()
    );
    whole_file(DiagnosticKind::TooLarge, path.to_owned(), message)
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let byte = error.as_bytes().get(at).copied().unwrap_or_default();
    let mut texts = Texts::new("");
    // Up to the fault the text is unchanged, so the offset holds in it too.
    let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let text = texts.add(TextSource::File(path.to_owned()), shown);
    let place = Place {
        text,
        start: at,
        end: at + char::REPLACEMENT_CHARACTER.len_utf8(),
    };
    let message = format!("the file is not UTF-8: byte {byte:#04x} at offset {at}");
    texts.diagnostic(
        Fault::new(DiagnosticKind::NotUtf8, place, message)
            .label("not UTF-8 from here on".to_owned())
            .help("save the file as UTF-8".to_owned()),
    )
}
