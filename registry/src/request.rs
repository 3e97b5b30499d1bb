//! Requests: which backend is asked for, and who asks.

use std::fmt;
use std::str::FromStr;

use auralis_core::{Error, ErrorKind};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which backend is asked for.
///
/// In JSON and TOML: `"auto"`, `"id"` or `["a", "b"]`; in a flag: `auto`, `id` or `a,b`.
///
/// ```
/// use auralis_registry::BackendRequest;
///
/// let request: BackendRequest = serde_json::from_str(r#"["avx512", "scalar"]"#)?;
/// assert_eq!(request, "avx512,scalar".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BackendRequest {
    /// The best there is: by measurement, else by rank.
    #[default]
    Auto,
    /// This one or an error.
    One(String),
    /// The first of these that can be had, or an error.
    List(Vec<String>),
}

impl BackendRequest {
    /// The ids asked for by name, in order; none for [`BackendRequest::Auto`].
    pub fn ids(&self) -> &[String] {
        match self {
            Self::Auto => &[],
            Self::One(id) => std::slice::from_ref(id),
            Self::List(ids) => ids,
        }
    }

    fn one(id: &str) -> Result<Self, &'static str> {
        match id {
            "auto" => Ok(Self::Auto),
            "" => Err("a backend's id can't be empty"),
            id => Ok(Self::One(id.to_owned())),
        }
    }

    fn list(ids: Vec<String>) -> Result<Self, &'static str> {
        if ids.is_empty() {
            return Err("a list of backends needs at least one id");
        }
        if ids.iter().any(String::is_empty) {
            return Err("a backend's id can't be empty");
        }
        if ids.iter().any(|id| id == "auto") {
            return Err("\"auto\" can't stand in a list of backends: it is an answer of its own");
        }
        Ok(Self::List(ids))
    }
}

impl FromStr for BackendRequest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let request = match text.split_once(',') {
            None => Self::one(text.trim()),
            Some(_) => Self::list(text.split(',').map(|id| id.trim().to_owned()).collect()),
        };
        request.map_err(|message| Error::new(ErrorKind::Config, message).with("found", text))
    }
}

impl Serialize for BackendRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::One(id) => serializer.serialize_str(id),
            Self::List(ids) => ids.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for BackendRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = BackendRequest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"auto\", a backend's id or a list of ids")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<Self::Value, E> {
                BackendRequest::one(id).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, ids: A) -> Result<Self::Value, A::Error> {
                let ids = Vec::deserialize(SeqAccessDeserializer::new(ids))?;
                BackendRequest::list(ids).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// Who decided, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// A flag of the command line.
    Flag,
    /// An environment variable.
    Environment,
    /// The configuration file.
    Config,
    /// What was measured on this machine.
    Measured,
    /// The backends' own ranks.
    Rank,
}

impl Authority {
    /// The name in reports: `flag`, `environment`, `config`, `measured` or `rank`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Config => "config",
            Self::Measured => "measured",
            Self::Rank => "rank",
        }
    }

    /// Who asks, as the subject of a sentence.
    pub(crate) const fn subject(self) -> &'static str {
        match self {
            Self::Flag => "the flag",
            Self::Environment => "the environment",
            Self::Config => "the configuration",
            Self::Measured | Self::Rank => "the request",
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A request and who made it. The default is that nobody asked: the ranks decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which backend is asked for.
    pub backend: BackendRequest,
    /// Who asks.
    pub by: Authority,
}

impl Request {
    /// The request `backend`, made by `by`.
    pub const fn new(backend: BackendRequest, by: Authority) -> Self {
        Self { backend, by }
    }
}

impl Default for Request {
    fn default() -> Self {
        Self::new(BackendRequest::Auto, Authority::Rank)
    }
}

/// What each layer asks for; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// Asked for by a flag.
    pub flag: Option<BackendRequest>,
    /// Asked for by an environment variable.
    pub environment: Option<BackendRequest>,
    /// Asked for by the configuration file.
    pub config: Option<BackendRequest>,
}

impl Layers {
    /// The request that counts: of the flag, else of the environment, else of the configuration,
    /// else nobody's.
    pub fn decide(self) -> Request {
        let layers = [
            (self.flag, Authority::Flag),
            (self.environment, Authority::Environment),
            (self.config, Authority::Config),
        ];
        let first = layers
            .into_iter()
            .find_map(|(said, by)| Some(Request::new(said?, by)));
        first.unwrap_or_default()
    }
}
