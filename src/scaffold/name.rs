//! Which names a plugin may have: those that cargo takes for a crate and the registry for a backend.

use auralis_core::{
    Accelerator, BufferPool, Cache, Error, ErrorKind, Executor, Linked, Profiler, Result,
};

use super::Kind;

/// Names that rustc or cargo keep for themselves.
const KEPT: &[&str] = &[
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "proc_macro",
    "proc-macro",
    "std",
    "test",
];

/// The keywords of Rust: <https://doc.rust-lang.org/reference/keywords.html>.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Whether a crate and a backend of this kind may be called so.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] that says what does not fit.
pub fn check(name: &str, kind: Kind) -> Result<()> {
    let refuse = |why: String| {
        let message = format!("{name:?} can't be the name of a plugin: {why}");
        Err(Error::new(ErrorKind::InvalidInput, message))
    };
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return refuse("it must start with an ASCII letter".into());
    }
    let odd = name
        .chars()
        .find(|c| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_'));
    if let Some(odd) = odd {
        return refuse(format!(
            "it is made of ASCII letters, digits, \"-\" and \"_\", and {odd:?} is none of them"
        ));
    }
    if name.len() > 64 {
        return refuse("it has more than 64 characters, the most that crates.io takes".into());
    }
    if KEYWORDS.contains(&name) {
        return refuse("it is a keyword of Rust".into());
    }
    if KEPT.contains(&name) {
        return refuse("Rust or cargo keep that name for themselves".into());
    }
    // A crate can't depend on one of its own name.
    let plain = name.replace('_', "-").to_lowercase();
    if plain == "auralis" || plain.starts_with("auralis-") {
        return refuse("the packages of Auralis itself are called so".into());
    }
    if name == "auto" {
        return refuse("in a configuration \"auto\" means: whichever is best".into());
    }
    if linked(kind).contains(&name) {
        let words = kind.words();
        let article = if words.starts_with(['a', 'e']) {
            "an"
        } else {
            "a"
        };
        return refuse(format!(
            "{article} {words} of that id is built into Auralis"
        ));
    }
    Ok(())
}

/// The ids that are taken: a plugin that brings one of them is rejected.
fn linked(kind: Kind) -> Vec<&'static str> {
    fn ids<K: Linked + ?Sized>() -> Vec<&'static str> {
        K::linked().iter().map(|descriptor| descriptor.id).collect()
    }
    match kind {
        Kind::Accelerator => ids::<dyn Accelerator>(),
        Kind::BufferPool => ids::<dyn BufferPool>(),
        Kind::Cache => ids::<dyn Cache>(),
        Kind::Executor => ids::<dyn Executor>(),
        Kind::Profiler => ids::<dyn Profiler>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cargo_and_the_registry_take() {
        for name in ["acme", "acme-gain", "Acme_2", "a"] {
            check(name, Kind::Cache).unwrap();
        }
        // Taken by a backend of another kind: no matter.
        check("sequential", Kind::Cache).unwrap();
    }

    #[test]
    fn other_names_are_refused_with_the_reason() {
        let long = "a".repeat(65);
        let cases = [
            ("", "start with an ASCII letter"),
            ("2fast", "start with an ASCII letter"),
            ("-gain", "start with an ASCII letter"),
            ("äther", "start with an ASCII letter"),
            ("acme gain", "' '"),
            ("acme/gain", "'/'"),
            ("acme.gain", "'.'"),
            ("gaiñ", "'ñ'"),
            ("../up", "start with an ASCII letter"),
            (&long, "64"),
            ("loop", "keyword"),
            ("core", "keep that name"),
            ("auto", "whichever is best"),
            ("lru", "a cache of that id is built into Auralis"),
            ("auralis-core", "the packages of Auralis itself"),
            ("auralis_abi", "the packages of Auralis itself"),
        ];
        for (name, expected) in cases {
            let error = check(name, Kind::Cache).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.report().contains(expected), "{name}: {error}");
        }
        let error = check("scalar", Kind::Accelerator).unwrap_err();
        let expected = "an accelerator of that id is built into Auralis";
        assert!(error.report().ends_with(expected), "{error}");
    }
}
