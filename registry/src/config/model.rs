//! The typed configuration: what `auralis.toml` says once every layer is applied and checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::BackendRequest;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// Everything that can be configured; the default is what an empty file means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What of the CPU may be used.
    pub cpu: Cpu,
    /// The kernels on audio samples.
    pub accelerator: Accelerator,
    /// The source of aligned buffers.
    pub buffer_pool: BufferPool,
    /// The store of computed results.
    pub cache: Cache,
    /// What work runs on.
    pub executor: Executor,
    /// What measures the work.
    pub profiler: Profiler,
    /// How files are processed.
    pub process: Process,
    /// Which third-party dylibs may be loaded; none unless named here.
    pub plugins: Plugins,
    /// The stages that audio runs through, in order; each names its `stage` and holds that stage's keys.
    #[cfg_attr(test, schemars(with = "Vec<tests::ChainEntry>"))]
    pub chain: Vec<Value>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cpu: Cpu::default(),
            accelerator: Accelerator::default(),
            buffer_pool: BufferPool::default(),
            cache: Cache::default(),
            executor: Executor::default(),
            profiler: Profiler::default(),
            process: Process::default(),
            plugins: Plugins::default(),
            chain: vec![
                json!({
                    "stage": "equalizer",
                    "bands": [{ "hz": 60.0, "gain_db": 1.5 }, { "hz": 3000.0, "gain_db": -1.0 }],
                }),
                json!({ "stage": "loudness", "target_lufs": -14.0 }),
                json!({ "stage": "limiter", "ceiling_dbtp": -1.0 }),
            ],
        }
    }
}

impl Config {
    /// The kinds of backend, by the name of their section.
    pub const KINDS: [&'static str; 5] = [
        "accelerator",
        "buffer_pool",
        "cache",
        "executor",
        "profiler",
    ];

    /// The file that `auralis config init` writes: every default, commented.
    pub fn commented_default() -> String {
        include_str!("default.toml").to_owned()
    }

    /// The backend asked for in the section `kind`; `None` for a name not in [`Config::KINDS`].
    pub fn backend(&self, kind: &str) -> Option<&BackendRequest> {
        self.section(kind).map(|(backend, _)| backend)
    }

    /// The backend-specific options of the section `kind`, an object, as written in the file: with
    /// several candidates it may hold keys of each, see [`Catalog::options_for`](super::Catalog::options_for).
    pub fn options(&self, kind: &str) -> Option<&Value> {
        self.section(kind).map(|(_, options)| options)
    }

    fn section(&self, kind: &str) -> Option<(&BackendRequest, &Value)> {
        Some(match kind {
            "accelerator" => (&self.accelerator.backend, &self.accelerator.options),
            "buffer_pool" => (&self.buffer_pool.backend, &self.buffer_pool.options),
            "cache" => (&self.cache.backend, &self.cache.options),
            "executor" => (&self.executor.backend, &self.executor.options),
            "profiler" => (&self.profiler.backend, &self.profiler.options),
            _ => return None,
        })
    }
}

/// What of the CPU may be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Cpu {
    /// Features hidden from selection and from every backend, to rehearse another machine.
    pub disable: Vec<String>,
}

/// The kernels on audio samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Accelerator {
    /// Which backend: "auto", one id, or an ordered list of ids.
    pub backend: BackendRequest,
    /// Below this length, in samples, the reference runs; "auto": as measured.
    pub vectorization_threshold: Threshold,
    /// The backend of single kernels: kernel name to backend id.
    pub kernels: BTreeMap<String, String>,
    /// Options of the chosen backend.
    #[cfg_attr(test, schemars(with = "tests::Options"))]
    pub options: Value,
}

impl Default for Accelerator {
    fn default() -> Self {
        Self {
            backend: BackendRequest::Auto,
            vectorization_threshold: Threshold::Auto,
            kernels: BTreeMap::new(),
            options: no_options(),
        }
    }
}

/// The source of aligned buffers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BufferPool {
    /// Which backend: "auto", one id, or an ordered list of ids.
    pub backend: BackendRequest,
    /// The most memory the pool hands out, in MiB.
    #[cfg_attr(test, schemars(range(min = 1, max = 1_048_576)))]
    pub capacity_mb: u64,
    /// Options of the chosen backend.
    #[cfg_attr(test, schemars(with = "tests::Options"))]
    pub options: Value,
}

impl Default for BufferPool {
    fn default() -> Self {
        Self {
            backend: BackendRequest::Auto,
            capacity_mb: 64,
            options: no_options(),
        }
    }
}

/// The store of computed results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// Which backend: "auto", one id, or an ordered list of ids.
    pub backend: BackendRequest,
    /// The most that is kept, in MiB of real bytes.
    #[cfg_attr(test, schemars(range(min = 1, max = 1_048_576)))]
    pub capacity_mb: u64,
    /// How long an entry lives after it was put, in seconds.
    pub ttl_seconds: u64,
    /// Calls between sweeps, which run off the real-time path.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub sweep_interval: u64,
    /// Options of the chosen backend.
    #[cfg_attr(test, schemars(with = "tests::Options"))]
    pub options: Value,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            backend: BackendRequest::Auto,
            capacity_mb: 128,
            ttl_seconds: 300,
            sweep_interval: 100,
            options: no_options(),
        }
    }
}

/// What work runs on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Executor {
    /// Which backend: "auto", one id, or an ordered list of ids.
    pub backend: BackendRequest,
    /// Working threads; 0: one per core.
    #[cfg_attr(test, schemars(range(min = 0, max = 1024)))]
    pub threads: usize,
    /// Helper threads of the pinned executor; the caller works too.
    #[cfg_attr(test, schemars(range(min = 0, max = 64)))]
    pub helpers: usize,
    /// Options of the chosen backend.
    #[cfg_attr(test, schemars(with = "tests::Options"))]
    pub options: Value,
}

impl Default for Executor {
    fn default() -> Self {
        Self {
            backend: BackendRequest::Auto,
            threads: 0,
            helpers: 2,
            options: no_options(),
        }
    }
}

/// What measures the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Profiler {
    /// Which backend: "auto", one id, or an ordered list of ids.
    pub backend: BackendRequest,
    /// How many single measurements are kept per name; totals are of everything.
    #[cfg_attr(test, schemars(range(min = 1, max = 1_000_000)))]
    pub history: usize,
    /// Options of the chosen backend.
    #[cfg_attr(test, schemars(with = "tests::Options"))]
    pub options: Value,
}

impl Default for Profiler {
    fn default() -> Self {
        Self {
            backend: BackendRequest::Auto,
            history: 1000,
            options: no_options(),
        }
    }
}

/// How files are processed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// Decode the next blocks and files ahead.
    pub prefetch: bool,
}

impl Default for Process {
    fn default() -> Self {
        Self { prefetch: true }
    }
}

/// Which third-party dylibs may be loaded; none unless named here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Plugins {
    /// Absolute directories whose dylibs are loaded.
    pub directories: Vec<PathBuf>,
    /// Single dylibs that are loaded, with or without a pin.
    pub allow: Vec<AllowedPlugin>,
}

/// One dylib that may be loaded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AllowedPlugin {
    /// The absolute path of the dylib.
    pub file: PathBuf,
    /// The SHA-256 that the file must have, 64 hexadecimal digits; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether it may have been built with `panic = "abort"`, so that a panic of it ends the process.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_abort: bool,
}

impl<'de> Deserialize<'de> for AllowedPlugin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            file: PathBuf,
            sha256: Option<String>,
            #[serde(default)]
            allow_abort: bool,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Path(PathBuf),
            Table(Table),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Path(file) => Self {
                file,
                sha256: None,
                allow_abort: false,
            },
            Written::Table(Table {
                file,
                sha256,
                allow_abort,
            }) => Self {
                file,
                sha256,
                allow_abort,
            },
        })
    }
}

/// From which length on the fast kernels run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threshold {
    /// As measured on this machine.
    #[default]
    Auto,
    /// From this many samples on.
    Samples(usize),
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Samples(samples) => samples.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Word {
            Auto,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(Word),
            Samples(usize),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Word(Word::Auto) => Self::Auto,
            Written::Samples(samples) => Self::Samples(samples),
        })
    }
}

fn no_options() -> Value {
    json!({})
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use std::borrow::Cow;

    use super::*;

    macro_rules! schema_as {
        ($type:ty, $schema:tt) => {
            impl JsonSchema for $type {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($type).into()
                }
                fn inline_schema() -> bool {
                    true
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
            }
        };
    }

    /// Stands for a chain entry: the catalog of stages says what else it holds.
    pub(super) struct ChainEntry;
    schema_as!(ChainEntry, {
        "type": "object",
        "properties": { "stage": { "type": "string" } },
        "required": ["stage"],
        "additionalProperties": true,
    });

    /// Stands for backend-specific options: the catalog of backends says what they hold.
    pub(super) struct Options;
    schema_as!(Options, { "type": "object", "additionalProperties": true });

    schema_as!(BackendRequest, {
        "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
        ],
    });

    schema_as!(Threshold, {
        "anyOf": [
            { "const": "auto" },
            { "type": "integer", "minimum": 0 },
        ],
    });

    schema_as!(AllowedPlugin, {
        "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "properties": {
                    "file": { "type": "string", "description": "The absolute path of the dylib." },
                    "sha256": {
                        "type": "string",
                        "description": "The SHA-256 that the file must have, 64 hexadecimal digits.",
                    },
                    "allow_abort": {
                        "type": "boolean",
                        "description": "Whether it may have been built with panic = \"abort\", so that a panic of it ends the process.",
                    },
                },
                "required": ["file"],
                "additionalProperties": false,
            },
        ],
    });

    /// Numbers' widths are Rust's business, not the file's.
    fn without_formats(schema: &mut Value) {
        match schema {
            Value::Object(map) => {
                map.remove("format");
                map.values_mut().for_each(without_formats);
            }
            Value::Array(items) => items.iter_mut().for_each(without_formats),
            _ => {}
        }
    }

    #[test]
    fn the_schema_file_is_the_one_of_the_types() {
        let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
        let mut derived = settings
            .into_generator()
            .into_root_schema_for::<Config>()
            .to_value();
        without_formats(&mut derived);
        if std::env::var_os("AURALIS_BLESS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/config.schema.json");
            let text = serde_json::to_string_pretty(&derived).expect("a schema is JSON") + "\n";
            std::fs::write(path, text).expect("the schema file can be written");
        }
        let file: Value = serde_json::from_str(include_str!("../../schemas/config.schema.json"))
            .expect("the schema file is JSON");
        assert_eq!(
            derived, file,
            "AURALIS_BLESS=1 writes schemas/config.schema.json anew"
        );
    }

    #[test]
    fn the_commented_default_is_the_default() {
        let text = Config::commented_default();
        assert!(text.starts_with("#:schema ./auralis.schema.json\n"));
        let parsed: Config = toml::from_str(&text).expect("the commented default parses");
        assert_eq!(parsed, Config::default());
    }

    #[test]
    fn requests_and_thresholds_survive_a_round_trip() {
        for request in [
            BackendRequest::Auto,
            BackendRequest::One("avx2".into()),
            BackendRequest::List(vec!["avx2".into(), "scalar".into()]),
        ] {
            let json = serde_json::to_value(&request).expect("a request is JSON");
            assert_eq!(
                serde_json::from_value::<BackendRequest>(json).ok(),
                Some(request)
            );
        }
        for threshold in [Threshold::Auto, Threshold::Samples(64)] {
            let json = serde_json::to_value(threshold).expect("a threshold is JSON");
            assert_eq!(
                serde_json::from_value::<Threshold>(json).ok(),
                Some(threshold)
            );
        }
        assert!(serde_json::from_value::<Threshold>(json!("soon")).is_err());
    }
}
