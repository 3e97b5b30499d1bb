//! The child of `auralis plugin check`: opens a plugin and runs the trials that it is told.
//!
//! A plugin may print what it likes where this prints what it found, and may end the process at any
//! time. So each message is a line that begins with a secret of the parent's, and says what begins
//! before it begins.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use auralis_core::{Error, ErrorKind};
use auralis_registry::Registry;
use auralis_registry::plugin::open_as_described;
use auralis_registry::plugin::process::{Limits, limit};
use auralis_testkit::Effort;
use serde::{Deserialize, Serialize};

use crate::cli::{Outcome, Stop};
use crate::conformance;

/// The trial that compares a plugin's manifest with what its code serves.
pub const MANIFEST: &str = "plugin::serves_its_manifest";

/// What the parent asks for.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// What every message begins with.
    pub secret: String,
    /// The library to open.
    pub library: PathBuf,
    /// Whether its panics may end the process.
    pub allow_abort: bool,
    /// Whether the trials do as little as in the quick part.
    pub quick: bool,
    /// The full names of the trials.
    pub trials: VecDeque<String>,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// A trial begins.
    Begun(String),
    /// A trial ended, and failed with this or not at all.
    Ended(String, Option<String>),
}

impl Message {
    /// The message in a line of the child's output, if it is one.
    pub fn find(line: &[u8], secret: &str) -> Option<Self> {
        // What a plugin printed without an end of line may stand before it.
        let line = String::from_utf8_lossy(line);
        let (_, message) = line.split_once(secret)?;
        serde_json::from_str(message).ok()
    }

    fn say(&self, secret: &str) -> io::Result<()> {
        let message = serde_json::to_string(self)?;
        let mut output = io::stdout().lock();
        write!(output, "\n{secret}{message}\n")?;
        output.flush()
    }
}

/// Longer is no message for a person, and the pipe is shared with the plugin.
const LONGEST: usize = 4096;

/// Trials work with little; what never ends is ended sooner by the parent.
const LIMITS: Limits = Limits {
    memory: 4 << 30,
    cpu_seconds: 24 * 3600,
};

/// Runs the verb.
pub fn run() -> Outcome {
    let mut text = String::new();
    let request = io::stdin()
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| serde_json::from_str::<Request>(&text).ok())
        .ok_or_else(|| {
            Stop::Usage("`auralis plugin trials` is run by `auralis plugin check`".into())
        })?;
    // Where limits can't be set, those that there are hold.
    let _ = limit(LIMITS);
    let effort = if request.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    let mut registry = None;
    for trial in &request.trials {
        let say = |message: Message| {
            message
                .say(&request.secret)
                .map_err(|e| Error::new(ErrorKind::Io, "can't write to standard output").because(e))
        };
        say(Message::Begun(trial.clone()))?;
        let registry = registry.get_or_insert_with(|| opened(&request));
        let outcome = match registry {
            Ok(_) if trial == MANIFEST => Ok(()),
            Ok(registry) => conformance::run(registry, trial, effort),
            Err(reason) => Err(reason.clone()),
        };
        let failure = outcome.err().map(shortened);
        say(Message::Ended(trial.clone(), failure))?;
    }
    Ok(())
}

/// What the plugin serves, if that is what its manifest says.
fn opened(request: &Request) -> Result<Registry, String> {
    let mut registry = Registry::empty();
    open_as_described(&request.library, request.allow_abort)
        .and_then(|plugin| plugin.insert_into(&mut registry))
        .map_err(|e| e.report())?;
    Ok(registry)
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = text.floor_char_boundary(LONGEST);
        text.truncate(end);
        text.push_str(" ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_behind_what_a_plugin_printed() {
        let line = b"loading...\xffsecret {\"begun\":\"a::b::c\"}";
        let found = Message::find(line, "secret ");
        assert!(matches!(found, Some(Message::Begun(name)) if name == "a::b::c"));
        for other in [&b"secret {}"[..], b"{\"begun\":\"a\"}", b""] {
            assert!(Message::find(other, "secret ").is_none());
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        assert_eq!(shortened("short".into()), "short");
        let cut = shortened("ä".repeat(LONGEST));
        assert!(cut.len() <= LONGEST + 4 && cut.ends_with(" ..."));
    }
}
