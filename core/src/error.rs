//! The one error type of the workspace.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong: what a caller may branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument that the callee's contract rules out: lengths that differ, a size that overflows.
    InvalidInput,
    /// The backend does not offer this kernel or option; another one may.
    Unsupported,
    /// A backend that was asked for by name exists, but can't be had here.
    Unavailable,
    /// Something named does not exist.
    NotFound,
    /// The configuration is wrong.
    Config,
    /// The operating system refused to read or write.
    Io,
    /// The bytes of an input are not what they claim to be.
    Corrupt,
    /// A plugin was rejected or misbehaved.
    Plugin,
    /// Code that was called panicked; the panic was contained.
    Panicked,
    /// A bounded resource is used up.
    Exhausted,
    /// The work was interrupted on request.
    Interrupted,
}

/// An error: its kind, a message that says what was found and what exists instead, where, and why.
///
/// A message is lower-case, without a full stop. An error made of a static message without context
/// does not allocate, so a real-time path may return one.
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    details: Option<Box<Details>>,
}

#[derive(Default)]
struct Details {
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a message.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: None,
        }
    }

    /// The answer of a trait's default method: this backend lacks `kernel`.
    pub const fn unsupported(kernel: &'static str) -> Self {
        Self {
            kind: ErrorKind::Unsupported,
            message: Cow::Borrowed(kernel),
            details: None,
        }
    }

    /// Adds where it happened: a file, a line, a backend's id.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.details_mut().context.push((key, value.to_string()));
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.details_mut().source = Some(source.into());
        self
    }

    /// What sort of error this is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message alone, without context and causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The context pairs, in the order in which they were added.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.details
            .iter()
            .flat_map(|d| d.context.iter().map(|(k, v)| (*k, v.as_str())))
    }

    /// The backend whose code failed where it must not: its kind and its id. Whoever has another
    /// candidate may go on with that one; the faulty instance is not to be called again.
    ///
    /// That is an error of kind [`Panicked`](ErrorKind::Panicked) or [`Plugin`](ErrorKind::Plugin)
    /// with the context pair `backend`: `kind/id`. It is read without allocating.
    pub fn faulty_backend(&self) -> Option<(&str, &str)> {
        if !matches!(self.kind, ErrorKind::Panicked | ErrorKind::Plugin) {
            return None;
        }
        let (_, backend) = self.context().find(|(key, _)| *key == "backend")?;
        backend.split_once('/')
    }

    /// An error of the same kind, message and context, whose cause is the text of this one's causes:
    /// for whoever has to tell it twice.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let copy = Self::new(self.kind, self.message.clone());
        let copy = self
            .context()
            .fold(copy, |copy, (key, value)| copy.with(key, value));
        match self.causes().as_str() {
            "" => copy,
            causes => copy.because(causes),
        }
    }

    /// The message, its context and its causes in one line.
    pub fn report(&self) -> String {
        match self.causes().as_str() {
            "" => self.to_string(),
            causes => format!("{self}: {causes}"),
        }
    }

    fn causes(&self) -> String {
        let first = StdError::source(self);
        let causes = std::iter::successors(first, |cause| (*cause).source());
        causes
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    }

    fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::Unsupported => write!(f, "not supported: {}", self.message)?,
            _ => f.write_str(&self.message)?,
        }
        let mut open = " (";
        for (key, value) in self.context() {
            write!(f, "{open}{key}: {value}")?;
            open = ", ";
        }
        if open == ", " {
            f.write_str(")")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.report())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.details
            .as_ref()?
            .source
            .as_deref()
            .map(|s| s as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_where_and_why() {
        let cause = std::io::Error::other("the disk is full");
        let error = Error::new(ErrorKind::Io, "can't write the output")
            .with("file", "a.wav")
            .with("frame", 12)
            .because(cause);
        assert_eq!(
            error.report(),
            "can't write the output (file: a.wav, frame: 12): the disk is full"
        );
        assert_eq!(error.kind(), ErrorKind::Io);
    }

    #[test]
    fn a_faulty_backend_is_named_by_kind_and_id() {
        let of = |kind| Error::new(kind, "index out of bounds").with("backend", "cache/acme");
        let expected = Some(("cache", "acme"));
        for kind in [ErrorKind::Panicked, ErrorKind::Plugin] {
            assert_eq!(of(kind).with("kernel", "dot").faulty_backend(), expected);
        }
        assert_eq!(of(ErrorKind::Exhausted).faulty_backend(), None);
        let unnamed = Error::new(ErrorKind::Panicked, "a task panicked");
        assert_eq!(unnamed.faulty_backend(), None);
        assert_eq!(unnamed.with("backend", "avx2").faulty_backend(), None);
    }

    #[test]
    fn a_duplicate_says_the_same() {
        let cause = Error::new(ErrorKind::Io, "the disk is full")
            .because(std::io::Error::other("no space left"));
        let error = Error::new(ErrorKind::Panicked, "gone")
            .with("backend", "cache/acme")
            .because(cause);
        let copy = error.duplicate();
        assert_eq!((copy.kind(), copy.report()), (error.kind(), error.report()));
        assert_eq!(copy.faulty_backend(), error.faulty_backend());
        assert_eq!(
            Error::unsupported("dot").duplicate().report(),
            "not supported: dot"
        );
    }

    #[test]
    fn a_missing_kernel_is_named() {
        assert_eq!(Error::unsupported("dot").to_string(), "not supported: dot");
    }
}
