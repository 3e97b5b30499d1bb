//! The small catalog that the configuration's tests share.

use auralis_registry::config::Catalog;

const GAIN: &str = r#"{
    "type": "object",
    "properties": { "gain_db": { "type": "number", "minimum": -120, "maximum": 60 } },
    "required": ["gain_db"],
    "additionalProperties": false
}"#;

const EQUALIZER: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": { "bands": { "type": "array", "items": { "$ref": "#/$defs/Band" }, "maxItems": 8 } },
    "required": ["bands"],
    "$defs": {
        "Band": {
            "type": "object",
            "properties": {
                "hz": { "type": "number", "exclusiveMinimum": 0 },
                "gain_db": { "type": "number", "default": 0 },
                "q": { "type": ["number", "null"] }
            },
            "required": ["hz"]
        }
    }
}"##;

const LOUDNESS: &str = r#"{
    "type": "object",
    "properties": {
        "target_lufs": { "type": "number", "minimum": -70, "maximum": 0 },
        "max_reduction_db": { "type": "number", "minimum": 0 }
    },
    "required": ["target_lufs"]
}"#;

const LIMITER: &str = r#"{
    "type": "object",
    "properties": {
        "ceiling_dbtp": { "type": "number", "maximum": 0 },
        "mode": { "oneOf": [
            { "const": "fast", "description": "Cheap." },
            { "const": "exact", "description": "Dear." }
        ] }
    }
}"#;

const DISK: &str = r#"{
    "type": "object",
    "properties": {
        "directory": { "type": "string" },
        "verify": { "type": "boolean", "default": true }
    },
    "required": ["directory"]
}"#;

const DASHMAP: &str = r#"{
    "type": "object",
    "properties": { "shards": { "type": "integer", "minimum": 1 } }
}"#;

/// The catalog of a host whose plugins, if any, are not loaded yet.
pub fn open_catalog() -> Catalog {
    let mut catalog = Catalog::new()
        .cpu_features(["avx2", "fma", "avx512f"])
        .kernels(["dot", "scale", "peak"]);
    for (name, schema) in [
        ("equalizer", EQUALIZER),
        ("gain", GAIN),
        ("limiter", LIMITER),
        ("loudness", LOUDNESS),
    ] {
        catalog = catalog.stage(name, schema).expect(name);
    }
    for (kind, id, options) in [
        ("accelerator", "scalar", "{}"),
        ("accelerator", "multiversion", "{}"),
        ("accelerator", "avx2", "{}"),
        ("buffer-pool", "bitmap", "{}"),
        ("cache", "dashmap", DASHMAP),
        ("cache", "disk", DISK),
        ("cache", "lru", "{}"),
        ("cache", "none", "{}"),
        ("executor", "rayon", "{}"),
        ("executor", "sequential", "{}"),
        ("profiler", "histogram", "{}"),
    ] {
        catalog = catalog.backend(kind, id, options).expect(id);
    }
    catalog
}

/// The catalog of a host that knows all there is.
pub fn catalog() -> Catalog {
    open_catalog().complete(true)
}
