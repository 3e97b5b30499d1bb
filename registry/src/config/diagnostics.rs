//! What is wrong with a configuration: each fault with its place, shown as a compiler would.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Origin as Location, Renderer, Snippet};
use serde::{Serialize, Serializer};

use super::tree::Place;

/// How many diagnostics [`ConfigError::render`] shows; it says how many more there are.
const MOST_SHOWN: usize = 100;

/// How much of a name from outside stands in a message, in characters.
const NAME_LENGTH: usize = 80;

/// How much of a source line is kept on each side of what is marked, in bytes.
const LINE_CONTEXT: usize = 200;

/// Which layer set a value or holds a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "layer", rename_all = "snake_case")]
pub enum Origin {
    /// The built-in defaults.
    Default,
    /// A configuration file.
    File {
        /// The file as it was named or found.
        path: PathBuf,
        /// The line, from 1; 0 where the file could not be read.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line.
    Flag {
        /// The flag as it was written: `--set key=value`.
        text: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("built-in default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Flag { text } => write!(f, "flag {text}"),
        }
    }
}

/// What sort of fault a [`Diagnostic`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DiagnosticKind {
    /// The file can't be found or read.
    Unreadable,
    /// The file is larger than a configuration may be.
    TooLarge,
    /// The file is not UTF-8 text.
    NotUtf8,
    /// The text is not TOML, or a flag is not `key=value`.
    Syntax,
    /// A key stands twice.
    DuplicateKey,
    /// There is no such key.
    UnknownKey,
    /// A value is of another type than its key wants.
    WrongType,
    /// A number or a list is too small or too large.
    OutOfRange,
    /// A value is not one of those that exist: a backend, a stage, a CPU feature.
    UnknownValue,
    /// A key that must be there is not.
    MissingKey,
    /// A value has the right type and a form that can't be used.
    InvalidValue,
}

/// One fault of a configuration.
///
/// Serialises to one JSON object: `kind`, `origin`, `line`, `column`, `key`, `message`, `label`, `help`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What sort of fault it is.
    pub kind: DiagnosticKind,
    /// The layer that holds it.
    pub origin: Origin,
    /// The line, from 1; only in files.
    pub line: Option<usize>,
    /// The column in characters, from 1; only in files.
    pub column: Option<usize>,
    /// The dotted key it is about, where there is one: `cache.capacity_mb`.
    pub key: Option<String>,
    /// What was found.
    pub message: String,
    /// What stands beside the marked text.
    pub label: Option<String>,
    /// What exists or can be done instead.
    pub help: Option<String>,
    #[serde(skip)]
    excerpt: Option<Excerpt>,
}

/// The source line of a fault, and which of its bytes are marked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: String,
    marked: Range<usize>,
    /// Whether the line starts before what is kept of it.
    is_cut: bool,
}

/// All faults of a configuration, in the order of layers and lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    diagnostics: Vec<Diagnostic>,
}

impl ConfigError {
    pub(super) fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics }
    }

    /// The faults, in the order of layers and, within a file, of lines.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// All faults as text for a terminal: place, source line, mark, help; with or without colours.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let shown = self.diagnostics.iter().take(MOST_SHOWN);
        let mut text: Vec<String> = shown
            .map(|diagnostic| renderer.render(&[diagnostic.report()]))
            .collect();
        if let Some(more) = self
            .diagnostics
            .len()
            .checked_sub(MOST_SHOWN)
            .filter(|n| *n > 0)
        {
            let note = format!("{more} more faults are not shown");
            text.push(renderer.render(&[Group::with_title(Level::NOTE.primary_title(note))]));
        }
        text.join("\n\n")
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigError {}

impl Serialize for ConfigError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.diagnostics.serialize(serializer)
    }
}

impl From<ConfigError> for auralis_core::Error {
    fn from(error: ConfigError) -> Self {
        Self::new(auralis_core::ErrorKind::Config, error.render(false))
    }
}

impl Diagnostic {
    fn report(&self) -> Group<'_> {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let group = match &self.excerpt {
            Some(excerpt) => self.with_excerpt(Group::with_title(title), excerpt),
            None => title.element(Location::path(self.place_name())),
        };
        match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }

    fn with_excerpt<'a>(&'a self, group: Group<'a>, excerpt: &'a Excerpt) -> Group<'a> {
        let mark = AnnotationKind::Primary.span(excerpt.marked.clone());
        let mark = match &self.label {
            Some(label) => mark.label(label.as_str()),
            None => mark,
        };
        let snippet = Snippet::source(excerpt.line.as_str()).annotation(mark);
        match (self.line, self.column) {
            // The renderer counts columns in what it shows.
            (Some(line), Some(column)) if excerpt.is_cut => group
                .element(
                    Location::path(self.place_name())
                        .line(line)
                        .char_column(column),
                )
                .element(snippet.line_start(line)),
            (Some(line), _) => group.element(snippet.line_start(line).path(self.place_name())),
            // The text of a variable or a flag says itself which it is.
            (None, _) => group.element(snippet.line_numbering(false)),
        }
    }

    fn place_name(&self) -> String {
        match &self.origin {
            Origin::File { path, .. } => path.display().to_string(),
            other => other.to_string(),
        }
    }
}

/// A fault whose place is not yet looked up.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub place: Place,
    pub kind: DiagnosticKind,
    pub key: Option<String>,
    pub message: String,
    pub label: Option<String>,
    pub help: Option<String>,
}

impl Fault {
    pub(super) fn new(kind: DiagnosticKind, place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            kind,
            key: None,
            message: message.into(),
            label: None,
            help: None,
        }
    }

    pub(super) fn about(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    pub(super) fn label(mut self, label: impl Into<Option<String>>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }
}

/// The texts that a configuration is read from, in rising precedence; the first is the built-in defaults.
#[derive(Debug)]
pub(super) struct Texts(Vec<Text>);

/// A text, where it came from, and where its lines start.
#[derive(Debug)]
struct Text {
    source: TextSource,
    content: String,
    line_starts: Vec<usize>,
}

/// Where a text came from.
#[derive(Clone, Debug)]
pub(super) enum TextSource {
    Defaults,
    File(PathBuf),
    /// The text is `NAME=value`.
    Variable(String),
    /// The text is the flag as written.
    Flag,
}

impl Texts {
    /// The index of the built-in defaults.
    pub(super) const DEFAULTS: usize = 0;

    pub(super) fn new(defaults: &str) -> Self {
        let mut texts = Self(Vec::new());
        texts.add(TextSource::Defaults, defaults.to_owned());
        texts
    }

    /// Adds a text of higher precedence and returns its index.
    pub(super) fn add(&mut self, source: TextSource, content: String) -> usize {
        let ends = content.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(ends).collect();
        self.0.push(Text {
            source,
            content,
            line_starts,
        });
        self.0.len() - 1
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, place: Place) -> usize {
        self.0[place.text]
            .line_starts
            .partition_point(|start| *start <= place.start)
    }

    pub(super) fn origin(&self, place: Place) -> Origin {
        let text = &self.0[place.text];
        match &text.source {
            TextSource::Defaults => Origin::Default,
            TextSource::File(path) => Origin::File {
                path: path.clone(),
                line: self.line(place),
            },
            TextSource::Variable(name) => Origin::Environment {
                variable: name.clone(),
            },
            TextSource::Flag => Origin::Flag {
                text: text.content.clone(),
            },
        }
    }

    pub(super) fn diagnostic(&self, fault: Fault) -> Diagnostic {
        let text = &self.0[fault.place.text];
        let line = self.line(fault.place);
        let start = text.line_starts[line - 1];
        let end = text
            .line_starts
            .get(line)
            .map_or(text.content.len(), |next| next - 1);
        let whole = text.content[start..end].trim_end_matches('\r');
        let marked = (fault.place.start - start).min(whole.len());
        let marked = whole.floor_char_boundary(marked)
            ..whole.ceil_char_boundary((fault.place.end - start).clamp(marked, whole.len()));
        let in_file = matches!(text.source, TextSource::File(_));
        Diagnostic {
            kind: fault.kind,
            origin: self.origin(fault.place),
            line: in_file.then_some(line),
            column: in_file.then(|| whole[..marked.start].chars().count() + 1),
            key: fault.key,
            message: fault.message,
            label: fault.label,
            help: fault.help,
            excerpt: Some(excerpt(whole, marked)),
        }
    }
}

/// A fault of a file as a whole, which has no line to show.
pub(super) fn whole_file(kind: DiagnosticKind, path: PathBuf, message: String) -> Diagnostic {
    Diagnostic {
        kind,
        origin: Origin::File { path, line: 0 },
        line: None,
        column: None,
        key: None,
        message,
        label: None,
        help: None,
        excerpt: None,
    }
}

/// A name from outside as it stands in a message: a hostile one is cut.
pub(super) fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_LENGTH) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The marked part of a line with some of what surrounds it, so that a hostile line stays small.
fn excerpt(line: &str, marked: Range<usize>) -> Excerpt {
    let from = line.floor_char_boundary(marked.start.saturating_sub(LINE_CONTEXT));
    let to = line.ceil_char_boundary((marked.start + LINE_CONTEXT).min(line.len()));
    Excerpt {
        line: line[from..to].to_owned(),
        marked: marked.start - from..marked.end.min(to) - from,
        is_cut: from > 0,
    }
}
